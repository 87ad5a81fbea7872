package judge

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/asgood-dev/asgood/internal/quality"
)

// templateMarks are what chat templates part roles with, and delimiters like ours. Some templates write theirs in
// full width, and some models read full width as plain.
var templateMarks = regexp.MustCompile(`(?i)[<＜][|｜][a-z0-9_▁ .:/-]{1,60}[|｜][>＞]|\[/?(?:INST|SYSTEM|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|` +
	`<</?SYS>>|[<＜]{3,}|[>＞]{3,}|</?(?:system|assistant|user|instructions?|s|data|answer|output|start_of_turn|end_of_turn|think|bos|eos)>`)

// markless writes a mark of a template so that no template reads it.
var markless = strings.NewReplacer("<", "‹", ">", "›", "＜", "‹", "＞", "›", "[", "⁅", "]", "⁆", "|", "¦", "｜", "¦", "▁", "_")

// addressing are the forms in which outputs speak to a grader, in several languages. They are looked for in
// small letters.
var addressing = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:above|previous|prior|earlier|all|rubric|instructions?|rules?|criteria)`),
	regexp.MustCompile(`\b(?:give|assign|award|rate|grade|score|return|output|mark)\b.{0,60}(?:\b(?:score|rating|grade|mark|points?|stars?|full|maximum|highest|best|top|perfect)\b|\b[0-9]+ ?(?:/|out of) ?[0-9]+)`),
	regexp.MustCompile(`\b(?:dear|attention|note to|message to|hey|to the|hello)\b.{0,20}\b(?:judge|grader|evaluator|reviewer|llm|model|examiner|rater)\b`),
	regexp.MustCompile(`\b(?:you are|act as|pretend|as an?) .{0,30}\b(?:judge|grader|evaluator|examiner)\b`),
	regexp.MustCompile(`["']?\b(?:score|rating|better|verdict|final[ _]score|grade)\b["']? ?[:=] ?["']?(?:[0-9]|first|second|best|a\b|b\b|perfect)`),
	regexp.MustCompile(`\b(?:system|assistant|developer|admin)\b ?(?:message|prompt|override|note|instruction)? ?:`),
	regexp.MustCompile(`\b(?:end of (?:the )?(?:answer|output|data|quote|text))\b|\bnew (?:task|instructions?|rubric)\b`),
	regexp.MustCompile(`\b(?:check word|system prompt|your instructions|the rubric)\b`),
	regexp.MustCompile(`ignorier|vergiss (?:alle|die)|\bbewert(?:e|en sie)\b|höchste punktzahl|volle punktzahl|gib .{0,30}(?:punkte|note)`),
	regexp.MustCompile(`ignore[zrs]? (?:les|toutes)|oublie[zr]? (?:les|toutes)|(?:donn|attribu)[ezr]{1,2} .{0,40}(?:note|score|points)|note maximale`),
	regexp.MustCompile(`ignora (?:las|todas|le|tutte)|olvida (?:las|todas)|(?:da|asigna|assegna|otorga)(?:le)? .{0,40}(?:puntuaci[oó]n|nota|puntos|punteggio|voto)|m[aá]xima (?:puntuaci[oó]n|nota)`),
	regexp.MustCompile(`ignore (?:as|todas)|(?:dê|atribua) .{0,40}(?:nota|pontuação)`),
	regexp.MustCompile(`игнорируй|забудь|поставь.{0,30}(?:балл|оценк)|максимальн\S* (?:балл|оценк)`),
	regexp.MustCompile(`忽略|无视|無視|满分|滿分|給分|给.{0,6}分|评分|評分|打分|最高分`),
	regexp.MustCompile(`無視して|満点|採点|最高点|最高評価`),
	regexp.MustCompile(`무시하|만점|채점|최고 점수`),
	regexp.MustCompile(`تجاهل|الدرجة الكاملة|أعط.{0,30}(?:درجة|تقييم)`),
	regexp.MustCompile(`अनदेखा|पूरे अंक|सर्वोच्च अंक`),
	regexp.MustCompile(`yukarıdaki.{0,30}(?:yok say|unut)|tam puan|en yüksek puan`),
	regexp.MustCompile(`zignoruj|pełn\S* punkt|najwyższ\S* ocen`),
}

var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}={0,2}`)

// Addresses reports whether a text seems to speak to whoever grades it. It looks through encodings and
// characters that hide what is said. It errs on the side of a label: a label changes no score.
func Addresses(text string) bool {
	if len(text) > maxOutput {
		text = text[:maxOutput]
	}
	if speaks(text) || templateMarks.MatchString(text) || hidden(text) {
		return true
	}
	for _, word := range encoded.FindAllString(text, 20) {
		if plain, ok := decode(word); ok && speaks(plain) {
			return true
		}
	}
	return false
}

func speaks(text string) bool {
	text = fold(text)
	if says(text) {
		return true
	}
	bare := norm.NFC.String(strings.Map(unmarked, norm.NFD.String(text)))
	return bare != text && says(bare)
}

func says(text string) bool {
	for _, re := range addressing {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}

// unmarked drops the accents that can be put over any letter.
func unmarked(r rune) rune {
	if r >= 0x300 && r <= 0x36f {
		return -1
	}
	return r
}

// lookalikes are letters of other scripts that pass for Latin ones.
var lookalikes = strings.NewReplacer("і", "i", "ο", "o", "ѕ", "s", "ɡ", "g", "\u034f", "", "\u200c", "", "\u200d", "")

// fold makes one form of the many in which a sentence can be written: width and accents of compatibility,
// case, invisible characters, letters of Cyrillic within Latin words, breaks.
func fold(text string) string {
	text = lookalikes.Replace(norm.NFKC.String(quality.Visible(text)))
	text = mixed.ReplaceAllStringFunc(text, cyrillic.Replace)
	return strings.Join(strings.Fields(strings.ToLower(text)), " ")
}

var (
	mixed    = regexp.MustCompile(`[A-Za-z]+[\x{0430}-\x{044f}\x{0410}-\x{042f}][A-Za-z\x{0430}-\x{044f}]*|[\x{0430}-\x{044f}\x{0410}-\x{042f}]+[A-Za-z][A-Za-z\x{0430}-\x{044f}]*`)
	cyrillic = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "А", "A", "Е", "E", "О", "O", "Р", "P", "С", "C", "Х", "X", "І", "I")
)

// hidden reports whether a text holds characters that carry words which nobody sees.
func hidden(text string) bool {
	tags, selected := 0, false
	for _, r := range text {
		was := selected
		if selected = selector(r); was && selected {
			return true
		}
		if r >= 0xe0020 && r <= 0xe007e {
			tags++
		}
		if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return true
		}
	}
	return tags > 7 // the longest flag has seven
}

// selector reports whether a rune chooses a form of the one before it. One may stand behind a letter; a row of them
// writes a text that nobody sees.
func selector(r rune) bool { return r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef }

func decode(word string) (string, bool) {
	word = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(word)
	data, err := base64.RawStdEncoding.DecodeString(word)
	return string(data), err == nil && utf8.Valid(data)
}
