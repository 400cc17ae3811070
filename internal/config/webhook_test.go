package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/config"
)

func TestWebhookNetworks(t *testing.T) {
	c := config.Default()
	c.WebhookNetworks = []string{"10.1.2.3/16", "192.168.0.7", "fd00:1::/32", "::1"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.WebhookPrefixes()
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("192.168.0.7/32"),
		netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("::1/128")}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"localhost", "10.0.0.0/33", "10.0.0", "fe80::1%eth0", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", ""} {
		c.WebhookNetworks = []string{"10.0.0.0/8", bad}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "webhook_networks") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
