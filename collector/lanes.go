package collector

import (
	"slices"
	"sync"
)

// lanes is the queue of jobs. Each customer has a lane, and lanes take turns: who sends little waits for no more
// than what is being published and one message, whatever another has queued.
type lanes struct {
	mu     sync.Mutex
	byWho  map[holder]*lane
	turns  []*lane // those with jobs; the first is next
	jobs   int
	filled chan struct{} // holds one token when there may be jobs
}

type lane struct {
	who  holder
	jobs []*job
}

func newLanes() *lanes {
	return &lanes{byWho: map[holder]*lane{}, filled: make(chan struct{}, 1)}
}

// push adds a job to the lane of who has most of it.
func (l *lanes) push(j *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who := j.most()
	x := l.byWho[who]
	if x == nil {
		x = &lane{who: who}
		l.byWho[who] = x
		l.turns = append(l.turns, x)
	}
	x.jobs = append(x.jobs, j)
	l.jobs++
	l.signal()
}

// message takes the jobs of a message: the next one, and one of each lane in turn as long as they fit. It is empty
// when none wait.
func (l *lanes) message() (batch []*job) {
	size := chunkBytes
	l.mu.Lock()
	defer l.mu.Unlock()
	for taken := -1; taken != len(batch) && l.jobs > 0; {
		taken = len(batch)
		batch, size = l.round(batch, size)
	}
	if l.jobs > 0 {
		l.signal()
	}
	return batch
}

// round takes one job of each lane if it fits. Lanes that were served stand behind those that were not.
func (l *lanes) round(batch []*job, size int) ([]*job, int) {
	var waiting, served []*lane
	for _, x := range l.turns {
		j := x.jobs[0]
		if len(batch) > 0 && j.size > size {
			waiting = append(waiting, x)
			continue
		}
		batch, size = append(batch, j), size-j.size
		l.jobs--
		x.jobs[0] = nil
		if x.jobs = x.jobs[1:]; len(x.jobs) == 0 {
			delete(l.byWho, x.who)
		} else {
			served = append(served, x)
		}
	}
	l.turns = slices.Concat(waiting, served)
	return batch, size
}

// signal wakes whoever waits for jobs.
func (l *lanes) signal() {
	select {
	case l.filled <- struct{}{}:
	default:
	}
}

// len returns how many jobs wait.
func (l *lanes) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jobs
}

// most is the holder that has most of a job.
func (j *job) most() (who holder) {
	most := int64(-1)
	for _, h := range j.held {
		if h.bytes > most || h.bytes == most && (h.who.feature+h.who.customer) < who.feature+who.customer {
			who, most = h.who, h.bytes
		}
	}
	return who
}
