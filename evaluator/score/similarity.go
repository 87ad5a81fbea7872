package score

import (
	"fmt"
	"math/bits"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The longest texts that are compared; of longer ones it is their beginning, and the score says so.
const (
	maxSimilarWords = 4096
	maxSimilarRunes = 4096
)

// newRougeL is ROUGE-L of output and reference by words: the F measure of the longest common subsequence
// (Lin, 2004: ROUGE: a package for automatic evaluation of summaries; beta = 1).
func newRougeL(spec quality.ScorerSpec) (rule, error) {
	return func(text string, s *quality.Sample) (verdict, bool) {
		if s.Reference == nil {
			return verdict{}, true
		}
		got, n := words(normal(text, spec.IgnoreCase), maxSimilarWords)
		want, m := words(normal(*s.Reference, spec.IgnoreCase), maxSimilarWords)
		if len(want) == 0 {
			return verdict{}, true
		}
		common := commonSubsequence(got, want)
		return verdict{value: 2 * float64(common) / float64(len(got)+len(want)), explanation: cut("words", maxSimilarWords, n, m)}, false
	}, nil
}

// newEditSimilarity is 1 less the edit distance by characters over the length of the longer text.
func newEditSimilarity(spec quality.ScorerSpec) (rule, error) {
	return func(text string, s *quality.Sample) (verdict, bool) {
		if s.Reference == nil {
			return verdict{}, true
		}
		got, n := runes(normal(text, spec.IgnoreCase), maxSimilarRunes)
		want, m := runes(normal(*s.Reference, spec.IgnoreCase), maxSimilarRunes)
		longer := max(len(got), len(want))
		if longer == 0 {
			return verdict{value: 1}, false
		}
		far := editDistance(got, want)
		return verdict{value: 1 - float64(far)/float64(longer), explanation: cut("characters", maxSimilarRunes, n, m)}, false
	}, nil
}

// cut says what was left out of a comparison.
func cut(what string, most, output, reference int) string {
	if output <= most && reference <= most {
		return ""
	}
	return fmt.Sprintf("compared the first %d %s only (output %d, reference %d)", most, what, output, reference)
}

// runes returns at most the first most characters, and how many there are.
func runes(text string, most int) ([]rune, int) {
	all := utf8.RuneCountInString(text)
	list := make([]rune, 0, min(all, most))
	for _, r := range text {
		if len(list) == most {
			break
		}
		list = append(list, r)
	}
	return list, all
}

// masks says for each item at which places of a list it stands, a bit each.
func masks[T comparable](list []T) map[T][]uint64 {
	places := make(map[T][]uint64)
	blocks := (len(list) + 63) / 64
	for i, item := range list {
		if places[item] == nil {
			places[item] = make([]uint64, blocks)
		}
		places[item][i/64] |= 1 << (i % 64)
	}
	return places
}

// commonSubsequence is the length of the longest common subsequence, 64 cells of the table at a time
// (Hyyrö, 2004: Bit-parallel LCS-length computation revisited).
func commonSubsequence[T comparable](a, b []T) int {
	places := masks(a)
	row := make([]uint64, (len(a)+63)/64) // a bit is 0 where the length grows
	for i := range row {
		row[i] = ^uint64(0)
	}
	for _, item := range b {
		at := places[item]
		if at == nil {
			continue
		}
		var carry uint64
		for i, v := range row {
			var sum uint64
			sum, carry = bits.Add64(v, v&at[i], carry)
			row[i] = sum | v&^at[i]
		}
	}
	common := 0
	for i, v := range row {
		if last := len(a) - 64*i; last < 64 {
			v |= ^uint64(0) << last
		}
		common += bits.OnesCount64(^v)
	}
	return common
}

// editDistance is the number of characters to insert, delete or replace, 64 cells of the table at a time
// (Myers, 1999: A fast bit-vector algorithm for approximate string matching, in the form of Hyyrö, 2003).
func editDistance(a, b []rune) int {
	if len(a) == 0 {
		return len(b)
	}
	places := masks(a)
	column := make([]block, (len(a)+63)/64)
	for i := range column {
		column[i] = block{up: ^uint64(0), last: 63}
	}
	column[len(column)-1].last = uint(len(a)-1) % 64
	none := make([]uint64, len(column))
	distance := len(a)
	for _, r := range b {
		at := places[r]
		if at == nil {
			at = none
		}
		change := 1
		for i := range column {
			change = column[i].step(at[i], change)
		}
		distance += change
	}
	return distance
}

// block is 64 cells of a column as differences to the cell above: +1 where up has a bit, -1 where down has one.
type block struct {
	up, down uint64
	last     uint // the bit of the last cell
}

// step goes on to the next column. in and the result are the change from column to column above and at the last cell.
func (b *block) step(equal uint64, in int) int {
	vertical := equal | b.down
	if in < 0 {
		equal |= 1
	}
	horizontal := ((equal & b.up) + b.up) ^ b.up | equal
	plus, minus := b.down|^(horizontal|b.up), b.up&horizontal
	out := int(plus>>b.last&1) - int(minus>>b.last&1)
	plus, minus = plus<<1, minus<<1
	switch {
	case in < 0:
		minus |= 1
	case in > 0:
		plus |= 1
	}
	b.up, b.down = minus|^(vertical|plus), plus&vertical
	return out
}
