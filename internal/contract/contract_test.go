package contract

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// vendor is a small API that answers what the scripts under testdata ask.
func vendor() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/request", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s\nhost %s\nauth %q\nx %q\nencoding %q\nbody %q", r.Method, r.RequestURI, r.Host,
			r.Header.Get("Authorization"), r.Header["X-Two"], r.Header.Get("Accept-Encoding"), body)
	})
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		_, _ = io.WriteString(w, `{"Id":2576,"Name":"Ann","Rate":1.50,"Big":9007199254740993,"Tags":["x","y"],`+
			`"Manager":{"Id":7,"Name":null},"urn:x:1":{"odd key":true},"Empty":{},"None":[]}`)
	})
	mux.HandleFunc("GET /where", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/user?from=where")
		w.WriteHeader(302)
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "abc.def.ghi") })
	mux.HandleFunc("GET /empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("GET /xml", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<list a="1" n:b="&lt;"><user id="7"><name><![CDATA[A <n> n]]></name></user>
  <user id="8"><name>Bob</name><empty/></user></list>`)
	})
	mux.HandleFunc("GET /twice", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"a":1,"a":2}`) })
	mux.HandleFunc("GET /lines", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "one\r\n\ttwo\\n\n") })
	mux.HandleFunc("GET /big", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("big ", 5000)) })
	mux.HandleFunc("GET /cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return mux
}

func open(t *testing.T) Target {
	srv := httptest.NewServer(vendor())
	t.Cleanup(srv.Close)
	return Target{URL: srv.URL, Vars: map[string]string{"key": "secret-key", "id": "2576", "name": "Ann", "dot": "a.c", "bob": "Bob"}}
}

// TestRun runs the scripts that must pass, or, for TestRunReports, those of
// another folder.
func TestRun(t *testing.T) {
	Run(t, cmp.Or(os.Getenv("CONTRACT_DIR"), "testdata/pass"), open)
}

// Run must fail the test for a failing script, a script that does not parse,
// and a folder without scripts.
func TestRunReports(t *testing.T) {
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "typo.txtar"), []byte("GET /\ncod == 200\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"testdata/fail": "--- FAIL: TestRun/code ",
		bad:             `typo.txtar:2: unknown directive "cod"`,
		t.TempDir():     "no contract scripts in ",
	} {
		run := exec.Command(os.Args[0], "-test.run=^TestRun$", "-test.v")
		run.Env = append(os.Environ(), "CONTRACT_DIR="+dir)
		out, err := run.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want a failure with %q:\n%s", dir, err, want, out)
		}
	}
}

// Each script under testdata/fail holds the first lines of its failures in a
// section of its own, so that the messages are checked like anything else.
func TestFailures(t *testing.T) {
	files, err := filepath.Glob("testdata/fail/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parse("script", string(text))
			if err != nil {
				t.Fatal(err)
			}
			want, ok := s.section("failures")
			if !ok {
				t.Fatal("no section failures")
			}
			r := newRunner(s, open(t))
			defer r.close()
			var got []string
			for _, failure := range r.run(t.Context()) {
				first, _, _ := strings.Cut(failure, "\n")
				got = append(got, first)
			}
			if diff := gocmp.Diff(strings.Split(want, "\n"), got); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

func runText(t *testing.T, text string, target Target) []string {
	t.Helper()
	s, err := parse("s.txtar", text)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(s, target)
	defer r.close()
	return r.run(t.Context())
}

// A message holds the place, the request as it was sent and the whole answer.
func TestFailureMessage(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("X-B", "2")
		w.Header().Set("X-A", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "no such user\nsorry")
	}))
	defer srv.Close()
	got := runText(t, "# source: test\nGET /v1/Users({id})?$a=%28\ncode == 200\n", Target{URL: srv.URL + "/", Vars: map[string]string{"id": "7"}})
	want := []string{`s.txtar:3: code is 404, want 200
request: GET /v1/Users(7)?$a=%28
answer: HTTP/1.1 404 Not Found
	Content-Length: 18
	Content-Type: text/plain
	X-A: 1
	X-B: 2

	no such user
	sorry`}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestFailureMessageOfABigAnswer(t *testing.T) {
	got := runText(t, "GET /big\ncode == 404\n", open(t))
	if len(got) != 1 || len(got[0]) > 2*maxShown || !strings.Contains(got[0], "(20000 bytes in all)") {
		t.Errorf("failures %q", got)
	}
}

// rawServer answers every request with 200 and keeps the lines that it got.
type rawServer struct {
	addr        string
	connections int
	lines       []string // request and header lines
	done        chan struct{}
}

// startRaw serves one connection after the other until n requests have come.
func startRaw(t *testing.T, n int) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &rawServer{addr: l.Addr().String(), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for n > 0 {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.connections++
			n -= s.serve(conn, n)
		}
	}()
	return s
}

func (s *rawServer) serve(conn net.Conn, n int) (served int) {
	defer conn.Close()
	in := bufio.NewScanner(conn)
	for served < n && in.Scan() {
		if in.Text() != "" {
			s.lines = append(s.lines, in.Text())
			continue
		}
		served++
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return served
		}
	}
	return served
}

// What goes over the wire is what the script says, byte for byte, over one
// connection.
func TestRequestBytes(t *testing.T) {
	paths := []string{
		"/v1/Users(2576)",
		"/v1/Users%282576%29",
		"/v1/Users('a%2Fb')/Entities(7)",
		"/v1/Users?$filter=Name%20eq%20'x'&$top=5",
		"/v1/Users?%24top=5&%24Skip=%7e",
		"/%7e/~;a=b,c/./../x//y",
		"/a%2fb%2Fc?",
		"/a?b?c#d",
		"/é?ü=|<>^\"`[]",
		"/%zz%",
	}
	var text strings.Builder
	var want []string
	for _, p := range paths {
		text.WriteString("GET " + p + "\ncode == 200\n\n")
		want = append(want, "GET "+p+" HTTP/1.1")
	}
	s := startRaw(t, len(paths))
	if failures := runText(t, text.String(), Target{URL: "http://" + s.addr}); failures != nil {
		t.Fatal(failures)
	}
	<-s.done
	var got []string
	for _, line := range s.lines {
		if strings.HasPrefix(line, "GET ") {
			got = append(got, line)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("request lines (-want +got):\n%s", diff)
	}
	if s.connections != 1 {
		t.Errorf("%d connections, want 1 that is kept alive", s.connections)
	}
}

// Header names keep their letter case.
func TestRequestHeaderBytes(t *testing.T) {
	s := startRaw(t, 1)
	text := "GET /x\nas key\nreqheader apiKEY: {id}\nreqheader x-two: 1\nreqheader x-two: 2\nreqheader Host: other.example\ncode == 200\n"
	if failures := runText(t, text, Target{URL: "http://" + s.addr, Vars: map[string]string{"key": "k", "id": "7"}}); failures != nil {
		t.Fatal(failures)
	}
	<-s.done
	have := map[string]int{}
	for _, line := range s.lines {
		have[line]++
	}
	for _, line := range []string{"apiKEY: 7", "x-two: 1", "x-two: 2", "Host: other.example", "Authorization: Bearer k"} {
		if have[line] != 1 {
			t.Errorf("line %q was sent %d times:\n%s", line, have[line], strings.Join(s.lines, "\n"))
		}
	}
}

// The caller's client is used, but neither follows redirects nor is changed.
func TestTargetClient(t *testing.T) {
	target := open(t)
	target.Client = &http.Client{Transport: http.DefaultTransport}
	if failures := runText(t, "GET /where\ncode == 302\ncapture key = header Location\n", target); failures != nil {
		t.Error(failures)
	}
	if target.Client.CheckRedirect != nil || target.Client.Timeout != 0 {
		t.Error("the target's client was changed")
	}
	if target.Vars["key"] != "secret-key" {
		t.Errorf("a capture changed the target's variables: %q", target.Vars)
	}
}

func TestTargetWithoutServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	got := runText(t, "GET /a\ncode == 200\n\nGET /b\ncode == 200\n", Target{URL: "http://" + l.Addr().String()})
	if len(got) != 1 || !strings.HasPrefix(got[0], "s.txtar:1: GET /a: no answer: ") {
		t.Errorf("failures %q", got)
	}
	for _, url := range []string{"", "127.0.0.1:80", "http://", "http://\x00"} {
		got := runText(t, "GET /a\ncode == 200\n", Target{URL: url})
		if len(got) != 1 || !strings.Contains(got[0], "is no base") {
			t.Errorf("target %q: failures %q", url, got)
		}
	}
}
