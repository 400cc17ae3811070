package directory

import (
	"context"
	"testing"
	"time"
)

// Nobody takes all places: neither one tenant nor all of them together.
func TestFeedHubPlaces(t *testing.T) {
	h := newFeedHub()
	var held []*feedWaiter
	for tenant := TenantNo(1); len(held) < maxFeedWaiters; tenant++ {
		for range maxTenantWaiters {
			w, err := h.join(tenant)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, w)
		}
		if _, err := h.join(tenant); !IsReason(err, ReasonFeedBusy) {
			t.Fatalf("one more of tenant %d: %v", tenant, err)
		}
	}
	if _, err := h.join(99); !IsReason(err, ReasonFeedBusy) || CodeOf(err) != CodeUnavailable {
		t.Errorf("one more of all: %v", err)
	}
	held[0].leave()
	w, err := h.join(99)
	if err != nil {
		t.Fatal(err)
	}
	held[0] = w
	for _, w := range held {
		w.leave()
	}
	if len(h.tenants) != 0 || h.waiting != 0 {
		t.Errorf("left behind: %v, %d", h.tenants, h.waiting)
	}
}

// What is told after a place was taken is not missed, however it was told, and
// what concerns others is not told.
func TestFeedHubWakes(t *testing.T) {
	h := newFeedHub()
	h.pause = 0
	ctx := context.Background()
	w, err := h.join(1)
	if err != nil {
		t.Fatal(err)
	}
	h.grow(2, 100)
	fired := make(chan time.Time, 1)
	fired <- time.Time{}
	if !w.wait(ctx, 7, fired) || len(fired) != 0 {
		t.Error("woken for somebody else")
	}
	h.grow(1, 8)
	h.grow(1, 5) // told late
	if !w.wait(ctx, 7, nil) {
		t.Error("not told what was told before it waited")
	}
	woken := make(chan bool)
	go func() { woken <- w.wait(ctx, 8, nil) }()
	h.grow(1, 9)
	if !<-woken {
		t.Error("not told while it waited")
	}
	gone, cancel := context.WithCancel(ctx)
	go func() { woken <- w.wait(gone, 9, nil) }()
	cancel()
	if <-woken {
		t.Error("told although it is gone")
	}
	go func() { woken <- w.wait(ctx, 9, nil) }()
	h.end()
	h.end()
	if <-woken || !h.over(ctx) || h.sleep(ctx, time.Hour) || h.sleep(ctx, 0) {
		t.Error("the end was not told")
	}
}

// Of many changes at once a waiter reads few times.
func TestFeedHubPauses(t *testing.T) {
	h := newFeedHub()
	h.pause = 20 * time.Millisecond
	w, err := h.join(1)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for position := int64(1); position <= 3; position++ {
		h.grow(1, position)
		w.wait(context.Background(), position-1, nil)
	}
	if took := time.Since(began); took < 3*h.pause {
		t.Errorf("three reads in %s", took)
	}
}

// Many followers of a tenant read more rarely than a few.
func TestFeedHubPausesGrowWithFollowers(t *testing.T) {
	h := newFeedHub()
	var first *feedWaiter
	for n := 1; n <= 3*fewWaiters; n++ {
		w, err := h.join(1)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = w
		}
		want := h.pause * time.Duration(1+n/fewWaiters)
		if _, _, pause := first.state(); pause != want {
			t.Fatalf("with %d followers the pause is %s, want %s", n, pause, want)
		}
	}
}
