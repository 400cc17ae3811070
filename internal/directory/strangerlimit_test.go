package directory

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// newStrangers is a limiter of three wrong credentials a minute that pauses shortly.
func newStrangers() (*StrangerLimiter, *testClock) {
	clock := newTestClock()
	l := NewStrangerLimiter(3, clock.now)
	l.pause = time.Microsecond
	return l, clock
}

// try presents a credential and reports whether the limiter refused it.
func try(t *testing.T, l *StrangerLimiter, addr, name, secret string, found whose) (refused bool) {
	t.Helper()
	turn, err := l.Enter(t.Context(), addr, name, Secret(secret))
	if err == nil {
		err = l.Leave(turn, addr, name, Secret(secret), found)
	}
	if err != nil && !IsReason(err, ReasonTooManyStrangers) {
		t.Fatal(err)
	}
	return err != nil
}

func TestStrangersAreRefusedByAddress(t *testing.T) {
	l, clock := newStrangers()
	for i := range 3 {
		if try(t, l, "192.0.2.1", "", fmt.Sprint("guess", i), nobodys) {
			t.Fatalf("wrong credential %d is refused", i+1)
		}
	}
	turn, err := l.Enter(t.Context(), "192.0.2.1", "", "guess4")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Leave(turn, "192.0.2.1", "", "guess4", nobodys); AsError(err).Code != CodeRateLimited || AsError(err).Retry != 20*time.Second {
		t.Errorf("wrong credential 4: %v, retry after %v", err, AsError(err).Retry)
	}
	if !try(t, l, "192.0.2.1", "name", "guess", nobodys) {
		t.Error("a wrong pair is not refused")
	}
	if try(t, l, "192.0.2.2", "", "guess", nobodys) {
		t.Error("another address is refused")
	}
	if try(t, l, "", "", "guess", nobodys) || try(t, l, "192.0.2.1", "", "guess", unlooked) {
		t.Error("who has no address, or a failure of the database, is refused")
	}
	clock.at = clock.at.Add(20 * time.Second)
	if try(t, l, "192.0.2.1", "", "guess", nobodys) || !try(t, l, "192.0.2.1", "", "guess", nobodys) {
		t.Error("after the wait one more is nothing special, and the next is")
	}
}

// Who has a credential passes at a refused address: at once if this process has seen
// it, else in its turn.
func TestTheKnownPassAmongStrangers(t *testing.T) {
	l, _ := newStrangers()
	if try(t, l, "192.0.2.1", "", "seen", somebodys) || !l.Recognises("", "seen") || l.Recognises("name", "seen") {
		t.Error("what was valid is not recognised, or something else is")
	}
	for i := range 5 {
		try(t, l, "192.0.2.1", "", fmt.Sprint("guess", i), nobodys)
	}
	if try(t, l, "192.0.2.1", "", "seen", somebodys) || try(t, l, "192.0.2.1", "", "new", somebodys) || try(t, l, "192.0.2.1", "client", "secret", somebodys) {
		t.Error("a valid credential is refused")
	}
	if !l.Recognises("client", "secret") {
		t.Error("a pair is not recognised")
	}
	// What was valid and is so no more is a stranger's.
	if try(t, l, "192.0.2.1", "", "seen", nobodys) {
		t.Error("a credential that has just ended is refused as a guess")
	}
	if l.Recognises("", "seen") || !try(t, l, "192.0.2.1", "", "seen", nobodys) {
		t.Error("a credential that has ended is still recognised")
	}
}

// While one look-up of a refused address is under way, a bounded number waits, and the
// others are refused without a look-up; so is who goes while waiting.
func TestTheLineOfStrangersIsBounded(t *testing.T) {
	l, _ := newStrangers()
	for i := range 3 {
		try(t, l, "192.0.2.1", "", fmt.Sprint("guess", i), nobodys)
	}
	turn, err := l.Enter(t.Context(), "192.0.2.1", "", "first") // holds the turn
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	refused := make(chan error, 2*strangerLine)
	var all sync.WaitGroup
	for i := range 2 * strangerLine {
		all.Go(func() {
			_, err := l.Enter(gone, "192.0.2.1", "", Secret(fmt.Sprint("late", i)))
			refused <- err
		})
	}
	for range strangerLine { // those for whom there is no place
		if err := <-refused; !IsReason(err, ReasonTooManyStrangers) || AsError(err).Retry <= 0 {
			t.Errorf("beyond the line: %v", err)
		}
	}
	if n := l.waiting.Load(); n != strangerLine {
		t.Errorf("%d wait, want %d", n, strangerLine)
	}
	cancel()
	all.Wait()
	for range strangerLine {
		if err := <-refused; !IsReason(err, ReasonTooManyStrangers) {
			t.Errorf("who went while waiting: %v", err)
		}
	}
	if err := l.Leave(turn, "192.0.2.1", "", "first", somebodys); err != nil || l.waiting.Load() != 0 {
		t.Errorf("%v; %d still wait", err, l.waiting.Load())
	}
	if try(t, l, "192.0.2.1", "", "new", somebodys) {
		t.Error("the turn was not given back")
	}
}

// What is asked of every call allocates nothing.
func TestTheKnownPassWithoutAllocation(t *testing.T) {
	l, _ := newStrangers()
	try(t, l, "192.0.2.1", "name", "secret", somebodys)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		turn, err := l.Enter(ctx, "192.0.2.1", "name", "secret")
		if err != nil || l.Leave(turn, "192.0.2.1", "name", "secret", somebodys) != nil {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
