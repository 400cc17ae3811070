package web

import (
	"container/list"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ListenerOptions are the settings of NewListener.
type ListenerOptions struct {
	// TLS is how connections are answered that begin with a TLS handshake. For
	// HTTP/2 it names h2 in NextProtos.
	TLS *tls.Config
	// Silence is how long a connection may send nothing at all before it is
	// closed; 0 is 10 seconds. From its first byte on, the time-outs of the
	// http.Server hold.
	Silence time.Duration
	// MaxSilent is the most connections that may be silent at a time; 0 is
	// 1024. One more closes the one that has been silent for longest.
	MaxSilent int
}

// Listener speaks TLS and plain HTTP on one port. What Accept returns is a
// *tls.Conn when the client's first byte begins a TLS handshake, so that an
// http.Server does the handshake, sets Request.TLS and offers HTTP/2; otherwise
// it is the plain connection.
//
// Each connection's first byte is awaited by itself, so that one that sends
// nothing holds up no other.
type Listener struct {
	net.Listener
	o ListenerOptions

	start  sync.Once
	ready  chan net.Conn // connections whose first byte is known
	failed chan error    // of the listener below
	done   chan struct{} // closed by Close
	work   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	silent list.List // of net.Conn, longest silent first
}

// NewListener makes a Listener over another one, which it closes with itself.
// No connection is taken before the first call of Accept.
func NewListener(inner net.Listener, o ListenerOptions) *Listener {
	setIfZero(&o.Silence, 10*time.Second)
	if o.MaxSilent == 0 {
		o.MaxSilent = 1024
	}
	return &Listener{Listener: inner, o: o, ready: make(chan net.Conn), failed: make(chan error), done: make(chan struct{})}
}

// Accept returns the next connection that has sent something. The error is
// net.ErrClosed after Close, and otherwise that of the listener below.
func (l *Listener) Accept() (net.Conn, error) {
	l.start.Do(func() { l.spawn(l.run) })
	select {
	case conn := <-l.ready:
		return conn, nil
	case err := <-l.failed:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close stops listening and closes the connections that Accept has not
// returned yet. Those that it has are the caller's. Closing twice is harmless.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.done)
	err := l.Listener.Close()
	for e := l.silent.Front(); e != nil; e = e.Next() {
		closeUnheard(e.Value.(net.Conn))
	}
	l.mu.Unlock()
	l.work.Wait()
	return err
}

// spawn starts a goroutine that Close waits for, unless it is too late.
func (l *Listener) spawn(work func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.work.Go(work)
	return true
}

// run takes connections until Close. An error is handed to a caller of Accept
// before the next try, so that its pause after a passing one holds here too.
func (l *Listener) run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			select {
			case l.failed <- err:
				continue
			case <-l.done:
				return
			}
		}
		if !l.spawn(func() { l.receive(conn) }) {
			closeUnheard(conn)
			return
		}
	}
}

// receive waits for the first byte and hands the connection to Accept.
func (l *Listener) receive(conn net.Conn) {
	heard, err := l.hear(conn)
	if err != nil {
		closeUnheard(conn)
		return
	}
	select {
	case l.ready <- heard:
	case <-l.done:
		closeUnheard(conn)
	}
}

// hear reads the first byte: that of a TLS record of the type handshake (22,
// RFC 8446 section 5.1), or of anything else. No HTTP request begins with 22,
// which is no token character.
func (l *Listener) hear(conn net.Conn) (net.Conn, error) {
	leave, err := l.enter(conn)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := conn.SetReadDeadline(time.Now().Add(l.o.Silence)); err != nil {
		return nil, err
	}
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return nil, err
	}
	// This fails when the connection has ended by now. The byte still counts, and
	// who reads on learns of the end.
	_ = conn.SetReadDeadline(time.Time{})
	const recordTypeHandshake = 22
	heard := &heardConn{Conn: conn, first: first[0]}
	if first[0] == recordTypeHandshake {
		return tls.Server(heard, l.o.TLS), nil
	}
	return heard, nil
}

// enter lists a connection as silent until the returned function is called.
func (l *Listener) enter(conn net.Conn) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	if l.silent.Len() >= l.o.MaxSilent {
		longest := l.silent.Front()
		l.silent.Remove(longest)
		closeUnheard(longest.Value.(net.Conn))
	}
	at := l.silent.PushBack(conn)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.silent.Remove(at)
	}, nil
}

// closeUnheard closes a connection whose client has got no answer, so that
// nobody is there to learn of an error.
func closeUnheard(conn net.Conn) { _ = conn.Close() }

// heardConn gives the byte that was read ahead to the first Read.
type heardConn struct {
	net.Conn
	first byte
	given atomic.Bool // whether first has been read
}

// Read reads the first byte alone, so that it never waits for more.
func (c *heardConn) Read(b []byte) (int, error) {
	if len(b) > 0 && !c.given.Load() && c.given.CompareAndSwap(false, true) {
		b[0] = c.first
		return 1, nil
	}
	return c.Conn.Read(b)
}

// CloseWrite closes the sending half. The http.Server does that before it
// closes a connection with unread input: else the system would reset it, and
// the client might lose the answer.
func (c *heardConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
