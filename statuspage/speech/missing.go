package speech

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Missing lists the texts that English has and a language lacks, has in other forms, or has alone.
func Missing(tag string) (out []string) {
	english, own := formsOf(English), formsOf(tag)
	for _, id := range slices.Sorted(maps.Keys(english)) {
		if got, ok := own[id]; !ok || !slices.Equal(got, english[id]) {
			out = append(out, fmt.Sprintf("text %q has the forms %q, want %q", id, got, english[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(own)) {
		if _, ok := english[id]; !ok {
			out = append(out, fmt.Sprintf("text %q is not in English", id))
		}
	}
	return out
}

// formsOf lists the plural forms of each text; none are those of a plain text.
func formsOf(tag string) map[string][]string {
	out := map[string][]string{}
	data, err := File(tag)
	var texts map[string]any
	if err != nil || json.Unmarshal(data, &texts) != nil {
		return out // everything is missing
	}
	for id, text := range texts {
		forms, _ := text.(map[string]any)
		out[id] = slices.Sorted(maps.Keys(forms))
	}
	return out
}
