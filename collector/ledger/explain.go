package ledger

import (
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// named is how long before a value is first seen an entry that names it may have been made.
const named = 30 * 24 * time.Hour

// explains reports whether a declared change accounts for one that was seen: it concerns the feature and
// layer, and took effect near the time the value was first seen, or names the value.
func explains(spec quality.UndeclaredSpec, declared, seen *quality.Change) bool {
	if declared.Undeclared || declared.Flagged(quality.FlagFailed) || !declared.Covers(seen.Layer) {
		return false
	}
	for _, f := range seen.Features {
		if !declared.Touches(f) {
			return false
		}
	}
	near := !declared.At.Before(seen.FirstSeen.Add(-spec.Before)) && !declared.At.After(seen.FirstSeen.Add(spec.After))
	return near || declared.At.After(seen.FirstSeen.Add(-named)) && namesAll(declared.After, seen.After)
}

// joint is between the values of a change that were seen together.
const joint = "; "

// namesAll reports whether what a person wrote names every value that was seen.
func namesAll(wrote, seen string) bool {
	if strings.TrimSpace(wrote) == "" || seen == "" {
		return false
	}
	for part := range strings.SplitSeq(seen, joint) {
		if !names(wrote, part) {
			return false
		}
	}
	return true
}

// names compares as people do: without regard to case, spaces and quotes. One may stand in the other as whole
// words, so that "gpt-4.1" is not "gpt-4.1-mini".
func names(wrote, seen string) bool {
	if i := strings.LastIndex(seen, " (fingerprint "); i >= 0 {
		print := strings.TrimSuffix(seen[i+len(" (fingerprint "):], ")")
		if holds(normal(wrote), normal(print)) {
			return true
		}
		seen = strings.TrimSuffix(seen[:i], "…")
		// A text that was cut is named by its beginning.
		return len(seen) >= 20 && strings.Contains(normal(wrote), normal(seen))
	}
	w, s := normal(wrote), normal(seen)
	return holds(w, s) || holds(s, w)
}

var notation = strings.NewReplacer(`"`, " ", "'", " ", "`", " ", "=", " ", ": ", " ")

func normal(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(notation.Replace(s))), " ")
}

// holds reports whether part stands in text as whole words.
func holds(text, part string) bool {
	if part == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], part)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(part)
		if (start == 0 || !wordByte(text[start-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		from = start + 1
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 0x80 || strings.IndexByte("._-@/", c) >= 0
}
