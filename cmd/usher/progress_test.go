package main

import (
	"strings"
	"testing"
	"time"
)

// TestProgress: the rate and the time left are those of this run; a terminal has one
// line that is written over, a log has lines.
func TestProgress(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		bar  bool
		want string
	}{
		{false, "reading users 600 of 1000 (60%), 5.0/s, 1m20s left\nreading users 600 of 1000 (60%), 4.0/s, 1m40s left; waiting\nreading users 1000 of 1000 (100%), 8.0/s\n"},
		{true, "\rreading users [##############..........] 600 of 1000 (60%), 5.0/s, 1m20s left" +
			"\rreading users [##############..........] 600 of 1000 (60%), 4.0/s, 1m40s left; waiting" +
			"\rreading users [########################] 1000 of 1000 (100%), 8.0/s                   \n"},
	} {
		var out strings.Builder
		at := now
		p := &program{stderr: &out}
		g := p.progress("reading users", 500, 1000)
		g.bar, g.now, g.start, g.last = test.bar, func() time.Time { return at }, now, now
		at = at.Add(20 * time.Second)
		g.set(600, 1000)
		g.set(600, 1000) // a moment later: not shown
		at = at.Add(5 * time.Second)
		g.say("waiting")
		at = now.Add(62500 * time.Millisecond)
		g.done = 1000
		g.end()
		g.end()
		if out.String() != test.want {
			t.Errorf("bar %t:\n got %q\nwant %q", test.bar, out.String(), test.want)
		}
	}
}

// TestProgressWithoutTotal: only what is known is shown.
func TestProgressWithoutTotal(t *testing.T) {
	var out strings.Builder
	p := &program{stderr: &out}
	g := p.progress("reading users", 0, 0)
	start := g.start
	g.now = func() time.Time { return start.Add(10 * time.Second) }
	g.set(250, 0)
	if want := "reading users 250, 25/s\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
