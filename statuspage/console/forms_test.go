package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestForms(t *testing.T) {
	for _, tt := range []struct {
		path       string
		form       url.Values
		did, leads string
	}{
		{"/console/changes", url.Values{"title": {"prompt v14"}, "layer": {"prompt"}, "features": {"support, search"}, "at": {"2026-04-06T11:00"}}, "record prompt prompt v14 [support search] at 2026-04-06T09:00:00Z", "/console/changes/chg1?done=recorded"},
		{"/console/changes", url.Values{"title": {"it was us"}, "layer": {"model"}, "declares": {"chg2"}}, "record model it was us [] at 0001-01-01T00:00:00Z", "/console/changes/chg2?done=recorded"},
		{"/console/changes/chg3/own", url.Values{"owner": {"ada"}}, "own chg3 ada", "/console/changes/chg3?done=owned"},
		{"/console/incidents/inc_1/publish", url.Values{"override": {"1"}, "reason": {"all know"}}, "publish inc_1 true all know", "/console/incidents/inc_1?done=published#publish"},
		{"/console/incidents/inc_1/veto", url.Values{"reason": {"a drill"}}, "veto inc_1 a drill", "/console/incidents/inc_1?done=vetoed#veto"},
		{"/console/incidents/inc_1/post", url.Values{"status": {"monitoring"}, "body": {"Rolled back.\r\nWe watch."}, "act": {"post"}, "internal": {"1"}}, `post inc_1 monitoring "Rolled back.\nWe watch." internal=true`, "/console/incidents/inc_1?done=posted#post"},
		{"/console/incidents/inc_1/own", url.Values{"owner": {"ada"}}, "drive inc_1 ada", "/console/incidents/inc_1?done=taken#own"},
		{"/console/incidents/inc_1/correct", url.Values{"update": {"inc_1_1"}, "body": {"Better words."}}, `correct inc_1 inc_1_1 "Better words."`, "/console/incidents/inc_1?done=corrected#correct"},
		{"/console/incidents/inc_2/postmortem", url.Values{"body": {"It was the index."}, "act": {"publish"}}, `postmortem inc_2 "It was the index." true`, "/console/incidents/inc_2?done=postmortem#postmortem"},
		{"/console/maintenances", url.Values{"name": {"New index"}, "features": {"search"}, "from": {"2026-04-07T10:00"}, "to": {"2026-04-07T12:00"}}, "schedule New index [search] 2026-04-07T08:00:00Z", "/console/maintenances/mnt_1?done=scheduled"},
		{"/console/maintenances/mnt_1/advance", url.Values{"status": {"in_progress"}, "body": {"We began."}}, `advance mnt_1 in_progress "We began."`, "/console/maintenances/mnt_1?done=advanced"},
		{"/console/incidents", url.Values{"name": {"Wrong refunds"}, "kind": {"quality"}, "features": {"support"}, "severity": {"major"}, "status": {"identified"}}, "report Wrong refunds quality [support] major identified", "/console/incidents/inc_1?done=reported"},
		{"/console/backfill", url.Values{"name": {"Old"}, "features": {"support"}, "started_at": {"2026-03-01T10:00"}, "resolved_at": {"2026-03-01T12:00"}, "body": {"Over."}, "public": {"1"}}, `backfill Old 2026-03-01T09:00:00Z to 2026-03-01T11:00:00Z public=true "Over."`, "/console/incidents/inc_2?done=entered"},
		{"/console/maintenances/mnt_1/plan", url.Values{"name": {"Newer index"}, "features": {"search"}, "from": {"2026-04-07T12:00:00"}, "to": {"2026-04-07T15:00"}}, "replan mnt_1 Newer index [search] from=true to=2026-04-07T13:00:00Z auto=false", "/console/maintenances/mnt_1?done=replanned"},
		{"/console/baselines/promote", url.Values{"feature": {"support"}, "metric": {"correct"}, "reason": {"new level"}, "from": {"2026-04-01"}}, "promote support correct new level 2026-03-31T22:00:00Z", "/console/baselines/support/correct?done=promoted"},
		{"/console/baselines/pin", url.Values{"feature": {"support"}, "metric": {"correct"}, "version": {"1"}, "reason": {"back"}}, "pin support correct 1 back", "/console/baselines/support/correct?done=pinned"},
		{"/console/labels", url.Values{"feature": {"support"}, "metric": {"faithful"}, "sample": {"s-1"}, "value": {"4"}, "skip": {"s-1"}}, "label s-1 faithful 4 by ada", "/console/labels/support/faithful?skip=s-1&done=labelled"},
		{"/console/labels", url.Values{"feature": {"support"}, "metric": {"faithful"}, "sample": {"s-1"}, "act": {"skip"}, "skip": {"s-1"}}, "", "/console/labels/support/faithful?skip=s-1&done=skipped"},
		{"/console/links/lnk1/revoke", url.Values{"customer": {"acme"}}, "unlink lnk1", "/console/customers/acme?done=unlinked"},
		{"/console/keys/abcdefghij/revoke", nil, "revoke abcdefghij", "/console/keys?done=revoked"},
	} {
		w := newWorld()
		h := w.serve(t)
		r := post(t, h, tt.path, tt.form)
		if r.Code != http.StatusSeeOther || r.Header().Get("Location") != tt.leads {
			t.Errorf("%s: status %d to %q, want 303 to %q", tt.path, r.Code, r.Header().Get("Location"), tt.leads)
			continue
		}
		if got := strings.Join(w.did, "; "); got != tt.did {
			t.Errorf("%s: did %q, want %q", tt.path, got, tt.did)
		}
		next, _, _ := strings.Cut(tt.leads, "#")
		if page := get(t, h, next); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `class="done" role="status"`) {
			t.Errorf("%s: the page that it leads to says nothing of it (status %d)", tt.path, page.Code)
		}
	}
}

// What is wrong stands beside its field, and what was typed is kept.
func TestRefusedForms(t *testing.T) {
	for _, tt := range []struct {
		path   string
		form   url.Values
		refuse error
		status int
		want   []string
	}{
		{"/console/changes", url.Values{"title": {""}, "layer": {"prompt"}, "owner": {"ada"}}, nil, 400, []string{`id="title-wrong"`, `value="ada"`}},
		{"/console/changes", url.Values{"title": {"x"}, "layer": {"magic"}}, nil, 400, []string{`id="layer-wrong"`}},
		{"/console/changes", url.Values{"title": {"x"}, "layer": {"model"}, "at": {"soon"}, "declares": {"chg2"}}, nil, 400, []string{`id="at-wrong"`, "Declare it"}},
		{"/console/incidents/inc_1/publish", url.Values{}, quality.Errorf(quality.KindConflict, "the text does not say: what changed. Add it, or publish with override and a reason"), 409, []string{"The text does not say: what changed"}},
		{"/console/incidents/inc_1/publish", url.Values{"override": {"1"}}, quality.Errorf(quality.KindInvalid, "reason: required to override the check"), 400, []string{`id="publish.reason-wrong"`, `name="override" value="1" checked`}},
		{"/console/incidents/inc_1/post", url.Values{"body": {"kept text"}, "next_update": {"never"}}, nil, 400, []string{`id="post.next_update-wrong"`, "kept text"}},
		{"/console/incidents/inc_1/veto", url.Values{}, quality.Errorf(quality.KindForbidden, `"loopback" is a machine, which may not veto: only a person may`), 403, []string{"only a person may"}},
		{"/console/baselines/promote", url.Values{"feature": {"support"}, "metric": {"correct"}, "reason": {"kept reason"}}, quality.Errorf(quality.KindConflict, "a regression touches the period"), 409, []string{"A regression touches the period", "kept reason"}},
		{"/console/baselines/pin", url.Values{"feature": {"support"}, "metric": {"correct"}, "version": {"9"}}, quality.Errorf(quality.KindNotFound, "no version 9"), 404, []string{"No version 9"}},
		{"/console/labels", url.Values{"feature": {"support"}, "metric": {"faithful"}, "sample": {"s-1"}, "value": {"good"}, "explanation": {"kept words"}}, nil, 400, []string{"Want a number", "kept words"}},
		{"/console/maintenances", url.Values{"name": {"kept name"}, "from": {"x"}}, nil, 400, []string{`id="from-wrong"`, "kept name"}},
		{"/console/incidents", url.Values{"name": {"kept name"}, "started_at": {"soon"}}, nil, 400, []string{`id="report.started_at-wrong"`, "kept name", `<details id="report" open>`}},
		{"/console/backfill", url.Values{"name": {"kept name"}, "public": {"1"}}, quality.Errorf(quality.KindInvalid, "resolved_at: want a time after started_at that is over"), 400, []string{`id="past.resolved_at-wrong"`, "kept name", `name="public" value="1" checked`}},
		{"/console/maintenances/mnt_1/plan", url.Values{"name": {"kept name"}, "to": {"2020-01-01"}}, quality.Errorf(quality.KindInvalid, "to: want a time to come"), 400, []string{`id="plan.to-wrong"`, "kept name"}},
		{"/console/customers", url.Values{"customer": {"kept"}, "expires": {"2020-01-01"}}, quality.Errorf(quality.KindInvalid, `field "expires": want a time to come`), 400, []string{`id="expires-wrong"`, `value="kept"`}},
		{"/console/customers", url.Values{"customer": {""}}, nil, 400, []string{`id="customer-wrong"`}},
		{"/console/keys", url.Values{"name": {"kept name"}}, quality.Errorf(quality.KindInvalid, `field "scopes": want at least one of samples`), 400, []string{"Want at least one", "kept name"}},
		{"/console/changes/chg3/own", url.Values{}, quality.Errorf(quality.KindInvalid, `field "owner": required`), 400, []string{`id="owner-wrong"`}},
	} {
		w := newWorld()
		w.refuse = tt.refuse
		r := post(t, w.serve(t), tt.path, tt.form)
		body := r.Body.String()
		if r.Code != tt.status {
			t.Errorf("%s: status %d, want %d: %.200s", tt.path, r.Code, tt.status, body)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %q", tt.path, want)
			}
		}
		check(t, tt.path, body)
		if len(w.did) > 0 {
			t.Errorf("%s: did %v", tt.path, w.did)
		}
	}
}

// A draft is shown, not posted.
func TestPreview(t *testing.T) {
	w := newWorld()
	r := post(t, w.serve(t), "/console/incidents/inc_1/post", url.Values{"act": {"fill"}, "status": {"identified"}, "fact_what": {"Refunds are wrong."}})
	body := r.Body.String()
	if r.Code != http.StatusOK || !strings.Contains(body, "Filled: Refunds are wrong.") || !strings.Contains(body, "customers would still not read: what changed") {
		t.Errorf("status %d", r.Code)
	}
	if fmt.Sprint(w.did) != "[preview inc_1]" {
		t.Errorf("did %v", w.did)
	}
}

// The token is shown this once: in the answer, and in no address.
func TestKeyIsShownOnce(t *testing.T) {
	w := newWorld()
	h := w.serve(t)
	r := post(t, h, "/console/keys", url.Values{"name": {"bot"}, "scopes": {"samples", "scores"}})
	if r.Code != http.StatusOK || !strings.Contains(r.Body.String(), "asgood_token_shown_once") || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %q", r.Code, r.Header())
	}
	if fmt.Sprint(w.did) != "[key bot [samples scores]]" || strings.Contains(get(t, h, "/console/keys").Body.String(), "asgood_token") {
		t.Errorf("did %v", w.did)
	}
}

// What is refused because somebody acted meanwhile is said although the form is gone.
func TestRefusalOfAFormThatIsGone(t *testing.T) {
	w := newWorld()
	w.incidents[0].Visibility = quality.VisibilityPublic
	w.refuse = quality.Errorf(quality.KindConflict, "the incident is public")
	r := post(t, w.serve(t), "/console/incidents/inc_1/veto", url.Values{"reason": {"a drill"}})
	if r.Code != http.StatusConflict || !strings.Contains(r.Body.String(), `<p class="wrong" role="alert">The incident is public</p>`) {
		t.Errorf("status %d, and the page does not say why", r.Code)
	}
}

// A link leads to what is a customer's own: it is shown in the answer, and in no address.
func TestLinkIsShownOnce(t *testing.T) {
	w := newWorld()
	h := w.serve(t)
	r := post(t, h, "/console/customers", url.Values{"customer": {"acme"}, "expires": {"2026-05-01T10:00"}})
	if r.Code != http.StatusOK || !strings.Contains(r.Body.String(), "/private/token_shown_once") || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %q", r.Code, r.Header())
	}
	if fmt.Sprint(w.did) != "[link acme 2026-05-01T08:00:00Z]" || strings.Contains(get(t, h, "/console/customers/acme").Body.String(), "token_shown") {
		t.Errorf("did %v", w.did)
	}
}

// Who may post may not publish.
func TestActsTakeRoles(t *testing.T) {
	w := newWorld()
	w.role = quality.RoleResponder
	h := w.serve(t)
	for act, want := range map[string]int{"publish": 403, "correct": 403, "postmortem": 403, "veto": 303, "post": 303, "none": 404} {
		if r := post(t, h, "/console/incidents/inc_1/"+act, url.Values{"body": {"x"}}); r.Code != want {
			t.Errorf("%s: status %d, want %d", act, r.Code, want)
		}
	}
}

func TestHugeForm(t *testing.T) {
	w := newWorld()
	r := post(t, w.serve(t), "/console/changes", url.Values{"title": {strings.Repeat("x", 1<<20)}})
	if r.Code != http.StatusRequestEntityTooLarge || len(w.did) > 0 {
		t.Errorf("status %d, did %v", r.Code, w.did)
	}
}

func TestSampleQuery(t *testing.T) {
	w := newWorld()
	h := w.serve(t)
	get(t, h, "/console/samples?feature=support&customer=acme&metric=correct&least=0.1&most=0.5&order=lowest&from=2026-04-01T00:00&failed=1")
	q := w.query
	if q.Customer != "acme" || *q.Least != .1 || *q.Most != .5 || q.Order != quality.LowestFirst || q.From.UTC().Format("15:04") != "22:00" || !q.Failed || q.Limit != 51 {
		t.Errorf("got %+v", q)
	}
	for query, field := range map[string]string{"from=x": "from", "to=2020-01-01": "to", "least=x&metric=correct": "least", "most=NaN&metric=correct": "most", "order=lowest": "metric", "least=1": "metric"} {
		r := get(t, h, "/console/samples?feature=support&from=2026-04-01&"+query)
		if query == "from=x" {
			r = get(t, h, "/console/samples?feature=support&"+query)
		}
		if r.Code != 400 || !strings.Contains(r.Body.String(), `id="`+field+`-wrong"`) {
			t.Errorf("%s: status %d, want an error beside %q", query, r.Code, field)
		}
	}
}
