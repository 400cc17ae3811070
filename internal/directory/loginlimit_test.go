package directory

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// testClock is a clock that moves only when told.
type testClock struct{ at time.Time }

func (c *testClock) now() time.Time { return c.at }

func newTestClock() *testClock {
	return &testClock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func TestLoginLimitPerAccount(t *testing.T) {
	clock := newTestClock()
	l := NewLoginLimiter(LoginLimits{}, clock.now)
	addr := func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }
	for i := range DefaultLoginsPerAccount {
		if _, ok := l.Allow(1, "ada", addr(i)); !ok {
			t.Fatalf("attempt %d is refused", i+1)
		}
	}
	wait, ok := l.Allow(1, "ada", addr(99))
	if ok || wait != 6*time.Second {
		t.Fatalf("attempt 11: %v, retry after %v; want refused for 6s", ok, wait)
	}
	if _, ok := l.Allow(2, "ada", addr(99)); !ok {
		t.Error("another tenant's account is refused")
	}
	if _, ok := l.Allow(1, "bob", addr(99)); !ok {
		t.Error("another account is refused")
	}
	clock.at = clock.at.Add(wait)
	if _, ok := l.Allow(1, "ada", addr(99)); !ok {
		t.Error("refused after the wait")
	}
	if _, ok := l.Allow(1, "ada", addr(99)); ok {
		t.Error("two attempts after the wait")
	}
	clock.at = clock.at.Add(time.Hour)
	for i := range DefaultLoginsPerAccount {
		if _, ok := l.Allow(1, "ada", ""); !ok {
			t.Fatalf("an hour later attempt %d is refused", i+1)
		}
	}
	if _, ok := l.Allow(1, "ada", ""); ok {
		t.Error("the burst grew beyond its size")
	}
}

// A script that knows its secret may sign in as often as it is run.
func TestLoginLimitForgivesSuccess(t *testing.T) {
	clock := newTestClock()
	l := NewLoginLimiter(LoginLimits{PerAddress: 20}, clock.now)
	for i := range 1000 {
		succeeded, _, ok := l.Attempt(0, "script", "192.0.2.1")
		if !ok {
			t.Fatalf("attempt %d is refused", i+1)
		}
		clock.at = clock.at.Add(time.Millisecond)
		succeeded()
	}
	for i := range DefaultLoginsPerAccount {
		if _, _, ok := l.Attempt(0, "script", "192.0.2.1"); !ok {
			t.Fatalf("failure %d is refused", i+1)
		}
	}
	if _, wait, ok := l.Attempt(0, "script", "192.0.2.1"); ok || wait <= 0 {
		t.Errorf("failure 11: %v, retry after %v", ok, wait)
	}
}

func TestLoginLimitPerAddress(t *testing.T) {
	clock := newTestClock()
	l := NewLoginLimiter(LoginLimits{PerAddress: 3}, clock.now)
	for i := range 3 {
		if _, ok := l.Allow(1, fmt.Sprint("user", i), "2001:db8:1:2::1"); !ok {
			t.Fatalf("attempt %d is refused", i+1)
		}
	}
	for _, same := range []string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::1%eth0"} {
		if wait, ok := l.Allow(1, "victim", same); ok || wait != 20*time.Second {
			t.Errorf("%s: %v, retry after %v; want refused for 20s", same, ok, wait)
		}
	}
	// The refused attempts did not count against the account.
	for i := range DefaultLoginsPerAccount {
		if _, ok := l.Allow(1, "victim", fmt.Sprintf("2001:db8:1:%x::1", i+16)); !ok {
			t.Fatalf("attempt %d from another network is refused", i+1)
		}
	}
}

func TestARefusedAccountDoesNotCountAgainstTheAddress(t *testing.T) {
	l := NewLoginLimiter(LoginLimits{PerAccount: 1, PerAddress: 3}, newTestClock().now)
	want := []bool{true, false, false, false}
	for i, want := range want {
		if _, ok := l.Allow(1, "ada", "192.0.2.1"); ok != want {
			t.Fatalf("attempt %d: %v", i+1, ok)
		}
	}
	for _, account := range []string{"bob", "eve"} {
		if _, ok := l.Allow(1, account, "192.0.2.1"); !ok {
			t.Errorf("%s is refused", account)
		}
	}
}

func TestLoginLimitsFromManyGoroutines(t *testing.T) {
	l := NewLoginLimiter(LoginLimits{PerAccount: 50, PerAddress: 500}, newTestClock().now)
	var all sync.WaitGroup
	results := make(chan bool, 400)
	for range 4 {
		all.Go(func() {
			for range 100 {
				_, ok := l.Allow(1, "ada", "192.0.2.1")
				results <- ok
			}
		})
	}
	all.Wait()
	close(results)
	n := 0
	for ok := range results {
		if ok {
			n++
		}
	}
	if n != 50 {
		t.Errorf("%d attempts were allowed, want 50", n)
	}
}

func TestAddressKey(t *testing.T) {
	tests := []struct{ in, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"@", "@"},
		{strings.Repeat("x", 100), strings.Repeat("x", 64)},
	}
	for _, tt := range tests {
		if got := addressKey(tt.in); got != tt.want {
			t.Errorf("addressKey(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTooManyLogins(t *testing.T) {
	err := TooManyLogins(6 * time.Second)
	if err.Code != CodeRateLimited || err.Reason != ReasonTooManyLogins || err.Retry != 6*time.Second {
		t.Errorf("%+v", err)
	}
}
