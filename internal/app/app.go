package app

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/web"
	"github.com/usher-id/usher/internal/webhook"
)

// App is the whole program, open and ready to serve.
type App struct {
	cfg     config.Config
	log     *slog.Logger
	flush   func() // writes what the log holds
	store   *store.DB
	service *directory.Service
	metrics *metrics
	runners []*job.Runner // do jobs while Run runs
	// observeJob counts what becomes of jobs.
	observeJob func(directory.JobKind, job.Outcome)

	background []func(context.Context) error // runs while Run does

	courier  *webhook.Courier
	webhooks *webhook.Dispatcher // nil until everything is open

	auditKey    ed25519.PrivateKey // signs checkpoints; nil: nobody does
	checkpoints *checkpoints       // nil without auditKey

	mounted        []mountedDoor
	front          http.Handler // the doors
	handler        http.Handler // everything that is served on Addr
	metricsHandler http.Handler
	tls            *tls.Config

	doorsListener net.Listener
	opsListener   net.Listener // nil without a metrics address
	stopping      atomic.Bool

	// Demo is what the sample directory was given as credentials; the zero
	// value without demo, and when it had been loaded before with random ones.
	Demo DemoCredentials
}

// New opens the database, prepares it if it is empty and settings ask for
// that, and makes everything that serves. logs gets the log. Close releases
// all of it. Errors are for the person who starts the program: they name the
// setting at fault.
func New(ctx context.Context, cfg config.Config, logs io.Writer) (*App, error) {
	a := &App{cfg: cfg, metrics: newMetrics()}
	a.log, a.flush = newLogger(&a.cfg, logs)
	a.metricsHandler = a.metrics.handler()
	for _, step := range []func(context.Context) error{a.loadCertificate, a.openStore, a.openMail, a.prepare, a.openFeed, a.openJobs, a.openWebhooks, a.openCheckpoints, a.mount, a.warnSharedDoors} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// loadCertificate reads the TLS files before anything is opened, since a wrong
// path is the commonest mistake.
func (a *App) loadCertificate(context.Context) error {
	if a.cfg.TLSCert == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(a.cfg.TLSCert, a.cfg.TLSKey)
	if err != nil {
		return fmt.Errorf("tls_cert, tls_key: %w", err)
	}
	a.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	return nil
}

func (a *App) openStore(ctx context.Context) error {
	db, err := OpenStore(ctx, &a.cfg, a.log)
	if err != nil {
		return err
	}
	a.store = db
	path := ""
	if isSQLite(&a.cfg) {
		path = strings.TrimPrefix(a.cfg.Database, "sqlite:")
	}
	a.metrics.watchStore(db.Engine(), path)
	sealer, err := a.openSealer()
	if err != nil {
		return err
	}
	key, err := a.openAuditKey()
	if err != nil {
		return err
	}
	a.auditKey = key
	if a.courier, err = a.newCourier(); err != nil {
		return err
	}
	a.service = directory.New(db, directory.Options{PublicURL: a.cfg.BaseURL(), Sealer: sealer, JobAdded: a.wakeJobs, Logger: a.log, CheckpointKey: key,
		CheckpointedThrough: a.checkpointedThrough, Courier: a.courier, WebhooksChanged: a.wakeWebhooks,
		QueryTime: a.cfg.QueryTimeout, Strangers: a.cfg.WrongCredentials})
	return nil
}

// OpenStore opens the database that the settings name, for the server and for
// commands. SQLite is migrated on the way (a checked copy is kept); PostgreSQL,
// which other processes may be serving from, only by `usher migrate`.
func OpenStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (*store.DB, error) {
	db, err := store.Open(ctx, databaseOf(cfg), storeOptions(cfg, log))
	return db, explainStoreError(cfg, err)
}

// Migrate brings the database to this program's schema.
func Migrate(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	return explainStoreError(cfg, store.Migrate(ctx, databaseOf(cfg), storeOptions(cfg, log)))
}

func isSQLite(cfg *config.Config) bool { return strings.HasPrefix(cfg.Database, "sqlite:") }

func storeOptions(cfg *config.Config, log *slog.Logger) store.Options {
	if isSQLite(cfg) {
		return store.Options{Logger: log, Migrate: true, Readers: cfg.SQLiteReaders, Batch: cfg.SQLiteBatch}
	}
	return store.Options{Logger: log, Readers: cfg.PGConns(), Patience: cfg.DatabaseTimeout}
}

// explainStoreError says what a person can do.
func explainStoreError(cfg *config.Config, err error) error {
	database := config.RedactDatabase(cfg.Database)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrOwned):
		return fmt.Errorf("database: %s is in use by another usher process, most likely a running server; stop it first", database)
	case errors.Is(err, store.ErrNeedsMigration):
		return fmt.Errorf("database: %s has an older schema than this program needs; run: usher migrate --database '%s'", database, database)
	default:
		return fmt.Errorf("database: cannot open %s: %w", database, err)
	}
}

// databaseOf adds pg_exec_mode to a connection string of PostgreSQL, where the
// driver reads it. What the string says itself wins.
func databaseOf(cfg *config.Config) string {
	u, err := url.Parse(cfg.Database)
	if isSQLite(cfg) || err != nil {
		return cfg.Database
	}
	const parameter = "default_query_exec_mode"
	query := u.Query()
	if query.Has(parameter) || cfg.PGExecMode == config.Default().PGExecMode {
		return cfg.Database
	}
	query.Set(parameter, cfg.PGExecMode)
	u.RawQuery = query.Encode()
	return u.String()
}

// prepare fills an empty directory where settings ask for it.
func (a *App) prepare(ctx context.Context) error {
	if a.cfg.Demo {
		credentials, err := LoadDemo(ctx, a.service, a.cfg.DemoCredentials == "random")
		a.Demo = credentials
		return err
	}
	if err := refusePublicDemo(ctx, a.service, a.cfg.Addr); err != nil {
		return err
	}
	return a.bootstrap(ctx)
}

// mount builds the handler of Addr.
func (a *App) mount(context.Context) error {
	if _, err := smartappPaths(&a.cfg); err != nil {
		return err
	}
	mounted, err := chooseDoors(a.cfg.Doors, a.doors())
	if err == nil {
		err = checkSegments(mounted)
	}
	if err != nil {
		return err
	}
	a.mounted = mounted
	proxies, err := a.cfg.Proxies()
	if err != nil {
		return fmt.Errorf("trusted_proxies: %w", err)
	}
	doors := newRouter(a.mounted)
	a.front = doors
	served := a.metrics.track(web.NewServer(a.pages(doors), web.Options{
		Logger:         a.log,
		Observe:        a.metrics.observe,
		TrustedProxies: proxies,
		IsInternal:     func(err error) bool { return directory.CodeOf(err) == directory.CodeInternal },
		Classify:       classify,
		Bodies:         a.cfg.BodyBudget(),
		Busy:           busy,
	}))
	if a.cfg.MetricsAddr != "" {
		a.handler = served
		return nil
	}
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler, ok := a.operations(r.URL.Path); ok {
			handler.ServeHTTP(w, r)
			return
		}
		served.ServeHTTP(w, r)
	})
	return nil
}

// busy is the answer to a body that finds no memory: those that hold it finish, or
// meet read_timeout.
func busy() error {
	e := directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "The server is busy. Try again in a moment.")
	e.Retry = 5 * time.Second
	return e
}

func classify(err error) (code, reason string) {
	e := directory.AsError(err)
	return string(e.Code), string(e.Reason)
}

// Handler is everything that is served on Addr, for tests that need no
// listener.
func (a *App) Handler() http.Handler { return a.handler }

// Service is the directory that the doors serve.
func (a *App) Service() *directory.Service { return a.service }

// Close closes the database and writes the rest of the log. Run must have
// returned. Closing twice is harmless.
func (a *App) Close() error {
	var err error
	if a.doorsListener != nil {
		_ = a.doorsListener.Close() // already closed by Run, if that ran
	}
	if a.opsListener != nil {
		_ = a.opsListener.Close()
	}
	if a.store != nil {
		err = a.store.Close()
		a.store = nil
	}
	a.flush()
	return err
}
