//go:build unix

package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"syscall"
	"testing"
	"time"
)

// Pair is a primary with a standby that it streams to synchronously: what the
// primary has acknowledged is on the standby's disk. The clusters are a test's
// own, and are removed when it ends.
type Pair struct {
	primary, standby *cluster
}

// standbyName is how the standby calls itself towards the primary.
const standbyName = "standby"

// NewPair starts a primary and its standby, and returns when the standby streams.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{primary: &cluster{settings: []string{"wal_level=replica", "max_wal_senders=8", "synchronous_commit=on"}}}
	err := p.primary.setUp()
	t.Cleanup(p.primary.stop)
	if err == nil {
		err = p.follow(t)
	}
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return p
}

// follow makes a standby of the primary and waits until commits wait for it.
func (p *Pair) follow(t testing.TB) error {
	c := &cluster{}
	t.Cleanup(c.stop)
	if err := c.prepare(); err != nil {
		return err
	}
	info := fmt.Sprintf("host=%s user=postgres application_name=%s", p.primary.dir, standbyName)
	out, err := c.command("pg_basebackup", "--pgdata", c.data(), "--dbname", info, "--write-recovery-conf", "--wal-method", "stream",
		"--checkpoint", "fast", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := c.launch(); err != nil {
		return err
	}
	p.standby = c
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standbyName + "'", "SELECT pg_reload_conf()"} {
		if err := p.primary.admin(statement); err != nil {
			return err
		}
	}
	return p.primary.until("SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'")
}

// DSN is the connection string of a database, with both hosts: whoever
// connects gets the one that takes writes.
func (p *Pair) DSN(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {p.primary.dir + "," + p.standby.dir}, "user": {"postgres"},
		"target_session_attrs": {"read-write"}}.Encode()
}

// Create makes an empty database on the primary.
func (p *Pair) Create(t testing.TB, name string) {
	t.Helper()
	if err := p.primary.admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// KillPrimary ends every process of the primary at once, as when its machine
// loses power.
func (p *Pair) KillPrimary(t testing.TB) {
	t.Helper()
	c := p.primary
	main := c.server.Process
	// A stopped server starts no more processes, so that the list is whole.
	if err := main.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	all, err := children(main.Pid)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	for _, pid := range append(all, main.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatalf("pgtest: %v", err)
		}
	}
	<-c.exited
}

// Promote makes the standby take writes, and returns when it does.
func (p *Pair) Promote(t testing.TB) {
	t.Helper()
	if err := p.standby.until("SELECT pg_promote(true, 60)"); err != nil {
		t.Fatalf("pgtest: promote: %v", err)
	}
	p.primary, p.standby = p.standby, p.primary
}

// PauseStandby stops the standby's processes, as when its machine hangs: commits on
// the primary wait for it from now on.
func (p *Pair) PauseStandby(t testing.TB) {
	t.Helper()
	p.signalStandby(t, syscall.SIGSTOP)
}

// ResumeStandby lets the standby go on.
func (p *Pair) ResumeStandby(t testing.TB) {
	t.Helper()
	p.signalStandby(t, syscall.SIGCONT)
}

func (p *Pair) signalStandby(t testing.TB, s syscall.Signal) {
	t.Helper()
	main := p.standby.server.Process.Pid
	all, err := children(main)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	for _, pid := range append(all, main) {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatalf("pgtest: %v", err)
		}
	}
}

// TerminateWaiting ends the connections to the primary whose commit waits for the
// standby, and returns when there was one.
func (p *Pair) TerminateWaiting(t testing.TB) {
	t.Helper()
	err := p.primary.until("SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// until asks until the answer to a question is yes.
func (c *cluster) until(question string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		yes, err := ask(ctx, c.dsn("postgres"), question)
		if err == nil && yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%q stays untrue: %s", question, c.logText()), err)
		case <-retry.C:
		}
	}
}

// ask runs a query whose answer is yes or no.
func ask(ctx context.Context, dsn, question string) (yes bool, err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return false, err
	}
	err = db.QueryRowContext(ctx, question).Scan(&yes)
	return yes, errors.Join(err, db.Close())
}
