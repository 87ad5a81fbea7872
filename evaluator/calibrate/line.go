package calibrate

// line predicts a label by the score of the judge. It has an intercept: a judge whose scores lie off by a
// constant, or on another scale, predicts as well as one that hits the marks.
type line struct{ at0, slope float64 }

func (l line) at(f float64) float64 { return l.at0 + l.slope*f }

// lineSums are what a line is fitted by, with weighted least squares.
type lineSums struct{ w, f, y, ff, fy float64 }

func (s *lineSums) add(f, y, w float64) {
	s.w += w
	s.f += w * f
	s.y += w * y
	s.ff += w * f * f
	s.fy += w * f * y
}

// line is flat where the scores do not differ.
func (s *lineSums) line() line {
	if !(s.w > 0) {
		return line{}
	}
	f, y := s.f/s.w, s.y/s.w
	spread := s.ff/s.w - f*f
	if !(spread > 1e-12*max(1, f*f)) {
		return line{at0: y}
	}
	slope := (s.fy/s.w - f*y) / spread
	return line{at0: y - slope*f, slope: slope}
}
