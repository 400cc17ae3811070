package site

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Balancer is a TCP balancer as they stand before servers: it gives each
// connection to the next server in turn that says at /readyz that it takes
// requests, and asks that all the time. It knows nothing of what the connections
// carry.
type Balancer struct {
	// Addr is where it listens, as host:port.
	Addr string

	listener net.Listener
	backends []string

	mu      sync.Mutex
	ready   map[string]bool
	changed chan struct{} // closed when ready changes
	next    int
	open    map[net.Conn]bool
}

// probeEvery is how often servers are asked. Real balancers ask every few seconds,
// and the servers under them drain for longer.
const probeEvery = 50 * time.Millisecond

// NewBalancer starts a balancer before the servers of the site, which ends with
// the test.
func (s *Site) NewBalancer() *Balancer {
	s.T.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.T.Fatal(err)
	}
	b := &Balancer{Addr: l.Addr().String(), listener: l, ready: map[string]bool{}, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	for _, v := range s.Servers {
		b.backends = append(b.backends, v.Addr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, addr := range b.backends {
		b.probe(ctx, addr)
		running.Go(func() { b.watch(ctx, addr) })
	}
	running.Go(func() { b.serve(&running) })
	s.T.Cleanup(func() {
		cancel()
		b.close(s.T)
		running.Wait()
	})
	return b
}

// URL is the address as http://host:port.
func (b *Balancer) URL() string { return "http://" + b.Addr }

// watch asks one server until the end.
func (b *Balancer) watch(ctx context.Context, addr string) {
	every := time.NewTicker(probeEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			b.probe(ctx, addr)
		case <-ctx.Done():
			return
		}
	}
}

// probe asks a server whether it takes requests, on a connection of its own.
func (b *Balancer) probe(ctx context.Context, addr string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ok := false
	if r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil); err == nil {
		r.Close = true
		if answer, err := client.Do(r); err == nil {
			ok = answer.StatusCode == http.StatusOK
			_ = answer.Body.Close() // nothing is expected of it
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready[addr] != ok {
		b.ready[addr] = ok
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

// Await returns when so many servers are ready for all the balancer knows, or
// when the context ends, with its error.
func (b *Balancer) Await(ctx context.Context, servers int) error {
	for {
		b.mu.Lock()
		have, changed := 0, b.changed
		for _, ok := range b.ready {
			if ok {
				have++
			}
		}
		b.mu.Unlock()
		if have >= servers {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve takes connections until the listener is closed.
func (b *Balancer) serve(running *sync.WaitGroup) {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		running.Go(func() { b.carry(c) })
	}
}

// carry joins a connection with one to a server, until either ends.
func (b *Balancer) carry(c net.Conn) {
	if !b.keep(c) {
		return
	}
	defer b.drop(c)
	for range b.backends {
		to, err := net.DialTimeout("tcp", b.pick(), time.Second)
		if err != nil {
			continue // its next probe will find that too
		}
		if !b.keep(to) {
			return
		}
		defer b.drop(to)
		var up sync.WaitGroup
		up.Go(func() { pour(to, c) })
		pour(c, to)
		up.Wait()
		return
	}
}

// pour copies until the end of one side and tells the other.
func pour(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok && err == nil {
		_ = half.CloseWrite() // it may be closed already
		return
	}
	_, _ = to.Close(), from.Close() // both are of no more use
}

// pick is the next server that is ready; the next at all when none is.
func (b *Balancer) pick() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.backends {
		b.next++
		if addr := b.backends[b.next%len(b.backends)]; b.ready[addr] {
			return addr
		}
	}
	return b.backends[b.next%len(b.backends)]
}

// keep remembers a connection; false when the balancer has ended, which closes it.
func (b *Balancer) keep(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		_ = c.Close() // nobody waits for it
		return false
	}
	b.open[c] = true
	return true
}

func (b *Balancer) drop(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, c)
	_ = c.Close() // the other side may have done so
}

func (b *Balancer) close(t testing.TB) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.listener.Close(); err != nil {
		t.Errorf("closing the balancer: %v", err)
	}
	for c := range b.open {
		_ = c.Close() // its carrier sees that
	}
	b.open = nil
}
