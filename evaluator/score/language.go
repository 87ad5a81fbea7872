package score

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	"github.com/asgood-dev/asgood/internal/quality"
)

// detectorRevision is the release of the detector: another one may see another language in the same text.
const detectorRevision = "whatlanggo v1.0.1"

// Bounds of a text whose language is told: fewer letters are a guess, more do not make it surer.
const (
	minLanguageLetters = 25
	minLanguageSigns   = 6 // of scripts whose characters say more than a letter
	maxLanguageBytes   = 2 << 10
)

// newLanguage is 1 when the output is in the language it should be: one of a list, that which an attribute
// names, or that of the input. A text that is too short or not clearly of one language is not scored.
func newLanguage(spec quality.ScorerSpec) (rule, error) {
	if len(spec.Languages) > 0 && spec.Attribute != "" {
		return nil, quality.Errorf(quality.KindInvalid, `want one of the fields "languages" and "attribute"`)
	}
	d := newDetector()
	allowed := map[string]bool{}
	for _, code := range spec.Languages {
		if d.known(code) == "" {
			return nil, quality.Errorf(quality.KindInvalid, `field "languages": %q is no language that can be told`, code)
		}
		allowed[d.known(code)] = true
	}
	return func(text string, s *quality.Sample) (verdict, bool) {
		right, want := allowed, ""
		if len(allowed) == 0 {
			if want = d.wanted(spec.Attribute, s); want == "" {
				return verdict{}, true
			}
		}
		got := d.detect(text)
		switch {
		case got == "":
			return verdict{}, true
		case got == want || right[got]:
			return verdict{value: 1, label: got}, false
		case want != "":
			return verdict{label: got, explanation: "the output is in " + got + ", not in " + want}, false
		default:
			return verdict{label: got, explanation: "the output is in " + got}, false
		}
	}, nil
}

// detector tells languages apart by their codes of two letters, or of three where there are none.
type detector struct {
	codes   map[whatlanggo.Lang]string
	byCode  map[string]string
	outside *regexp.Regexp
}

// alike are languages that the detector mixes up in short texts. They count as one.
func alike() map[string]string {
	return map[string]string{"nn": "no", "nb": "no", "da": "no", "hr": "sr", "bs": "sr"}
}

func newDetector() *detector {
	d := &detector{codes: map[whatlanggo.Lang]string{}, byCode: map[string]string{},
		outside: regexp.MustCompile("`[^`\n]*`|https?://\\S+|\\S+@\\S+")}
	for lang := range whatlanggo.Langs {
		code := or(lang.Iso6391(), lang.Iso6393())
		if one, ok := alike()[code]; ok {
			d.byCode[code] = one
			code = one
		}
		d.codes[lang] = code
		d.byCode[code], d.byCode[lang.Iso6393()] = code, code
	}
	for code, one := range alike() {
		d.byCode[code] = one
	}
	d.byCode["zho"], d.byCode["no"], d.byCode["nor"], d.byCode["ara"], d.byCode["fas"] = "zh", "no", "no", d.byCode["arb"], d.byCode["pes"]
	return d
}

// known returns the language of a code such as de, deu or pt-BR; empty when it cannot be told.
func (d *detector) known(code string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(code)), "_", "-"), "-")
	return d.byCode[base]
}

// wanted is the language that the output should have; empty when nobody can tell.
func (d *detector) wanted(attribute string, s *quality.Sample) string {
	if attribute != "" {
		return d.known(s.Attribute(attribute))
	}
	return d.detect(asked(s.Input))
}

// detect returns the language of a text, empty when it is not clear.
func (d *detector) detect(text string) string {
	text = d.outside.ReplaceAllString(prose(prefix(text, maxLanguageBytes)), " ")
	letters, signs, kana := 0, 0, false
	for _, r := range text {
		switch {
		case unspaced(r) || unicode.Is(unicode.Hangul, r):
			signs++
			kana = kana || unicode.In(r, unicode.Hiragana, unicode.Katakana)
		case unicode.IsLetter(r):
			letters++
		}
	}
	if letters < minLanguageLetters && signs < minLanguageSigns {
		return ""
	}
	info := whatlanggo.Detect(text)
	switch {
	case info.Lang < 0 || !info.IsReliable():
		return ""
	case info.Lang == whatlanggo.Cmn && kana: // much of Japanese is written in Chinese characters
		return "ja"
	}
	return d.codes[info.Lang]
}
