package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// Level is how serious a finding is.
type Level string

// The levels.
const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn" // works, and should not stay so
	LevelFail Level = "fail" // does not work, or loses something
)

// Finding is what one look at a part has found. It never holds a secret.
type Finding struct {
	Check  string `json:"check"`
	Level  Level  `json:"level"`
	Seen   string `json:"seen"`
	Remedy string `json:"remedy,omitempty"` // what to do, in a sentence; "" where nothing is
}

// DoctorOptions are what an examination needs besides the settings.
type DoctorOptions struct {
	Logger   *slog.Logger
	Now      func() time.Time // the clock of this machine
	MailRoot *x509.CertPool   // who may sign the mail server's certificate; nil is the system's list
	// Deep compares everything that the database says twice, which reads all of it.
	Deep bool
}

// examination is one look at everything.
type examination struct {
	cfg      *config.Config
	origins  map[string]config.Origin
	o        DoctorOptions
	check    string // the one that is at work
	findings []Finding

	database store.Inspection
	opened   time.Time // when it was looked at
	auditor  *Admin    // nil where the database cannot be opened
	tenants  []directory.Tenant
}

// check is one part.
type check struct {
	name     string
	database bool // needs one that can be read
	look     func(*examination, context.Context) error
}

// checks are all parts in the order in which they are looked at. What needs the
// database is left out where it cannot be opened.
var checks = []check{
	{"configuration", false, (*examination).configuration},
	{"secret key", false, (*examination).secretKey},
	{"files", false, (*examination).files},
	{"certificate", false, (*examination).certificate},
	{"disk", false, (*examination).disk},
	{"mail", false, (*examination).mail},
	{"database", false, (*examination).openDatabase},
	{"database settings", true, (*examination).databaseSettings},
	{"clock", true, (*examination).clock},
	{"counters", true, (*examination).counters},
	{"history", true, (*examination).history},
	{"tenants", true, (*examination).sharedDoors},
	{"licence pools", true, (*examination).pools},
	{"jobs", true, (*examination).failedJobs},
	{"webhooks", true, (*examination).pausedWebhooks},
}

// Examine looks at everything that an operator should know of, beside a running
// server too, changes nothing, and says of each part what it found.
func Examine(ctx context.Context, loaded *config.Loaded, o DoctorOptions) ([]Finding, error) {
	x := &examination{cfg: &loaded.Config, origins: loaded.Origins, o: o}
	var err error
	list := checks
	if o.Deep {
		list = append(slices.Clone(checks), deepCheck)
	}
	for _, c := range list {
		if c.database && x.auditor == nil {
			continue
		}
		x.check = c.name
		before := len(x.findings)
		if err := c.look(x, ctx); err != nil {
			if ctx.Err() != nil {
				return x.findings, errors.Join(ctx.Err(), x.close())
			}
			x.fail(forPeople(err).Error(), "Look into the server's log, and try again.")
		}
		if len(x.findings) == before {
			x.ok("nothing to see")
		}
	}
	return x.findings, errors.Join(err, x.close())
}

// Unreadable is the finding about settings that cannot be read.
func Unreadable(err error) []Finding {
	var list []Finding
	for line := range strings.SplitSeq(err.Error(), "\n") {
		list = append(list, Finding{"configuration", LevelFail, line, "Correct the setting; `usher config` prints all settings and where they come from."})
	}
	return list
}

func (x *examination) close() error {
	if x.auditor == nil {
		return nil
	}
	return x.auditor.Close()
}

func (x *examination) ok(format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: x.check, Level: LevelOK, Seen: fmt.Sprintf(format, args...)})
}

func (x *examination) warn(seen, remedy string) {
	x.findings = append(x.findings, Finding{x.check, LevelWarn, seen, remedy})
}

func (x *examination) fail(seen, remedy string) {
	x.findings = append(x.findings, Finding{x.check, LevelFail, seen, remedy})
}

// openDatabase reads the schema's version and opens what the checks behind it need.
func (x *examination) openDatabase(ctx context.Context) error {
	name := config.RedactDatabase(x.cfg.Database)
	inspection, err := store.Inspect(ctx, databaseOf(x.cfg), int64(x.cfg.PGConns()+config.DrawingPGConns))
	if err != nil {
		x.fail(fmt.Sprintf("%s cannot be read: %v", name, err), "Check the database setting and that this user may read it; a new one is made by `usher serve` (SQLite) or `usher migrate`.")
		return nil
	}
	x.database, x.opened = inspection, x.o.Now()
	switch {
	case inspection.Schema == 0:
		x.fail(name+" has no schema", "Run `usher migrate`, or restore a backup with `usher restore`.")
		return nil
	case inspection.Schema < inspection.Newest:
		x.fail(fmt.Sprintf("the schema of %s is at %d, and this program needs %d", name, inspection.Schema, inspection.Newest),
			"Make a backup with the version that runs now, then run `usher migrate`.")
		return nil
	case inspection.Schema > inspection.Newest:
		x.warn(fmt.Sprintf("the schema is at %d, which is newer than this program's %d", inspection.Schema, inspection.Newest), "Replace this program by the version that runs elsewhere.")
	}
	auditor, err := OpenAuditor(ctx, x.cfg, x.o.Logger, "usher doctor")
	if err != nil {
		x.fail(err.Error(), "Check the database setting and that this user may read it.")
		return nil
	}
	x.auditor = auditor
	if x.tenants, err = auditor.Tenants(ctx); err != nil {
		return err
	}
	what := "SQLite"
	if inspection.Engine == "postgres" {
		what = fmt.Sprintf("PostgreSQL %s with %d standbys", inspection.Version, inspection.Standbys)
	}
	x.ok("%s: %s, schema %d, %d tenants", name, what, inspection.Schema, len(x.tenants))
	return nil
}
