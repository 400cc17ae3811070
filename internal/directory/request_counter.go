package directory

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// RequestCounter counts requests in fixed windows of one minute, per tenant
// and door, and per address for callers whose tenant is not known (yet). It
// runs on every request: counting a tenant's request takes no lock and
// allocates nothing after the tenant's first. It counts per process.
//
// Tenant numbers are drawn upwards from 1, so that two steps of arrays find a
// window: pages of 1024 tenants, made when first needed.
type RequestCounter struct {
	pages     [maxTenantNo/pageTenants + 1]atomic.Pointer[windowPage]
	addresses *otter.Cache[string, *window]
}

const (
	maxTenantNo = 1<<22 - 1 // TenantNo's documentation
	pageTenants = 1024
	doorSlots   = 16 // bits of Door
)

type windowPage [pageTenants]atomic.Pointer[[doorSlots]window]

// window is a minute since 1970 in the upper and a count in the lower 32 bits.
type window struct{ state atomic.Uint64 }

// NewRequestCounter makes a RequestCounter.
func NewRequestCounter() *RequestCounter {
	return &RequestCounter{addresses: otter.Must(&otter.Options[string, *window]{MaximumSize: trackedKeys})}
}

// Count counts one request of a tenant through a door and reports the state of
// the limit and whether this request exceeds it. A limit of 0 or less is
// DefaultRequestsPerMinute. A tenant number out of range counts with all such.
func (c *RequestCounter) Count(tenant TenantNo, door Door, limit int, now time.Time) (Quota, bool) {
	if tenant < 0 || tenant > maxTenantNo {
		tenant = 0
	}
	page := c.pages[tenant/pageTenants].Load()
	if page == nil {
		page = loadOrMake(&c.pages[tenant/pageTenants])
	}
	doors := page[tenant%pageTenants].Load()
	if doors == nil {
		doors = loadOrMake(&page[tenant%pageTenants])
	}
	return doors[bits.TrailingZeros16(uint16(door))%doorSlots].count(limit, now)
}

// CountAddress is Count for callers without a tenant, by address of the client
// (IPv6: its /64 network). At most trackedKeys addresses are remembered.
func (c *RequestCounter) CountAddress(addr string, limit int, now time.Time) (Quota, bool) {
	w, _ := c.addresses.ComputeIfAbsent(addressKey(addr), func() (*window, bool) { return &window{}, false })
	return w.count(limit, now)
}

// loadOrMake sets a pointer that is nil; whoever comes first wins.
func loadOrMake[T any](p *atomic.Pointer[T]) *T {
	p.CompareAndSwap(nil, new(T))
	return p.Load()
}

// count adds one to the window of now.
func (w *window) count(limit int, now time.Time) (Quota, bool) {
	if limit <= 0 {
		limit = DefaultRequestsPerMinute
	}
	minute := uint64(uint32(now.Unix() / 60))
	for {
		before := w.state.Load()
		after := minute<<32 | 1
		switch current := before >> 32; {
		case current == minute, current == minute+1: // +1: a request that read the clock later was faster
			after = before + 1
			if uint32(after) == 0 { // full: stay there instead of counting into the minute
				after = before
			}
		}
		if w.state.CompareAndSwap(before, after) {
			return quotaOf(after, limit)
		}
	}
}

func quotaOf(state uint64, limit int) (Quota, bool) {
	used := int64(uint32(state))
	end := time.Unix(int64(state>>32+1)*60, 0).UTC()
	return Quota{Limit: limit, Remaining: int(max(0, int64(limit)-used)), Reset: end}, used > int64(limit)
}

// TooManyRequests is the error for a request that exceeds its limit.
func TooManyRequests(q Quota, now time.Time) *Error {
	e := Wrong(CodeRateLimited, ReasonTooManyRequests, "More than %d requests in this minute. Try again later.", q.Limit)
	e.Retry = max(0, q.Reset.Sub(now))
	return e
}
