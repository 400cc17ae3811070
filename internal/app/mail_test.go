package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/job"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// inbox is a real mail server on loopback that hands out what arrives.
type inbox struct {
	port    int
	arrived chan *netmail.Message
	refused chan string // each recipient that is not taken
	unknown string      // recipient that the server does not know
}

func newInbox(t *testing.T, unknown string) *inbox {
	t.Helper()
	b := &inbox{arrived: make(chan *netmail.Message, 1000), refused: make(chan string, 10), unknown: unknown}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &inboxSession{b}, nil }))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.port = ln.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return b
}

type inboxSession struct{ b *inbox }

func (s *inboxSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *inboxSession) Reset()                               {}
func (s *inboxSession) Logout() error                        { return nil }

func (s *inboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to != s.b.unknown {
		return nil
	}
	s.b.refused <- to
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: to + " does not exist"}
}

func (s *inboxSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	m.Body = bytes.NewReader(raw)
	s.b.arrived <- m
	return nil
}

// mailProcess is the part of a process that sends mail, over a database.
type mailProcess struct {
	*App
	log  bytes.Buffer
	stop func() // and waits
}

func startMail(t *testing.T, service *directory.Service, cfg config.Config) *mailProcess {
	t.Helper()
	p := &mailProcess{App: &App{cfg: cfg, metrics: newMetrics(), service: service}}
	var mu sync.Mutex
	p.App.log = slog.New(slog.NewTextHandler(writerFunc(func(line []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return p.log.Write(line)
	}), nil))
	if err := p.openMail(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.runners[0].Run(ctx) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(p.stop)
	return p
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// mailbed is a directory over a real database, with users to write to.
type mailbed struct {
	service *directory.Service
	tenant  directory.Tenant
	users   []directory.User
}

func newMailbed(t *testing.T, engine string, users int) *mailbed {
	t.Helper()
	database := "sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	if engine == "postgres" {
		database = pgtest.Migrated(t, func(ctx context.Context, dsn string) error {
			return store.Migrate(ctx, dsn, store.Options{Logger: slog.New(slog.DiscardHandler)})
		})
	}
	db, err := store.Open(t.Context(), database, store.Options{Logger: slog.New(slog.DiscardHandler), Migrate: engine == "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer, err := directory.NewSealer(bytes.Repeat([]byte("k"), directory.SecretKeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbed{service: directory.New(db, directory.Options{Sealer: sealer, PublicURL: "https://users.example.com",
		HashCost: directory.HashCost{MemoryKiB: 64, Iterations: 1, Parallelism: 1}})}
	if b.tenant, err = b.service.CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "kentel"}, directory.Company{}); err != nil {
		t.Fatal(err)
	}
	for i := range users {
		name := fmt.Sprintf("john%d", i)
		u, err := b.service.CreateUser(t.Context(), b.call(), directory.NewUser{Fields: directory.UserPatch{
			UserName: directory.Some(name), GivenName: directory.Some("John"), FamilyName: directory.Some("Bates"),
			Email: directory.Some(name + "@example.test"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		b.users = append(b.users, u)
	}
	return b
}

func (b *mailbed) call() *directory.Call { return directory.System(b.tenant.No, "test") }

func (b *mailbed) mailReset(t *testing.T, u directory.User) {
	t.Helper()
	if err := b.service.MailReset(t.Context(), b.call(), directory.ByNumber(u.Number)); err != nil {
		t.Fatal(err)
	}
}

// serverSettings send to an inbox.
func serverSettings(b *inbox) config.Config {
	cfg := config.Default()
	cfg.SMTPHost, cfg.SMTPPort, cfg.SMTPTLS, cfg.SMTPFrom = "127.0.0.1", b.port, "none", "Usher <usher@example.com>"
	return cfg
}

// A change that asks for a message gets it sent, from whichever process, and
// nothing about it stays behind.
func TestChangesSendTheirMessages(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			bed, in := newMailbed(t, engine, 1), newInbox(t, "")
			p := startMail(t, bed.service, serverSettings(in))
			bed.mailReset(t, bed.users[0])
			p.wakeJobs()
			m := <-in.arrived
			p.stop()
			body, err := io.ReadAll(m.Body)
			if err != nil {
				t.Fatal(err)
			}
			if m.Header.Get("To") != `"John Bates" <john0@example.test>` || m.Header.Get("Subject") != "Set a new password at kentel" ||
				!strings.Contains(strings.ReplaceAll(string(body), "=\r\n", ""), "https://users.example.com/") {
				t.Errorf("the message is\n%s", body)
			}
			if text := scrape(t, p.metrics); !strings.Contains(text, `usher_jobs_total{kind="mail",outcome="done"} 1`) {
				t.Errorf("not counted:\n%s", text)
			}
			if strings.Contains(p.log.String(), "john") || !strings.Contains(p.log.String(), "job done") {
				t.Errorf("log:\n%s", p.log.String())
			}
			jobs, err := bed.service.ClaimJobs(t.Context(), directory.System(0, "jobs"), directory.JobMail, "test", 10, time.Minute)
			if err != nil || len(jobs) != 0 {
				t.Errorf("left behind: %v, %v", jobs, err)
			}
		})
	}
}

// Several processes on one database: every message arrives, and once.
func TestProcessesShareTheMessages(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			const users = 40
			bed, in := newMailbed(t, engine, users), newInbox(t, "")
			var processes []*mailProcess
			for range 3 {
				processes = append(processes, startMail(t, bed.service, serverSettings(in)))
			}
			for _, u := range bed.users {
				bed.mailReset(t, u)
			}
			seen := map[string]bool{}
			for range users {
				id := (<-in.arrived).Header.Get("Message-Id")
				if seen[id] {
					t.Errorf("message %s arrived twice", id)
				}
				seen[id] = true
			}
			for _, p := range processes {
				p.stop()
			}
			if extra := len(in.arrived); extra != 0 {
				t.Errorf("%d messages too many", extra)
			}
		})
	}
}

// A process that dies after the message left and before it was noted leaves a
// second one, which mail programs can tell from a new one.
func TestAMessageThatIsSentTwiceIsRecognisable(t *testing.T) {
	bed, in := newMailbed(t, "sqlite", 1), newInbox(t, "")
	bed.mailReset(t, bed.users[0])
	a := &App{cfg: serverSettings(in), log: slog.New(slog.DiscardHandler)}
	transport, err := a.mailTransport()
	if err != nil {
		t.Fatal(err)
	}
	mailer, err := a.newMailer(transport)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := bed.service.ClaimJobs(t.Context(), directory.System(0, "jobs"), directory.JobMail, "dead", 1, time.Microsecond)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("claimed %v, %v", jobs, err)
	}
	if err := deliver(bed.service, mailer)(t.Context(), jobs[0]); err != nil {
		t.Fatal(err)
	}
	p := startMail(t, bed.service, serverSettings(in))
	first, second := <-in.arrived, <-in.arrived
	p.stop()
	if id := first.Header.Get("Message-Id"); id != "<"+jobs[0].ID+"@example.com>" || id != second.Header.Get("Message-Id") {
		t.Errorf("messages %s and %s", id, second.Header.Get("Message-Id"))
	}
	if err := bed.service.FinishJob(t.Context(), directory.System(0, "jobs"), jobs[0]); !directory.IsReason(err, directory.ReasonJobLost) {
		t.Errorf("the dead process's note: %v", err)
	}
}

// A recipient that the mail server refuses costs one line of the log, and the
// messages of others nothing.
func TestARefusedRecipientIsGivenUp(t *testing.T) {
	bed, in := newMailbed(t, "sqlite", 2), newInbox(t, "john0@example.test")
	bed.mailReset(t, bed.users[0])
	p := startMail(t, bed.service, serverSettings(in))
	<-in.refused
	bed.mailReset(t, bed.users[1])
	p.wakeJobs()
	m := <-in.arrived
	p.stop()
	if m.Header.Get("To") != `"John Bates" <john1@example.test>` {
		t.Errorf("a message to %s arrived", m.Header.Get("To"))
	}
	log := p.log.String()
	if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, `msg="job abandoned"`) || !strings.Contains(log, "550 5.1.1") || strings.Contains(log, "john") {
		t.Errorf("log:\n%s", log)
	}
}

func TestWithoutAServerMessagesAreFiles(t *testing.T) {
	bed := newMailbed(t, "sqlite", 1)
	cfg := config.Default()
	cfg.MailDir = filepath.Join(t.TempDir(), "out")
	p := &mailProcess{App: &App{cfg: cfg, metrics: newMetrics(), service: bed.service}}
	p.App.log = slog.New(slog.NewTextHandler(&p.log, nil))
	transport, err := p.mailTransport()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(cfg.MailDir); err != nil || !info.IsDir() {
		t.Errorf("the folder of the settings is not there at the start: %v", err)
	}
	if !strings.Contains(p.log.String(), "written into files") || !strings.Contains(p.log.String(), cfg.MailDir) {
		t.Errorf("the log does not say where messages go:\n%s", p.log.String())
	}
	bed.mailReset(t, bed.users[0])
	mailer, err := p.newMailer(transport)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan job.Outcome, 1)
	runner := job.New(bed.service, directory.JobMail, deliver(bed.service, mailer), job.Options{
		Owner: "test", Logger: p.App.log, Observe: func(_ directory.JobKind, o job.Outcome) { done <- o }})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); runner.Run(ctx) }()
	if outcome := <-done; outcome != job.Done {
		t.Errorf("the job is %s", outcome)
	}
	cancel()
	<-stopped
	files, err := filepath.Glob(filepath.Join(cfg.MailDir, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	file, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := netmail.ReadMessage(file)
	if err != nil || m.Header.Get("To") != `"John Bates" <john0@example.test>` || m.Header.Get("From") != `"Usher" <usher@localhost>` {
		t.Errorf("the file holds %v, %v", m, err)
	}
}

// A default folder is made with the first message, not by every start.
func TestTheDefaultFolderWaitsForAMessage(t *testing.T) {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Database = "sqlite:" + filepath.Join(dir, "usher.db")
	a := &App{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	if _, err := a.mailTransport(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mail")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

func TestMailSettingsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*config.Config){
		"smtp_password_file: open":              func(c *config.Config) { c.SMTPHost, c.SMTPPasswordFile = "localhost", filepath.Join(dir, "none") },
		"smtp_password_file: the file is empty": func(c *config.Config) { c.SMTPHost, c.SMTPPasswordFile = "localhost", empty },
		"mail_dir: ":                            func(c *config.Config) { c.MailDir = filepath.Join(empty, "mail") },
		"smtp_from: ":                           func(c *config.Config) { c.SMTPFrom = "nobody" },
	} {
		cfg := config.Default()
		change(&cfg)
		a := &App{cfg: cfg, log: slog.New(slog.DiscardHandler), metrics: newMetrics()}
		if err := a.openMail(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
	}
}

func TestPasswordsOfMailServersComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "smtp")
	if err := os.WriteFile(file, []byte("correct horse \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := smtpPassword(&config.Config{SMTPPasswordFile: file}); err != nil || string(got) != "correct horse " {
		t.Errorf("password %q, %v", string(got), err)
	}
	if got, err := smtpPassword(&config.Config{SMTPPassword: "battery"}); err != nil || string(got) != "battery" {
		t.Errorf("password %q, %v", string(got), err)
	}
}

func TestTheLogSaysWhatIsSentInTheClear(t *testing.T) {
	for mode, warned := range map[string]bool{"starttls": false, "implicit": false, "none": true} {
		var log bytes.Buffer
		a := &App{log: slog.New(slog.NewTextHandler(&log, nil)),
			cfg: config.Config{SMTPHost: "mail.example.com", SMTPTLS: mode, SMTPUser: "u", SMTPPassword: "hunter2"}}
		if _, err := a.mailTransport(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "WARN") != warned || !strings.Contains(log.String(), "smtp_server=mail.example.com:") || strings.Contains(log.String(), "hunter2") {
			t.Errorf("%s:\n%s", mode, log.String())
		}
	}
}

func TestHeloName(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{"https://users.example.com/x": "users.example.com", "http://192.0.2.1:80": machine,
		"http://localhost": machine, "": machine} {
		if got := heloName(&config.Config{PublicURL: url, Addr: "127.0.0.1:8080"}); got != want {
			t.Errorf("heloName of %q = %q, want %q", url, got, want)
		}
	}
}
