package webhook

import (
	"context"
	"sync"

	"github.com/usher-id/usher/internal/directory"
)

// gate lets a number of goroutines through at once.
type gate chan struct{}

// enter waits for its turn, or for the end of ctx; ok says which. leave gives the
// turn back.
func (g gate) enter(ctx context.Context) (leave func(), ok bool) {
	if ctx.Err() != nil { // a select would choose by chance
		return nil, false
	}
	select {
	case <-ctx.Done():
		return nil, false
	case g <- struct{}{}:
		return func() { <-g }, true
	}
}

// gates bound what a Dispatcher does at once.
type gates struct {
	source   gate
	requests gate
	mu       *sync.Mutex
	tenants  map[directory.TenantNo]gate
}

func newGates() gates {
	return gates{source: make(gate, sourceCount), requests: make(gate, requestCount), mu: new(sync.Mutex), tenants: map[directory.TenantNo]gate{}}
}

// request waits for the turn of a request to an endpoint of a tenant.
func (g *gates) request(ctx context.Context, t directory.TenantNo) (leave func(), ok bool) {
	g.mu.Lock()
	own, there := g.tenants[t]
	if !there {
		own = make(gate, tenantCount)
		g.tenants[t] = own
	}
	g.mu.Unlock()
	leaveOwn, ok := own.enter(ctx)
	if !ok {
		return nil, false
	}
	leaveAll, ok := g.requests.enter(ctx)
	if !ok {
		leaveOwn()
		return nil, false
	}
	return func() { leaveAll(); leaveOwn() }, true
}
