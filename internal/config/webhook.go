package config

import (
	"fmt"
	"net/netip"
)

// checkWebhooks checks the settings of webhooks.
func (c *Config) checkWebhooks(fail func(key, format string, args ...any)) {
	if _, err := c.WebhookPrefixes(); err != nil {
		fail("webhook_networks", "%v", err)
	}
}

// WebhookPrefixes is WebhookNetworks as networks; a single address is a network of
// one. An IPv4 network inside of IPv6 is refused: it would never match, since such
// addresses are judged as the IPv4 addresses that they are.
func (c *Config) WebhookPrefixes() ([]netip.Prefix, error) {
	list, err := prefixes(c.WebhookNetworks)
	if err != nil {
		return nil, err
	}
	for i, p := range list {
		if p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is a network of IPv4: write it as one, as in 10.1.0.0/16", c.WebhookNetworks[i])
		}
	}
	return list, nil
}

// prefixes reads networks; a single address is a network of one.
func prefixes(texts []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range texts {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			list = append(list, prefix.Masked())
			continue
		}
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return nil, fmt.Errorf("%q is neither an address nor a network: write 10.0.0.1 or 10.0.0.0/8", text)
		}
		list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
	}
	return list, nil
}
