package scaleout_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
	"github.com/usher-id/usher/internal/testkit/site"
)

var update = flag.Bool("update", false, "write the stored databases of the version before anew")

const password = "Granite-Window-7-Lamp"

// Promise (k), first half: any release upgrades from the one before. Databases that
// its program made are stored, with what it answered about them; the new program
// must answer the same.
func TestPromiseK_AnyReleaseUpgradesFromThePrevious(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			if *update {
				storePrevious(t, engine)
			}
			s := oldSite(t, engine)
			loadPrevious(t, s, engine)
			v := s.Add(process(""))
			v.Start()
			var was map[string]any
			if err := json.Unmarshal(unzip(t, answersFile(engine)), &was); err != nil {
				t.Fatal(err)
			}
			if len(was) < 20 {
				t.Fatalf("only %d answers are stored", len(was))
			}
			for path, want := range was {
				var got any
				err := send(elsewhere, "Authorization", http.MethodGet, v.URL()+"/api/v1"+path, nil, &got)
				if differs := covers(want, got, path); err != nil || differs != "" {
					t.Errorf("%s: %v %s", path, err, differs)
				}
			}
			if err := signIn(v.URL()); err != nil {
				t.Errorf("a password of the version before: %v", err)
			}
			if err := all[2].rename(elsewhere, v.URL(), person{number: 1}, "Anna"); err != nil {
				t.Errorf("a change: %v", err)
			}
			v.Stop()
			if out, err := s.Run("audit", "verify"); err != nil || !strings.Contains(out, s.Tenant.Name) {
				t.Errorf("audit verify: %v\n%s", err, out)
			}
		})
	}
}

// covers says where an answer lacks something that another one has; it may have
// more. Cursors are the server's own matter.
func covers(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		for key, value := range want {
			if !ok {
				return fmt.Sprintf("%s is %v", at, got)
			}
			if key == "next_cursor" || key == "prev_cursor" {
				continue
			}
			if differs := covers(value, have[key], at+"."+key); differs != "" {
				return differs
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("%s has %d items, want %d", at, len(have), len(want))
		}
		for i := range want {
			if differs := covers(want[i], have[i], fmt.Sprintf("%s[%d]", at, i)); differs != "" {
				return differs
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s is %v, was %v", at, got, want)
	}
	return ""
}

func signIn(base string) error {
	return send(elsewhere, "Authorization", http.MethodPost, base+"/api/v1/sessions", map[string]any{"user_name": "ana", "password": password}, nil)
}

func answersFile(engine string) string { return "testdata/previous." + engine + ".json.gz" }

func databaseFile(engine string) string {
	return "testdata/previous." + map[string]string{"sqlite": "db", "postgres": "sql"}[engine] + ".gz"
}

// loadPrevious puts a stored database into place.
func loadPrevious(t *testing.T, s *site.Site, engine string) {
	t.Helper()
	stored := unzip(t, databaseFile(engine))
	if engine == "sqlite" {
		if err := os.WriteFile(filepath.Join(s.Dir, "usher.db"), stored, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	pgtest.Load(t, s.Database, stored)
	if out, err := s.Run("migrate"); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
}

func unzip(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// storePrevious lets the program of the version before make a database and
// answer for it.
func storePrevious(t *testing.T, engine string) {
	t.Helper()
	old, s := previousProgram(t), oldSite(t, engine)
	if engine == "postgres" {
		if out, err := s.RunProgram(old, "migrate"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	v := s.Add(process(old))
	v.Start()
	paths := furnish(t, v.URL())
	answers := map[string]json.RawMessage{}
	for _, path := range paths {
		var answer json.RawMessage
		if err := send(elsewhere, "Authorization", http.MethodGet, v.URL()+"/api/v1"+path, nil, &answer); err != nil {
			t.Fatal(path, err)
		}
		answers[path] = answer
	}
	v.Stop()
	text, err := json.Marshal(answers)
	if err != nil {
		t.Fatal(err)
	}
	zip(t, answersFile(engine), text)
	if engine == "postgres" {
		zip(t, databaseFile(engine), pgtest.Dump(t, s.Database))
		return
	}
	file, err := os.ReadFile(filepath.Join(s.Dir, "usher.db"))
	if err != nil {
		t.Fatal(err)
	}
	zip(t, databaseFile(engine), file)
}

func zip(t *testing.T, name string, text []byte) {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(text)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(name, packed.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// furnish makes something of every kind, and returns where it can be read.
func furnish(t *testing.T, base string) []string {
	t.Helper()
	do := func(method, path string, body any) person {
		var made struct {
			ID     string
			Number int64
		}
		if err := send(elsewhere, "Authorization", method, base+"/api/v1"+path, body, &made); err != nil {
			t.Fatal(method, path, err)
		}
		return person{made.ID, made.Number}
	}
	do("PUT", "/licence_pools/regular", map[string]any{"total": 8})
	west := do("POST", "/companies", map[string]any{"name": "West", "parent": 1})
	do("POST", "/locations", map[string]any{"name": "Harbour", "company": west.number})
	do("POST", "/lock_reasons", map[string]any{"name": "Paperwork", "description": "Not done.", "company": 1})
	do("POST", "/roles", map[string]any{"key": "technician", "name": "Technician"})
	do("POST", "/credentials", map[string]any{"name": "reader", "rank": "reader"})
	paths := []string{"/tenant", "/companies", "/locations", "/lock_reasons", "/roles", "/credentials", "/licence_pools", "/groups",
		"/users?limit=200", "/events?limit=200"}
	var ids []string
	for i, name := range []string{"ana", "bo", "chi", "dag", "eve", "fei", "gus", "hal", "ida", "jon", "kim", "lea"} {
		user := map[string]any{"user_name": name, "email": name + "@kentel.test", "given_name": strings.ToUpper(name[:1]) + name[1:],
			"family_name": "Ødegård-石", "title": "Driver", "employee_number": fmt.Sprint(1000 + i), "external_id": "x-" + name,
			"phones": []any{map[string]any{"type": "mobile", "number": fmt.Sprintf("+4520000%03d", i)}}, "attributes": map[string]any{"shift": i, "tags": []any{"a", nil}}}
		if i < 6 {
			user["licence_type"] = "regular"
		}
		if i%3 == 0 {
			user["password"] = password
		}
		if i == 7 {
			user["status"] = "staged"
		}
		p := do("POST", "/users", user)
		ids, paths = append(ids, p.id), append(paths, "/users/"+p.id, "/users/"+p.id+"/events?limit=200")
	}
	do("POST", "/groups", map[string]any{"name": "Night shift", "members": ids[2:5]})
	do("PATCH", "/users/"+ids[1], map[string]any{"given_name": "Bob", "company": west.number})
	do("POST", "/users/"+ids[4]+"/deactivate", map[string]any{"reason": "left us"})
	do("POST", "/users/"+ids[5]+"/lock", map[string]any{"reason": "lost phone"})
	for i := range 5 {
		do("PATCH", "/users/"+ids[8], map[string]any{"title": fmt.Sprintf("Title %d", i)})
	}
	return paths
}
