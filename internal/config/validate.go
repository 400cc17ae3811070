package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MinBootstrapKey is the least length of BootstrapKey in characters: a shorter
// secret could be guessed, and nothing limits the guesses on an API key but
// the request limit.
const MinBootstrapKey = 16

// MinPGConns is the least number of connections to PostgreSQL: fewer would make
// sign-ins and changes wait for each other.
const MinPGConns = 16

// DrawingPGConns is how many connections a process opens beside those for requests, to
// draw numbers.
const DrawingPGConns = 2

// PGConns is the most connections to PostgreSQL that a process opens for requests:
// what pg_max_conns says, or twice the cores and at least MinPGConns.
func (c *Config) PGConns() int {
	if c.PGMaxConns > 0 {
		return c.PGMaxConns
	}
	return max(MinPGConns, 2*runtime.GOMAXPROCS(0))
}

// BodyBudget is the most memory of the bodies of all requests under way, in bytes:
// what max_bodies says, or 128 MiB and at least eight times the largest body.
func (c *Config) BodyBudget() int64 {
	if c.MaxBodies > 0 {
		return int64(c.MaxBodies)
	}
	return max(128<<20, 8*int64(c.MaxBody))
}

// Validate checks the settings against their bounds and each other. The error
// names every key at fault and never repeats a secret.
func (c *Config) Validate() error {
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	value := reflect.ValueOf(c).Elem()
	for _, s := range Settings() {
		if err := s.check(value.Field(s.index)); err != nil {
			fail(s.Key, "%v", err)
		}
	}
	if err := checkAddr(c.Addr); err != nil {
		fail("addr", "%v", err)
	} else if c.Demo && c.DemoCredentials == "fixed" && !Loopback(c.Addr) {
		fail("addr", "the sample directory's credentials are public, so it is served on loopback only; "+
			"use a loopback address or --demo-credentials=random")
	}
	if c.MetricsAddr != "" {
		if err := checkAddr(c.MetricsAddr); err != nil {
			fail("metrics_addr", "%v", err)
		}
	}
	if err := checkDatabase(c.Database); err != nil {
		fail("database", "%v", err)
	}
	if len(c.Doors) == 0 {
		fail("doors", "name at least one door, or all")
	}
	if c.TLSCert == "" && c.TLSKey != "" {
		fail("tls_cert", "is needed with tls_key")
	}
	if c.TLSKey == "" && c.TLSCert != "" {
		fail("tls_key", "is needed with tls_cert")
	}
	if _, err := c.Proxies(); err != nil {
		fail("trusted_proxies", "%v", err)
	}
	if n := len([]rune(string(c.BootstrapKey))); n > 0 && n < MinBootstrapKey {
		fail("bootstrap_key", "must have at least %d characters", MinBootstrapKey)
	}
	if c.PGMaxConns > 0 && c.PGMaxConns < MinPGConns {
		fail("pg_max_conns", "must be 0 or at least %d", MinPGConns)
	}
	if c.MaxBodies > 0 && c.MaxBodies < 4*c.MaxBody {
		fail("max_bodies", "must be 0 or at least four times max_body: one address has a quarter of it")
	}
	c.checkMail(fail)
	c.checkSecretKey(fail)
	c.checkWebhooks(fail)
	c.checkEncore(fail)
	c.checkSmartapp(fail)
	return errors.Join(errs...)
}

// check applies the bounds of the setting's tags.
func (s Setting) check(field reflect.Value) error {
	if len(s.OneOf) > 0 && !slices.Contains(s.OneOf, field.String()) {
		return fmt.Errorf("%q is not one of %s", field.String(), strings.Join(s.OneOf, ", "))
	}
	if s.min == "" {
		return nil
	}
	least, most := s.bounds()
	if n := field.Int(); n < least || n > most {
		low, high := reflect.New(field.Type()).Elem(), reflect.New(field.Type()).Elem()
		low.SetInt(least)
		high.SetInt(most)
		return fmt.Errorf("%s is outside of %s to %s", format(field), format(low), format(high))
	}
	return nil
}

// bounds reads the min and max tags: seconds for durations, bytes for sizes.
func (s Setting) bounds() (least, most int64) {
	least, errMin := strconv.ParseInt(s.min, 10, 64)
	most, errMax := strconv.ParseInt(s.max, 10, 64)
	if err := errors.Join(errMin, errMax); err != nil {
		panic("config: bad min or max tag of " + s.Key)
	}
	if s.Type == "duration" {
		return least * int64(time.Second), most * int64(time.Second)
	}
	return least, most
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("not an address: write host:port, as in 127.0.0.1:8080 or :8080")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

// Loopback reports whether only this machine can reach an address of the form
// host:port.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkDatabase never repeats the value: it may hold a password.
func checkDatabase(database string) error {
	for _, prefix := range []string{"sqlite:", "postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(database, prefix); ok && rest != "" {
			return nil
		}
	}
	return errors.New("write sqlite:path or postgres://user:password@host/name")
}

// Proxies is TrustedProxies as networks; a single address is a network of one.
func (c *Config) Proxies() ([]netip.Prefix, error) { return prefixes(c.TrustedProxies) }
