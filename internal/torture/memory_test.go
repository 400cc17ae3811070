package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/testkit/site"
)

// memoryLimit is what the server of TestMemory has, in MiB: what a small container has.
const memoryLimit = 192

// A server with little memory is not killed by many sign-ins at once, large bodies, an
// import and exports, all at the same time.
func TestMemory(t *testing.T) {
	prefix, peak := limitMemory(t, memoryLimit<<20)
	s := site.New(t, site.Options{})
	accounts := furnish(s)
	v := s.Add(site.Process{Doors: doors, Prefix: prefix, Env: []string{fmt.Sprintf("GOMEMLIMIT=%dMiB", memoryLimit*3/4)},
		Flags: []string{"--trusted-proxies", "127.0.0.1"}})
	v.Start()
	l := begin(t, accounts, v)
	stays(t, s, func() {
		rounds(1, func() {
			l.more(20)
			var storm sync.WaitGroup
			for n := range 24 {
				storm.Go(func() { l.signIns(t, v, n) })
				storm.Go(func() { l.largeBodies(t, v) })
			}
			for range 4 {
				storm.Go(func() { l.exports(t, v) })
			}
			l.importMany(t, v, 5000)
			storm.Wait()
		})
		l.judge(s)
	})
	t.Logf("most memory: %d MiB of %d", peak()>>20, memoryLimit)
}

// limitMemory is what starts a program with so much memory: a control group, or where
// none can be made a limit of its data.
func limitMemory(t *testing.T, limit int64) (prefix []string, peak func() int64) {
	t.Helper()
	for _, g := range []struct{ root, limit, peak string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"},
		{"/sys/fs/cgroup", "memory.max", "memory.peak"},
	} {
		dir := filepath.Join(g.root, fmt.Sprintf("usher-torture-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			if err := os.Remove(dir); err != nil {
				t.Errorf("the control group: %v", err)
			}
		})
		if os.WriteFile(filepath.Join(dir, g.limit), strconv.AppendInt(nil, limit, 10), 0o644) != nil {
			continue
		}
		return []string{"sh", "-c", `echo $$ >"$0"/cgroup.procs && exec "$@"`, dir}, func() int64 {
			text, err := os.ReadFile(filepath.Join(dir, g.peak))
			n, wrong := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err != nil || wrong != nil {
				return 0 // older kernels do not say
			}
			return n
		}
	}
	// Of the data that a Go program has, a part is only reserved.
	return []string{"prlimit", fmt.Sprintf("--data=%d", 4*limit)}, func() int64 { return 0 }
}

// ask sends a request and returns the status, 0 for none, and the length of the answer.
func (l *load) ask(t *testing.T, r *http.Request) (status int, length int64) {
	a, err := l.client.Do(r)
	if err != nil {
		return 0, 0
	}
	defer a.Body.Close()
	length, err = io.Copy(io.Discard, a.Body)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return a.StatusCode, length
}

func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Error(err)
	}
	r.Header.Set("Authorization", "Bearer "+site.Key)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// signIns try passwords, each from an address of its own: every try is a hash.
func (l *load) signIns(t *testing.T, v *site.Server, n int) {
	for try := range 4 {
		r := newRequest(t, http.MethodPost, v.URL()+"/api/v1/sessions", strings.NewReader(fmt.Sprintf(`{"user_name":"person%d","password":"wrong horse %d"}`, n, try)))
		r.Header.Del("Authorization")
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", n, try))
		if status, _ := l.ask(t, r); status < 400 || status == http.StatusInternalServerError {
			t.Errorf("a wrong password: %d", status)
		}
	}
}

// largeBodies send more than is read.
func (l *load) largeBodies(t *testing.T, v *site.Server) {
	body := append(append([]byte(`{"user_name":"`), bytes.Repeat([]byte("x"), 8<<20)...), `"}`...)
	for range 4 {
		// The server may answer and end the connection before it has read all.
		if status, _ := l.ask(t, newRequest(t, http.MethodPost, v.URL()+"/api/v1/users", bytes.NewReader(body))); status >= 200 && status < 300 || status == http.StatusInternalServerError {
			t.Errorf("a body of 8 MiB: %d", status)
		}
	}
}

// exports read all users.
func (l *load) exports(t *testing.T, v *site.Server) {
	for _, format := range []string{"csv", "ndjson", "scim"} {
		if status, length := l.ask(t, newRequest(t, http.MethodGet, v.URL()+"/api/v1/users/export?format="+format, nil)); status != http.StatusOK || length < 1000 {
			t.Errorf("an export as %s: %d, %d bytes", format, status, length)
		}
	}
}

// importMany imports so many users and waits until all are there.
func (l *load) importMany(t *testing.T, v *site.Server, count int) {
	var file bytes.Buffer
	file.WriteString("user_name,given_name,family_name,email\r\n")
	for n := range count {
		fmt.Fprintf(&file, "import%d,Given%d,Family%d,import%d@example.com\r\n", n, n, n, n)
	}
	var run struct{ ID, Status, State string }
	do := func(method, path string, body []byte, kind string) {
		r := newRequest(t, method, v.URL()+"/api/v1/imports"+path, bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		a, err := l.client.Do(r)
		if err != nil {
			t.Errorf("import: %v", err)
			return
		}
		defer a.Body.Close()
		if text, err := io.ReadAll(a.Body); err != nil || a.StatusCode >= 300 || json.Unmarshal(text, &run) != nil {
			t.Errorf("import: %s %s: %d %s %v", method, path, a.StatusCode, text, err)
		}
	}
	do(http.MethodPost, "", []byte(`{"name":"many.csv","format":"csv"}`), "application/json")
	id := run.ID
	if id == "" {
		return
	}
	do(http.MethodPut, "/"+id+"/parts/0", file.Bytes(), "application/octet-stream")
	do(http.MethodPost, "/"+id+"/start", []byte("{}"), "application/json")
	l.await("the end of the import", func() bool {
		do(http.MethodGet, "/"+id, nil, "application/json")
		return t.Failed() || run.Status+run.State == "done"
	})
}
