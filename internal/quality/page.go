package quality

// UptimeSpec says how the share on the uptime tile is computed.
type UptimeSpec struct {
	By string `yaml:"by"` // checks (default) or incidents
	// Weights of the time in incidents, 0 to 1; absent ones are the defaults.
	Major       *float64 `yaml:"major"`       // 1
	Partial     *float64 `yaml:"partial"`     // 0.3
	Degraded    *float64 `yaml:"degraded"`    // 0
	Maintenance *float64 `yaml:"maintenance"` // 0
}

// The ways to compute uptime.
const (
	UptimeByChecks    = "checks"    // share of checks that were answered
	UptimeByIncidents = "incidents" // share of time outside incidents, by their weights
)

// Weight is how much of the time in a state counts as down.
func (u UptimeSpec) Weight(s ComponentStatus) float64 {
	switch s {
	case MajorOutage:
		return orElse(u.Major, 1)
	case PartialOutage:
		return orElse(u.Partial, 0.3)
	case DegradedPerformance:
		return orElse(u.Degraded, 0)
	case UnderMaintenance:
		return orElse(u.Maintenance, 0)
	default:
		return 0
	}
}

func orElse(v *float64, other float64) float64 {
	if v == nil {
		return other
	}
	return *v
}

// Brand is how the status page looks, beside what it says.
type Brand struct {
	Logo    string            `yaml:"logo"`    // SVG or PNG file beside the configuration
	Colours map[string]string `yaml:"colours"` // by place, light; such as accent: "#0a4f7d"
	Dark    map[string]string `yaml:"dark"`    // the same of the dark theme
	CSS     string            `yaml:"css"`     // file beside the configuration, served as a style sheet of its own
	Footer  []PageLink        `yaml:"footer"`  // at most 20

	LogoData []byte `yaml:"-"` // content of Logo, loaded with the configuration and made safe
	CSSData  []byte `yaml:"-"` // content of CSS, loaded with the configuration
}

// PageLink is a link at the foot of the status page.
type PageLink struct {
	Title string `yaml:"title"`
	URL   string `yaml:"url"` // http, https or mailto
}

// Colours are those of the status page by place, in the light theme.
func Colours() map[string]string {
	return map[string]string{
		"ground": "#fff", "card": "#fff", "line": "#dcdfe4", "ink": "#16191d", "soft": "#474d57", "accent": "#3038a0",
		"quality": "#4a55b8", "better": "#2475c6", "uptime": "#2c7a63", "slight": "#b07d00", "worse": "#cf5200", "much": "#b3261e", "none": "#868e99",
		"slight-ink": "#5f4500", "worse-ink": "#7a3306", "much-ink": "#8c1d18", "good-ink": "#14523f", "quality-ink": "#2c3488",
	}
}

// DarkColours are those of the dark theme.
func DarkColours() map[string]string {
	return map[string]string{
		"ground": "#111417", "card": "#171b20", "line": "#323943", "ink": "#f1f3f5", "soft": "#bcc3cc", "accent": "#b3bcff",
		"quality": "#8c97f0", "better": "#6db3f5", "uptime": "#57b394", "slight": "#e0b52e", "worse": "#f0883e", "much": "#f2675c", "none": "#6f7884",
		"slight-ink": "#f0cd62", "worse-ink": "#ffb27d", "much-ink": "#ffa59d", "good-ink": "#8fdcc1", "quality-ink": "#bdc5ff",
	}
}

// ColourContrast is what the colours of a place must have on the grounds: 7 for text, 3 for marks, 0 for what
// carries no meaning.
func ColourContrast(name string) float64 {
	switch name {
	case "ground", "card", "line":
		return 0
	case "quality", "better", "uptime", "slight", "worse", "much", "none":
		return 3
	default:
		return 7
	}
}
