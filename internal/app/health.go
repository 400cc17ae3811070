package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// readyTimeout bounds the look at the store: whoever asks polls, and a late
// yes is worth less than a quick no.
const readyTimeout = 2 * time.Second

// operations serves what operators' tools ask for: /healthz (the process
// lives), /readyz (it can answer now) and /metrics. They are not logged, since
// probes come every second, and they need no credential; metrics_addr moves
// them away from the doors. ok is false for any other path.
func (a *App) operations(path string) (handler http.Handler, ok bool) {
	switch path {
	case "/healthz":
		return http.HandlerFunc(a.healthz), true
	case "/readyz":
		return http.HandlerFunc(a.readyz), true
	case "/metrics":
		return a.metricsHandler, true
	}
	return nil, false
}

// serveOperations is the whole of the metrics address.
func (a *App) serveOperations(w http.ResponseWriter, r *http.Request) {
	if handler, ok := a.operations(r.URL.Path); ok {
		handler.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	answerProbe(w, http.StatusOK, "ok")
}

// readyz answers 503 while the server stops, so that a balancer sends nothing
// more, and while the store cannot answer on the primary. The store was
// checked to be migrated when it was opened.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if a.stopping.Load() {
		answerProbe(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.store.Ping(ctx); err != nil {
		a.log.Warn("not ready", "error", err)
		answerProbe(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	answerProbe(w, http.StatusOK, "ready")
}

func answerProbe(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The prober went away when this fails; there is nobody to tell.
	_, _ = io.Copy(w, strings.NewReader(text+"\n"))
}
