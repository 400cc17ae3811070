package directory

import (
	"context"
	"runtime"
	"sync"
)

// maxTenantSearches is how many searches of one tenant may wait for their turn.
const maxTenantSearches = 100

// searchGate lets few searches at once look through many events, or users, in turn, so that
// whoever has many of them going slows down nobody but its own tenant's searches:
// each may read 10,000 events for an answer without one. Half of the cores, and
// with them half of SQLite's readers, stay with everybody else.
type searchGate struct {
	turns   chan struct{} // a value in it is a search that runs
	each    int           // how many of one tenant run at once
	mu      sync.Mutex
	tenants map[TenantNo]*tenantSearches // those that have any
}

type tenantSearches struct {
	turns chan struct{}
	count int // those that wait and those that run
}

func newSearchGate(turns int) *searchGate {
	turns = max(turns, 1)
	return &searchGate{turns: make(chan struct{}, turns), each: max(turns/2, 1), tenants: map[TenantNo]*tenantSearches{}}
}

// searchTurns is how many searches run at once.
func searchTurns() int { return runtime.GOMAXPROCS(0) / 2 }

// enter waits for a search's turn, which leave ends. Errors: feed.busy; that of ctx.
func (g *searchGate) enter(ctx context.Context, t TenantNo) (leave func(), err error) {
	own, err := g.join(t)
	if err != nil {
		return nil, err
	}
	var took []chan struct{}
	leave = func() {
		for _, turns := range took {
			<-turns
		}
		g.part(t, own)
	}
	for _, turns := range [...]chan struct{}{own.turns, g.turns} { // in this order: none waits with a turn that others could have
		select {
		case turns <- struct{}{}: // also for who has no time to wait
			took = append(took, turns)
			continue
		default:
		}
		select {
		case turns <- struct{}{}:
			took = append(took, turns)
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}

func (g *searchGate) join(t TenantNo) (*tenantSearches, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.tenants[t]
	if own == nil {
		own = &tenantSearches{turns: make(chan struct{}, g.each)}
		g.tenants[t] = own
	}
	if own.count >= maxTenantSearches {
		return nil, errFeedBusy("Too many searches for events are waiting.")
	}
	own.count++
	return own, nil
}

func (g *searchGate) part(t TenantNo, own *tenantSearches) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if own.count--; own.count == 0 {
		delete(g.tenants, t)
	}
}
