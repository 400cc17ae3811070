//go:build !unix

package pgtest

import "testing"

// Durable is for systems with unix sockets.
type Durable struct{}

// NewDurable fails the test, as Database does.
func NewDurable(t testing.TB) *Durable {
	t.Helper()
	Database(t)
	return nil
}

// Database fails the test.
func (*Durable) Database(t testing.TB) string { return Database(t) }
