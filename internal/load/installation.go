package load

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Setup says what is measured.
type Setup struct {
	Program   string // the executable of usher
	Dir       string // where seeded directories are kept
	Users     int
	Database  string // postgres://…; "": SQLite, a copy of a seeded file below Dir
	Processes int    // of usher on one PostgreSQL database; 0: 1
	Flags     []string
	Progress  func(text string) // says what is being done; may be nil
}

func (s *Setup) say(format string, args ...any) {
	if s.Progress != nil {
		s.Progress(fmt.Sprintf(format, args...))
	}
}

// Installation is a seeded directory with servers on it.
type Installation struct {
	Setup
	Engine     string // sqlite or postgres
	Servers    []*Process
	people     People
	dir        string // of this run; removed by Close
	postmaster postmaster
	clients    map[string]*Client
}

// Install seeds the directory unless it is there, and starts the servers. Close
// it afterwards.
func Install(ctx context.Context, s Setup) (i *Installation, err error) {
	if s.Users < 1 {
		return nil, fmt.Errorf("%d users are too few", s.Users)
	}
	s.Processes = max(s.Processes, 1)
	i = &Installation{Setup: s, Engine: "sqlite", people: Seeded(s.Users), clients: map[string]*Client{}}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	if i.dir, err = os.MkdirTemp(s.Dir, "run-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			i.Close()
		}
	}()
	server := Server{Program: s.Program, Flags: s.Flags}
	if s.Database == "" {
		server.Database, err = i.sqlite(ctx)
	} else {
		server.Database, server.SecretKeyFile, err = i.postgres(ctx)
	}
	if err != nil {
		return nil, err
	}
	for n := range s.Processes {
		server.Dir = filepath.Join(i.dir, fmt.Sprint(n))
		p, err := StartServer(ctx, server)
		if err != nil {
			return nil, err
		}
		i.Servers = append(i.Servers, p)
	}
	i.say("waiting for the servers to have nothing left to do")
	return i, settle(ctx, func() time.Duration { return i.cpu() + i.postmaster.cpu() })
}

func (i *Installation) seeding(done int) {
	if done%50_000 == 0 || done == i.Users {
		i.say("seeded %d of %d users", done, i.Users)
	}
}

func (i *Installation) sqlite(ctx context.Context) (string, error) {
	if i.Processes > 1 {
		return "", errors.New("processes: a SQLite directory has one; give a PostgreSQL database")
	}
	seeded, err := SQLiteDirectory(ctx, i.Dir, i.Users, i.seeding)
	if err != nil {
		return "", err
	}
	own, err := Copy(seeded, filepath.Join(i.dir, "0"))
	return "sqlite:" + own, err
}

// postgres fills the database and makes the key that its servers share.
func (i *Installation) postgres(ctx context.Context) (database, key string, err error) {
	if !strings.HasPrefix(i.Database, "postgres://") && !strings.HasPrefix(i.Database, "postgresql://") {
		return "", "", errors.New("database: give a PostgreSQL database, as in postgres://user@host/name; SQLite directories are made below the folder")
	}
	i.Engine = "postgres"
	if err := PostgresDirectory(ctx, i.Database, i.Users, i.seeding); err != nil {
		return "", "", err
	}
	conn, err := pgx.Connect(ctx, i.Database)
	if err != nil {
		return "", "", errors.New("database: cannot connect to it")
	}
	i.postmaster = findPostmaster(ctx, conn)
	if err := conn.Close(ctx); err != nil {
		return "", "", err
	}
	// The key is kept: what one run sealed, such as the keys of tokens, the next one
	// has to open.
	key = filepath.Join(i.Dir, "postgres.key")
	if _, err := os.Stat(key); err == nil {
		return i.Database, key, nil
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return i.Database, key, os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600)
}

// Close stops the servers and removes what the run made.
func (i *Installation) Close() {
	for _, p := range i.Servers {
		p.Stop()
	}
	_ = os.RemoveAll(i.dir)
}

func (i *Installation) cpu() (sum time.Duration) {
	for _, p := range i.Servers {
		sum += p.CPU()
	}
	return sum
}

// Memory is what the servers have in memory, in bytes, by the names of
// /proc/<pid>/status.
func (i *Installation) Memory(name string) (sum int64) {
	for _, p := range i.Servers {
		sum += p.Memory(name)
	}
	return sum
}

// addrs are the servers' addresses.
func (i *Installation) addrs() (list []string) {
	for _, p := range i.Servers {
		list = append(list, p.Addr)
	}
	return list
}

// Client is a client of a door of the first server, made once.
func (i *Installation) Client(ctx context.Context, door string) (*Client, error) {
	if c, ok := i.clients[door]; ok {
		return c, nil
	}
	c, err := NewClient(ctx, door, i.site())
	if err == nil {
		i.clients[door] = c
	}
	return c, err
}

func (i *Installation) site() *Site {
	return &Site{URL: i.Servers[0].URL(), Key: Key, Company: Company, HTTP: &http.Client{Timeout: answerWithin}}
}

// Contender is a scenario through a door of the installation, on a number of
// connections; 0 is the scenario's own. rate 0 is a closed loop.
func (i *Installation) Contender(ctx context.Context, scenario, door string, conns int, rate float64) (*Contender, error) {
	s, err := FindScenario(scenario, door)
	if err != nil {
		return nil, err
	}
	client, err := i.Client(ctx, door)
	if err != nil {
		return nil, err
	}
	if conns == 0 {
		conns = s.Conns
	}
	plan, err := s.NewPlan(client, i.people, "bench", conns)
	if err != nil {
		return nil, err
	}
	c := &Contender{plan: plan, site: i.site(), load: Load{Addrs: i.addrs(), Conns: conns, Rate: rate, Next: plan.Next, Answered: plan.Answered}, cpu: i.cpu, databaseCPU: i.postmaster.cpu}
	c.Figure = Figure{Scenario: scenario, Door: door, Engine: i.Engine, Users: i.Users, Processes: i.Processes, Connections: conns, Rate: rate}
	return c, nil
}
