package ledger_test

import (
	"testing"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestOwn(t *testing.T) {
	l := serve(t, ledger.Options{})
	l.post(t, "/v1/changes", `[{"id":"a","layer":"model","title":"x"},{"id":"b","layer":"model","title":"y","owner":"o"}]`)
	for _, tt := range []struct {
		id, owner string
		want      quality.Kind
	}{{"none", "ada", quality.KindNotFound}, {"a", " ", quality.KindInvalid}, {"a", "a\x00b", quality.KindInvalid}, {"b", "ada", quality.KindConflict}} {
		if err := l.Own(t.Context(), tt.id, tt.owner); err == nil || quality.KindOf(err) != tt.want {
			t.Errorf("%s by %q: got %v", tt.id, tt.owner, err)
		}
	}
	if err := l.Own(t.Context(), "a", "ada"); err != nil {
		t.Fatal(err)
	}
	_, page, _ := l.list(t, "")
	for _, c := range page.Changes {
		if c.ID == "a" && (c.Owner != "ada" || c.Flagged(quality.FlagNoOwner)) {
			t.Errorf("got %+v", c)
		}
	}
}
