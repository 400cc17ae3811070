package directory_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// withKey is the directory as served by a process with another secret key, and
// its log.
func (f *fixture) withKey(key byte, older ...byte) (*fixture, *bytes.Buffer) {
	f.t.Helper()
	var rest [][]byte
	for _, k := range older {
		rest = append(rest, bytes.Repeat([]byte{k}, directory.SecretKeyBytes))
	}
	log := &bytes.Buffer{}
	other := *f
	other.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Sealer:   must(directory.NewSealer(bytes.Repeat([]byte{key}, directory.SecretKeyBytes), rest...))(f.t),
		HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}})
	return &other, log
}

// Whose secret key is lost signs people in with a new key; what the old one
// signed is invalid, and the log says so once.
func TestRulesSigningKeyLost(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	old := must(f.signIn(u.UserName, password))(t)
	lost, log := f.withKey(7)
	for range 3 {
		wantRefused(t, "a token of the lost key", lost.reads(lost.signed(old), u.Number), directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	}
	fresh := must(lost.signIn(u.UserName, password))(t)
	check(t, lost.reads(lost.signed(fresh), u.Number))
	must(lost.impersonate(f.ranked(adminRank), u))(t)
	f.wantRows(2, "signing_keys")
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "\n") != 1 || !strings.Contains(text, "key=") {
		t.Errorf("the log says:\n%s", text)
	}
	// Who has the key of before back opens what it sealed.
	back, _ := f.withKey(7, 1)
	for _, token := range []string{old, fresh} {
		check(t, back.reads(back.signed(token), u.Number))
	}
}

// Servers that were given different secret keys by mistake do not make a key
// with every sign-in.
func TestRulesSigningKeysOfTwoSecrets(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	lost, _ := f.withKey(7)
	for range 3 {
		for _, in := range []*fixture{f, lost} {
			f.clock.advance(time.Minute)
			check(t, in.reads(in.signed(must(in.signIn(u.UserName, password))(t)), u.Number))
		}
	}
	f.wantRows(2, "signing_keys")
}

// A new key is the newest, also when the clock of who made the last one was
// ahead.
func TestRulesSigningKeyIsTheNewest(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	f.clock.advance(time.Hour)
	must(f.signIn(u.UserName, password))(t)
	f.clock.advance(-time.Hour)
	lost, _ := f.withKey(7)
	must(lost.signIn(u.UserName, password))(t)
	f.clock.advance(directory.SignedTokenLifetime + directory.EndedKept + time.Hour + time.Minute)
	f.sweep(1)
	check(t, lost.reads(lost.signed(must(lost.signIn(u.UserName, password))(t)), u.Number))
	f.wantRows(1, "signing_keys")
}
