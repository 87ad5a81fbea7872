package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The week's events, counted from its start. Everything before is as good as usual.
const (
	promptEdit   = 36 * time.Hour // support-assistant: the new prompt breaks the JSON contract in German
	modelSwap    = 72 * time.Hour // invoice-reader: the provider serves a new model under the same name of the product
	mixShift     = 96 * time.Hour // meeting-notes: many more short calls, which are harder; nothing got worse
	promptRevert = 90 * time.Hour // support-assistant: the prompt is rolled back
	week         = 7 * 24 * time.Hour
)

// perDay is how many outputs each feature makes in a day.
const perDay = 240

// customers of the simulated product, with the share of traffic each has.
var customers = []weighted{{"acme", .30}, {"borealis", .25}, {"cedar", .20}, {"delta", .15}, {"elm", .10}}

type weighted struct {
	name  string
	share float64
}

func pick(r *rand.Rand, from []weighted) string {
	x := r.Float64()
	for _, w := range from {
		if x -= w.share; x < 0 {
			return w.name
		}
	}
	return from[len(from)-1].name
}

// product makes the outputs of a simulated product. It knows nothing of how they are judged.
type product struct {
	rand  *rand.Rand
	start time.Time // start of the week
}

// next draws the time until a feature's next output: more by day than by night.
func (p *product) next(at time.Time) time.Duration {
	hour := float64(at.UTC().Hour()) + float64(at.UTC().Minute())/60
	rate := perDay / 24.0 * (1 + 0.6*math.Sin((hour-9)/24*2*math.Pi))
	return time.Duration(p.rand.ExpFloat64() / rate * float64(time.Hour))
}

// makers lists what makes the outputs, by feature.
var makers = []struct {
	feature string
	output  func(*product, time.Time) quality.Sample
}{
	{"support-assistant", (*product).support},
	{"invoice-reader", (*product).invoice},
	{"meeting-notes", (*product).notes},
}

// between draws every feature's outputs in a period, in the order of their time.
func (p *product) between(feature int, from, to time.Time) []quality.Sample {
	var out []quality.Sample
	for at := from.Add(p.next(from)); at.Before(to); at = at.Add(p.next(at)) {
		s := makers[feature].output(p, at)
		s.Feature, s.Time = makers[feature].feature, at
		s.ID = fmt.Sprintf("%s-%d", at.UTC().Format("20060102T150405.000000"), feature)
		s.Customer = pick(p.rand, customers)
		s.LatencyMS = math.Round(900 + 600*p.rand.ExpFloat64())
		out = append(out, s)
	}
	return out
}

func (p *product) since(at time.Time) time.Duration { return at.Sub(p.start) }

var questions = map[string][]string{
	"en": {"Where is my parcel?", "Can I change my address?", "Why was I charged twice?"},
	"de": {"Wo ist mein Paket?", "Kann ich meine Adresse ändern?", "Warum wurde doppelt abgebucht?"},
	"fr": {"Où est mon colis ?", "Puis-je changer mon adresse ?", "Pourquoi deux débits ?"},
}

var answers = map[string]string{
	"en": "We are looking into it and will write to you today.",
	"de": "Wir kümmern uns darum und schreiben Ihnen heute.",
	"fr": "Nous regardons et vous écrivons aujourd'hui.",
}

// support answers as JSON. Between the prompt edit and its roll-back most German answers come with
// a sentence in front of the JSON, which every parser downstream refuses.
func (p *product) support(at time.Time) quality.Sample {
	language := pick(p.rand, []weighted{{"en", .45}, {"de", .35}, {"fr", .20}})
	prompt := "support@v12"
	if d := p.since(at); d >= promptEdit && d < promptRevert {
		prompt = "support@v13"
	}
	category := []string{"delivery", "account", "billing"}
	n := p.rand.IntN(3)
	body, _ := json.Marshal(map[string]string{"answer": answers[language], "category": category[n]})
	output := string(body)
	broken := p.rand.Float64() < 0.02
	if prompt == "support@v13" && language == "de" {
		broken = p.rand.Float64() < 0.85
	}
	if broken {
		output = "Gerne! Hier ist die Antwort:\n```json\n" + output + "\n```"
	}
	return quality.Sample{
		Input: quality.Text(questions[language][n]), Output: quality.Text(output),
		Model: "atlas-2", Prompt: prompt, Attributes: map[string]string{"language": language},
	}
}

// invoice reads a total. The new model misreads far more of them and reports no error.
func (p *product) invoice(at time.Time) quality.Sample {
	model, right := "lumen-large-0613", 0.94
	if p.since(at) >= modelSwap {
		model, right = "lumen-large-0926", 0.78
	}
	total := fmt.Sprintf("%d.%02d", 20+p.rand.IntN(4000), p.rand.IntN(100))
	read := total
	if p.rand.Float64() >= right {
		read = fmt.Sprintf("%d.%02d", 20+p.rand.IntN(4000), p.rand.IntN(100))
	}
	return quality.Sample{
		Input: quality.Text("invoice scan"), Output: quality.Text("currency: EUR\ntotal: " + read),
		Reference: &total, Model: model, Prompt: "invoice@v4",
	}
}

// notes lists action items. Short calls have them less often; that was always so.
func (p *product) notes(at time.Time) quality.Sample {
	kinds := []weighted{{"long", .80}, {"short", .20}}
	if p.since(at) >= mixShift {
		kinds = []weighted{{"long", .40}, {"short", .60}}
	}
	kind := pick(p.rand, kinds)
	rate := map[string]float64{"long": 0.96, "short": 0.78}[kind]
	output := "The group agreed on the plan."
	if p.rand.Float64() < rate {
		output += "\n- [ ] Send the summary to everyone"
	}
	return quality.Sample{
		Input: quality.Text("transcript of a " + kind + " call"), Output: quality.Text(output),
		Model: "atlas-2", Prompt: "notes@v7", Attributes: map[string]string{"kind": kind},
	}
}

// outages of the past, as days before the week's start: availability that has nothing to do with quality.
var outages = []struct {
	feature string
	before  time.Duration
	length  time.Duration
}{
	{"invoice-reader", 31*24*time.Hour + 9*time.Hour, 50 * time.Minute},
	{"meeting-notes", 12*24*time.Hour + 15*time.Hour, 25 * time.Minute},
}

// up says whether a feature answered at a time of the past.
func (p *product) up(feature string, at time.Time) bool {
	for _, o := range outages {
		from := p.start.Add(-o.before)
		if o.feature == feature && !at.Before(from) && at.Before(from.Add(o.length)) {
			return false
		}
	}
	return true
}
