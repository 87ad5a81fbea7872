package statuspage

import (
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Word says how good a feature's answers are, as customers read it.
type Word string

// The words of the quality tile.
const (
	WordUsual         Word = "As good as usual"
	WordBetter        Word = "Better"
	WordNotEnough     Word = "Not enough data"
	WordCannotTell    Word = "Cannot tell"
	WordSlightlyWorse Word = "Slightly worse"
	WordWorse         Word = "Worse"
	WordMuchWorse     Word = "Much worse"
)

// rank orders words from best to worst to know; what cannot be known is worse than what is known good.
func (w Word) rank() int {
	switch w {
	case WordUsual:
		return 0
	case WordBetter:
		return 1
	case WordNotEnough:
		return 2
	case WordSlightlyWorse:
		return 4
	case WordWorse:
		return 5
	case WordMuchWorse:
		return 6
	default:
		return 3
	}
}

// Worse reports whether the word tells of a regression.
func (w Word) Worse() bool { return w.rank() > WordCannotTell.rank() }

// Slug is the word as a name in JSON and CSS.
func (w Word) Slug() string {
	switch w {
	case WordUsual:
		return "usual"
	case WordBetter:
		return "better"
	case WordNotEnough:
		return "not-enough"
	case WordSlightlyWorse:
		return "slightly-worse"
	case WordWorse:
		return "worse"
	case WordMuchWorse:
		return "much-worse"
	default:
		return "cannot-tell"
	}
}

// wordOf is the word for an open regression. One that nobody has graded yet claims the least.
func wordOf(s quality.Severity) Word {
	switch s {
	case quality.SeverityCritical:
		return WordMuchWorse
	case quality.SeverityMajor:
		return WordWorse
	default:
		return WordSlightlyWorse
	}
}

const (
	// minScores is the least number of scores of which anything is said.
	minScores = 30
	// maxSilence is how old a monitor's last score may be before the page stops repeating that all is
	// well, whatever the monitor last said: it outlasts a weekend without traffic.
	maxSilence = 72 * time.Hour
)

// TileInput is what a feature's quality tile is made of.
type TileInput struct {
	Statuses    []quality.MonitorStatus     // of the feature
	Regressions []quality.Regression        // of the feature
	Severities  map[string]quality.Severity // of the incidents, by id of their regression
	Now         time.Time
}

// QualityTile is what a feature's quality tile shows.
type QualityTile struct {
	Word     Word
	Note     string      // why nothing can be said; empty otherwise
	Metric   string      // the metric of which the rest speaks
	Percent  *float64    // percent of baseline
	Interval *[2]float64 // its 95 % interval
	Since    *time.Time
	Scope    string // which part of the answers, when not all

	slice quality.Slice // the part, when not all
}

// The sentences of a tile of which nothing can be said, as machines read them.
const (
	noteUnmeasured = "Quality is not measured."
	noteUnscored   = "No recent answers could be scored."
	noteFew        = "Too few answers since the baseline was taken."
	noteLearning   = "What is usual is still being learned."
	noteUnread     = "Not read yet."
)

// Tile shows the worst of a feature's monitors that belong on the tile.
func Tile(in TileInput) QualityTile {
	worst := QualityTile{Word: WordCannotTell, Note: noteUnmeasured}
	first := true
	for _, s := range in.Statuses {
		if !s.Tile {
			continue
		}
		if t := tileOf(s, in); first || worseThan(t, worst) {
			worst, first = t, false
		}
	}
	return worst
}

func worseThan(a, b QualityTile) bool {
	if a.Word != b.Word {
		return a.Word.rank() > b.Word.rank()
	}
	return a.Percent != nil && (b.Percent == nil || *a.Percent < *b.Percent)
}

func tileOf(s quality.MonitorStatus, in TileInput) QualityTile {
	for _, r := range in.Regressions {
		if r.Metric == s.Metric && r.Open() {
			s.Baseline, s.Current, s.Change, s.Interval, s.Since = r.Baseline, r.Current, r.Change, r.Interval, r.StartedAt
			if s.Since == nil {
				s.Since = &r.DetectedAt
			}
			return figures(s, QualityTile{Word: wordOf(in.Severities[r.ID]), Scope: scope(r.Slice), slice: r.Slice})
		}
	}
	silent := !s.LastScoreAt.IsZero() && in.Now.Sub(s.LastScoreAt) > maxSilence
	switch {
	case s.State == quality.MonitorRegressed:
		return figures(s, QualityTile{Word: wordOf(in.Severities[s.Regression])})
	case s.State == quality.MonitorBlind || silent:
		t := QualityTile{Word: WordCannotTell, Metric: s.Metric, Note: noteUnscored}
		if !s.LastScoreAt.IsZero() {
			t.Since = &s.LastScoreAt
		}
		return t
	case s.State == quality.MonitorImproved:
		return figures(s, QualityTile{Word: WordBetter})
	case s.State == quality.MonitorWatching && s.Current.N >= minScores && s.Change != nil:
		return figures(s, QualityTile{Word: WordUsual})
	case s.State == quality.MonitorWatching:
		return QualityTile{Word: WordNotEnough, Metric: s.Metric, Note: noteFew}
	default:
		return QualityTile{Word: WordNotEnough, Metric: s.Metric, Note: noteLearning}
	}
}

func figures(s quality.MonitorStatus, t QualityTile) QualityTile {
	t.Metric, t.Since = s.Metric, s.Since
	scale := scaleOf(s)
	if s.Change == nil || scale <= 0 || !finite(*s.Change/scale) {
		return t
	}
	p := percent(*s.Change, scale, s.Worse)
	t.Percent = &p
	if i := s.Interval; i != nil && finite(i[0]/scale) && finite(i[1]/scale) {
		a, b := percent(s.Interval[0], scale, s.Worse), percent(s.Interval[1], scale, s.Worse)
		t.Interval = &[2]float64{min(a, b), max(a, b)}
	}
	return t
}

// scaleOf is what a change is a share of: the metric's range, or the baseline's mean where there is none.
func scaleOf(s quality.MonitorStatus) float64 {
	if !s.Unbounded {
		return s.Range[1] - s.Range[0]
	}
	if s.Baseline.Mean == nil {
		return 0
	}
	return math.Abs(*s.Baseline.Mean)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// percent is 100 for no change and less for worse, whichever way the metric gets worse. It does not go below 0.
func percent(change, scale float64, worse quality.Direction) float64 {
	if worse == quality.WorseHigher {
		change = -change
	}
	return max(0, 100+100*change/scale)
}
