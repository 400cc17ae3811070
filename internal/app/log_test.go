package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-id/usher/internal/config"
)

// writes keeps what each Write brought. The log writes from a goroutine of its
// own.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(p))
	return len(p), nil
}

func (w *writes) got() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

func logSettings() *config.Config {
	cfg := config.Default()
	return &cfg
}

func TestLogLinesAreWrittenTogetherAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log, _ := newLogger(logSettings(), &out)
		for round := range 2 {
			log.Info("one")
			log.With("k", "v").WithGroup("g").Info("two")
			log.Debug("not at this level")
			<-time.After(flushDelay - time.Millisecond)
			synctest.Wait()
			if len(out.got()) != round {
				t.Fatalf("round %d: written before the delay: %q", round, out.got())
			}
			<-time.After(2 * time.Millisecond)
			synctest.Wait()
			if len(out.got()) != round+1 || strings.Count(out.got()[round], "\n") != 2 {
				t.Fatalf("round %d: wrote %q, want two lines at once", round, out.got())
			}
		}
	})
}

func TestErrorsAreWrittenAtOnceWithWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log, _ := newLogger(logSettings(), &out)
		log.Info("before")
		log.With("k", "v").Error("failed")
		if len(out.got()) != 1 || strings.Count(out.got()[0], "\n") != 2 || !strings.Contains(out.got()[0], "failed") {
			t.Errorf("wrote %q, want both lines at once", out.got())
		}
	})
}

func TestAFullLogBufferIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		buffer := newLogBuffer(&out)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for range flushSize / len(line) {
			if _, err := buffer.Write(line); err != nil {
				t.Fatal(err)
			}
		}
		if len(out.got()) != 1 || len(out.got()[0]) != flushSize {
			t.Fatalf("%d writes, want one of %d bytes", len(out.got()), flushSize)
		}
		if _, err := buffer.Write(line); err != nil {
			t.Fatal(err)
		}
		buffer.flush()
		if len(out.got()) != 2 || out.got()[1] != string(line) {
			t.Errorf("the end wrote %d times, want the one line that waited", len(out.got())-1)
		}
	})
}

func TestLogFormats(t *testing.T) {
	for format, readable := range map[string]bool{"json": true, "text": false} {
		var out bytes.Buffer
		cfg := logSettings()
		cfg.LogFormat, cfg.LogLevel = format, "warn"
		log, flush := newLogger(cfg, &out)
		log.Info("hidden")
		log.Warn("shown")
		flush()
		if got := json.Valid(out.Bytes()); got != readable || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: %q, JSON is %v, want one line and JSON %v", format, out.String(), got, readable)
		}
	}
}

// A logged request must not allocate for the buffer.
func TestLogBufferDoesNotAllocate(t *testing.T) {
	var out writes
	buffer := newLogBuffer(&out)
	line := []byte("a line\n")
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := buffer.Write(line); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Write allocates %v times", n)
	}
	buffer.flush()
}
