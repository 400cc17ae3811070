package directory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// How many requests may wait for events: in this process, and of one tenant, so
// that none takes the places of all.
const (
	maxFeedWaiters   = 1000
	maxTenantWaiters = 100
	// fewWaiters are as many followers of a tenant as read as soon as they may.
	fewWaiters = 10
)

// feedHub lets requests wait for the feed of a tenant to grow. It holds no
// events: who is woken reads them from the store, as slowly as it likes.
type feedHub struct {
	mu      sync.Mutex
	tenants map[TenantNo]*feedGrowth // those that somebody waits for
	waiting int
	ended   chan struct{} // closed when the server stops
	once    sync.Once
	// stale says that a chain may have events that cannot be found yet.
	stale atomic.Bool

	beat  time.Duration // the longest that a follower hears nothing
	pause time.Duration // the shortest between two reads of one that waits, while they are few
	rest  time.Duration // between two rounds of making events findable
}

// feedGrowth is how far the feed of a tenant has come, as far as it was told
// since somebody waits for it.
type feedGrowth struct {
	position int64
	grown    chan struct{} // closed when position rises, and made anew
	waiting  int
}

// newFeedHub makes a hub. A change is seen by a follower within pause, and many
// followers of a tenant with many changes do not read a page for each of them.
func newFeedHub() *feedHub {
	h := &feedHub{tenants: map[TenantNo]*feedGrowth{}, ended: make(chan struct{}),
		beat: 15 * time.Second, pause: 50 * time.Millisecond, rest: time.Second}
	h.stale.Store(true)
	return h
}

// grow tells that a chain has grown to a position. It does not wait.
func (h *feedHub) grow(t TenantNo, position int64) {
	h.stale.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	if g := h.tenants[t]; g != nil && position > g.position {
		g.position = position
		close(g.grown)
		g.grown = make(chan struct{})
	}
}

// end sends away whoever waits, now and later.
func (h *feedHub) end() { h.once.Do(func() { close(h.ended) }) }

// over reports whether ctx is done or the server stops.
func (h *feedHub) over(ctx context.Context) bool {
	select {
	case <-h.ended:
		return true
	default:
		return ctx.Err() != nil
	}
}

// sleep waits for a time and reports false if ctx or the feed ended first.
func (h *feedHub) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return !h.over(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-h.ended:
	}
	return false
}

// feedWaiter is one request's place among those that wait.
type feedWaiter struct {
	hub    *feedHub
	tenant TenantNo
	growth *feedGrowth
	read   time.Time // when it last went to read
}

// join takes a place. What is told from now on is not missed: join before
// reading. Errors: feed.busy.
func (h *feedHub) join(t TenantNo) (*feedWaiter, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.tenants[t]
	if h.waiting >= maxFeedWaiters || g != nil && g.waiting >= maxTenantWaiters {
		return nil, errFeedBusy("Too many requests are waiting for events.")
	}
	if g == nil {
		g = &feedGrowth{grown: make(chan struct{})}
		h.tenants[t] = g
	}
	g.waiting++
	h.waiting++
	return &feedWaiter{hub: h, tenant: t, growth: g, read: time.Now()}, nil
}

func errFeedBusy(message string) error {
	err := Wrong(CodeUnavailable, ReasonFeedBusy, "%s", message)
	err.Retry = time.Second
	return err
}

// leave gives the place back.
func (w *feedWaiter) leave() {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting--
	if w.growth.waiting--; w.growth.waiting == 0 {
		delete(h.tenants, w.tenant)
	}
}

// state is how far the feed has come, what is closed when it comes further, and
// the shortest time between two reads: the more followers read the same events, the
// rarer each does, so that writers have their time too.
func (w *feedWaiter) state() (position int64, grown <-chan struct{}, pause time.Duration) {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	return w.growth.position, w.growth.grown, h.pause * time.Duration(1+w.growth.waiting/fewWaiters)
}

// wait returns once the feed has come further than a position, or timeout has
// fired, and reports false once there is nothing to wait for any more: ctx is
// done or the server stops.
func (w *feedWaiter) wait(ctx context.Context, after int64, timeout <-chan time.Time) bool {
	for {
		position, grown, pause := w.state()
		if position > after {
			more := w.hub.sleep(ctx, pause-time.Since(w.read))
			w.read = time.Now()
			return more
		}
		select {
		case <-grown:
		case <-timeout:
			w.read = time.Now()
			return true
		case <-ctx.Done():
			return false
		case <-w.hub.ended:
			return false
		}
	}
}
