package directory

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queuePerSlot bounds each queue: at the default cost a slot serves about this
// many in the two seconds that a caller may wait, so who comes later would
// wait in vain.
const queuePerSlot = 64

// hashSlots shares the processors and the memory for hashing between callers.
type hashSlots struct {
	mu       sync.Mutex
	free     int   // slots
	memory   int64 // bytes that running work may still take
	kept     int   // slots that only administrators may take
	limit    int   // of each queue
	admins   []*hashWaiter
	ordinary []*hashWaiter
}

// hashWaiter is one caller in a queue.
type hashWaiter struct {
	memory  int64
	ready   chan struct{} // closed once the slot is its own
	granted bool
}

func newHashSlots(slots int, memory int64) *hashSlots {
	s := &hashSlots{free: slots, memory: memory, limit: slots * queuePerSlot}
	if slots > 1 {
		s.kept = 1
	}
	return s
}

// acquire waits for a slot and memory (bytes); release gives both back and
// must be called once.
func (s *hashSlots) acquire(ctx context.Context, memory int64, administrator bool) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, hashQueueFull().Because(context.Cause(ctx))
	}
	queue := &s.ordinary
	if administrator {
		queue = &s.admins
	}
	w := &hashWaiter{memory: memory, ready: make(chan struct{})}
	s.mu.Lock()
	if len(*queue) >= s.limit {
		s.mu.Unlock()
		return nil, hashQueueFull()
	}
	*queue = append(*queue, w)
	s.dispatch()
	granted := w.granted
	s.mu.Unlock()
	if !granted {
		if err := s.wait(ctx, w, queue); err != nil {
			return nil, err
		}
	}
	return func() { s.release(memory) }, nil
}

// wait blocks until w is granted, the context is done or hashWait is over.
func (s *hashSlots) wait(ctx context.Context, w *hashWaiter, queue *[]*hashWaiter) error {
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	var err error
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		err = hashQueueFull().Because(context.Cause(ctx))
	case <-timer.C:
		err = hashQueueFull()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.granted { // at the same moment: work that can start is better than a refusal
		return nil
	}
	*queue = slices.DeleteFunc(*queue, func(other *hashWaiter) bool { return other == w })
	s.dispatch() // w may have stood in front of smaller work
	return err
}

func (s *hashSlots) release(memory int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.memory += memory
	s.dispatch()
}

// dispatch grants what fits, administrators first, each queue in its order.
// The caller holds mu.
func (s *hashSlots) dispatch() {
	for len(s.admins) > 0 {
		if !s.grant(&s.admins, 0) {
			return
		}
	}
	for len(s.ordinary) > 0 {
		if !s.grant(&s.ordinary, s.kept) {
			return
		}
	}
}

// grant gives the head of a queue its slot if that leaves keep slots free.
func (s *hashSlots) grant(queue *[]*hashWaiter, keep int) bool {
	w := (*queue)[0]
	if s.free <= keep || s.memory < w.memory {
		return false
	}
	s.free--
	s.memory -= w.memory
	w.granted = true
	close(w.ready)
	*queue = slices.Delete(*queue, 0, 1)
	return true
}

// hashQueueFull is the answer to who cannot be served in time.
func hashQueueFull() *Error {
	e := Wrong(CodeUnavailable, ReasonHashQueue, "Too many sign-ins at this moment. Try again in a few seconds.")
	e.Retry = hashWait
	return e
}
