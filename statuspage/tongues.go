package statuspage

import (
	"strings"
	"sync"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// Bounds of what is remembered of headers, which callers write as they like.
const (
	maxTongues = 1024
	maxTongue  = 128 // bytes
)

// tongues remembers which language fits a header: browsers send few different ones, and to match one takes longer than
// all the rest of an answer. The zero tongues is ready.
type tongues struct {
	mu    sync.RWMutex
	known map[string]*speech.Language
}

func (t *tongues) match(all *speech.Set, header string) *speech.Language {
	if header == "" || len(all.All()) == 1 {
		return all.Default()
	}
	t.mu.RLock()
	l := t.known[header]
	t.mu.RUnlock()
	if l == nil {
		l = all.Match(header)
		t.learn(header, l)
	}
	return l
}

func (t *tongues) learn(header string, l *speech.Language) {
	if len(header) > maxTongue {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= maxTongues { // those that are in use come back at once
		t.known = map[string]*speech.Language{}
	}
	t.known[strings.Clone(header)] = l
}
