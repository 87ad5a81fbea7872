package collector

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/collector/sampling"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// item is one valid output, or one score that came apart from its sample, on its way to the hand-off.
type item struct {
	key       string // to be looked up in the index; empty when we made the id, which is new by construction
	id        quality.SampleKey
	data      []byte         // the sample as a wire.SampleWriter writes it; nil when it is not kept
	facts     []byte         // what later scores need to know of it; nil when it is not kept
	score     *quality.Score // instead of a sample
	size      int            // about what it takes in a message
	aliases   []string       // other names of the sample
	said      []string       // scores in it whose givers are known
	slice     trafficKey
	counted   bool // it is traffic
	failed    bool // the output carried an error
	duplicate bool // found out before it was handed off
}

// chunkBytes is about the size of a message of the hand-off; outstanding bounds how many of them one
// request may have on their way, and with it the memory that one request can take.
const (
	chunkBytes  = 1 << 20
	outstanding = 4
)

// maxEncoded bounds a sample as we write it: some characters take twice the room they came in.
const maxEncoded = 2*MaxRecord + 1<<10

// intake is one request's way through the door. Samples are handed off in chunks while the request is
// still being read; its outcome is known when finish returns.
type intake struct {
	c      *Collector
	ctx    context.Context
	result Result
	now    time.Time

	chunk   []item
	size    int
	jobs    []*job
	others  []other // ids that another request, or an earlier chunk, has on its way
	failed  int     // samples not stored for no reason of theirs
	failure error
	turn    turn
	fair    bool // it is a request: a customer may not take more than its share
	sent    bool // something was handed off before, so waiting for room is better than giving up

	redacted  bool     // what comes was redacted before
	unsampled bool     // all is kept
	dry       bool     // what comes is checked and goes no further
	aside     [][]byte // samples to be held
	writer    wire.SampleWriter
	buf       []byte
}

// other is a sample whose id is on its way already.
type other struct {
	feature string
	flight  *flight
}

func (c *Collector) newIntake(ctx context.Context) *intake {
	in := &intake{c: c, ctx: ctx, now: c.opts.Now(), result: Result{Rejected: []Rejection{}}}
	return in
}

// reject notes a record that was refused.
func (in *intake) reject(at place, err error) {
	in.result.reject(at, err)
	in.c.metrics.countRefusal(err)
}

// origin says what is known of a sample beside itself.
type origin struct {
	aliases []string           // other names by which feedback may call it
	state   string             // W3C trace state: how the sender sampled
	said    []quality.Feedback // whose numbers are in the sample's scores
	// settled: it was held before, and what people have said of it by now is reception.
	settled   bool
	reception quality.Reception
}

// add takes one sample. An error is the sample's own fault.
func (in *intake) add(s *quality.Sample) error { return in.put(s, origin{}) }

// put takes one sample: it is validated, redacted, counted, and kept with the probability that its feature's
// sampling gives it. An error is the sample's own fault.
func (in *intake) put(s *quality.Sample, from origin) error {
	if err := in.check(s); err != nil {
		return err
	}
	if in.dry {
		in.result.Checked++
		return nil
	}
	made := in.complete(s)
	if !in.redacted {
		in.c.redact.sample(s)
	}
	if !made {
		if known, err := in.knownBefore(s); known || err != nil {
			return err
		}
	}
	if !from.settled {
		in.c.opts.Observer.Observe(s)
	}
	d := in.decide(s, from)
	if d.Undecided {
		return in.hold(s, from)
	}
	it, err := in.item(s, d.Keep, from.said)
	if err != nil {
		return err
	}
	it.aliases = from.aliases
	if !made {
		it.key = idKey(s.Feature, s.ID)
	}
	in.append(it)
	return nil
}

func (in *intake) check(s *quality.Sample) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := in.c.features.check(s.Feature); err != nil {
		return err
	}
	if ahead := s.Time.Sub(in.now); ahead > maxAhead {
		return quality.Errorf(quality.KindInvalid, "field %q: %s is %s ahead of this machine's clock, at most %s is taken", "time",
			s.Time.Format(time.RFC3339), ahead.Round(time.Second), maxAhead)
	}
	return checkBounds(s)
}

// maxAhead is how far the clock of a sender may be ahead. A time far off would look like the latest for long, and
// hide that nothing comes any more.
const maxAhead = 24 * time.Hour

// complete gives a sample the id and time it lacks, and reports whether the id is of our making.
func (in *intake) complete(s *quality.Sample) (made bool) {
	if made = s.ID == ""; made {
		s.ID = ulid.Make().String()
	}
	if s.Time.IsZero() {
		s.Time = in.now
	}
	return made
}

// knownBefore reports whether a sampled sample is known, so that one that comes again is not decided on
// twice. Without sampling it is the door that looks, once for all.
func (in *intake) knownBefore(s *quality.Sample) (bool, error) {
	if in.c.samplers[s.Feature] == nil {
		return false, nil
	}
	known, err := in.c.ids.known(idKey(s.Feature, s.ID), in.now)
	if known {
		in.duplicate(s.Feature, 1)
	}
	return known, err
}

func (in *intake) decide(s *quality.Sample, from origin) sampling.Decision {
	sampler := in.c.samplers[s.Feature]
	if sampler == nil || in.unsampled || !s.Asked() {
		return sampling.Decision{Keep: true}
	}
	unit := sampler.UnitOf(s, from.state)
	var d sampling.Decision
	if from.settled {
		unit.Reception = from.reception
		d = sampler.Settle(in.now, unit)
	} else if d = sampler.Decide(in.now, unit); d.Undecided && in.c.held == nil {
		unit.Reception = quality.ReceptionFine
		d = sampler.Settle(in.now, unit)
	}
	if d.Keep {
		s.Weight = d.Weight
	}
	return d
}

// hold puts a sample aside until feedback had its time.
func (in *intake) hold(s *quality.Sample, from origin) error {
	data, err := (&heldSample{Sample: *s, Aliases: from.aliases, State: from.state, Said: from.said}).encode()
	if err == nil && len(data) > maxEncoded {
		err = errRecordTooLarge
	}
	if err == nil {
		in.aside = append(in.aside, data)
	}
	return err
}

// addScore takes a score that came apart from its sample. One of the same sample, metric and giver that
// was handed on before is a duplicate.
func (in *intake) addScore(s quality.Score) {
	it := item{id: quality.SampleKey{Feature: s.Feature, ID: s.SampleID}, score: &s}
	it.key = scoredEntry(&s).key
	in.append(it)
}

// scoreBytes is about what a score takes in a message.
const scoreBytes = 512

func (in *intake) append(it item) {
	size := len(it.data) + 1
	if it.data == nil {
		size = scoreBytes
		if it.score != nil {
			size += len(it.score.Explanation) + len(it.score.Error)
		}
	}
	if in.size+size > chunkBytes {
		in.flush()
	}
	it.size = size
	in.chunk = append(in.chunk, it)
	in.size += size
}

// item makes what the door takes of a sample.
func (in *intake) item(s *quality.Sample, keep bool, said []quality.Feedback) (item, error) {
	it := item{
		id:      quality.SampleKey{Feature: s.Feature, ID: s.ID},
		counted: s.Asked(), failed: s.Error != "",
		slice: trafficKey{
			minute: s.Time.Unix() / 60, feature: s.Feature, customer: s.Customer, model: s.Model,
			attributes: joinAttributes(s, in.c.features.counted[s.Feature]),
		},
	}
	if !keep {
		in.result.NotKept++
		in.c.metrics.notKept.WithLabelValues(s.Feature).Inc()
		return it, nil
	}
	var err error
	if in.buf, err = in.writer.Append(in.buf[:0], s); err != nil {
		return item{}, quality.Errorf(quality.KindInvalid, "sample cannot be written: %w", err)
	}
	if len(in.buf) > maxEncoded {
		return item{}, errRecordTooLarge
	}
	it.data = bytes.Clone(in.buf)
	it.said = saidBy(said)
	it.facts, err = factsOf(s, it.said)
	return it, err
}

var errRecordTooLarge = quality.Errorf(quality.KindTooLarge, "sample is larger than the limit of %s", sizeText(MaxRecord))

// Times that the store can hold. A row outside would stop its whole batch behind the door.
var (
	minTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// maxScores is the most scores that may come with a sample.
const maxScores = 256

func checkBounds(s *quality.Sample) error {
	if !s.Time.IsZero() && (s.Time.Before(minTime) || !s.Time.Before(maxTime)) {
		return quality.Errorf(quality.KindInvalid, "field %q: want a time from 1970 to 2199, got %s", "time", s.Time.Format(time.RFC3339))
	}
	if len(s.Scores) > maxScores {
		return quality.Errorf(quality.KindInvalid, "field %q: %d entries, at most %d", "scores", len(s.Scores), maxScores)
	}
	for name := range s.Scores {
		if name == "" || len(name) > quality.MaxNameLen {
			return quality.Errorf(quality.KindInvalid, "field %q: a metric's name has 1 to %d bytes, got %.40q", "scores", quality.MaxNameLen, name)
		}
	}
	return nil
}

// flush hands the chunk to the door.
func (in *intake) flush() {
	if len(in.chunk) == 0 {
		return
	}
	in.turn.done() // what follows may wait
	chunk := in.chunk
	in.chunk, in.size = nil, 0
	for len(in.jobs) >= outstanding {
		in.settle(in.jobs[0])
		in.jobs = in.jobs[1:]
	}
	if in.failure != nil && quality.KindOf(in.failure) != quality.KindTooMany { // the hand-off has just failed; the rest of the request would fare no better
		in.fail(len(chunk), in.failure)
		return
	}
	adm, err := in.c.door.admit(in.ctx, chunk, in.now, in.sent, in.fair)
	for feature, n := range adm.duplicates {
		in.duplicate(feature, n)
	}
	in.others = append(in.others, adm.others...)
	if err != nil {
		in.fail(adm.fresh, err)
	}
	if adm.job != nil {
		in.jobs, in.sent = append(in.jobs, adm.job), true
	}
}

func (in *intake) duplicate(feature string, n int) {
	in.result.Duplicates += n
	in.c.metrics.duplicates.WithLabelValues(feature).Add(float64(n))
}

func (in *intake) fail(n int, err error) {
	in.failed += n
	in.failure = err
	in.c.metrics.refused.WithLabelValues(failReason(err)).Add(float64(n))
}

// settle waits for a job of ours.
func (in *intake) settle(j *job) {
	if err := j.flight.wait(in.ctx); err != nil {
		in.fail(len(j.items), err)
		return
	}
	for i := range j.items {
		if j.items[i].duplicate {
			in.duplicate(j.items[i].id.Feature, 1)
		} else {
			in.result.Accepted++
		}
	}
}

// finish waits until the outcome of every sample is known.
func (in *intake) finish() error {
	in.flush()
	for _, j := range in.jobs {
		in.settle(j)
	}
	for _, o := range in.others {
		if err := o.flight.wait(in.ctx); err != nil {
			in.fail(1, err)
			continue
		}
		in.duplicate(o.feature, 1)
	}
	in.finishHeld()
	if in.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d samples were not stored; send them again: %w", in.failed, in.failure)
}

// finishHeld makes the samples that are held durable. They count as accepted: what becomes of them is decided
// by what is known then.
func (in *intake) finishHeld() {
	if len(in.aside) == 0 {
		return
	}
	if err := in.c.held.put(in.ctx, in.aside); err != nil {
		in.fail(len(in.aside), err)
		return
	}
	in.result.Accepted += len(in.aside)
	in.aside = nil
}
