package score

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/asgood-dev/asgood/internal/quality"
)

// normal makes texts that look alike the same: composed characters, and small letters where case does not count.
func normal(text string, ignoreCase bool) string {
	text = norm.NFC.String(text)
	if ignoreCase {
		text = strings.ToLower(text)
	}
	return text
}

// folded makes texts that mean alike the same: full-width and other forms, apostrophes, case.
func folded(text string) string {
	return strings.ToLower(norm.NFKC.String(text))
}

// unspaced reports whether a script parts its words by nothing, so that every character stands for itself.
func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func inWord(r rune) bool {
	return r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') ||
		r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// words returns at most the first most words of a text, and how many there are.
func words(text string, most int) (list []string, all int) {
	start := -1
	add := func(from, to int) {
		if all++; len(list) < most {
			list = append(list, text[from:to])
		}
	}
	for i, r := range text {
		alone := unspaced(r)
		if inWord(r) && !alone {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			add(start, i)
			start = -1
		}
		if alone && !unicode.IsMark(r) {
			add(i, i+utf8.RuneLen(r))
		}
	}
	if start >= 0 {
		add(start, len(text))
	}
	return list, all
}

// ends reports whether a sentence ends at a character, before the rest of the text.
func ends(r rune, rest string) bool {
	switch r {
	case '\n', '。', '！', '？', '!', '?', '…', '؟', '।':
		return true
	case '.':
		next, _ := utf8.DecodeRuneInString(rest)
		return rest == "" || unicode.IsSpace(next) || next == '"' || next == '”'
	}
	return false
}

// sentences calls fn with each sentence that is not empty until it returns false.
func sentences(text string, fn func(sentence string) bool) {
	start := 0
	for i, r := range text {
		end := i + utf8.RuneLen(r)
		if r == utf8.RuneError || !ends(r, text[end:]) {
			continue
		}
		if s := strings.TrimSpace(text[start:end]); s != "" && !fn(s) {
			return
		}
		start = end
	}
	if s := strings.TrimSpace(text[start:]); s != "" {
		fn(s)
	}
}

// prefix returns at most the first most bytes of a text, whole characters.
func prefix(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// suffix returns at most the last most bytes of a text, whole characters.
func suffix(text string, most int) string {
	from := max(0, len(text)-most)
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:]
}

// prose leaves out blocks of code and quoted lines: they are not in the words of who wrote the text.
func prose(text string) string {
	if !strings.Contains(text, "```") && !strings.Contains(text, ">") {
		return text
	}
	var b strings.Builder
	code := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			code = !code
			continue
		}
		if !code && !strings.HasPrefix(trimmed, ">") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// asked is what the user said last: a list of messages may hold earlier answers and the prompt too.
func asked(c quality.Content) string {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		if c.Messages[i].Role == "user" {
			return c.Messages[i].Content
		}
	}
	return c.Last()
}
