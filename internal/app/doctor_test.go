package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// clinic is an installation that is well: a file of SQLite with a tenant, keys and a
// mail server.
type clinic struct {
	t      *testing.T
	loaded config.Loaded
	o      DoctorOptions
	path   string // of the database
	secret string // a text that no finding may show
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{t: t, path: filepath.Join(t.TempDir(), "usher.db"), secret: "hunter2-hunter2"}
	c.loaded.Config = config.Default()
	c.loaded.Origins = map[string]config.Origin{}
	c.loaded.Database = "sqlite:" + c.path
	inbox := newInbox(t, "")
	c.loaded.SMTPHost, c.loaded.SMTPPort, c.loaded.SMTPTLS, c.loaded.SMTPFrom = "127.0.0.1", inbox.port, "none", "usher@example.com"
	c.o = DoctorOptions{Logger: slog.New(slog.DiscardHandler), Now: time.Now}
	c.open(func(ctx context.Context, s *directory.Service) error {
		tenant, err := s.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "acme"}, directory.Company{})
		if err != nil {
			return err
		}
		call := func() *directory.Call { return directory.System(tenant.No, "test") }
		u, err := s.CreateUser(ctx, call(), directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some("ana"), LicenceType: directory.Some("regular")}})
		if err != nil {
			return err
		}
		if err := s.SetOwner(ctx, call(), directory.ByNumber(u.Number)); err != nil {
			return err
		}
		_, _, err = s.CreateWebhook(ctx, call(), directory.NewWebhook{Name: "payroll", URL: "https://payroll.example.com/in"})
		return err
	})
	return c
}

// open runs fn on the installation, which then stops in order: checkpoints are signed.
func (c *clinic) open(fn func(context.Context, *directory.Service) error) {
	c.t.Helper()
	a, err := New(c.t.Context(), c.loaded.Config, io.Discard)
	if err != nil {
		c.t.Fatal(err)
	}
	err = fn(c.t.Context(), a.service)
	a.checkpoints.sign(c.t.Context())
	if err := errors.Join(err, a.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// sql breaks the database below the program.
func (c *clinic) sql(statement string) {
	c.t.Helper()
	db, err := sql.Open("sqlite", c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = db.ExecContext(c.t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) do(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// found reports whether a finding says so, and fails when one shows a secret.
func (c *clinic) found(check string, level Level, text string) bool {
	c.t.Helper()
	findings, err := Examine(c.t.Context(), &c.loaded, c.o)
	if err != nil {
		c.t.Fatal(err)
	}
	ok := false
	for _, f := range findings {
		if strings.Contains(f.Seen+f.Remedy, c.secret) {
			c.t.Errorf("a finding shows a secret: %+v", f)
		}
		if (f.Level == LevelOK) != (f.Remedy == "") {
			c.t.Errorf("a finding and its remedy do not belong together: %+v", f)
		}
		ok = ok || f.Check == check && f.Level == level && strings.Contains(f.Seen, text)
	}
	if !ok {
		shown, err := json.MarshalIndent(findings, "", " ")
		c.t.Errorf("no finding %s %s %q: %s %v", check, level, text, shown, err)
	}
	return ok
}

// An installation that is well has nothing worse than a choice of its own.
func TestDoctorFindsNothingWrong(t *testing.T) {
	c := newClinic(t)
	findings, err := Examine(t.Context(), &c.loaded, c.o)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range findings {
		seen[f.Check] = true
		if f.Level == LevelFail || f.Level == LevelWarn && f.Check != "disk" && !strings.Contains(f.Seen, "leave without encryption") {
			t.Errorf("%+v", f)
		}
	}
	for _, check := range checks {
		if !seen[check.name] {
			t.Errorf("nothing was said of %s", check.name)
		}
	}
}

// Each thing is broken for real, and found.
func TestDoctorFindsWhatIsBroken(t *testing.T) {
	for _, b := range []struct {
		name, check string
		level       Level
		want        string
		harm        func(c *clinic)
	}{
		{"plain", "configuration", LevelWarn, "without encryption", func(c *clinic) { c.loaded.Addr = "0.0.0.0:8080" }},
		{"metrics", "configuration", LevelWarn, "/metrics", func(c *clinic) { c.loaded.Addr = "0.0.0.0:8080" }},
		{"demo", "configuration", LevelFail, "demo is on", func(c *clinic) { c.loaded.Addr, c.loaded.Demo = "0.0.0.0:8080", true }},
		{"http links", "configuration", LevelWarn, "begin with http", func(c *clinic) { c.loaded.Addr, c.loaded.PublicURL = "0.0.0.0:8080", "http://users.example.com" }},
		{"http webhooks", "configuration", LevelWarn, "webhooks", func(c *clinic) { c.loaded.WebhookHTTP = true }},
		{"open settings", "configuration", LevelFail, "which has smtp_password", func(c *clinic) {
			c.loaded.Config.Config = filepath.Join(c.t.TempDir(), "usher.yaml")
			c.loaded.Origins["smtp_password"] = config.OriginFile
			c.do(os.WriteFile(c.loaded.Config.Config, []byte("smtp_password: "+c.secret), 0o600))
			c.do(os.Chmod(c.loaded.Config.Config, 0o644))
		}},
		{"no key", "secret key", LevelFail, "is gone", func(c *clinic) { c.do(os.Remove(c.path + ".key")) }},
		{"a key that is none", "secret key", LevelFail, "secret_key_file", func(c *clinic) { c.do(os.WriteFile(c.path+".key", []byte(c.secret), 0o600)) }},
		{"open key", "secret key", LevelFail, "mode 0644", func(c *clinic) { c.do(os.Chmod(c.path+".key", 0o644)) }},
		{"open database", "files", LevelWarn, "mode 0644", func(c *clinic) { c.do(os.Chmod(c.path, 0o644)) }},
		{"open audit key", "files", LevelFail, "signs checkpoints", func(c *clinic) { c.do(os.Chmod(c.path+".audit-key", 0o640)) }},
		{"wrong pair", "certificate", LevelFail, "tls_cert, tls_key", func(c *clinic) {
			one, _ := pair(c.t, "users.example.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
			_, other := pair(c.t, "users.example.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
			c.loaded.TLSCert, c.loaded.TLSKey = one, other
		}},
		{"ended", "certificate", LevelFail, "ended at", func(c *clinic) { c.certify("127.0.0.1", -2*time.Hour, -time.Hour) }},
		{"ends now", "certificate", LevelFail, "is valid until", func(c *clinic) { c.certify("127.0.0.1", -time.Hour, 24*time.Hour) }},
		{"ends soon", "certificate", LevelWarn, "is valid until", func(c *clinic) { c.certify("127.0.0.1", -time.Hour, 20*24*time.Hour) }},
		{"not yet", "certificate", LevelFail, "is not valid before", func(c *clinic) { c.certify("127.0.0.1", time.Hour, 99*24*time.Hour) }},
		{"another name", "certificate", LevelWarn, "the server is called 127.0.0.1", func(c *clinic) { c.certify("users.example.com", -time.Hour, 99*24*time.Hour) }},
		{"long log", "disk", LevelWarn, "600 MiB", func(c *clinic) {
			c.do(os.WriteFile(c.path+"-wal", nil, 0o600))
			c.do(os.Truncate(c.path+"-wal", 600<<20))
		}},
		{"no mail server", "mail", LevelFail, "connecting to the mail server", func(c *clinic) { c.loaded.SMTPPort = closedPort(c.t) }},
		{"no encryption", "mail", LevelFail, "does not offer STARTTLS", func(c *clinic) { c.loaded.SMTPTLS = "starttls" }},
		{"no sign-in", "mail", LevelFail, "no way to sign in", func(c *clinic) {
			c.loaded.SMTPUser, c.loaded.SMTPPassword = "usher", config.Secret(c.secret)
		}},
		{"no password", "mail", LevelFail, "smtp_password_file", func(c *clinic) { c.loaded.SMTPPasswordFile = filepath.Join(c.t.TempDir(), "none") }},
		{"mail to files", "mail", LevelWarn, "are written into", func(c *clinic) { c.loaded.SMTPHost = "" }},
		{"no database", "database", LevelFail, "cannot be read", func(c *clinic) { c.do(os.Remove(c.path)) }},
		{"no schema", "database", LevelFail, "has no schema", func(c *clinic) { c.do(os.Truncate(c.path, 0)) }},
		{"old schema", "database", LevelFail, "this program needs", func(c *clinic) {
			c.sql("DELETE FROM schema_migrations WHERE version_id = (SELECT max(version_id) FROM schema_migrations)")
		}},
		{"new schema", "database", LevelWarn, "is newer than", func(c *clinic) {
			c.sql("INSERT INTO schema_migrations (version_id, is_applied) VALUES (9999, 1)")
		}},
		{"damaged file", "database settings", LevelFail, "the file is damaged", func(c *clinic) { c.damage("users_email") }},
		{"destroyed file", "database", LevelFail, "cannot be read", func(c *clinic) { c.damage("") }},
		{"no log", "database settings", LevelWarn, "journal_mode is delete", func(c *clinic) { c.sql("PRAGMA journal_mode = DELETE") }},
		{"clock set back", "clock", LevelFail, "something was written at", func(c *clinic) { c.later(-time.Hour) }},
		{"wrong totals", "counters", LevelFail, "totals of companies", func(c *clinic) { c.sql("UPDATE company_totals SET n = n + 1 WHERE company <> 0") }},
		{"wrong seats", "counters", LevelFail, "licence pools", func(c *clinic) { c.sql("UPDATE licence_shards SET used = used + 1") }},
		{"changed history", "history", LevelFail, "is broken at position 1", func(c *clinic) { c.sql("UPDATE events SET actor = 'nobody' WHERE position = 1") }},
		{"no checkpoints", "history", LevelWarn, "there are no checkpoints", func(c *clinic) { c.do(os.Remove(c.path + ".checkpoints")) }},
		{"old checkpoint", "history", LevelWarn, "the last checkpoint of tenant", func(c *clinic) {
			c.unsigned(func(ctx context.Context, s *directory.Service) error {
				_, err := s.CreateCompany(ctx, directory.System(1, "test"), directory.Company{Name: "North"})
				return err
			})
			c.later(time.Hour)
		}},
		{"a tenant that is gone", "history", LevelFail, "knows a tenant acme", func(c *clinic) { c.sql("DELETE FROM tenants") }},
		{"shared door", "tenants", LevelWarn, "share the servicemobility door", func(c *clinic) {
			c.open(func(ctx context.Context, s *directory.Service) error {
				_, err := s.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: "other", Doors: directory.AllDoors}, directory.Company{})
				return err
			})
			c.sql("UPDATE tenants SET doors = (SELECT max(doors) FROM tenants)")
		}},
		{"no owner", "tenants", LevelWarn, "has no account owner", func(c *clinic) { c.sql("UPDATE tenants SET owner = 0") }},
		{"oversold", "licence pools", LevelWarn, `uses 1 seats of "regular", and has 0`, func(c *clinic) {
			c.open(func(ctx context.Context, s *directory.Service) error {
				_, err := s.SetPool(ctx, directory.System(1, "test"), "regular", 0)
				return err
			})
		}},
		{"failed job", "jobs", LevelWarn, "have failed, the last (mail) with: no such mailbox", func(c *clinic) {
			c.sql(`INSERT INTO jobs (tenant, id, kind, number, state, run_at, attempts, lease_owner, lease_until, payload, result, created_at, closed_at)
				VALUES (1, 'j', 'mail', 0, 2, 0, 9, '', 0, x'', 'no such mailbox', 0, 0)`)
		}},
		{"paused endpoint", "webhooks", LevelWarn, "is paused", func(c *clinic) { c.sql("UPDATE webhooks SET state = 1") }},
	} {
		t.Run(b.name, func(t *testing.T) {
			c := newClinic(t)
			b.harm(c)
			c.found(b.check, b.level, b.want)
		})
	}
}

// unsigned is open by a process that signs nothing.
func (c *clinic) unsigned(fn func(context.Context, *directory.Service) error) {
	c.t.Helper()
	admin, err := OpenAdmin(c.t.Context(), &c.loaded.Config, c.o.Logger, "test")
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(errors.Join(fn(c.t.Context(), admin.service), admin.Close()))
}

// later has the machine's clock go wrong.
func (c *clinic) later(by time.Duration) { c.o.Now = func() time.Time { return time.Now().Add(by) } }

// damage overwrites a page of the file: the first one of a table or an index, or with
// "" the very first.
func (c *clinic) damage(name string) {
	c.t.Helper()
	page, size := int64(1), int64(0)
	db, err := sql.Open("sqlite", c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(db.QueryRowContext(c.t.Context(), "SELECT page_size FROM pragma_page_size").Scan(&size))
	if name != "" {
		c.do(db.QueryRowContext(c.t.Context(), "SELECT rootpage FROM sqlite_master WHERE name = $1", name).Scan(&page))
	}
	f, err := os.OpenFile(c.path, os.O_RDWR, 0)
	if err == nil {
		_, err = f.WriteAt(make([]byte, size), (page-1)*size)
	}
	c.do(errors.Join(err, f.Close(), db.Close()))
}

func (c *clinic) certify(name string, from, to time.Duration) {
	c.t.Helper()
	c.loaded.TLSCert, c.loaded.TLSKey = pair(c.t, name, time.Now().Add(from), time.Now().Add(to))
}

// pair writes a certificate and its key.
func pair(t *testing.T, name string, from, to time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// closedPort is a port at which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().(*net.TCPAddr).Port
}

// The room on a disk is judged by what is left.
func TestDoctorJudgesRoom(t *testing.T) {
	for _, c := range []struct {
		free, total uint64
		want        Level
	}{{100 << 20, 1 << 40, LevelFail}, {900 << 20, 2 << 30, LevelWarn}, {20 << 30, 1 << 40, LevelWarn}, {200 << 30, 1 << 40, LevelOK}} {
		x := &examination{}
		if x.room("the database", "/var", c.free, c.total); x.findings[0].Level != c.want {
			t.Errorf("%d of %d: %+v", c.free, c.total, x.findings[0])
		}
	}
	free, total, err := diskRoom(t.TempDir())
	if err != nil || free == 0 || total < free {
		t.Errorf("%d of %d, %v", free, total, err)
	}
}

// What is wrong with PostgreSQL is found: here a cluster that syncs nothing, as those
// of tests do.
func TestDoctorOnPostgreSQL(t *testing.T) {
	c := newClinic(t)
	database := pgtest.Database(t)
	c.loaded.Database = database
	c.found("database", LevelFail, "has no schema")
	c.found("secret key", LevelFail, "there is no secret key")
	if err := Migrate(t.Context(), &c.loaded.Config, c.o.Logger); err != nil {
		t.Fatal(err)
	}
	c.found("database settings", LevelFail, "fsync is off")
	c.found("clock", LevelOK, "apart")
	c.found("tenants", LevelWarn, "there is no tenant yet")
	pool, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, statement := range []string{"DROP EXTENSION pg_trgm CASCADE", "DO $$BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET synchronous_commit = off'; END$$"} {
		if _, err := pool.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	c.loaded.PGMaxConns = 5000
	c.found("database settings", LevelFail, "pg_trgm is missing")
	c.found("database settings", LevelWarn, "synchronous_commit is off")
	c.found("database settings", LevelWarn, "opens up to 5002 connections")
	c.later(2 * time.Hour)
	c.found("clock", LevelFail, "apart")
	c.loaded.Database = "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"
	c.found("database", LevelFail, "cannot be read")
}
