package web

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddr(t *testing.T) {
	trusted := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("127.0.0.1/32"),
		netip.MustParsePrefix("2001:db8:ffff::/48"),
	}
	for _, c := range []struct {
		name    string
		peer    string
		trusted []netip.Prefix
		lines   []string
		want    string
	}{
		{"direct", "192.0.2.7:4711", trusted, nil, "192.0.2.7"},
		{"direct IPv6", "[2001:db8::7]:4711", trusted, nil, "2001:db8::7"},
		{"no proxies trusted", "10.0.0.1:4711", nil, []string{"192.0.2.7"}, "10.0.0.1"},
		{"spoofed by a direct client", "192.0.2.7:4711", trusted, []string{"198.51.100.1"}, "192.0.2.7"},
		{"one proxy", "10.0.0.1:4711", trusted, []string{"192.0.2.7"}, "192.0.2.7"},
		{"proxy without the header", "10.0.0.1:4711", trusted, nil, "10.0.0.1"},
		{"spoofed left of the true one", "10.0.0.1:4711", trusted, []string{"198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		{"spoofed as a trusted address", "10.0.0.1:4711", trusted, []string{"10.9.9.9, 192.0.2.7"}, "192.0.2.7"},
		{"two proxies", "10.0.0.1:4711", trusted, []string{"192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		{"two proxies, spoofed", "10.0.0.1:4711", trusted, []string{"127.0.0.1, 192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		{"a header line of each proxy", "10.0.0.1:4711", trusted, []string{"198.51.100.1", "192.0.2.7", "10.0.0.2"}, "192.0.2.7"},
		{"all trusted", "10.0.0.1:4711", trusted, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"entry with a port", "10.0.0.1:4711", trusted, []string{"192.0.2.7:99"}, "192.0.2.7"},
		{"IPv6 entry", "10.0.0.1:4711", trusted, []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 entry with a port", "10.0.0.1:4711", trusted, []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		{"IPv6 proxy", "[2001:db8:ffff::1]:4711", trusted, []string{"192.0.2.7"}, "192.0.2.7"},
		{"mapped entry", "10.0.0.1:4711", trusted, []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		{"mapped proxy", "[::ffff:10.0.0.1]:4711", trusted, []string{"192.0.2.7"}, "192.0.2.7"},
		{"zone", "10.0.0.1:4711", trusted, []string{"fe80::1%eth0"}, "fe80::1"},
		{"no address", "10.0.0.1:4711", trusted, []string{"192.0.2.7, unknown"}, "10.0.0.1"},
		{"no address behind a second proxy", "10.0.0.1:4711", trusted, []string{"_hidden, 10.0.0.2"}, "10.0.0.2"},
		{"empty header", "10.0.0.1:4711", trusted, []string{""}, "10.0.0.1"},
		{"empty entry", "10.0.0.1:4711", trusted, []string{"192.0.2.7,,10.0.0.2"}, "10.0.0.2"},
		{"line break in an entry", "10.0.0.1:4711", trusted, []string{"192.0.2.7\nx"}, "10.0.0.1"},
		{"open bracket", "10.0.0.1:4711", trusted, []string{"[2001:db8::7"}, "10.0.0.1"},
		{"unix socket", "@", trusted, []string{"192.0.2.7"}, "@"},
		{"no peer", "", trusted, []string{"192.0.2.7"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
			if c.lines != nil {
				r.Header["X-Forwarded-For"] = c.lines
			}
			if got := clientAddr(r, c.trusted); got != c.want {
				t.Errorf("clientAddr = %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzClientAddr: whatever a client sends, its address is the peer's without
// trusted proxies, and else an address.
func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:80", "198.51.100.1, 192.0.2.7")
	f.Add("[::1]:80", "[2001:db8::1]:443,, unknown")
	f.Add("@", ",")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{forwardedForHeader: {forwarded}}}
		if got := clientAddr(r, nil); got != hostOf(peer) {
			t.Errorf("%q without proxies: %q", peer, got)
		}
		got := clientAddr(r, trusted)
		if _, err := netip.ParseAddr(got); err != nil && got != hostOf(peer) {
			t.Errorf("%q for %q: %q", peer, forwarded, got)
		}
	})
}
