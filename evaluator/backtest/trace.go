package backtest

import (
	"time"
)

// Point is the mean of some scores that follow each other.
type Point struct {
	Time time.Time `json:"time"` // of the middle one
	N    int       `json:"n"`
	Mean float64   `json:"mean"`
}

// maxPoints is how many points a trace has.
const maxPoints = 120

// trace sums up scores in parts of equal time, at most maxPoints.
func trace(records []record) []Point {
	out := []Point{}
	if len(records) == 0 {
		return out
	}
	first, last := records[0].at, records[len(records)-1].at
	step := max((last-first)/maxPoints+1, 1)
	for i := 0; i < len(records); {
		end := first + ((records[i].at-first)/step+1)*step
		from, w, wv := i, 0.0, 0.0
		for ; i < len(records) && records[i].at < end; i++ {
			w += records[i].weight
			wv += records[i].weight * records[i].value
		}
		out = append(out, Point{Time: time.Unix(0, records[(from+i)/2].at).UTC(), N: i - from, Mean: wv / w})
	}
	return out
}
