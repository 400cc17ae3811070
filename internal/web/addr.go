package web

import (
	"net/http"
	"net/netip"
	"strings"
)

const forwardedForHeader = "X-Forwarded-For"

// clientAddr is the client's address without a port.
//
// X-Forwarded-For is read only when the peer itself is a trusted proxy, and
// then from the right: each proxy appends the address that it saw, so the
// first entry from the right that is not a trusted proxy is the last one that
// somebody we trust has seen. What stands left of it the client may have
// invented. An entry that is no address ends the walk at the proxy that
// passed it on.
func clientAddr(r *http.Request, trusted []netip.Prefix) string {
	peer := hostOf(r.RemoteAddr)
	if len(trusted) == 0 {
		return peer
	}
	addr, ok := parseAddr(peer)
	if !ok || !contains(trusted, addr) {
		return peer
	}
	lines := r.Header[forwardedForHeader]
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			var entry string
			rest, entry, more = lastEntry(rest)
			next, ok := parseAddr(hostOf(strings.TrimSpace(entry)))
			if !ok {
				return addr.String()
			}
			addr = next
			if !contains(trusted, addr) {
				return addr.String()
			}
		}
	}
	return addr.String()
}

// lastEntry cuts the last entry off a comma-separated list.
func lastEntry(list string) (rest, entry string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// hostOf cuts the port off "192.0.2.1:80", "[2001:db8::1]:80" and
// "[2001:db8::1]"; an address without a port stays as it is.
func hostOf(s string) string {
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i >= 0 {
			return s[1:i]
		}
		return s
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && strings.IndexByte(s[i+1:], ':') < 0 {
		return s[:i]
	}
	return s
}

// parseAddr reads an address; one of IPv4 in IPv6's clothes is IPv4, and a
// zone is dropped, so that a prefix matches every spelling.
func parseAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
