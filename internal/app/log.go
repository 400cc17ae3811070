package app

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/usher-id/usher/internal/config"
)

// A log line that costs a system call costs a request a third of its time, so
// lines are gathered and written together: at flushSize, after flushDelay, at
// an error, and at the end. What a killed process loses is its last flushDelay.
const (
	flushSize  = 64 << 10
	flushDelay = 200 * time.Millisecond
)

// logBuffer gathers log lines for a slow writer. It is safe for concurrent use.
type logBuffer struct {
	out io.Writer

	mu      sync.Mutex
	lines   []byte
	waiting bool // the timer runs
	timer   *time.Timer
}

func newLogBuffer(out io.Writer) *logBuffer {
	b := &logBuffer{out: out, lines: make([]byte, 0, flushSize+4096)}
	b.timer = time.AfterFunc(time.Hour, b.flush)
	b.timer.Stop()
	return b
}

// Write keeps the lines, and writes when there are enough.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, p...)
	if len(b.lines) >= flushSize {
		return len(p), b.flushLocked()
	}
	if !b.waiting {
		b.waiting = true
		b.timer.Reset(flushDelay)
	}
	return len(p), nil
}

// flush writes what is gathered. An error of the log's writer has no place to
// be reported.
func (b *logBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.flushLocked()
}

func (b *logBuffer) flushLocked() error {
	b.waiting = false
	b.timer.Stop()
	if len(b.lines) == 0 {
		return nil
	}
	_, err := b.out.Write(b.lines)
	b.lines = b.lines[:0]
	return err
}

// flushingHandler writes errors at once: they are what a person looks for when
// the process is about to die.
type flushingHandler struct {
	slog.Handler
	buffer *logBuffer
}

// Handle logs the record.
func (h flushingHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelError {
		h.buffer.flush()
	}
	return err
}

// WithAttrs keeps the flushing.
func (h flushingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushingHandler{h.Handler.WithAttrs(attrs), h.buffer}
}

// WithGroup keeps the flushing.
func (h flushingHandler) WithGroup(name string) slog.Handler {
	return flushingHandler{h.Handler.WithGroup(name), h.buffer}
}

// newLogger makes the program's logger and the function that writes what it
// still holds.
func newLogger(cfg *config.Config, out io.Writer) (*slog.Logger, func()) {
	buffer := newLogBuffer(out)
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewJSONHandler(buffer, options)
	if cfg.LogFormat == "text" {
		handler = slog.NewTextHandler(buffer, options)
	}
	return slog.New(flushingHandler{handler, buffer}), buffer.flush
}
