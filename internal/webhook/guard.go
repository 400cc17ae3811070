package webhook

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// refused is an address that nothing is sent to. kind says what it is. The address
// itself is not told to anybody: whoever enters URLs would learn what names mean
// inside.
type refused struct{ kind string }

func (r refused) Error() string {
	return "the address is " + r.kind + ", and webhooks are sent to public addresses only; the operator can allow a network (webhook_networks)"
}

// guard decides where connections may lead.
type guard struct {
	allowed []netip.Prefix // exceptions
}

// network is a block of addresses that is not public.
type network struct {
	prefix netip.Prefix
	kind   string
}

// What the addresses that are refused are.
const (
	kindLoopback  = "a loopback address"
	kindPrivate   = "a private address"
	kindLinkLocal = "a link-local address"
	kindMulticast = "a multicast address"
	kindReserved  = "a reserved address"
)

// notPublic are the blocks of the IANA registries of special-purpose addresses
// (RFC 6890) that are not globally reachable, and multicast. Of IPv6, only
// 2000::/3 is given out at all (RFC 4291 section 2.4), so that the rest is one row
// at the end.
var notPublic = []network{
	{netip.MustParsePrefix("0.0.0.0/8"), kindReserved},       // "this network", RFC 791; 0.0.0.0 is the own machine
	{netip.MustParsePrefix("10.0.0.0/8"), kindPrivate},       // RFC 1918
	{netip.MustParsePrefix("100.64.0.0/10"), kindPrivate},    // carriers' address translation, RFC 6598
	{netip.MustParsePrefix("127.0.0.0/8"), kindLoopback},     // RFC 1122
	{netip.MustParsePrefix("169.254.0.0/16"), kindLinkLocal}, // RFC 3927; clouds answer questions about the machine here
	{netip.MustParsePrefix("172.16.0.0/12"), kindPrivate},    // RFC 1918
	{netip.MustParsePrefix("192.0.0.0/24"), kindReserved},    // IETF protocols, RFC 6890
	{netip.MustParsePrefix("192.0.2.0/24"), kindReserved},    // documentation, RFC 5737
	{netip.MustParsePrefix("192.88.99.0/24"), kindReserved},  // 6to4 relays, RFC 7526
	{netip.MustParsePrefix("192.168.0.0/16"), kindPrivate},   // RFC 1918
	{netip.MustParsePrefix("198.18.0.0/15"), kindReserved},   // benchmarks, RFC 2544
	{netip.MustParsePrefix("198.51.100.0/24"), kindReserved}, // documentation, RFC 5737
	{netip.MustParsePrefix("203.0.113.0/24"), kindReserved},  // documentation, RFC 5737
	{netip.MustParsePrefix("224.0.0.0/4"), kindMulticast},    // RFC 5771
	{netip.MustParsePrefix("240.0.0.0/4"), kindReserved},     // RFC 1112, and broadcast
	{netip.MustParsePrefix("::1/128"), kindLoopback},         // RFC 4291
	{netip.MustParsePrefix("fc00::/7"), kindPrivate},         // RFC 4193
	{netip.MustParsePrefix("fec0::/10"), kindPrivate},        // site-local, RFC 3879
	{netip.MustParsePrefix("fe80::/10"), kindLinkLocal},      // RFC 4291
	{netip.MustParsePrefix("ff00::/8"), kindMulticast},       // RFC 4291
	{netip.MustParsePrefix("64:ff9b:1::/48"), kindPrivate},   // local address translation, RFC 8215
	{netip.MustParsePrefix("2001::/23"), kindReserved},       // IETF protocols, RFC 2928; Teredo is looked into before
	{netip.MustParsePrefix("2001:db8::/32"), kindReserved},   // documentation, RFC 3849
	{netip.MustParsePrefix("3fff::/20"), kindReserved},       // documentation, RFC 9637
	{netip.MustParsePrefix("::/3"), kindReserved},            // not given out, and :: and IPv4-compatible addresses
	{netip.MustParsePrefix("4000::/2"), kindReserved},        // not given out
	{netip.MustParsePrefix("8000::/1"), kindReserved},        // not given out
}

// Blocks whose addresses carry an IPv4 address that packets end up at.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 section 2.1
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056 section 2
	teredo = netip.MustParsePrefix("2001::/32")    // RFC 4380 section 4
)

// judge answers refused for an address that is neither public nor allowed.
func (g *guard) judge(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if slices.ContainsFunc(g.allowed, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	if inner := embedded(addr); len(inner) > 0 {
		for _, a := range inner {
			if err := g.judge(a); err != nil {
				return err
			}
		}
		return nil
	}
	for _, n := range notPublic {
		if n.prefix.Contains(addr) {
			return refused{n.kind}
		}
	}
	return nil
}

// embedded are the IPv4 addresses that an IPv6 address leads to by itself; nil for
// none. The address of a Teredo client is stored with its bits turned around.
func embedded(addr netip.Addr) []netip.Addr {
	b := addr.As16()
	switch {
	case addr.Is4():
		return nil
	case nat64.Contains(addr):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[12:16]))}
	case sixTo4.Contains(addr):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case teredo.Contains(addr):
		client := [4]byte{^b[12], ^b[13], ^b[14], ^b[15]}
		return []netip.Addr{netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4(client)}
	}
	return nil
}

// control is called by a dialer with each address that a name was resolved to, at
// the moment of connecting to it. Whoever resolves a name earlier can be answered
// something else the second time (DNS rebinding).
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("webhook: connecting to what is no address")
	}
	return g.judge(target.Addr())
}
