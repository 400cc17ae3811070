//go:build !unix

package pgtest

import (
	"context"
	"os"
	"testing"
)

// What the tests of other systems are told: there is no unix socket on which
// nobody else can reach the cluster.
const onlyUnix = "pgtest: tests with PostgreSQL run on Unix systems only"

// Main runs the tests of a package; it does not return. cleanup runs at the end.
func Main(m *testing.M, cleanup ...func()) {
	code := m.Run()
	for _, fn := range cleanup {
		fn()
	}
	os.Exit(code)
}

// Database fails the test.
func Database(t testing.TB) string {
	t.Helper()
	t.Fatal(onlyUnix)
	return ""
}

// Shared fails the test.
func Shared(t testing.TB) string { return Database(t) }

// Migrated fails the test.
func Migrated(t testing.TB, _ func(ctx context.Context, dsn string) error) string {
	return Database(t)
}

// Restart fails the test.
func Restart(t testing.TB) { Database(t) }

// Bouncer fails the test.
func Bouncer(t testing.TB, _ string, _ int) string { return Database(t) }

// Pair is a primary with a standby.
type Pair struct{}

// NewPair fails the test.
func NewPair(t testing.TB) *Pair {
	Database(t)
	return nil
}

// DSN is the connection string of a database.
func (p *Pair) DSN(string) string { return "" }

// Create fails the test.
func (p *Pair) Create(t testing.TB, _ string) { Database(t) }

// KillPrimary fails the test.
func (p *Pair) KillPrimary(t testing.TB) { Database(t) }

// Promote fails the test.
func (p *Pair) Promote(t testing.TB) { Database(t) }

// Dump fails the test.
func Dump(t testing.TB, _ string) []byte { return []byte(Database(t)) }

// Load fails the test.
func Load(t testing.TB, _ string, _ []byte) { Database(t) }

// PauseStandby fails the test.
func (p *Pair) PauseStandby(t testing.TB) { Database(t) }

// ResumeStandby fails the test.
func (p *Pair) ResumeStandby(t testing.TB) { Database(t) }

// TerminateWaiting fails the test.
func (p *Pair) TerminateWaiting(t testing.TB) { Database(t) }
