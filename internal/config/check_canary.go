package config

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/theory/jsonpath"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of a canary.
const (
	maxCanaryName        = 80
	minCanaryEvery       = 10 * time.Second
	maxCanaryEvery       = 30 * day
	minCanaryTimeout     = time.Second
	maxCanaryTimeout     = 10 * time.Minute
	maxCanaryRepeat      = 100
	maxCanaryConcurrency = 32
	maxCanaryPrompts     = 500
	maxCanaryCalls       = 5000
	maxCanaries          = 50 // of a feature
	maxPromptBytes       = 64 << 10
	maxPromptMessages    = 100
	maxPromptAttributes  = quality.MaxAttributes - 2 // canary and prompt_id come to them
	maxPathBytes         = 300
	minSecret            = 8 // shorter ones could stand in any answer
)

// checkCanaries checks the canaries of a feature. names holds the place of each name in the file.
func (d *decoder) checkCanaries(cs []quality.CanarySpec, path string, names map[string]string) {
	if len(cs) > maxCanaries {
		d.hidden(path, "%d canaries, at most %d", len(cs), maxCanaries)
	}
	for i := range cs {
		p := fmt.Sprintf("%s[%d]", path, i)
		d.checkCanaryName(cs[i].Name, p, names)
		d.checkCanaryPrompts(&cs[i], p)
		d.checkCanaryNumbers(&cs[i], p)
		d.checkCanaryEndpoint(&cs[i], p)
		d.checkCanaryBudget(cs[i].WithDefaults(), p)
		cs[i].Secrets = d.secretsIn(p)
	}
}

func (d *decoder) checkCanaryName(name, path string, names map[string]string) {
	at := path + ".name"
	first, taken := names[name]
	switch {
	case d.failed(at):
	case name == "":
		d.hidden(at, "required")
	case len(name) > maxCanaryName || !identifier.MatchString(name):
		d.bad(at, "want 1 to %d letters, digits, dots, dashes and underscores, a letter or digit first", maxCanaryName)
	case taken:
		d.bad(at, "%s has this name already", first)
	default:
		names[name] = path
	}
}

// checkCanaryPrompts checks prompts that stand in the configuration; those of a file were checked with it.
func (d *decoder) checkCanaryPrompts(c *quality.CanarySpec, path string) {
	at := path + ".prompts"
	switch {
	case d.failed(at):
	case !d.has(at):
		d.hidden(at, "required: a list of {id, input}, or the name of a file of them")
	case d.places[at].text == "":
		d.checkPrompts(c.Prompts, at)
	}
	for p, place := range d.places {
		if place.fromEnv && strings.HasPrefix(p, at+"[") {
			d.bad(p, "a prompt is stored with its answers: no variables here")
		}
	}
}

func (d *decoder) checkPrompts(ps []quality.CanaryPrompt, path string) {
	if d.failed(path) && len(d.problems) > 0 {
		return
	}
	if len(ps) == 0 || len(ps) > maxCanaryPrompts {
		d.hidden(path, "%d prompts, want 1 to %d", len(ps), maxCanaryPrompts)
		return
	}
	ids := map[string]int{}
	for i := range ps {
		p := fmt.Sprintf("%s[%d]", path, i)
		if first, ok := ids[ps[i].ID]; ok && ps[i].ID != "" {
			d.bad(p+".id", "prompt %d of the list has this id already", first+1)
		}
		ids[ps[i].ID] = i
		d.checkPrompt(&ps[i], p)
	}
}

func (d *decoder) checkPrompt(p *quality.CanaryPrompt, path string) {
	if at := path + ".id"; !d.failed(at) && (len(p.ID) > maxCanaryName || !identifier.MatchString(p.ID)) {
		d.bad(at, "want 1 to %d letters, digits, dots, dashes and underscores, a letter or digit first", maxCanaryName)
	}
	d.checkInput(p.Input, path+".input")
	if p.Reference != nil && len(*p.Reference) > maxPromptBytes {
		d.hidden(path+".reference", "%d bytes, at most %d", len(*p.Reference), maxPromptBytes)
	}
	if len(p.Attributes) > maxPromptAttributes {
		d.hidden(path+".attributes", "%d entries, at most %d", len(p.Attributes), maxPromptAttributes)
	}
	for k, v := range p.Attributes {
		d.checkPromptAttribute(k, v, join(path+".attributes", k))
	}
	d.checkExpect(p, path+".expect")
}

func (d *decoder) checkInput(in quality.Content, path string) {
	switch {
	case d.failed(path):
	case strings.TrimSpace(in.All()) == "":
		d.hidden(path, "required: a text or a list of messages {role, content}")
	case len(in.All()) > maxPromptBytes:
		d.hidden(path, "%d bytes, at most %d", len(in.All()), maxPromptBytes)
	case len(in.Messages) > maxPromptMessages:
		d.hidden(path, "%d messages, at most %d", len(in.Messages), maxPromptMessages)
	}
	for i, m := range in.Messages {
		if p := fmt.Sprintf("%s[%d].role", path, i); m.Role == "" && !d.failed(p) {
			d.hidden(p, "required: user, assistant or system")
		}
	}
}

func (d *decoder) checkPromptAttribute(name, value, path string) {
	switch {
	case d.failed(path):
	case name == "canary" || name == "prompt_id":
		d.bad(path, "is set for every prompt")
	case name == "" || len(name) > quality.MaxNameLen || len(value) > quality.MaxNameLen:
		d.bad(path, "want a name and a value of at most %d bytes each", quality.MaxNameLen)
	}
}

func (d *decoder) checkExpect(p *quality.CanaryPrompt, path string) {
	if p.Expect == nil || d.failed(path) {
		return
	}
	var forms []string
	for _, form := range []string{"contains", "regex", "reference"} {
		if d.has(path + "." + form) {
			forms = append(forms, form)
		}
	}
	switch e := p.Expect; {
	case len(forms) != 1:
		d.hidden(path, "want exactly one of contains: TEXT, regex: PATTERN and reference: true")
	case forms[0] == "regex":
		d.checkPattern(path+".regex", e.Regex)
	case forms[0] == "contains" && (e.Contains == "" || len(e.Contains) > maxContains):
		d.bad(path+".contains", "want 1 to %d bytes", maxContains)
	case forms[0] == "reference" && !e.Reference:
		d.bad(path+".reference", "want true, or leave it out")
	case forms[0] == "reference" && p.Reference == nil:
		d.bad(path+".reference", "the prompt has no reference to compare with")
	}
}

func (d *decoder) checkCanaryNumbers(c *quality.CanarySpec, path string) {
	d.checkSpan(path+".every", c.Every, minCanaryEvery, maxCanaryEvery)
	if d.has(path+".every") && !d.failed(path+".every") && c.Every%time.Second != 0 {
		d.bad(path+".every", "want whole seconds")
	}
	d.checkSpan(path+".timeout", c.Timeout, minCanaryTimeout, maxCanaryTimeout)
	d.checkCount(path+".repeat", c.Repeat, 1, maxCanaryRepeat)
	d.checkCount(path+".concurrency", c.Concurrency, 1, maxCanaryConcurrency)
	d.checkQuota(c.Budget, path+".budget")
}

// checkCanaryBudget refuses what could not be done as configured: runs that time out by design, and
// budgets that would leave runs out by the hour of the day.
func (d *decoder) checkCanaryBudget(c quality.CanarySpec, path string) {
	if d.failed(path) {
		return
	}
	calls := c.Calls()
	if calls > maxCanaryCalls {
		d.hidden(path+".repeat", "a run makes %d calls, at most %d", calls, maxCanaryCalls)
		return
	}
	if c.Timeout >= c.Every {
		d.bad(path+".timeout", "want less than every (%s)", spanText(c.Every))
	}
	if c.Budget.IsZero() {
		return
	}
	runs := max(1, int(math.Ceil(float64(c.Budget.Per)/float64(c.Every))))
	if calls*runs > c.Budget.N {
		d.bad(path+".budget", "%d calls in a run and %d runs in the period make %d calls: give it more, ask less often, or repeat less",
			calls, runs, calls*runs)
	}
}

func (d *decoder) checkCanaryEndpoint(c *quality.CanarySpec, path string) {
	switch chat, other := d.has(path+".chat"), d.has(path+".http"); {
	case d.failed(path + ".chat"), d.failed(path + ".http"):
	case chat && other:
		d.hidden(path, "has chat and http: want exactly one")
	case chat && c.Chat != nil:
		d.checkChat(c.Chat, path+".chat")
	case other && c.HTTP != nil:
		d.checkCanaryHTTP(c, path+".http")
	default:
		d.hidden(path, "says nowhere to ask: want chat: {base_url: URL, model: NAME} or http: {url: URL}")
	}
}

// chatFields are fields of the request that are not parameters.
var chatFields = []string{"model", "messages", "stream", "stream_options", "n"}

func (d *decoder) checkChat(c *quality.CanaryChat, path string) {
	if !isWebURL(c.BaseURL) && !d.failed(path+".base_url") {
		d.hidden(path+".base_url", "want a URL such as https://api.example.com/v1")
	}
	if (c.Model == "" || len(c.Model) > quality.MaxNameLen) && !d.failed(path+".model") {
		d.hidden(path+".model", "required: the name of a model, at most %d bytes", quality.MaxNameLen)
	}
	d.checkKey(c.Key, path+".key")
	if len(c.System) > maxPromptBytes {
		d.hidden(path+".system", "%d bytes, at most %d", len(c.System), maxPromptBytes)
	}
	for name := range c.Params {
		if slices.Contains(chatFields, name) {
			d.bad(join(path+".params", name), "is not a parameter: it is set for every call")
		}
	}
	for p, place := range d.places {
		if place.fromEnv && strings.HasPrefix(p, path+".params.") {
			d.bad(p, "parameters are stored with the answers: no variables here")
		}
	}
}

// checkKey takes what fits into a header, and refuses the empty key of a variable that holds nothing.
func (d *decoder) checkKey(key, path string) {
	control := func(r rune) bool { return r <= ' ' || r == 0x7f }
	if d.has(path) && !d.failed(path) && (key == "" || len(key) > maxHeader || strings.ContainsFunc(key, control)) {
		d.hidden(path, "want 1 to %d characters without spaces; leave it out where none is needed", maxHeader)
	}
}

func (d *decoder) checkCanaryHTTP(c *quality.CanarySpec, path string) {
	h := c.HTTP
	if !isWebURL(h.URL) && !d.failed(path+".url") {
		d.hidden(path+".url", "want a URL such as https://api.example.com/answer")
	}
	if d.has(path+".method") && !slices.Contains(probeMethods, h.Method) {
		d.bad(path+".method", "want one of %s", strings.Join(probeMethods, ", "))
	}
	if h.Body != "" && (h.Method == http.MethodGet || h.Method == http.MethodHead) {
		d.hidden(path+".body", "a request of method %s has no body", h.Method)
	}
	d.checkHeaders(h.Headers, path+".headers")
	d.checkJSONPath(h.Answer, path+".answer")
	d.checkJSONPath(h.Context, path+".context")
	d.checkJSONPath(h.Model, path+".model")
	d.checkJSONPath(h.Usage.InputTokens, path+".usage.input_tokens")
	d.checkJSONPath(h.Usage.OutputTokens, path+".usage.output_tokens")
	d.checkCanaryBody(c, path+".body")
}

// checkJSONPath refuses a second "..": what it costs would grow with the square of what an endpoint sends.
func (d *decoder) checkJSONPath(text, path string) {
	if text == "" || d.failed(path) {
		return
	}
	if len(text) > maxPathBytes {
		d.bad(path, "%d bytes, at most %d", len(text), maxPathBytes)
		return
	}
	if _, err := jsonpath.Parse(text); err != nil {
		if d.places[path].fromEnv {
			d.bad(path, "not a JSONPath of RFC 9535, such as $.data.answer")
			return
		}
		d.bad(path, "not a JSONPath of RFC 9535, such as $.data.answer: %s", strings.TrimPrefix(err.Error(), jsonpath.ErrPathParse.Error()+": "))
		return
	}
	if strings.Count(text, "..") > 1 {
		d.bad(path, `holds ".." more than once`)
	}
}

// checkCanaryBody fills the template with every prompt, so that one that cannot be asked is found now.
func (d *decoder) checkCanaryBody(c *quality.CanarySpec, path string) {
	if c.HTTP.Body == "" || d.failed(path) {
		return
	}
	body, err := quality.CompileCanaryBody(c.HTTP.Body)
	if err != nil {
		d.badTemplate(path, "not a template of Go's text/template", err)
		return
	}
	for i := range c.Prompts {
		data, err := body.Render(quality.CallOf(&c.Prompts[i]))
		if err != nil {
			d.badTemplate(path, fmt.Sprintf("cannot be filled for prompt %q", c.Prompts[i].ID), err)
			return
		}
		looksLikeJSON := strings.HasPrefix(strings.TrimSpace(c.HTTP.Body), "{")
		if looksLikeJSON && !strings.HasPrefix(strings.TrimSpace(c.HTTP.Body), "{{") && !json.Valid(data) {
			d.hidden(path, "makes no JSON for prompt %q: write texts as {{json .Input}}, without quotes", c.Prompts[i].ID)
			return
		}
	}
}

// badTemplate leaves out the words of the library where they could repeat what a variable held.
func (d *decoder) badTemplate(path, what string, err error) {
	if d.places[path].fromEnv {
		d.hidden(path, "%s", what)
		return
	}
	d.hidden(path, "%s: %s", what, clip(err.Error()))
}

// secretsIn lists what variables gave to the canary at path. What is no secret and may well come back in
// an answer is left out: the name of a model, and the address alone.
func (d *decoder) secretsIn(path string) []string {
	var out []string
	for p, place := range d.places {
		key, ok := strings.CutPrefix(p, path+".")
		if !ok || !place.fromEnv || openInCanary(key, place.text) {
			continue
		}
		for _, m := range variableAnywhere.FindAllStringSubmatch(place.text, -1) {
			if v, ok := d.env(m[1]); ok && len(v) >= minSecret && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return out
}

func openInCanary(key, text string) bool {
	switch key {
	case "name", "prompts", "chat.model":
		return true
	case "chat.base_url", "http.url":
		return variable.FindString(text) == text // beside other text it may be a token of the path
	default:
		return false
	}
}
