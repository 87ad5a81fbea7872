package detect

import (
	"encoding/binary"
	"math"
)

// firstReader reads floats as version 1 wrote them.
type firstReader struct{ *reader }

func (r firstReader) float(f *float64) {
	if b := r.take(8); b != nil {
		r.set(f, binary.LittleEndian.Uint64(b))
	}
}

func (r firstReader) single(f *float32) {
	var v float64
	r.float(&v)
	*f = float32(min(v, mostExcess))
}

// readFirst reads version 1: it kept every mark with its start, and had no interval of the start.
func (d *Detector) readFirst(data *reader) {
	r := firstReader{data}
	var strata, raised bool
	var n0, count, diffs uint64
	var a alarm
	for _, b := range []*bool{&strata, &raised, &a.ended, &d.vif.hasLast} {
		r.flag(b)
	}
	for _, n := range []*uint64{&n0, &d.live, &a.start, &a.endedAt, &count, &diffs} {
		r.number(n)
	}
	for _, f := range []*float64{&d.threshold, &d.m0, &d.s0, &d.low, &a.evidence, &a.gap} {
		r.float(f)
	}
	r.single(&d.bets.largest)
	for _, f := range []*float64{&d.vif.value, &d.vif.variance, &d.vif.sum, &d.vif.last, &d.vif.squares} {
		r.float(f)
	}
	d.vif.count, d.vif.diffs = uint8(min(count, math.MaxUint8)), uint32(min(diffs, math.MaxUint32))
	closing := d.readFirstBets(r)
	if raised {
		a.latest = d.live
		d.alarm, d.self = &a, closing
	}
	if strata {
		d.index = make(map[string]*stratum)
	}
	d.reach = confidence(float64(n0)) * d.s0 / math.Sqrt(float64(max(n0, 1)))
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		d.readFirstStratum(r)
	}
}

func (d *Detector) readFirstBets(r firstReader) (closing evidence) {
	for k := range betCount {
		r.single(&d.bets.stake[k])
		r.float(&d.self[k])
		r.float(&d.pinned[k])
		r.float(&closing[k])
		r.single(&d.excess.value[k])
		r.number(&d.excess.start[k])
	}
	return closing
}

func (d *Detector) readFirstStratum(r firstReader) {
	g := &stratum{}
	r.text(&g.key)
	g.ref.fields(r)
	g.cur.fields(r)
	for k := range g.marks {
		var start uint64
		r.number(&start)
		g.marks[k].fields(r)
		// A mark was of its excursion when both began alike; then the stratum was seen after that.
		if start == d.excess.start[k] && start < d.live {
			g.seen = max(g.seen, start+1)
		}
	}
	if d.index == nil && d.latest != nil || d.index[g.key] != nil {
		r.err = errState
		return
	}
	d.put(g)
}
