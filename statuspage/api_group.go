package statuspage

import "github.com/asgood-dev/asgood/internal/quality"

// section is a group with its features, or the features that are in none.
type section struct {
	group    *quality.FeatureGroup // nil for features without a group
	features []string
}

// sectionsOf puts every feature into one section: first those that are in no group, then those of each group in
// its order. A name that no feature has is passed over, and so is a group without features.
func sectionsOf(groups []quality.FeatureGroup, features []quality.Feature) []section {
	free := map[string]bool{}
	for _, f := range features {
		free[f.Name] = true
	}
	out := make([]section, 1, len(groups)+1)
	for i := range groups {
		s := section{group: &groups[i]}
		for _, name := range groups[i].Features {
			if free[name] {
				s.features = append(s.features, name)
				delete(free, name)
			}
		}
		if len(s.features) > 0 {
			out = append(out, s)
		}
	}
	for _, f := range features {
		if free[f.Name] {
			out[0].features = append(out[0].features, f.Name)
			delete(free, f.Name)
		}
	}
	return out
}
