package directory

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestRequestCounterWindows(t *testing.T) {
	c := NewRequestCounter()
	at := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	reset := time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	for i, want := range []struct {
		remaining int
		exceeded  bool
	}{{2, false}, {1, false}, {0, false}, {0, true}, {0, true}} {
		q, exceeded := c.Count(7, DoorEncore, 3, at)
		if q != (Quota{Limit: 3, Remaining: want.remaining, Reset: reset}) || exceeded != want.exceeded {
			t.Errorf("request %d: %+v, exceeded %v", i+1, q, exceeded)
		}
	}
	// The last moment of the window, a late clock reading, then the next window.
	if _, exceeded := c.Count(7, DoorEncore, 3, reset.Add(-time.Nanosecond)); !exceeded {
		t.Error("the window ended early")
	}
	if q, exceeded := c.Count(7, DoorEncore, 3, reset); exceeded || q.Remaining != 2 || !q.Reset.Equal(reset.Add(time.Minute)) {
		t.Errorf("next window: %+v, exceeded %v", q, exceeded)
	}
	if q, _ := c.Count(7, DoorEncore, 3, reset.Add(-time.Second)); q.Remaining != 1 || !q.Reset.Equal(reset.Add(time.Minute)) {
		t.Errorf("a request that read the clock before the turn: %+v", q)
	}
	// A clock that was set back does not keep the count of the future.
	if q, _ := c.Count(7, DoorEncore, 3, reset.Add(-time.Hour)); q.Remaining != 2 {
		t.Errorf("after the clock was set back: %+v", q)
	}
}

func TestRequestCounterKeepsTenantsAndDoorsApart(t *testing.T) {
	c := NewRequestCounter()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tenant := range []TenantNo{1, 2, 1023, 1024, 1025, maxTenantNo - 1, maxTenantNo} {
		for door := DoorCanonical; door <= DoorServer; door <<= 1 {
			if q, _ := c.Count(tenant, door, 10, at); q.Remaining != 9 {
				t.Errorf("tenant %d, %s: %+v", tenant, door, q)
			}
		}
	}
	for _, odd := range []TenantNo{-1, 0, maxTenantNo + 1, 1 << 40} {
		c.Count(odd, DoorSCIM, 10, at)
	}
	if q, _ := c.Count(0, DoorSCIM, 10, at); q.Remaining != 5 {
		t.Errorf("numbers out of range: %+v", q)
	}
	c.Count(1, 0, 10, at) // no door: must not panic
	if q, _ := c.Count(3, DoorSCIM, 0, at); q.Limit != DefaultRequestsPerMinute {
		t.Errorf("no limit: %+v", q)
	}
}

func TestRequestCounterFromManyGoroutines(t *testing.T) {
	c := NewRequestCounter()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 1000 {
				c.Count(TenantNo(i%3+1), DoorIQmetrix, 0, at)
				c.CountAddress("192.0.2.1", 0, at)
			}
		})
	}
	group.Wait()
	total := 0
	for tenant := TenantNo(1); tenant <= 3; tenant++ {
		q, _ := c.Count(tenant, DoorIQmetrix, 0, at)
		total += q.Limit - q.Remaining - 1
	}
	if total != 4000 {
		t.Errorf("counted %d of 4000", total)
	}
	if q, _ := c.CountAddress("192.0.2.1", 0, at); q.Limit-q.Remaining != 4001 {
		t.Errorf("by address: %+v", q)
	}
}

func TestRequestCounterSaturates(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var w window
	w.state.Store(uint64(at.Unix()/60)<<32 | 1<<32 - 1)
	if q, exceeded := w.count(5, at); !exceeded || q.Remaining != 0 || !q.Reset.Equal(at.Add(time.Minute)) {
		t.Errorf("full window: %+v, exceeded %v", q, exceeded)
	}
}

func TestRequestCounterByAddress(t *testing.T) {
	c := NewRequestCounter()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		addr     string
		want     int
		exceeded bool
	}{
		{"2001:db8::1", 1, false}, {"2001:db8::ffff", 0, false}, {"2001:db8::1", 0, true},
		{"192.0.2.1", 1, false}, {"2001:db8:0:1::1", 1, false}, {"", 1, false},
	} {
		q, exceeded := c.CountAddress(tt.addr, 2, at)
		if q.Limit != 2 || q.Remaining != tt.want || exceeded != tt.exceeded {
			t.Errorf("%q: %+v, exceeded %v; want %d remaining", tt.addr, q, exceeded, tt.want)
		}
	}
}

func TestRequestCounterMemoryIsBounded(t *testing.T) {
	c := NewRequestCounter()
	c.addresses.SetMaximum(100)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 5000 {
		c.CountAddress(fmt.Sprintf("10.0.%d.%d", i/250, i%250), 2, at)
	}
	c.addresses.CleanUp()
	if n := c.addresses.EstimatedSize(); n > 100 {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestRequestCounterDoesNotAllocate(t *testing.T) {
	c := NewRequestCounter()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if n := testing.AllocsPerRun(100, func() { c.Count(5, DoorSCIM, 10, at) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTooManyRequests(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	err := TooManyRequests(Quota{Limit: 5, Reset: at.Add(time.Minute)}, at.Add(20*time.Second))
	if err.Code != CodeRateLimited || err.Reason != ReasonTooManyRequests || err.Retry != 40*time.Second {
		t.Errorf("%+v", err)
	}
}
