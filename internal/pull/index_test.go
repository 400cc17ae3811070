package pull_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/pull"
)

// indexOf is an index of a file with these lines.
func indexOf(t *testing.T, lines ...string) *pull.Index {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users")
	text := ""
	for _, line := range lines {
		text += line + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x, err := pull.NewIndex(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// TestIndex: users are matched by number before they are by name, nobody twice; lists
// without an order, ways to write the same and what nothing is said of are no
// difference.
func TestIndex(t *testing.T) {
	x := indexOf(t,
		`{"number":1,"user_name":"Ann","title":"a","roles":["x","y"],"attributes":{"a":1,"b":{"c":[1.50]}}}`,
		`{"number":2,"user_name":"ben","title":"b","roles":[],"attributes":{}}`,
		`{"number":3,"user_name":"cay","title":"c"}`)
	var got []string
	tell := func(d *pull.Difference) error {
		line := d.Kind
		for _, f := range d.Fields {
			line += fmt.Sprintf(" %s:%s/%s", f.Field, f.There, f.Here)
		}
		got = append(got, line)
		return nil
	}
	compare := func(number int64, name, title string, roles []string, listed bool) {
		t.Helper()
		r := directory.Record{UserName: &name, Title: &title, Roles: &roles, Locked: new(true)}
		if number > 0 {
			r.Number = &number
		}
		if name == "ann" {
			r.Attributes = &map[string]json.RawMessage{"b": json.RawMessage(`{"c":[1.50]}`), "a": json.RawMessage(`1`)}
		}
		d, err := x.Compare(&r, listed)
		if err != nil {
			t.Fatal(err)
		}
		if d != nil {
			_ = tell(d) // never fails
		}
	}
	compare(0, "ann", "a", []string{"y", "x"}, true) // "Ann" is another way to write it
	compare(2, "cay", "b", nil, true)                // number 2, who has another name there
	compare(9, "nobody", "", nil, true)              // is not there
	compare(8, "hidden", "", nil, false)             // would not be listed
	if err := x.Rest(tell); err != nil || x.Len() != 3 {
		t.Fatal(err)
	}
	want := []string{`changed number:1/null user_name:"Ann"/"ann"`, `changed user_name:"ben"/"cay"`, "only_here", "only_there"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestIndexIsSmall: what is kept of a user does not depend on how much is known of it.
func TestIndexIsSmall(t *testing.T) {
	const users = 50_000
	file := filepath.Join(t.TempDir(), "users")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range users {
		fmt.Fprintf(w, `{"id":"9d1f0a36-4b7e-4e21-9f58-%012x","number":%d,"user_name":"user.%d","email":"user.%d@example.test","employee_number":"E%d","title":"%0300d"}`+"\n",
			i, i+1, i, i, i, i)
	}
	if err := w.Flush(); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	x, err := pull.NewIndex(file)
	if err != nil {
		t.Fatal(err)
	}
	if each := (heap() - before) / users; each > 200 {
		t.Errorf("%d bytes a user", each)
	}
	if x.Len() != users || x.Close() != nil {
		t.Errorf("%d users", x.Len())
	}
}
