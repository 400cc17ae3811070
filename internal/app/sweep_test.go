package app

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

func TestEveryHourUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		start, calls := time.Now(), []time.Duration(nil)
		every(ctx, time.Hour, func() {
			if calls = append(calls, time.Since(start)); len(calls) == 3 {
				stop()
			}
		})
		if len(calls) != 3 || calls[0] != 0 || calls[1] != time.Hour || calls[2] != 2*time.Hour {
			t.Errorf("called after %v", calls)
		}
		every(ctx, time.Hour, func() { t.Error("called after the stop") })
	})
}

// awaited is a log that tells when it says a text.
type awaited struct {
	text string
	said chan struct{}
	mu   sync.Mutex
	all  bytes.Buffer
}

func (l *awaited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := strings.Contains(l.all.String(), l.text)
	l.all.Write(p)
	if !before && strings.Contains(l.all.String(), l.text) {
		close(l.said)
	}
	return len(p), nil
}

// runUntil runs a program on a database that prepare has filled until its log
// says a text, and returns the log and the metrics.
func runUntil(t *testing.T, text string, prepare func(tx directory.Tx) error) (log, metrics string) {
	t.Helper()
	out := &awaited{text: text, said: make(chan struct{})}
	cfg := config.Default()
	cfg.Addr, cfg.Database = "127.0.0.1:0", "sqlite:"+filepath.Join(t.TempDir(), "usher.db")
	a, err := New(t.Context(), cfg, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.store.Update(t.Context(), prepare); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	<-out.said
	stop()
	if err := errors.Join(<-ended, a.Close()); err != nil {
		t.Error(err)
	}
	answer := httptest.NewRecorder()
	a.metricsHandler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return out.all.String(), answer.Body.String()
}

// A server removes what has ended when it starts, says how much, and stops.
func TestServerSweeps(t *testing.T) {
	log, metrics := runUntil(t, "removed what had ended", func(tx directory.Tx) error {
		var errs []error
		for _, secret := range []string{"one", "two"} {
			old := time.Now().Add(-directory.EndedKept - time.Hour)
			errs = append(errs, tx.InsertToken(t.Context(), directory.Token{Tenant: 1, Hash: []byte(secret), Kind: directory.TokenAccess, User: 1, ExpiresAt: old}))
		}
		return errors.Join(errs...)
	})
	if !strings.Contains(log, `"rows":2`) || strings.Contains(log, "cannot be removed") || !strings.Contains(metrics, "usher_swept_rows_total 2\n") {
		t.Errorf("the log says:\n%s", log)
	}
}

// A message that nobody can open any more is given up at the first try, with
// one line of the log.
func TestUnreadableMessageIsGivenUp(t *testing.T) {
	log, _ := runUntil(t, "job abandoned", func(tx directory.Tx) error {
		return tx.InsertJob(t.Context(), directory.Job{Tenant: 1, ID: "sealed-elsewhere", Kind: directory.JobMail, Payload: make([]byte, 99), CreatedAt: time.Now()})
	})
	if n := strings.Count(log, "sealed-elsewhere"); n != 1 || !strings.Contains(log, "opening the message") {
		t.Errorf("%d lines about it in the log:\n%s", n, log)
	}
}
