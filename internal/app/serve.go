package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usher-id/usher/internal/web"
)

// Listen opens the addresses, so that a caller can say where before it serves.
// It reads or makes the certificate that the doors need.
func (a *App) Listen(ctx context.Context) error {
	var err error
	if a.doorsListener, err = listen(ctx, "addr", a.cfg.Addr); err != nil {
		return err
	}
	if a.doorsListener, err = a.speakTLS(a.doorsListener); err != nil {
		return err
	}
	if a.cfg.MetricsAddr != "" {
		a.opsListener, err = listen(ctx, "metrics_addr", a.cfg.MetricsAddr)
	}
	return err
}

func listen(ctx context.Context, key, addr string) (net.Listener, error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", key, addr, err)
	}
	return ln, nil
}

// URL is where the doors are served, once Listen has opened the address: with
// the port that was drawn, and a name of this machine when it serves on every
// address.
func (a *App) URL() string {
	scheme := "http"
	if a.tls != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.doorsListener.Addr().String())
	if err != nil {
		return scheme + "://" + a.doorsListener.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// MetricsURL is where /healthz, /readyz and /metrics are served.
func (a *App) MetricsURL() string {
	if a.opsListener == nil {
		return a.URL()
	}
	return "http://" + a.opsListener.Addr().String()
}

// Run serves until ctx is done, goes on for drain_time while probes are told, and
// lets what is then in flight finish within shutdown_timeout. It opens the addresses unless Listen has. The error is nil
// after an orderly stop.
func (a *App) Run(ctx context.Context) error {
	if a.doorsListener == nil {
		if err := a.Listen(ctx); err != nil {
			return err
		}
	}
	doors := a.newServer(a.leave(a.requireTLS(a.handler)))
	ops := a.newServer(http.HandlerFunc(a.serveOperations))
	a.log.Info("serving", "url", a.URL(), "metrics_url", a.MetricsURL(), "version", Version())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(doors, a.doorsListener) })
	if a.opsListener != nil {
		group.Go(func() error { return serve(ops, a.opsListener) })
	}
	group.Go(func() error {
		a.sweep(ctx)
		return nil
	})
	for _, run := range a.background {
		group.Go(func() error { return run(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		return a.shutdown(doors, ops)
	})
	err := group.Wait()
	a.checkpoints.last()
	a.log.Info("stopped")
	a.flush()
	return err
}

// newServer applies the operator's limits, and the kit's where there are none.
func (a *App) newServer(handler http.Handler) *http.Server {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: a.cfg.ReadHeaderTimeout,
		ReadTimeout:       a.cfg.ReadTimeout,
		WriteTimeout:      a.cfg.WriteTimeout,
		IdleTimeout:       a.cfg.IdleTimeout,
		MaxHeaderBytes:    int(a.cfg.MaxHeader),
		// What net/http says itself is about broken clients.
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	web.Limits(srv)
	return srv
}

// serve answers until the server is shut down. Whether a connection speaks TLS,
// and HTTP/2, its listener has settled.
func serve(srv *http.Server, ln net.Listener) error {
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", ln.Addr(), err)
	}
	return nil
}

// leave closes connections with the answers of a stopping server: whoever keeps
// one to send more goes to another server without a request that was refused. In
// HTTP/2 the same header ends the connection in order (GOAWAY).
func (a *App) leave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// shutdown tells the probes, waits until balancers must have noticed, stops the
// doors, so that probes see the end, and then the probes.
func (a *App) shutdown(doors, ops *http.Server) error {
	a.stopping.Store(true)
	a.log.Info("stopping", "in_flight", a.metrics.inFlight.Load(), "drain", a.cfg.DrainTime.String(), "timeout", a.cfg.ShutdownTimeout.String())
	<-time.After(a.cfg.DrainTime)
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.ShutdownTimeout)
	defer cancel()
	err := doors.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("shutdown_timeout: %d requests were cut off after %s", a.metrics.inFlight.Load(), a.cfg.ShutdownTimeout)
		_ = doors.Close() // what is left is cut off, which is what err says
	}
	opsCtx, cancelOps := context.WithTimeout(context.Background(), time.Second)
	defer cancelOps()
	_ = ops.Shutdown(opsCtx) // a probe that is cut off asks again
	return err
}
