package pull_test

import (
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/scim"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/pull"
	"github.com/usher-id/usher/internal/testkit"
)

// cutter is a network that is cut: a TCP proxy that closes every few connections after
// some bytes, or answers itself that there is too much to do.
type cutter struct {
	url   string
	on    atomic.Bool
	count atomic.Int64 // of connections
	cuts  atomic.Int64
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // ends the loop below
	c := &cutter{url: "http://" + l.Addr().String()}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(from, strings.TrimPrefix(to, "http://"))
		}
	}()
	return c
}

// carry carries one connection.
func (c *cutter) carry(from net.Conn, to string) {
	defer from.Close()
	var answer string
	bytes := int64(1 << 40)
	if c.on.Load() {
		switch n := c.count.Add(1); {
		case n%7 == 0:
			answer = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
		case n%5 == 0:
			answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
		case n%2 == 0:
			bytes = 100 + 300*n // a part of the answer; more each time, so that it ends
		default:
			bytes = 1500 + 700*n // some answers, and a part of one
		}
	}
	if answer != "" {
		c.cuts.Add(1)
		_, _ = from.Read(make([]byte, 4096))
		_, _ = io.WriteString(from, answer) // whoever asked may be gone
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, from) // ends with either connection
		_ = server.Close()
	}()
	if n, _ := io.CopyN(from, server, bytes); n == bytes {
		c.cuts.Add(1)
	}
}

// TestCutNetwork: with a network that is cut again and again the same call, made again,
// reads what an unbroken one reads, each user once.
func TestCutNetwork(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	c := newCutter(t, s.URL)
	const key = "usher-demo-key"
	for door, source := range map[string]func() pull.Source{
		"encore": func() pull.Source { return encore.NewRemote(encore.RemoteOptions{BaseURL: c.url, Key: key, Page: 2}) },
		"iqmetrix": func() pull.Source {
			return iqmetrix.NewRemote(iqmetrix.RemoteOptions{BaseURL: c.url + "/v1", Token: key, Company: 14146, Page: 2, Parallel: 2})
		},
		"smartapp": func() pull.Source {
			return smartapp.NewRemote(smartapp.RemoteOptions{BaseURL: c.url, Key: key, Page: 2})
		},
		"edubrite": func() pull.Source {
			return edubrite.NewRemote(edubrite.RemoteOptions{BaseURL: c.url, User: "api_usher_demo", Password: "usher-demo-password", ActAs: "chenry", Page: 2})
		},
		"servicemobility": func() pull.Source {
			return servicemobility.NewRemote(servicemobility.RemoteOptions{BaseURL: c.url, Token: key, Teams: []string{"TEAM-1"}, Users: []string{"admin", "jdoe"}, Page: 1})
		},
		"scim": func() pull.Source {
			return scim.NewRemote(scim.RemoteOptions{BaseURL: c.url + "/scim/v2", Token: key, Page: 2, Cursor: true})
		},
	} {
		t.Run(door, func(t *testing.T) {
			read := func(file string, tries int) (runs int) {
				for runs = 1; ; runs++ {
					client, _ := newClient(t, pull.ClientOptions{Tries: tries})
					_, err := pull.Read(t.Context(), pull.Options{Source: source(), Ask: client.Ask, Name: door, File: file})
					if err == nil {
						return runs
					}
					if runs > 300 {
						t.Fatalf("it does not end: %v", err)
					}
				}
			}
			whole, pieces := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "pieces")
			c.on.Store(false)
			read(whole, 1)
			c.on.Store(true)
			c.count.Store(0)
			c.cuts.Store(0)
			runs := read(pieces, 2)
			want, got := lines(content(t, whole)), lines(content(t, pieces))
			if diff := cmp.Diff(want, got); diff != "" || len(got) < 3 {
				t.Errorf("%d runs: %s", runs, diff)
			}
			if c.cuts.Load() == 0 {
				t.Error("nothing was cut")
			}
		})
	}
}

func lines(text string) []string {
	list := slices.Collect(strings.Lines(text))
	slices.Sort(list)
	return list
}
