package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// stateVersion changes when the saved form does.
const stateVersion = 1

var errState = errors.New("not the state of a detector")

// MarshalBinary returns the whole state. The same state gives the same bytes.
func (d *Detector) MarshalBinary() ([]byte, error) {
	w := writer{buf: make([]byte, 0, 512+len(d.strata)*(64+betCount*40))}
	w.uint(stateVersion)
	d.fields(&w)
	w.uint(uint64(len(d.strata)))
	for _, g := range d.strata {
		g.fields(&w)
	}
	return w.buf, nil
}

// UnmarshalBinary restores a state. What is not a state is refused and leaves the detector unusable.
func (d *Detector) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	if v := r.uint(); v != stateVersion {
		return fmt.Errorf("%w: version %d", errState, v)
	}
	*d = Detector{index: map[string]*stratum{}}
	d.fields(r)
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		g := &stratum{}
		g.fields(r)
		if d.index[g.key] != nil {
			return errState
		}
		d.index[g.key] = g
		d.strata = append(d.strata, g)
	}
	if r.err == nil && len(r.data) > 0 {
		r.err = errState
	}
	if r.err != nil {
		return r.err
	}
	return d.validate()
}

// validate refuses numbers that no detector can hold, which would spread as NaN.
func (d *Detector) validate() error {
	ok := d.opts.Threshold >= MinThreshold && d.opts.Threshold <= MaxThreshold && d.vif.value >= 1 &&
		d.vif.variance > 0 && d.n0 >= MinBaseline && len(d.strata) > 0 && (d.opts.Strata || d.strata[0].key == "")
	for _, v := range [][betCount]float64{d.self, d.pinned, d.closing, d.excess.value, d.bets.stake} {
		for _, x := range v {
			ok = ok && x >= 0 && x <= ceiling
		}
	}
	if !ok {
		return errState
	}
	return nil
}

// coder writes or reads one field after the other, so that both forms are one list.
type coder interface {
	float(*float64)
	number(*uint64)
	flag(*bool)
	text(*string)
}

func (d *Detector) fields(c coder) {
	c.flag(&d.opts.Strata)
	c.flag(&d.raised)
	c.flag(&d.ended)
	c.flag(&d.vif.hasLast)
	for _, n := range []*uint64{&d.n0, &d.live, &d.startAt, &d.endedAt, &d.vif.count, &d.vif.diffs} {
		c.number(n)
	}
	for _, f := range []*float64{&d.opts.Threshold, &d.m0, &d.s0, &d.low, &d.frozen, &d.gap, &d.bets.largest,
		&d.vif.value, &d.vif.variance, &d.vif.sum, &d.vif.last, &d.vif.squares} {
		c.float(f)
	}
	for k := range betCount {
		for _, f := range []*float64{&d.bets.stake[k], &d.self[k], &d.pinned[k], &d.closing[k], &d.excess.value[k]} {
			c.float(f)
		}
		c.number(&d.excess.start[k])
	}
}

func (g *stratum) fields(c coder) {
	c.text(&g.key)
	g.ref.fields(c)
	g.cur.fields(c)
	for k := range g.marks {
		c.number(&g.marks[k].start)
		g.marks[k].sums.fields(c)
	}
}

func (s *sums) fields(c coder) {
	for _, f := range []*float64{&s.W, &s.Y, &s.YY, &s.WW} {
		c.float(f)
	}
}

type writer struct{ buf []byte }

func (w *writer) uint(n uint64)    { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *writer) number(n *uint64) { w.uint(*n) }
func (w *writer) float(f *float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(*f))
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
func (r *reader) float(f *float64) {
	b := r.take(8)
	if b == nil {
		return
	}
	if *f = math.Float64frombits(binary.LittleEndian.Uint64(b)); math.IsNaN(*f) || math.IsInf(*f, 0) {
		r.err = errState
	}
}
