package webhook_test

import (
	"context"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// quiet is a log for servers whose clients are meant to fail.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// resolverOf asks a name server of the test, which answers every question for an
// IPv4 address with the next of answers, and the last one ever after. "" is a name
// that does not exist.
func resolverOf(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var mu sync.Mutex
	next := func() string {
		mu.Lock()
		defer mu.Unlock()
		answer := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return answer
	}
	go func() {
		for packet := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(answer(packet[:n], next), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answer is the answer to a question (RFC 1035 section 4.1). Questions of other
// types than A get none of the addresses.
func answer(question []byte, next func() string) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the name's end, the type, the class
	out := append([]byte{}, question[:end]...)
	binary.BigEndian.PutUint16(out[2:], 0x8580) // an answer, with authority, and recursion
	clear(out[6:12])
	if binary.BigEndian.Uint16(question[end-4:]) != 1 {
		return out
	}
	address, err := netip.ParseAddr(next())
	if err != nil {
		out[3] |= 3 // the name does not exist
		return out
	}
	out[7] = 1
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(out, address.AsSlice()...)
}
