package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// A history that does not verify is told from a verification that could not be done.
func TestVerifyExitsWithAStatusOfItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	database := "--database=sqlite:" + path
	served := startServe(t, "--demo", database)
	if err := served.stop(); err != nil {
		t.Fatal(err)
	}
	verify := func(status int, want string, args ...string) {
		t.Helper()
		out, err := runWith(t, "", nil, append([]string{"audit", "verify"}, args...)...)
		if err != nil {
			out += err.Error()
		}
		if got := exitStatus(err); got != status || !strings.Contains(out, want) {
			t.Errorf("audit verify %v: status %d, %s, want %d and %q", args, got, out, status, want)
		}
	}
	verify(exitDone, "whole", database)
	verify(exitNotFound, "", database, "--tenant=nobody")
	verify(exitError, "none.db", "--database=sqlite:"+filepath.Join(t.TempDir(), "none.db"))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE events SET actor = 'mallory' WHERE position = 3"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	verify(exitPartly, "is broken at position 3", database)
}

// Whoever can write the database must not write the table of a verification.
func TestShownNameIsOneLine(t *testing.T) {
	for name, want := range map[string]string{"Müller & Söhne": "Müller & Söhne", "a\nb  1  whole": `"a\nb  1  whole"`,
		"\x1b[2Kred": `"\x1b[2Kred"`, "": "", "\u202eabc": `"\u202eabc"`} {
		if got := shownName(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}
