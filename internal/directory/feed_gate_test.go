package directory

import (
	"context"
	"errors"
	"testing"
)

// One tenant's searches take turns among themselves; another tenant's goes next.
func TestSearchGateIsFairToTenants(t *testing.T) {
	g := newSearchGate(2)
	first, err := g.enter(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.enter(gone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a second search of the tenant: error %v", err)
	}
	other, err := g.enter(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan func())
	go func() {
		leave, err := g.enter(t.Context(), 3)
		if err != nil {
			t.Error(err)
		}
		entered <- leave
	}()
	first()
	(<-entered)()
	other()
	if len(g.tenants) != 0 || len(g.turns) != 0 {
		t.Errorf("%d tenants and %d turns are left", len(g.tenants), len(g.turns))
	}
}

// What waits is bounded, and a caller that went away gives its place back.
func TestSearchGateIsBounded(t *testing.T) {
	g := newSearchGate(0)
	leave, err := g.enter(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for range maxTenantSearches - 1 {
		if _, err := g.join(1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.enter(t.Context(), 1); !IsReason(err, ReasonFeedBusy) || CodeOf(err) != CodeUnavailable || AsError(err).Retry == 0 {
		t.Errorf("one search more: error %v", err)
	}
	for range maxTenantSearches - 1 {
		g.part(1, g.tenants[1])
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.enter(gone, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("another tenant's, while all turns are taken: error %v", err)
	}
	leave()
	if len(g.tenants) != 0 || len(g.turns) != 0 {
		t.Errorf("%d tenants and %d turns are left", len(g.tenants), len(g.turns))
	}
}
