package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// stateVersion changes when the saved form does. Version 1 is still read.
const stateVersion = 2

var errState = errors.New("not the state of a detector")

// MarshalBinary returns the whole state. The same state gives the same bytes.
func (d *Detector) MarshalBinary() ([]byte, error) {
	return d.AppendBinary(make([]byte, 0, 512))
}

// AppendBinary appends the whole state to b, so that many detectors can share a buffer.
func (d *Detector) AppendBinary(b []byte) ([]byte, error) {
	w := writer{buf: b}
	w.uint(stateVersion)
	d.fields(&w)
	for g := d.latest; g != nil; g = g.next {
		more := true
		w.flag(&more)
		g.fields(&w, &d.excess.start)
	}
	more := false
	w.flag(&more)
	return w.buf, nil
}

// UnmarshalBinary restores a state. What is not a state is refused and leaves the detector unusable.
func (d *Detector) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	*d = Detector{}
	switch v := r.uint(); v {
	case 1:
		d.readFirst(r)
	case stateVersion:
		d.read(r)
	default:
		return fmt.Errorf("%w: version %d", errState, v)
	}
	if r.err == nil && (len(r.data) > 0 || !d.valid()) {
		r.err = errState
	}
	return r.err
}

func (d *Detector) read(r *reader) {
	d.fields(r)
	for end, more := &d.latest, true; ; {
		if r.flag(&more); !more || r.err != nil {
			return
		}
		g := &stratum{}
		g.fields(r, &d.excess.start)
		if d.index == nil && d.latest != nil || d.index[g.key] != nil {
			r.err = errState
			return
		}
		if d.index != nil {
			d.index[g.key] = g
		}
		*end, end = g, &g.next
	}
}

// valid reports whether a detector can hold such numbers: others would spread as NaN. What it lets in stays
// within the same bounds whatever comes after.
func (d *Detector) valid() bool {
	ok := d.threshold >= MinThreshold && d.threshold <= MaxThreshold && d.vif.valid() && within(d.m0, 1) && within(d.low, 1) &&
		d.s0 > 1e-9 && d.s0 <= 1 && within(d.reach, ceiling) && d.latest != nil && (d.index != nil || d.latest.key == "")
	for k := range betCount {
		ok = ok && within(d.self[k], ceiling) && within(d.pinned[k], ceiling) && within(float64(d.excess.value[k]), mostExcess) &&
			within(float64(d.bets.stake[k]), float64(d.bets.largest)) && d.excess.start[k] <= d.live
	}
	if a := d.alarm; a != nil {
		ok = ok && within(a.evidence, ceiling) && within(a.gap, 1) && a.start <= d.live && a.earliest <= a.latest && a.latest <= d.live && a.endedAt <= d.live
	}
	for g := d.latest; g != nil; g = g.next {
		ok = ok && g.seen <= d.live && g.ref.valid() && g.cur.valid()
		for k := range g.marks {
			ok = ok && g.marks[k].valid()
		}
	}
	return ok
}

// valid holds of residuals that lie in [-1, 1].
func (v *inflation) valid() bool {
	return v.value >= 1 && v.variance > 1e-300 && v.variance <= 1 && v.count < inflationBatch &&
		within(math.Abs(v.sum), float64(v.count)*(1+slack)) && within(math.Abs(v.last), 1+slack) &&
		within(v.squares, 4*float64(v.diffs)*(1+slack))
}

// mostSum is so large that another sample adds nothing to it; slack is what rounding may have done.
const (
	mostSum = 1e100
	slack   = 1e-6
)

// valid holds of y and weights that lie in [0, 1]. What rounding moved out of that is moved back.
func (s *sums) valid() bool {
	most := s.W*(1+slack) + slack
	if !within(s.W, mostSum) || !(s.Y >= -slack && s.Y <= most && s.YY >= -slack && s.YY <= most && s.WW >= -slack && s.WW <= most) {
		return false
	}
	*s = s.tidy()
	return true
}

func within(v, most float64) bool { return v >= 0 && v <= most }

// coder writes or reads one field after the other, so that both forms are one list.
type coder interface {
	float(*float64)
	single(*float32)
	number(*uint64)
	flag(*bool)
	text(*string)
}

func (d *Detector) fields(c coder) {
	strata, raised := d.index != nil, d.alarm != nil
	c.flag(&strata)
	c.flag(&raised)
	if strata && d.index == nil {
		d.index = make(map[string]*stratum)
	}
	if raised && d.alarm == nil {
		d.alarm = new(alarm)
	}
	for _, f := range []*float64{&d.threshold, &d.m0, &d.s0, &d.reach, &d.low} {
		c.float(f)
	}
	c.number(&d.live)
	c.single(&d.bets.largest)
	for k := range betCount {
		c.single(&d.bets.stake[k])
		c.float(&d.self[k])
		c.float(&d.pinned[k])
		c.single(&d.excess.value[k])
		c.number(&d.excess.start[k])
	}
	d.vif.fields(c)
	if raised {
		d.alarm.fields(c)
	}
}

func (v *inflation) fields(c coder) {
	for _, f := range []*float64{&v.value, &v.variance, &v.sum, &v.last, &v.squares} {
		c.float(f)
	}
	diffs, count := uint64(v.diffs), uint64(v.count)
	c.number(&diffs)
	c.number(&count)
	c.flag(&v.hasLast)
	v.diffs, v.count = uint32(min(diffs, math.MaxUint32)), uint8(min(count, math.MaxUint8))
}

func (a *alarm) fields(c coder) {
	c.float(&a.evidence)
	c.float(&a.gap)
	c.number(&a.start)
	c.number(&a.earliest)
	c.number(&a.latest)
	c.flag(&a.ended)
	c.number(&a.endedAt)
}

// fields leaves out marks that are void.
func (g *stratum) fields(c coder, starts *[betCount]uint64) {
	c.text(&g.key)
	c.number(&g.seen)
	g.ref.fields(c)
	g.cur.fields(c)
	for k := range g.marks {
		if g.seen > starts[k] {
			g.marks[k].fields(c)
		}
	}
}

func (s *sums) fields(c coder) {
	c.float(&s.W)
	c.float(&s.Y)
	c.float(&s.YY)
	c.float(&s.WW)
}

type writer struct{ buf []byte }

func (w *writer) uint(n uint64)    { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *writer) number(n *uint64) { w.uint(*n) }

// float writes the last bits first: zero and small whole numbers, of which a state is full, become short.
func (w *writer) float(f *float64) { w.uint(bits.ReverseBytes64(math.Float64bits(*f))) }
func (w *writer) single(f *float32) {
	w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(*f))
}
func (w *writer) text(s *string) {
	w.uint(uint64(len(*s)))
	w.buf = append(w.buf, *s...)
}
func (w *writer) flag(b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	w.uint(n)
}

type reader struct {
	data []byte
	err  error
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.data)) {
		r.err = errState
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.err = errState
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *reader) number(n *uint64) { *n = r.uint() }
func (r *reader) flag(b *bool)     { *b = r.uint() == 1 }
func (r *reader) text(s *string)   { *s = string(r.take(r.uint())) }
func (r *reader) float(f *float64) { r.set(f, bits.ReverseBytes64(r.uint())) }

func (r *reader) set(f *float64, b uint64) {
	if *f = math.Float64frombits(b); math.IsNaN(*f) || math.IsInf(*f, 0) {
		r.err = errState
	}
}

func (r *reader) single(f *float32) {
	if b := r.take(4); b != nil {
		*f = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
}
