// Package testkit boots the whole program for tests: every door over a real
// listener and a real database, SQLite in a temporary folder or PostgreSQL in a
// throw-away cluster. Nothing is replaced by a fake.
package testkit

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// Engines are the names of the database engines; tests of what a client sees
// run on both.
var Engines = []string{"sqlite", "postgres"}

// SecretKey is the secret key of tests on PostgreSQL, which makes none itself.
const SecretKey = "dXNoZXIgdGVzdCBrZXksIDMyIGJ5dGVzLCBwdWJsaWM="

// Options say what to start. The zero value is an empty directory on SQLite.
type Options struct {
	// Engine is one of Engines; "" is sqlite. A package that uses postgres has
	// a TestMain that calls pgtest.Main.
	Engine string
	// Demo loads the sample directory with its published credentials.
	Demo bool
	// Beside is a server on PostgreSQL whose database this one shares, as a
	// second process would.
	Beside *Server
	// Tune changes the settings before the start.
	Tune func(*config.Config)
	// Log gets the log; nil: the test's output.
	Log io.Writer
}

// Server is a running program.
type Server struct {
	URL     string // of the doors, as http://127.0.0.1:port
	App     *app.App
	Service *directory.Service
	Config  config.Config

	stop func() error
}

// Start starts the program and stops it at the end of the test, which fails
// when the stop is not an orderly one. Warnings and errors of the log go to
// the test's output.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	cfg := config.Default()
	cfg.Addr = "127.0.0.1:0"
	if o.Beside != nil {
		o.Engine, cfg.Database = "postgres", o.Beside.Config.Database
	} else {
		cfg.Database = database(t, o.Engine)
	}
	cfg.Demo = o.Demo
	cfg.LogLevel = "warn"
	if o.Engine == "postgres" {
		cfg.SecretKey = SecretKey
		cfg.MailDir = t.TempDir() // else messages would come to lie in the package's folder
	}
	if o.Tune != nil {
		o.Tune(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatalf("testkit: settings: %v", err)
	}
	if o.Log == nil {
		o.Log = t.Output()
	}
	a, err := app.New(context.Background(), cfg, o.Log)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	if err := a.Listen(context.Background()); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	s := &Server{URL: a.URL(), App: a, Service: a.Service(), Config: cfg, stop: serve(a)}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("testkit: stopping: %v", err)
		}
	})
	return s
}

// Stop stops the server now, as the end of the test would, and returns what
// was wrong with it. Stopping twice is harmless.
func (s *Server) Stop() error {
	if s.stop == nil {
		return nil
	}
	stop := s.stop
	s.stop = nil
	http.DefaultClient.CloseIdleConnections()
	return stop()
}

// serve runs the program until the returned function is called.
func serve(a *app.App) func() error {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return func() error {
		cancel()
		err := <-ended
		if closing := a.Close(); err == nil {
			err = closing
		}
		return err
	}
}

// database names a fresh, empty database with the current schema.
func database(t testing.TB, engine string) string {
	t.Helper()
	switch engine {
	case "", "sqlite":
		return "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	case "postgres":
		return pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
			return store.Migrate(ctx, dsn, store.Options{Logger: slog.New(slog.DiscardHandler)})
		})
	default:
		t.Fatalf("testkit: unknown engine %q", engine)
		return ""
	}
}

// Tenant makes a tenant with its default company, for tests that want one of
// their own, and an API key of a rank that opens all doors.
func (s *Server) Tenant(t testing.TB, name string, rank directory.Rank) (tenant directory.Tenant, key string) {
	t.Helper()
	ctx := context.Background()
	tenant, err := s.Service.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: name}, directory.Company{})
	if err != nil {
		t.Fatalf("testkit: tenant %s: %v", name, err)
	}
	_, key, err = s.Service.CreateKey(ctx, directory.System(tenant.No, "test"), directory.NewCredential{Name: "test", Rank: rank})
	if err != nil {
		t.Fatalf("testkit: key of tenant %s: %v", name, err)
	}
	return tenant, key
}
