package scaleout_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
	"github.com/usher-id/usher/internal/testkit/site"
)

// previous is the program of the version before, built from its stored sources
// (testdata/README.md), and the folder that it is in.
var previous = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "usher-previous")
	if err != nil {
		return "", err
	}
	previousDir = dir
	if err := unpack("testdata/previous.tar.gz", dir); err != nil {
		return "", err
	}
	// Without optimization, and so in half the time.
	build := exec.Command("go", "build", "-gcflags=github.com/usher-id/usher/...=-N -l", "-ldflags=-s -w", "-o", "usher", "./cmd/usher")
	build.Dir = dir
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build of the version before: %w\n%s", err, out)
	}
	return filepath.Join(dir, "usher"), nil
})

var previousDir string

func previousProgram(t *testing.T) string {
	t.Helper()
	path, err := previous()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// unpack writes the files of an archive into a folder.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		text, err := io.ReadAll(files)
		if err == nil {
			err = root.MkdirAll(filepath.Dir(head.Name), 0o755)
		}
		if err == nil {
			err = root.WriteFile(head.Name, text, 0o644)
		}
		if err != nil {
			return err
		}
	}
}

// oldSite is a site on an empty database whose tenant and key the first server
// makes by itself, of whatever version it is.
func oldSite(t *testing.T, engine string) *site.Site {
	t.Helper()
	s := &site.Site{T: t, Dir: t.TempDir(), Tenant: directory.Tenant{Name: "default"}}
	if engine == "postgres" {
		s.Database = pgtest.Database(t)
	} else {
		s.Database = "sqlite:" + filepath.Join(s.Dir, "usher.db")
	}
	return s
}

// process is a server of a program; "" is the one of this source.
func process(program string) site.Process {
	return site.Process{Program: program, Doors: doors, Env: []string{"USHER_BOOTSTRAP_KEY=" + site.Key}}
}

// Promise (k), second half: the program of the version before goes on working on
// the new schema, beside servers of the new version. Here PostgreSQL is migrated
// and its servers are replaced, one after the other, while clients work through the
// balancer and see each other's changes through whatever server they reach.
func TestPromiseK_ThePreviousBinaryRunsOnTheNewSchema_PostgreSQL(t *testing.T) {
	old := previousProgram(t)
	s := oldSite(t, "postgres")
	if out, err := s.RunProgram(old, "migrate"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for range 2 {
		s.Add(process(old)).Start()
	}
	b := s.NewBalancer()
	l := startLoad(t, s, b)
	l.more(100)
	if out, err := s.Run("migrate"); err != nil {
		t.Fatalf("migrate under load: %v\n%s", err, out)
	}
	l.more(100) // both servers are old, the schema is new
	replace := func(v *site.Server) {
		v.Stop()
		v.Process = process("")
		v.Start()
		if err := b.Await(t.Context(), len(s.Servers)); err != nil {
			t.Fatal(err)
		}
	}
	replace(s.Servers[0])
	l.more(200) // one of each
	if out, err := s.RunProgram(old, "audit", "verify"); err != nil || !strings.Contains(out, s.Tenant.Name) {
		t.Errorf("audit verify of the version before: %v\n%s", err, out)
	}
	replace(s.Servers[1])
	l.more(50)
	l.finish()
}

// The same on SQLite, whose file one process has at a time: the new version
// migrates it, and whoever goes back to the version before finds everything, can
// change everything and loses nothing when he goes forward again.
func TestPromiseK_ThePreviousBinaryRunsOnTheNewSchema_SQLite(t *testing.T) {
	old := previousProgram(t)
	s := oldSite(t, "sqlite")
	v := s.Add(process(old))
	var people []person
	named := map[string]string{}
	for turn, program := range []string{old, "", old, ""} {
		v.Process = process(program)
		v.Start()
		for i, p := range people {
			shows := all[(i+turn)%len(all)]
			if got, err := shows.given(elsewhere, v.URL(), p); err != nil || got != named[p.id] {
				t.Errorf("turn %d: %s shows %q, %v; want %q", turn, shows.name, got, err, named[p.id])
			}
		}
		for i := range 4 {
			p, err := create(elsewhere, v.URL(), map[string]any{"user_name": fmt.Sprintf("u%d-%d@kentel.test", turn, i), "family_name": "x"})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(people, func(other person) bool { return other.number == p.number }) {
				t.Errorf("number %d was given twice", p.number)
			}
			people = append(people, p)
		}
		for i, p := range people {
			named[p.id] = fmt.Sprintf("n%d-%d", turn, i)
			if err := all[i%len(all)].rename(elsewhere, v.URL(), p, named[p.id]); err != nil {
				t.Fatalf("turn %d: %v", turn, err)
			}
		}
		v.Stop()
		if out, err := s.Run("audit", "verify"); turn > 0 && (err != nil || !strings.Contains(out, s.Tenant.Name)) {
			t.Errorf("turn %d: audit verify: %v\n%s", turn, err, out)
		}
		if out, err := s.RunProgram(old, "audit", "verify"); err != nil || !strings.Contains(out, s.Tenant.Name) {
			t.Errorf("turn %d: audit verify of the version before: %v\n%s", turn, err, out)
		}
	}
}
