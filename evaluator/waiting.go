package evaluator

import (
	"cmp"
	"container/heap"
)

// waiting is a value that has no place yet: Count - Error of it were surely seen.
type waiting struct {
	Value        string
	Count, Error uint64
	at           int // in the queue
}

// queue has the value that was seen least in front, the first by name among equals. It implements
// heap.Interface.
type queue []*waiting

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].Count, q[j].Count), cmp.Compare(q[i].Value, q[j].Value)) < 0
}

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	w := x.(*waiting)
	w.at = len(*q)
	*q = append(*q, w)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return w
}

// count counts a waiting value and returns how often it was surely seen.
func (r *roster) count(value string) uint64 {
	w := r.Waiting[value]
	if w == nil {
		w = &waiting{Value: value}
		if len(r.queue) >= 4*r.Max {
			out := heap.Pop(&r.queue).(*waiting)
			delete(r.Waiting, out.Value)
			w.Count, w.Error = out.Count, out.Count
		}
		r.wait(w)
	}
	w.Count++
	heap.Fix(&r.queue, w.at)
	return w.Count - w.Error
}

// wait puts a value among those that wait.
func (r *roster) wait(w *waiting) {
	r.Waiting[w.Value] = w
	heap.Push(&r.queue, w)
}

// leave takes a value out that got its place.
func (r *roster) leave(value string) {
	if w := r.Waiting[value]; w != nil {
		heap.Remove(&r.queue, w.at)
		delete(r.Waiting, value)
	}
}
