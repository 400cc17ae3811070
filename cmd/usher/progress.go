package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress shows on standard error how far a long command is: on a terminal a line
// that is written over, with a bar where the total is known; elsewhere, as in a log,
// a line every now and then. It is safe for concurrent use.
type progress struct {
	out   io.Writer
	title string // as in "reading users"
	bar   bool   // out is a terminal
	now   func() time.Time

	mu          sync.Mutex
	start, last time.Time
	from        int64 // what was done before this command
	done, total int64
	note        string
	width       int // of the line on the terminal
	ended       bool
}

// How often the line is written.
const (
	barEvery = 200 * time.Millisecond
	logEvery = 10 * time.Second
)

// progress begins to show progress. from is how much was done by an earlier run,
// which counts neither for the rate nor for the time left; total is 0 while it is
// not known.
func (p *program) progress(title string, from, total int64) *progress {
	g := &progress{out: p.stderr, title: title, bar: onTerminal(p.stderr), now: time.Now, from: from, done: from, total: total}
	g.start = g.now()
	g.last = g.start
	return g
}

// onTerminal reports whether what is written is seen by a person at once.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// set says how many are done and how many there are, 0 for not known.
func (g *progress) set(done, total int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done, g.total = done, total
	g.show(false)
}

// say adds a few words to the line, such as what the command waits for; "" takes
// them away.
func (g *progress) say(note string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	changed := note != g.note
	g.note = note
	g.show(changed && note != "")
}

// end writes the last line; nothing is shown after it.
func (g *progress) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return
	}
	g.note = ""
	g.show(true)
	if g.bar {
		fmt.Fprintln(g.out)
	}
	g.ended = true
}

// show writes the line, unless it was written a moment ago.
func (g *progress) show(anyway bool) {
	every := logEvery
	if g.bar {
		every = barEvery
	}
	now := g.now()
	if g.ended || !anyway && now.Sub(g.last) < every {
		return
	}
	g.last = now
	line := g.line(now)
	if !g.bar {
		fmt.Fprintln(g.out, line)
		return
	}
	fmt.Fprint(g.out, "\r", line, strings.Repeat(" ", max(0, g.width-len([]rune(line)))))
	g.width = len([]rune(line))
}

// line is what is shown: the title, the bar, the count, the rate and the time left.
func (g *progress) line(now time.Time) string {
	var b strings.Builder
	b.WriteString(g.title)
	if g.total > 0 {
		share := float64(min(g.done, g.total)) / float64(g.total)
		if g.bar {
			full := int(share * barWidth)
			b.WriteString(" [" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "]")
		}
		fmt.Fprintf(&b, " %d of %d (%d%%)", g.done, g.total, int(share*100))
	} else {
		fmt.Fprintf(&b, " %d", g.done)
	}
	elapsed := now.Sub(g.start)
	if rate := float64(g.done-g.from) / elapsed.Seconds(); elapsed > 0 && rate > 0 {
		fmt.Fprintf(&b, ", %.*f/s", decimals(rate), rate)
		if left := float64(g.total-g.done) / rate; g.total > g.done {
			fmt.Fprintf(&b, ", %s left", time.Duration(left*float64(time.Second)).Round(time.Second))
		}
	}
	if g.note != "" {
		b.WriteString("; " + g.note)
	}
	return b.String()
}

// barWidth is the width of the bar in characters.
const barWidth = 24

// decimals are those of a rate: slow ones have one.
func decimals(rate float64) int {
	if rate < 10 {
		return 1
	}
	return 0
}
