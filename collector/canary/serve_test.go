package canary_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

func serve(t *testing.T, k *canary.Keeper) string {
	t.Helper()
	e := web.New(web.Options{})
	k.Register(e)
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.URL
}

func TestRoutes(t *testing.T) {
	m := &memory{}
	k := keeper(t, m, nil, chatSpec("https://user:pw@api.example"))
	canary.Replace(k, fine)
	base := serve(t, k)
	post := func(path, kind string) *http.Response {
		t.Helper()
		res, err := http.Post(base+path, kind, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	if res := post("/v1/canaries/golden/run", "text/plain"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("what a form can send: got %s", res.Status)
	}
	if res := post("/v1/canaries/silver/run", "application/json"); res.StatusCode != http.StatusNotFound {
		t.Errorf("got %s", res.Status)
	}
	var last canary.Line
	lines := bufio.NewScanner(post("/v1/canaries/golden/run", "application/json").Body)
	for lines.Scan() {
		last = canary.Line{}
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			t.Fatal(err)
		}
	}
	if last.Report == nil || last.Report.Run.Calls != 1 {
		t.Fatalf("got %+v", last)
	}
	res, err := http.Get(base + "/v1/canaries")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Canaries []canary.Status }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	c := list.Canaries[0]
	if c.Endpoint != "https://api.example/v1" || c.Running || c.Last.Calls != 1 || c.All.Latest.N != 1 || len(c.Rates) != 1 || c.EverySeconds != 3600 {
		t.Errorf("got %+v", c)
	}
}

// A run that was asked for ends when whoever asked for it leaves.
func TestACallerThatLeaves(t *testing.T) {
	k := keeper(t, &memory{}, nil, chatSpec("http://unused.example"))
	asked, ended := make(chan struct{}), make(chan struct{})
	canary.Replace(k, func(ctx context.Context, _ *quality.CanaryPrompt) (string, error) {
		close(asked)
		<-ctx.Done()
		close(ended)
		return "", ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, serve(t, k)+"/v1/canaries/golden/run", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	go func() {
		<-asked
		cancel()
	}()
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("got an answer")
	}
	<-ended
}
