package webhook_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/webhook"
)

// notPublic are addresses of every block that must not be reached, by the words
// of the refusal.
var notPublic = map[string][]string{
	"loopback": {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"},
	"private": {"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fc00::1", "fd12::1",
		"fec0::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "64:ff9b:1::808:808", "2002:a00:1::1", "2002:c0a8:101::1",
		"2001:0:808:808:0:0:f5ff:fffe", "2001:0:a00:1:0:0:f7f7:f7f7"},
	"link-local": {"169.254.169.254", "169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1%25eth0"},
	"multicast":  {"224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"},
	"reserved": {"0.0.0.0", "0.1.2.3", "::", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"240.0.0.1", "255.255.255.255", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "100::1", "5f00::1", "::8.8.8.8", "::10.0.0.1",
		"::ffff:0:8.8.8.8", "4000::1", "e000::1"},
}

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	c := courier(webhook.CourierOptions{})
	for kind, addresses := range notPublic {
		for _, address := range addresses {
			err := c.Check("https://" + bracketed(address) + "/hook")
			if err == nil || !strings.Contains(err.Error(), "the address is a "+kind) {
				t.Errorf("%s (%s): %v", address, kind, err)
			}
		}
	}
}

func TestPublicAddressesAreTaken(t *testing.T) {
	c := courier(webhook.CourierOptions{})
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2600::1", "2a00:1450::1",
		"64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8", "2001:0:808:808:0:0:f7f7:f7f7", "2001:200::1"} {
		if err := c.Check("https://" + bracketed(address) + ":8443/hook"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAllowedNetworksAreExceptions(t *testing.T) {
	c := courier(webhook.CourierOptions{Networks: prefixes("10.1.0.0/16", "fd00:1::/32", "127.0.0.1/32")})
	for address, allowed := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "fd00:1::5": true, "127.0.0.1": true, "localhost": true, "a.localhost": true,
		"10.2.0.1": false, "fd00:2::5": false, "127.0.0.2": false, "::1": false, "169.254.169.254": false,
	} {
		if err := c.Check("https://" + bracketed(address) + "/"); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestURLsThatNothingIsSentTo(t *testing.T) {
	c := courier(webhook.CourierOptions{})
	for url, want := range map[string]string{
		"http://example.com/":                         "https",
		"ftp://example.com/":                          "https",
		"HTTP://example.com/":                         "https",
		"//example.com/":                              "https",
		"example.com":                                 "https",
		"":                                            "https",
		"https:example.com":                           "no host",
		"https://":                                    "no host",
		"https:///path":                               "no host",
		"https://:443/":                               "no host",
		"https://user:password@example.com/":          "user name",
		"https://user@example.com/":                   "user name",
		"https://example.com/#part":                   "fragment",
		"https://example.com/#":                       "fragment",
		"https://example.com:0/":                      "port",
		"https://example.com:65536/":                  "port",
		"https://example.com:/":                       "port",
		"https://example.com:x/":                      "not a URL",
		"https://exa mple.com/":                       "not a URL",
		"https://example.com/%zz":                     "not a URL",
		"https://[::1/":                               "not a URL",
		"https://bücher.example/":                     "xn--",
		"https://ⓔxample.com/":                        "xn--",
		"https://127。0。0。1/":                          "xn--",
		"https://a..example.com/":                     "xn--",
		"https://-a.example.com/":                     "xn--",
		"https://example.com../":                      "xn--",
		"https://" + strings.Repeat("a", 64) + ".de/": "xn--",
		"https://" + strings.Repeat("a.", 130) + "de": "too long",
		"https://2130706433/":                         "four decimal numbers",
		"https://0x7f.1/":                             "four decimal numbers",
		"https://0x7f000001/":                         "four decimal numbers",
		"https://127.1/":                              "four decimal numbers",
		"https://127.0.0.01/":                         "four decimal numbers",
		"https://0177.0.0.1/":                         "four decimal numbers",
		"https://127.0.0.1./":                         "four decimal numbers",
		"https://256.1.1.1/":                          "four decimal numbers",
		"https://1.2.3.4.5/":                          "four decimal numbers",
		"https://example.0x/":                         "four decimal numbers",
		"https://localhost/":                          "loopback",
		"https://LOCALHOST.:8443/":                    "loopback",
		"https://db.localhost/":                       "loopback",
		"https://127.0.0.1/":                          "loopback",
		"https://[::1]:443/":                          "loopback",
		"https://[::ffff:7f00:1]/":                    "loopback",
	} {
		if err := c.Check(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", url, err, want)
		}
	}
}

func TestURLsThatAreTaken(t *testing.T) {
	c := courier(webhook.CourierOptions{})
	for _, url := range []string{"https://example.com", "https://example.com/a?token=1", "https://EXAMPLE.com.:8443/", "https://xn--bcher-kva.example/",
		"https://my_host.example/", "https://receiver/", "https://8.8.8.8/", "https://1.example.com/", "https://0x7f.example/", "HTTPS://example.com/"} {
		if err := c.Check(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	if err := courier(webhook.CourierOptions{HTTP: true}).Check("http://example.com/"); err != nil {
		t.Error(err)
	}
}

func courier(o webhook.CourierOptions) *webhook.Courier {
	o.Source = "https://users.example.com/api/v1"
	return webhook.NewCourier(o)
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// bracketed is a host as URLs write it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
