package web

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ErrBusy is the error of a body for which the server has no memory left at this
// moment (Options.Bodies): it has not been read whole, and the request may be sent
// again later. Whatever a handler makes of it, the request is answered with
// Options.Busy, and its connection is closed.
var ErrBusy = errors.New("web: the server holds as many request bodies as it may")

// DefaultBodies is the budget of a server whose Options name none, in bytes: well
// below what a small container has, and far more than honest clients have under way.
const DefaultBodies = 128 << 20

// uncounted is the memory of a body that is not counted: one of 64 KiB and the room
// to see its end. Nearly all calls are smaller, and so they go on while somebody
// uses the budget up.
const uncounted = 65 << 10

// shares is into how many parts the budget is cut: one client has at most one.
const shares = 4

// lingering is how long a client whose body was refused may go on sending before
// its connection is cut: long enough to read the answer first.
const lingering = 5 * time.Second

// bodyBudget counts the memory of the bodies of all requests under way, which are
// read before anybody knows who has sent them. It is safe for concurrent use.
type bodyBudget struct {
	most, share int64

	mu   sync.Mutex
	held int64
	by   map[netip.Addr]int64 // no entry is 0
}

func newBodyBudget(most int64) *bodyBudget {
	if most <= 0 {
		most = DefaultBodies
	}
	return &bodyBudget{most: most, share: most / shares, by: map[netip.Addr]int64{}}
}

// take counts n more bytes of a client, unless they are too many.
func (b *bodyBudget) take(client netip.Addr, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held+n > b.most || b.by[client]+n > b.share {
		return false
	}
	b.held += n
	b.by[client] += n
	return true
}

// give counts n bytes of a client no more.
func (b *bodyBudget) give(client netip.Addr, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if b.by[client] -= n; b.by[client] == 0 {
		delete(b.by, client)
	}
}

// clientOf is what has one share: an IPv4 address, or the /64 network of an IPv6
// address, which is what one customer gets (RFC 6177). Texts that are no address
// have one together.
func clientOf(addr string) netip.Addr {
	ip, ok := parseAddr(addr)
	if !ok || ip.Is4() {
		return ip
	}
	network, err := ip.Prefix(64)
	if err != nil { // cannot be: every IPv6 address has 64 bits to mask
		return ip
	}
	return network.Addr()
}

// bodyHold is what one request has of the budget. The zero value is of a request
// outside of NewServer: nothing is counted.
type bodyHold struct {
	budget  *bodyBudget
	client  netip.Addr
	bytes   int64
	refused bool
}

// grow sees to it that so many bytes in all are counted for a request's body.
func (rec *recorder) grow(bytes int64) bool {
	if rec == nil || rec.hold.budget == nil || bytes <= uncounted {
		return true
	}
	h := &rec.hold
	if h.bytes == 0 {
		h.client = clientOf(rec.event.Addr)
	}
	if !h.budget.take(h.client, bytes-h.bytes) {
		h.refused = true
		return false
	}
	h.bytes = bytes
	return true
}

// giveBack ends the counting of a request's body.
func (rec *recorder) giveBack() {
	if rec == nil || rec.hold.bytes == 0 {
		return
	}
	rec.hold.budget.give(rec.hold.client, rec.hold.bytes)
	rec.hold.bytes = 0
}

// busy is the error for a request whose body was refused.
func (o *Options) busy() error {
	if o.Busy == nil {
		return ErrBusy
	}
	return o.Busy()
}

// hangUp has the connection of a refused body closed after the answer: what its
// client still sends would only be thrown away.
func hangUp(rec *recorder, resp *Response) {
	resp.Header = append(slices.Clip(resp.Header), [2]string{"Connection", "close"})
	// A writer without deadlines has no client that could linger.
	_ = http.NewResponseController(rec.ResponseWriter).SetReadDeadline(time.Now().Add(lingering))
}
