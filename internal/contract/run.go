package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Target is the server that a script talks to.
type Target struct {
	// URL is the server's base, as in http://127.0.0.1:8080, without a path.
	URL string
	// Client sends the requests; nil makes one. Redirects are never followed.
	Client *http.Client
	// Vars are the variables that a script starts with, such as keys and ids.
	// They are copied: a script's captures do not reach another one.
	Vars map[string]string
}

// Run runs every *.txtar of dir as a subtest, in the order of their names; each
// file gets a target of its own from open. A folder without scripts fails the
// test.
func Run(t *testing.T, dir string, open func(t *testing.T) Target) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no contract scripts in %s", dir)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parse(file, string(text))
			if err != nil {
				t.Fatal(err)
			}
			r := newRunner(s, open(t))
			defer r.close()
			for _, failure := range r.run(t.Context()) {
				t.Error(failure)
			}
		})
	}
}

// runner is one script on its way.
type runner struct {
	script *script
	base   string
	client *http.Client
	own    *http.Transport // to be closed, nil when the target brought a client
	vars   vars
}

// callTimeout bounds one request, so that a server that hangs fails its check
// and not the whole run.
const callTimeout = 30 * time.Second

func newRunner(s *script, target Target) *runner {
	r := &runner{script: s, base: strings.TrimSuffix(target.URL, "/"), vars: vars{}}
	maps.Copy(r.vars, target.Vars)
	client := http.Client{}
	if target.Client != nil {
		client = *target.Client
	} else {
		// No compression: the client would ask for it by a header that the
		// script did not write.
		r.own = &http.Transport{DisableCompression: true}
		client.Transport = r.own
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.Timeout == 0 {
		client.Timeout = callTimeout
	}
	r.client = &client
	return r
}

func (r *runner) close() {
	if r.own != nil {
		r.own.CloseIdleConnections()
	}
}

// run runs all cases and returns the failures. A case that could not be sent
// or a capture that found nothing ends the script: what follows would only
// repeat that failure in other words.
func (r *runner) run(ctx context.Context) []string {
	var failures []string
	for i := range r.script.cases {
		list, fatal := r.runCase(ctx, &r.script.cases[i])
		failures = append(failures, list...)
		if fatal {
			break
		}
	}
	return failures
}

func (r *runner) runCase(ctx context.Context, c *scase) (failures []string, fatal bool) {
	call, line, err := r.prepare(ctx, c)
	if err != nil {
		return []string{fmt.Sprintf("%s:%d: %v", r.script.name, line, err)}, true
	}
	a, err := r.send(call)
	if err != nil {
		return []string{fmt.Sprintf("%s:%d: %s: no answer: %v", r.script.name, c.line, call.line(), err)}, true
	}
	for i := range c.directives {
		d := &c.directives[i]
		err := r.check(d, a)
		if err == nil {
			continue
		}
		failures = append(failures, fmt.Sprintf("%s:%d: %v\nrequest: %s\nanswer: %s", r.script.name, d.line, err, call.line(), a))
		if d.verb == verbCapture {
			return failures, true
		}
	}
	return failures, false
}

// call is a request that is ready to be sent.
type call struct {
	*http.Request
	path string // as it goes out
}

// line is the request line for messages.
func (c *call) line() string { return c.Method + " " + c.path }

// prepare builds the request of a case; line is that of the error.
func (r *runner) prepare(ctx context.Context, c *scase) (prepared *call, line int, err error) {
	path, err := r.path(c.path)
	if err != nil {
		return nil, c.line, err
	}
	// Opaque goes into the request line as it is: every other way through
	// net/url would decide anew which bytes are escaped.
	target, err := url.Parse(r.base)
	if err != nil || target.Scheme == "" || target.Host == "" {
		return nil, c.line, fmt.Errorf("the target's URL %q is no base: %v", r.base, err)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, r.base, nil)
	if err != nil {
		return nil, c.line, err
	}
	req.URL = &url.URL{Scheme: target.Scheme, Host: target.Host, Opaque: path}
	for i := range c.directives {
		if err := r.request(req, &c.directives[i]); err != nil {
			return nil, c.directives[i].line, err
		}
	}
	return &call{Request: req, path: path}, 0, nil
}

// path expands a path. One that a capture made absolute, as from a Location
// header, loses the target's own URL.
func (r *runner) path(text string) (string, error) {
	path, err := r.vars.expand(text)
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(path, r.base+"/"); ok {
		path = "/" + rest
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, breaksLine) {
		return "", fmt.Errorf("the path %q cannot be sent as it is", path)
	}
	return path, nil
}

// breaksLine tells characters that end a word of the request line or are
// control characters.
func breaksLine(r rune) bool { return r <= ' ' || r == 0x7f }

// request puts what a directive says about the request into it.
func (r *runner) request(req *http.Request, d *directive) error {
	switch d.verb {
	case verbAs:
		if d.value == "none" {
			return nil
		}
		key, ok := r.vars[d.value]
		if !ok {
			return fmt.Errorf("no variable %q for as", d.value)
		}
		req.Header.Set("Authorization", "Bearer "+key)
	case verbReqHeader:
		value, err := r.vars.expand(d.value)
		if err != nil {
			return err
		}
		if strings.EqualFold(d.target, "Host") {
			req.Host = value
			return nil
		}
		req.Header[d.target] = append(req.Header[d.target], value)
	case verbReqBody:
		text := d.value
		if d.op == "file" {
			text, _ = r.script.section(d.value)
		}
		body, err := r.vars.expand(text)
		if err != nil {
			return err
		}
		if d.op == verbForm || d.op == verbMultipart {
			var media string
			if body, media, err = formBody(d.op, body); err != nil {
				return err
			}
			req.Header.Set("Content-Type", media)
		}
		if body == "" {
			return nil
		}
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		// A connection that the server closed between two cases is tried again.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	}
	return nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// send sends a request and reads the whole answer.
func (r *runner) send(c *call) (*answer, error) {
	resp, err := r.client.Do(c.Request)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the URL in it is not what was sent
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return &answer{status: resp.StatusCode, line: resp.Proto + " " + resp.Status, header: resp.Header, body: string(body)}, nil
}
