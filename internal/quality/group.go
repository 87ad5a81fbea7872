package quality

// FeatureGroup gathers features under a heading, on the status page and in its interfaces.
type FeatureGroup struct {
	Name        string   `yaml:"name"`        // in URLs and as id; no feature has it
	Title       string   `yaml:"title"`       // shown to customers; defaults to the name
	Description string   `yaml:"description"` // plain text, one line
	Features    []string `yaml:"features"`    // names, in the order in which they are shown; each is in one group at most
}

// Bounds of texts that customers read beside names.
const (
	MaxFeatureGroups = 100
	MaxDescription   = 1000 // bytes
)
