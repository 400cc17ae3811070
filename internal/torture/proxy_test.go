package torture

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy is the network between a server and its database.
type proxy struct {
	database string       // the connection string that leads through it
	delay    atomic.Int64 // of each piece that is passed on, in milliseconds
	silent   sync.RWMutex // locked while nothing is passed on

	socket  string
	running sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]bool
}

// newProxy stands before a database of pgtest until the test ends.
func newProxy(t *testing.T, database string) *proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{socket: u.Query().Get("host") + "/.s.PGSQL.5432", open: map[net.Conn]bool{}}
	p.database = "postgres://" + u.Query().Get("user") + "@" + l.Addr().String() + u.Path + "?sslmode=disable"
	p.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			p.running.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		p.cut()
		p.running.Wait()
	})
	return p
}

// carry joins a connection with one to the database.
func (p *proxy) carry(from net.Conn) {
	to, err := net.Dial("unix", p.socket)
	if err != nil {
		_ = from.Close() // the database is away
		return
	}
	p.mu.Lock()
	p.open[from], p.open[to] = true, true
	p.mu.Unlock()
	var back sync.WaitGroup
	back.Go(func() { p.pass(from, to) })
	p.pass(to, from)
	back.Wait()
	p.mu.Lock()
	delete(p.open, from)
	delete(p.open, to)
	p.mu.Unlock()
}

// pass copies pieces until one side ends, and then ends the other.
func (p *proxy) pass(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }() // both are of no more use
	piece := make([]byte, 16<<10)
	for {
		n, err := from.Read(piece)
		if d := p.delay.Load(); d > 0 {
			<-time.After(time.Duration(d) * time.Millisecond)
		}
		p.silent.RLock()
		if n > 0 {
			if _, wrong := to.Write(piece[:n]); wrong != nil {
				err = wrong
			}
		}
		p.silent.RUnlock()
		if err != nil {
			return
		}
	}
}

// cut ends all connections in the middle of what they say.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close() // it may have ended by itself
	}
}
