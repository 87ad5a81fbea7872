package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// blend is the traffic of a period: how much of it is German, how much has the new prompt, and how often
// answers are good.
type blend struct {
	german, v13  float64
	good         func(german, v13 bool) float64
	first, count int
}

// send posts the traffic of a period, one output a second from at on.
func (b blend) send(t *testing.T, addr string, rng *rand.Rand, at time.Time) {
	t.Helper()
	const batch = 500
	for from := 0; from < b.count; from += batch {
		var body bytes.Buffer
		for i := from; i < min(from+batch, b.count); i++ {
			german, v13 := rng.Float64() < b.german, rng.Float64() < b.v13
			language, prompt, output := "en", "support@v12", "bad"
			if german {
				language = "de"
			}
			if v13 {
				prompt = "support@v13"
			}
			if rng.Float64() < b.good(german, v13) {
				output = "good"
			}
			customer := []string{"acme", "globex", "hooli"}[rng.IntN(3)]
			fmt.Fprintf(&body, `{"id":"s%d","time":%q,"feature":"bot","customer":%q,"prompt":%q,"model":"m-1","input":"question %d about orders and shipping","output":%q,"attributes":{"language":%q}}`+"\n",
				b.first+i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), customer, prompt, i%40, output, language)
		}
		res, err := http.Post("http://"+addr+"/v1/samples", "application/x-ndjson", &body)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s (%v)", res.StatusCode, reply, err)
		}
	}
}

type explained struct {
	Regression  quality.Regression  `json:"regression"`
	Explanation quality.Explanation `json:"explanation"`
	Text        []string            `json:"text"`
	Evidence    quality.Evidence    `json:"evidence"`
}

// explanationOf waits for the explanation of the first regression with so many scores.
func explanationOf(t *testing.T, addr string, scores uint64) (x explained) {
	t.Helper()
	within(t, 3*time.Minute, "the explanation", func() (string, bool) {
		var list struct {
			Regressions []struct {
				ID string `json:"id"`
			} `json:"regressions"`
		}
		text := get("http://" + addr + "/v1/regressions")
		if json.Unmarshal([]byte(text), &list) != nil || len(list.Regressions) == 0 {
			return text, false
		}
		text = get("http://" + addr + "/v1/regressions/" + list.Regressions[0].ID)
		x = explained{}
		if err := json.Unmarshal([]byte(text), &x); err != nil {
			return text, false
		}
		return strings.Join(x.Text, " "), !x.Explanation.At.IsZero() && x.Explanation.Current.N >= scores
	})
	return x
}

// German traffic with the prompt v13 falls 15 points, while the mix moves towards German: the explanation
// names both, and splits the drop into its parts.
func TestExplanation(t *testing.T) {
	needEngine(t)
	text := strings.Replace(fmt.Sprintf(configuration, t.TempDir(), "http://127.0.0.1:1", "http://127.0.0.1:1", secret),
		"baseline: {first: 200}", "slices: [language], baseline: {first: 2000}", 1) + `
customers: [{name: hooli, examples: false}, {name: acme, examples: true}]
`
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	rng := rand.New(rand.NewPCG(13, 12))
	const each = 8000
	began := time.Now().Add(-2*each*time.Second - time.Hour).Truncate(time.Second).UTC()
	turn := began.Add(each * time.Second)
	for title, c := range map[string]quality.Change{
		"Prompt support@v13": {At: turn.Add(-6 * time.Minute), Layer: quality.LayerPrompt, After: "support@v13"},
		"Index rebuilt":      {At: turn.Add(-2 * time.Minute), Layer: quality.LayerRetrieval},
		"Gateway deployed":   {At: turn.Add(90 * time.Minute), Layer: quality.LayerServing},
	} {
		c.Title = title
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.Post("http://"+a.Addr("ingest")+"/v1/changes", "application/json", bytes.NewReader(data))
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %v (%v)", res, err)
		}
		res.Body.Close()
	}
	good := func(german, v13 bool) float64 {
		switch {
		case german && v13:
			return 0.70
		case german:
			return 0.85
		default:
			return 0.92
		}
	}
	blend{german: 0.3, good: good, count: each}.send(t, a.Addr("ingest"), rng, began)
	blend{german: 0.5, v13: 0.5, good: good, first: each, count: each}.send(t, a.Addr("ingest"), rng, turn)
	x := explanationOf(t, a.Addr("internal"), each*3/4)
	for _, s := range x.Text {
		t.Log(s)
	}
	checkExplained(t, &x, turn)
	if e := x.Evidence; len(e.Examples) == 0 {
		t.Error("no evidence")
	}
	roles := map[quality.ExampleRole]int{}
	for _, ex := range x.Evidence.Examples {
		roles[ex.Role]++
		if ex.Sample.Customer == "hooli" || ex.Outside != (ex.Sample.Customer == "acme") {
			t.Errorf("got an example of %q, outside %v", ex.Sample.Customer, ex.Outside)
		}
	}
	if roles[quality.ExampleWorst] == 0 || roles[quality.ExampleBefore] == 0 || roles[quality.ExampleBefore] != roles[quality.ExampleAfter] {
		t.Errorf("got examples %v, want the worst and pairs", roles)
	}
	if got := get("http://" + a.Addr("internal") + "/v1/regressions/nope"); !strings.Contains(got, "not_found") {
		t.Errorf("got %s, want not found", got)
	}
}

func checkExplained(t *testing.T, x *explained, turn time.Time) {
	t.Helper()
	e := &x.Explanation
	if e.Start.From.After(turn.Add(time.Minute)) || e.Start.To.Before(turn.Add(-time.Minute)) {
		t.Errorf("start %v, want about %v in it", e.Start, turn)
	}
	split := e.TrafficSplit()
	if split == nil || split.Attribute != "language" {
		t.Fatalf("got split %+v, want one by language", split)
	}
	// Mix: 0.2 * ((0.85 + 0.775) / 2 - 0.92). Within: 0.4 * (0.775 - 0.85).
	for _, f := range []struct {
		name string
		got  quality.Figure
		want float64
	}{{"mix", split.Mix, -0.0215}, {"within", split.Within, -0.03}} {
		if f.got.Interval[0] > f.want || f.got.Interval[1] < f.want {
			t.Errorf("%s: got %+v, want %v in it", f.name, f.got, f.want)
		}
	}
	if len(e.Slices) == 0 || e.Slices[0].Value != "de" || !e.Slices[0].Stands || !e.Slices[0].RestSame {
		t.Errorf("got slices %+v, want German first and the rest as before", e.Slices)
	}
	var product []quality.Suspect // beside the mix, which has the part that was measured
	for _, s := range e.Suspects {
		t.Logf("%.2f %s: %s", s.Weight, s.Title, s.Evidence)
		if s.Layer != quality.LayerTraffic {
			product = append(product, s)
		}
	}
	if len(product) == 0 || product[0].Value != "support@v13" || product[0].With == nil || product[0].With.Value > -0.05 || !product[0].Without.Zero() {
		t.Errorf("got %+v, want the prompt first", product)
	}
	if e.Suspects[0].Value != "support@v13" {
		t.Errorf("got %q first, want the prompt", e.Suspects[0].Title)
	}
	for _, s := range e.Suspects {
		if s.Title == "Gateway deployed" && (s.Impossible == "" || s.Weight != 0) {
			t.Errorf("got %+v, want that a later change is impossible", s)
		}
	}
	if len(e.Facts) != 6 || !e.Facts[0].Changed || e.Facts[1].Changed || !e.Facts[5].Changed {
		t.Errorf("got facts %+v, want prompt and traffic changed, the model not", e.Facts)
	}
}
