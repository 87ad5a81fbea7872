package quality

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Layer says which part of a feature a change touches.
type Layer string

// The layers, from the model outwards. The zero value means that nobody said.
const (
	LayerModel     Layer = "model"
	LayerPrompt    Layer = "prompt"
	LayerRetrieval Layer = "retrieval"
	LayerTools     Layer = "tools"
	LayerServing   Layer = "serving"
	LayerJudge     Layer = "judge"
	LayerTraffic   Layer = "traffic"
)

// Layers returns all layers.
func Layers() []Layer {
	return []Layer{LayerModel, LayerPrompt, LayerRetrieval, LayerTools, LayerServing, LayerJudge, LayerTraffic}
}

// ChangeSource says by which way a change came into the ledger.
type ChangeSource string

// The ways into the ledger.
const (
	ChangeAPI       ChangeSource = "api"
	ChangeCLI       ChangeSource = "cli"
	ChangeGitHub    ChangeSource = "github"
	ChangeGitLab    ChangeSource = "gitlab"
	ChangePagerDuty ChangeSource = "pagerduty"
	ChangeObserved  ChangeSource = "observed" // the collector saw it in the samples
)

// The flags of a change.
const (
	FlagNoOwner = "no owner" // nobody answers for it
	FlagStarted = "started"  // a deployment that has begun and of whose end nothing is known
	FlagFailed  = "failed"   // a deployment that did not take effect
)

// Change is an entry of the ledger: something that could have changed the behaviour of features. Its JSON
// form is what POST /v1/changes takes, without the fields that Asgood sets itself.
type Change struct {
	ID          string    `json:"id,omitempty"`       // the same id again is the same change
	At          time.Time `json:"at,omitzero"`        // when it took effect
	Features    []string  `json:"features,omitempty"` // empty means every feature
	Layer       Layer     `json:"layer"`              // required
	Carries     []Layer   `json:"carries,omitempty"`  // other layers that it may have changed too, as a deployment that brings prompts along
	Title       string    `json:"title"`              // required, one line
	Description string    `json:"description,omitempty"`
	Owner       string    `json:"owner,omitempty"` // who answers for it; of an undeclared change the owner of the feature
	Reviewer    string    `json:"reviewer,omitempty"`
	Reference   string    `json:"reference,omitempty"` // URL of where it was made or discussed
	Before      string    `json:"before,omitempty"`    // short and readable, such as the name of a model
	After       string    `json:"after,omitempty"`

	// The rest is set by Asgood.

	RecordedAt  time.Time    `json:"recorded_at,omitzero"`
	Source      ChangeSource `json:"source,omitempty"`
	Undeclared  bool         `json:"undeclared,omitempty"`   // the collector saw it and nobody had recorded it
	FirstSeen   time.Time    `json:"first_seen,omitzero"`    // time of the first sample with the new value
	Facets      []string     `json:"facets,omitempty"`       // what of the layer was seen to change, such as "system prompt" or "temperature"
	Share       float64      `json:"share,omitempty"`        // 0 to 1: its part of the feature's traffic since it was first seen
	Samples     uint64       `json:"samples,omitempty"`      // samples seen with the new value
	Flags       []string     `json:"flags,omitempty"`        // what is wrong with the entry
	ExplainedBy string       `json:"explained_by,omitempty"` // id of the change that declares what was seen
	ToldAt      time.Time    `json:"told_at,omitzero"`       // when its owner was told that it is undeclared or has no owner
}

// Limits on the texts of a change.
const (
	MaxChangeText     = 16 << 10 // bytes of a description
	MaxChangeLine     = 1 << 10  // bytes of a title, reference, before and after
	MaxChangeFeatures = 256
)

// Touches reports whether the change may have changed the feature.
func (c *Change) Touches(feature string) bool {
	return len(c.Features) == 0 || slices.Contains(c.Features, feature)
}

// Covers reports whether the change may have changed the layer.
func (c *Change) Covers(l Layer) bool { return c.Layer == l || slices.Contains(c.Carries, l) }

// Unexplained reports whether the change was seen and nobody has declared it since.
func (c *Change) Unexplained() bool { return c.Undeclared && c.ExplainedBy == "" }

// Flagged reports whether the change carries a flag.
func (c *Change) Flagged(flag string) bool { return slices.Contains(c.Flags, flag) }

// SetFlag adds or removes a flag, in a list of its own.
func (c *Change) SetFlag(flag string, on bool) {
	flags := slices.DeleteFunc(slices.Clone(c.Flags), func(f string) bool { return f == flag })
	if on {
		flags = append(flags, flag)
		slices.Sort(flags)
	}
	c.Flags = flags
}

// Validate checks what every change must have, and its bounds. The error names the field.
func (c *Change) Validate() error {
	switch {
	case c.Layer == "":
		return Errorf(KindInvalid, `field "layer": required (one of %s)`, layerNames())
	case !slices.Contains(Layers(), c.Layer):
		return Errorf(KindInvalid, `field "layer": want one of %s, got %.40q`, layerNames(), string(c.Layer))
	case strings.TrimSpace(c.Title) == "":
		return Errorf(KindInvalid, `field "title": required`)
	case len(c.Features) > MaxChangeFeatures:
		return Errorf(KindInvalid, `field "features": %d entries, at most %d`, len(c.Features), MaxChangeFeatures)
	}
	if err := c.validateTexts(); err != nil {
		return err
	}
	for _, l := range c.Carries {
		if !slices.Contains(Layers(), l) || len(c.Carries) > len(Layers()) {
			return Errorf(KindInvalid, `field "carries": want some of %s, got %.40q`, layerNames(), string(l))
		}
	}
	for i, f := range c.Features {
		if f == "" || len(f) > MaxNameLen || slices.Contains(c.Features[:i], f) {
			return Errorf(KindInvalid, `field "features": want names of features, each once, got %.80q`, f)
		}
	}
	if c.Reference != "" && !strings.HasPrefix(c.Reference, "https://") && !strings.HasPrefix(c.Reference, "http://") {
		return Errorf(KindInvalid, `field "reference": want a URL that begins with https:// or http://, got %.80q`, c.Reference)
	}
	return nil
}

func layerNames() string {
	names := make([]string, 0, len(Layers()))
	for _, l := range Layers() {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}

func (c *Change) validateTexts() error {
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"id", c.ID, MaxNameLen}, {"title", c.Title, MaxChangeLine}, {"description", c.Description, MaxChangeText},
		{"owner", c.Owner, MaxNameLen}, {"reviewer", c.Reviewer, MaxNameLen}, {"reference", c.Reference, MaxChangeLine},
		{"before", c.Before, MaxChangeLine}, {"after", c.After, MaxChangeLine},
	} {
		if len(f.value) > f.most {
			return Errorf(KindInvalid, `field %q: %d bytes, at most %d`, f.name, len(f.value), f.most)
		}
		if !utf8.ValidString(f.value) || f.name != "description" && strings.ContainsFunc(f.value, unicode.IsControl) {
			return Errorf(KindInvalid, `field %q: want one line of text without control characters`, f.name)
		}
	}
	return nil
}

// ChangeSpec configures the ledger of changes.
type ChangeSpec struct {
	GitHub     GitHubSpec     `yaml:"github"`
	GitLab     GitLabSpec     `yaml:"gitlab"`
	PagerDuty  PagerDutySpec  `yaml:"pagerduty"`
	Map        []ChangeMap    `yaml:"map"` // the first entry that fits counts
	Undeclared UndeclaredSpec `yaml:"undeclared"`
}

// GitHubSpec configures webhooks of GitHub. Without a secret none is taken.
type GitHubSpec struct {
	Secret string `yaml:"secret"` // never logged
	Push   bool   `yaml:"push"`   // a push to the default branch is a change too
}

// GitLabSpec configures webhooks of GitLab. Without a secret none is taken.
type GitLabSpec struct {
	Secret string `yaml:"secret"` // a secret token, or a signing token that begins with "whsec_"; never logged
}

// PagerDutySpec configures change events in PagerDuty's form. Without a key none is taken.
type PagerDutySpec struct {
	RoutingKey string `yaml:"routing_key"` // never logged
}

// ChangeMap says what a deployment of a repository changes.
type ChangeMap struct {
	Repository  string   `yaml:"repository"`  // such as org/app
	Environment string   `yaml:"environment"` // empty means production
	Features    []string `yaml:"features"`    // empty means every feature
	Layer       Layer    `yaml:"layer"`       // default serving
	Carries     []Layer  `yaml:"carries"`     // layers that live in the repository too, such as prompt
	Owner       string   `yaml:"owner"`       // default: whoever deployed
}

// UndeclaredSpec says how near an entry must be to what was first seen in the samples to explain it.
type UndeclaredSpec struct {
	Before time.Duration `yaml:"before"` // how long before; default 2 h
	After  time.Duration `yaml:"after"`  // how long after; default 30 min; the owner is told when it is over
}
