package wording_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// all are facts of which every one is known.
func all() wording.Facts {
	return wording.Facts{What: "It is worse.", Size: "By 3 points.", Since: "Since noon.", Who: "Everybody.", Changed: "A prompt.",
		Done: "We roll it back.", Meanwhile: "Check answers.", Fixed: "When it is as good.", Next: "At one."}
}

func TestTheBuiltInTextThatOpensIsComplete(t *testing.T) {
	text, err := wording.Templates{}.Fill(wording.Investigating, wording.Fields{Facts: all()})
	if err != nil {
		t.Fatal(err)
	}
	const want = "It is worse. Since noon. By 3 points. Everybody.\n\nA prompt. We roll it back.\n\nCheck answers. When it is as good. At one."
	if text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	for _, kind := range quality.IncidentKinds() {
		if missing := wording.Missing(kind, []wording.Said{{Text: text, Facts: all()}}); len(missing) > 0 {
			t.Errorf("%s: it does not say %q", kind, missing)
		}
	}
}

func TestEveryBuiltInTemplate(t *testing.T) {
	for _, stage := range wording.Stages() {
		for _, f := range []wording.Fields{{}, {Facts: all(), Name: "n", Feature: "f", Severity: "major", Owner: "o", From: "noon", To: "one"}} {
			text, err := wording.Templates{}.Fill(stage, f)
			if err != nil || strings.Contains(text, "<no value>") || strings.Contains(text, "\n\n\n") || text != strings.TrimSpace(text) {
				t.Errorf("%s: got %q, %v", stage, text, err)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	f := all()
	for _, c := range []struct {
		name string
		kind quality.IncidentKind
		said []wording.Said
		want []string
	}{
		{"nothing said", quality.IncidentAvailability, nil, []string{"what is worse", "since when", "what was done", "when the next update comes"}},
		{"known and not told", quality.IncidentAvailability, []wording.Said{{Text: "Sorry.", Facts: f}},
			[]string{"what is worse", "since when", "what was done", "when the next update comes"}},
		{"told and not known", quality.IncidentAvailability, []wording.Said{{Text: "It is worse. Since noon. We roll it back. At one."}},
			[]string{"what is worse", "since when", "what was done", "when the next update comes"}},
		{"over two texts", quality.IncidentAvailability, []wording.Said{{Text: "It is worse. Since noon.", Facts: f}, {Text: "We roll it back.\nAt one.", Facts: f}}, nil},
		{"wrapped", quality.IncidentAvailability, []wording.Said{{Text: "It is\n  worse. Since noon. We\troll it back. At one.", Facts: f}}, nil},
		{"quality needs more", quality.IncidentQuality, []wording.Said{{Text: "It is worse. Since noon. We roll it back. At one.", Facts: f}},
			[]string{"by how much", "who is affected", "what changed", "what to do meanwhile", "how we will know that it is fixed"}},
		{"another kind needs all", "strange", []wording.Said{{Text: "It is worse.", Facts: wording.Facts{What: "It is worse."}}}, []string{"by how much", "since when",
			"who is affected", "what changed", "what was done", "what to do meanwhile", "how we will know that it is fixed", "when the next update comes"}},
		{"facts of spaces", quality.IncidentAvailability, []wording.Said{{Text: "x", Facts: wording.Facts{What: "  "}}},
			[]string{"what is worse", "since when", "what was done", "when the next update comes"}},
	} {
		if got := wording.Missing(c.kind, c.said); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// factsGen draws facts of which some are not known.
var factsGen = rapid.Custom(func(t *rapid.T) (f wording.Facts) {
	for _, to := range []*string{&f.What, &f.Size, &f.Since, &f.Who, &f.Changed, &f.Done, &f.Meanwhile, &f.Fixed, &f.Next} {
		*to = rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-z ]{1,20}\.`), rapid.StringN(0, 30, 90)).Draw(t, "fact")
	}
	return f
})

// What Complete returns lacks only what nobody knows, keeps the text, and is complete already.
func TestComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, text := factsGen.Draw(t, "facts"), rapid.StringN(0, 60, 200).Draw(t, "text")
		kind := rapid.SampledFrom(quality.IncidentKinds()).Draw(t, "kind")
		got := wording.Complete(kind, text, f)
		unknown := wording.Missing(kind, []wording.Said{{Text: strings.Join([]string{f.What, f.Size, f.Since, f.Who, f.Changed, f.Done, f.Meanwhile, f.Fixed, f.Next}, " "), Facts: f}})
		if missing := wording.Missing(kind, []wording.Said{{Text: got, Facts: f}}); !slices.Equal(missing, unknown) {
			t.Fatalf("%q lacks %q, unknown are %q", got, missing, unknown)
		}
		if !strings.Contains(got, strings.TrimSpace(text)) || wording.Complete(kind, got, f) != got {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := factsGen.Draw(t, "a"), factsGen.Draw(t, "b")
		got := a.Over(b)
		if b.What != "" && got.What != b.What || b.What == "" && got.What != a.What || b.Next != "" && got.Next != b.Next {
			t.Fatalf("%+v over %+v is %+v", b, a, got)
		}
		if a.Over(wording.Facts{}) != a || (wording.Facts{}).Over(a) != a {
			t.Fatal("nothing changes something")
		}
	})
}

func TestCheck(t *testing.T) {
	if err := (wording.Facts{Who: strings.Repeat("x", wording.MaxFact)}).Check(); err != nil {
		t.Error(err)
	}
	err := (wording.Facts{Who: strings.Repeat("x", wording.MaxFact+1)}).Check()
	if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), "who is affected has 2001 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestTemplatesOfTheConfiguration(t *testing.T) {
	ts, err := wording.New(map[string]string{"resolved": "{{if .To}}Over at {{.To}}{{else}}Over{{end}}.\n\n\n\n{{/* a word to us */}}Sorry.  "})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"": "Over.\n\nSorry.", "one": "Over at one.\n\nSorry."} {
		if got, err := ts.Fill(wording.Resolved, wording.Fields{To: to}); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got, err := ts.Fill(wording.Maintenance, wording.Fields{Feature: "f", From: "a", To: "b"}); err != nil || got != "We work on f from a to b." {
		t.Errorf("the others are built in: got %q, %v", got, err)
	}
	if _, err := wording.New(map[string]string{"closed": "x"}); err == nil || !strings.Contains(err.Error(), `"closed" is no stage`) {
		t.Errorf("got %v", err)
	}
	if _, err := wording.New(map[string]string{"resolved": "{{.Nobody}}"}); err == nil || !strings.Contains(err.Error(), `template "resolved"`) {
		t.Errorf("got %v", err)
	}
	if _, err := ts.Fill(wording.Resolved, wording.Fields{To: strings.Repeat("x", wording.MaxText)}); quality.KindOf(err) == quality.KindInternal {
		t.Errorf("too long: got %v", err)
	}
}

// What is not a field, an if or a with is refused: a configuration must not run anything.
func TestWhatATemplateMayNotHold(t *testing.T) {
	for _, text := range []string{
		"{{range .What}}x{{end}}", "{{printf `%s` .What}}", "{{.What | len}}", "{{$x := .What}}", "{{template `a`}}", "{{define `a`}}x{{end}}",
		"{{block `a` .}}x{{end}}", "{{.Facts.What}}", "{{.Facts}}", "{{len .What}}", "{{.Nobody}}", "{{with .What}}{{.Size}}{{end}}", "{{", "{{end}}",
		"{{if and .What .Size}}x{{end}}", "{{`x`}}", "{{1}}", "{{true}}", "{{$}}", "{{break}}", strings.Repeat("x", wording.MaxTemplate+1),
	} {
		if _, err := wording.Parse(text); quality.KindOf(err) != quality.KindInvalid || err == nil {
			t.Errorf("%.40q: got %v, want it refused", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{{.What}}", "{{with .Size}}{{.}}{{else}}x{{end}}", "{{if .To}}{{.To}}{{end}}", "{{range .What}}{{end}}", "{{define \"x\"}}{{end}}", "{{- .From -}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := wording.Parse(text); err != nil {
			return
		}
		ts, err := wording.New(map[string]string{"resolved": text})
		if err != nil {
			t.Fatal(err)
		}
		got, err := ts.Fill(wording.Resolved, wording.Fields{Facts: all(), Name: "n", To: "t"})
		if err == nil && len(got) > wording.MaxText {
			t.Errorf("%d bytes", len(got))
		}
	})
}
