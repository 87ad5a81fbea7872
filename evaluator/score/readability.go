package score

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of a text whose readability can be told.
const (
	minReadableWords = 10
	maxReadableBytes = 1 << 18
)

// newReadability measures how hard a text is to read by the length of its words and sentences:
//   - lix: words/sentences + 100*long/words, long words having more than six letters, for any language that
//     parts its words (Björnsson, 1968: Läsbarhet). Higher is harder; 20 is a children's book, 60 is hard.
//   - flesch: 206.835 - 1.015*words/sentences - 84.6*syllables/words, for English (Flesch, 1948: A new
//     readability yardstick). Higher is easier; 100 is very easy, 30 hard.
//   - amstad: 180 - words/sentences - 58.5*syllables/words, the same for German (Amstad, 1978).
//
// A text of fewer words than ten, or in a script without spaces, is not scored.
func newReadability(spec quality.ScorerSpec) (rule, error) {
	formula := or(spec.Formula, "lix")
	if !slices.Contains([]string{"lix", "flesch", "amstad"}, formula) {
		return nil, quality.Errorf(quality.KindInvalid, `field "formula": want lix, flesch or amstad, got %q`, formula)
	}
	return func(text string, _ *quality.Sample) (verdict, bool) {
		c := count(prose(prefix(text, maxReadableBytes)))
		if c.words < minReadableWords || c.unspaced > c.words/2 {
			return verdict{}, true
		}
		perSentence, perWord := c.words/c.sentences, c.syllables/c.words
		switch formula {
		case "flesch":
			return verdict{value: 206.835 - 1.015*perSentence - 84.6*perWord}, false
		case "amstad":
			return verdict{value: 180 - perSentence - 58.5*perWord}, false
		default:
			return verdict{value: perSentence + 100*c.long/c.words}, false
		}
	}, nil
}

// counts are what the formulas are made of.
type counts struct {
	sentences, words, long, syllables, unspaced float64
}

func count(text string) (c counts) {
	sentences(text, func(s string) bool {
		list, _ := words(s, len(s))
		if len(list) == 0 {
			return true
		}
		c.sentences++
		for _, w := range list {
			c.words++
			if utf8.RuneCountInString(w) > 6 {
				c.long++
			}
			if r, _ := utf8.DecodeRuneInString(w); unspaced(r) {
				c.unspaced++
			}
			c.syllables += float64(syllables(w))
		}
		return true
	})
	return c
}

// vowels of the scripts that the formulas were made for.
const vowels = "aeiouyäöüàáâãåæèéêëìíîïòóôõøùúûœ"

// syllables counts groups of vowels, at least one; an e at the end of a longer word is silent.
func syllables(word string) int {
	n, inside := 0, false
	var last rune
	for _, r := range word {
		last = unicode.ToLower(r)
		vowel := strings.ContainsRune(vowels, last)
		if vowel && !inside {
			n++
		}
		inside = vowel
	}
	if last == 'e' && n > 1 {
		n--
	}
	return max(n, 1)
}
