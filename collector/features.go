package collector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// features knows the configured features by name and in their order.
type features struct {
	list   []quality.Feature
	byName map[string]bool
	// counted are the attributes by which a feature's traffic is counted apart: those that its monitors
	// slice or adjust by, beside those that a count has anyway.
	counted  map[string][]string
	sampling map[string]*quality.SamplingSpec
}

func newFeatures(list []quality.Feature) *features {
	f := &features{list: list, byName: make(map[string]bool, len(list)), counted: map[string][]string{},
		sampling: map[string]*quality.SamplingSpec{}}
	for _, x := range list {
		f.byName[x.Name] = true
		f.sampling[x.Name] = x.Sampling
		f.counted[x.Name] = countedAttributes(x.Monitors)
	}
	return f
}

func countedAttributes(monitors []quality.MonitorSpec) []string {
	var names []string
	for _, m := range monitors {
		names = append(append(names, m.Slices...), m.Adjust...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "customer" || name == "model" })
}

// unknownFeatureError tells the sender which features there are.
type unknownFeatureError struct {
	name  string
	known []string
}

func (e *unknownFeatureError) Error() string {
	const most = 20
	known, more := e.known, ""
	if len(known) > most {
		known, more = known[:most], fmt.Sprintf(" and %d more", len(e.known)-most)
	}
	return fmt.Sprintf("field %q: no feature %.80q is configured (known: %s%s)", "feature", e.name, strings.Join(known, ", "), more)
}

func (f *features) check(name string) error {
	if f.byName[name] {
		return nil
	}
	known := make([]string, 0, len(f.list))
	for _, x := range f.list {
		known = append(known, x.Name)
	}
	slices.Sort(known)
	return quality.Errorf(quality.KindInvalid, "%w", &unknownFeatureError{name: name, known: known})
}
