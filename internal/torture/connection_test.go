package torture

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// crowd is many connections that do nothing good.
type crowd struct {
	name  string
	count int
	say   string
	ends  bool // the server ends them by itself
}

// Connections that are idle, that send a head or a body for ever, or that never read
// their answer, cost little memory and keep nobody else from being served. All but the last
// are ended within the time limits.
func TestConnections(t *testing.T) {
	s, accounts := world(t, "sqlite", 1, site.Process{Flags: []string{"--read-header-timeout", "2s", "--read-timeout", "3s", "--write-timeout", "4s"}})
	v := s.Servers[0]
	l := begin(t, accounts, v)
	authorized := "Host: x\r\nAuthorization: Bearer " + site.Key + "\r\n"
	stays(t, s, func() {
		for _, c := range []crowd{
			{"idle", 2000, "", true},
			{"slow heads", 500, "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: ", true},
			{"slow bodies", 500, "POST /api/v1/users HTTP/1.1\r\n" + authorized + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", true},
			{"answers that nobody reads", 200, request("/api/v1/users?limit=200", authorized, 40), false},
		} {
			t.Run(c.name, func(t *testing.T) { c.stand(t, l, v) })
		}
		l.judge(s)
	})
}

// request is a request so many times, one behind the other.
func request(path, head string, times int) (text string) {
	for range times {
		text += "GET " + path + " HTTP/1.1\r\n" + head + "\r\n"
	}
	return text
}

// stand opens the connections while the others work, and requires that nobody of them
// is refused.
func (c *crowd) stand(t *testing.T, l *load, v *site.Server) {
	before, refused := memory(t, v), l.unknown.Load()
	var list []net.Conn
	defer func() {
		for _, conn := range list {
			_ = conn.Close() // the server may have done so
		}
	}()
	for range c.count {
		conn, err := net.Dial("tcp", v.Addr)
		if err != nil {
			t.Fatalf("connection %d: %v", len(list), err)
		}
		list = append(list, conn)
		if small, ok := conn.(*net.TCPConn); ok && !c.ends {
			if err := small.SetReadBuffer(4096); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(conn, c.say); err != nil && c.ends {
			t.Fatalf("connection %d: %v", len(list), err)
		}
	}
	l.more(30)
	after := memory(t, v)
	each := (after - before) / int64(c.count)
	t.Logf("%d connections: %d KiB each, %d MiB in all", c.count, each>>10, after>>20)
	if each > 256<<10 {
		t.Errorf("a connection costs %d bytes", each)
	}
	if n := l.unknown.Load() - refused; n > 0 {
		t.Errorf("%d changes of others were not made", n)
	}
	for i, conn := range list {
		if c.ends {
			// The server's time limit ends it; what it says before that is its own affair.
			if _, err := io.Copy(io.Discard, conn); err != nil && i == 0 {
				t.Log(fmt.Errorf("the first connection: %w", err))
			}
		}
	}
}
