package webhook

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Check refuses a URL to which nothing may be sent: no https, or http where that
// is not allowed; an address that is not public; one with a user name, a password
// or a fragment. Names are not resolved: what they lead to is judged with each
// connection. An address must be written as RFC 3986 section 3.2.2 has it; the
// forms that some programs take for one (0x7f.1, 2130706433) are refused.
func (c *Courier) Check(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("it is not a URL")
	}
	switch {
	case u.Scheme == "http" && !c.http:
		return errors.New("it must begin with https://; the operator can allow http (webhook_http)")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("it must begin with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return errors.New("it names no host")
	case u.User != nil:
		return errors.New("a user name and a password cannot be part of it: deliveries are signed")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return errors.New("it must not have a fragment (#)")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return errors.New("its port is not a number from 1 to 65535")
		}
	}
	return c.checkHost(u.Hostname())
}

func (c *Courier) checkHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return c.guard.judge(addr)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if len(name) > 253 {
		return errors.New("the name of its host is too long")
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return errors.New("its host is neither an address nor a name of letters, digits, hyphens and dots; names in other scripts are written as xn--")
		}
	}
	last := labels[len(labels)-1]
	if isNumber(last) {
		return errors.New("its host ends in a number but is no address: write four decimal numbers without leading zeros, as in 192.0.2.1")
	}
	if last == "localhost" { // RFC 6761 section 6.3: loopback whatever a name server says
		for _, loopback := range []string{"127.0.0.1", "::1"} {
			if c.guard.judge(netip.MustParseAddr(loopback)) == nil {
				return nil
			}
		}
		return refused{kindLoopback}
	}
	return nil
}

// isLabel reports whether a text can be a part of a host's name (RFC 1123 section
// 2.1), with the underscore that some have all the same.
func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// isNumber reports whether the last part of a name makes some programs take the
// whole for an IPv4 address (WHATWG URL, "ends in a number checker").
func isNumber(label string) bool {
	if hexadecimal, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hexadecimal, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// hostOf is what the log may say of a URL.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
