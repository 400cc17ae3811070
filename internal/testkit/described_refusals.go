package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
)

// smallBody is the largest body, in bytes, that the server of these tests
// takes: the least that the setting max_body can be.
const smallBody = 1024

// demoKey is the sample directory's API key.
const demoKey = "usher-demo-key"

// DescribedRefusals calls every operation of a door's OpenAPI description, with
// its own examples, in the ways that contract scripts do not repeat for each of
// them: without a key, with one of no tenant, with one that was made for
// something else, with a body that is too large, beyond the limit of requests.
// It fails unless 401, 403, 413 and 429 are answered just where they are
// declared, and as they are. present puts an API key into a request as the door
// wants it. signIns are operations that bring a credential of their own in the
// body, which is what refuses them: of these, only 413 is looked at here.
func DescribedRefusals(t *testing.T, door directory.Door, document []byte, present func(r *http.Request, key string), signIns ...string) {
	d := readDescription(t, document)
	server := Start(t, Options{Demo: true, Tune: func(c *config.Config) { c.MaxBody = smallBody }})
	ctx := context.Background()
	tenant, err := server.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	if err != nil {
		t.Fatal(err)
	}
	var narrow []string // one of them is too narrow for whatever is asked
	for name, scope := range map[string]directory.ScopeSet{"events": directory.ScopeEvents, "users": directory.ScopeUsersRead} {
		_, key, err := server.Service.CreateKey(ctx, directory.System(tenant.No, "test"),
			directory.NewCredential{Name: name, Rank: directory.RankAdministrator, Scopes: scope})
		if err != nil {
			t.Fatal(err)
		}
		narrow = append(narrow, key)
	}
	p := &provoker{t: t, description: d, url: server.URL, present: present, signIns: signIns}
	p.all("401", nil, "")
	p.all("401", nil, "no-key-of-anybody")
	p.all("403", nil, narrow...)
	p.all("413", bytes.Repeat([]byte("x"), smallBody+1), demoKey)
	tenant.Settings.RequestsPerMinute = map[string]int{door.String(): 1}
	if _, err := server.Service.UpdateTenant(ctx, directory.System(tenant.No, "test"), tenant); err != nil {
		t.Fatal(err)
	}
	// Two calls may fall into two windows, three cannot.
	p.all("429", nil, demoKey, demoKey, demoKey)
}

// provoker makes operations refuse.
type provoker struct {
	t           *testing.T
	description *description
	url         string
	present     func(*http.Request, string)
	signIns     []string
}

// all calls every operation with each key until it refuses, with its example of a
// body where none is given, and compares whether it does with what is declared.
func (p *provoker) all(status string, body []byte, keys ...string) {
	p.t.Helper()
	for _, op := range p.description.operations {
		if slices.Contains(p.signIns, op.name) && status != "413" {
			continue
		}
		refused := false
		for _, key := range keys {
			refused = refused || p.call(op, key, body) == status
		}
		if _, declared := op.responses[status]; declared != refused {
			p.t.Errorf("%s: is %s declared: %t, answered: %t", op.name, status, declared, refused)
		}
	}
}

// call calls an operation once, checks the answer, and returns its status.
func (p *provoker) call(op *operation, key string, body []byte) string {
	p.t.Helper()
	media, example := p.bodyOf(op)
	if body == nil {
		body = example
	}
	r, err := http.NewRequestWithContext(p.t.Context(), op.method, p.url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.URL.Opaque = p.pathOf(op)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if key != "" {
		p.present(r, key)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	path, _, _ := strings.Cut(r.URL.Opaque, "?")
	for _, fault := range p.description.answerFaults(op.method, path, answer, text) {
		p.t.Errorf("%s: the answer %d is not as described: %s\n%s", op.name, answer.StatusCode, fault, text)
	}
	return fmt.Sprint(answer.StatusCode)
}

// pathOf is a path of an operation, with the examples of its parameters and of
// those of the query that are required.
func (p *provoker) pathOf(op *operation) string {
	p.t.Helper()
	path, query := op.template, url.Values{}
	for _, spec := range p.description.parametersOf(op) {
		name := asText(spec["name"])
		switch {
		case spec["in"] == "path":
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(p.example(spec, op)))
		case spec["in"] == "query" && spec["required"] == true:
			query.Set(name, p.example(spec, op))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// example is the first example of a parameter.
func (p *provoker) example(spec object, op *operation) string {
	p.t.Helper()
	value, ok := spec["example"]
	for _, name := range sorted(asObject(spec["examples"])) {
		if !ok {
			value, ok = asObject(asObject(spec["examples"])[name])["value"]
		}
	}
	if !ok {
		p.t.Fatalf("%s: the parameter %v has no example", op.name, spec["name"])
	}
	return fmt.Sprint(value)
}

// bodyOf is the first example of a body, of JSON or of a form, and its type.
func (p *provoker) bodyOf(op *operation) (media string, body []byte) {
	p.t.Helper()
	resolved, err := p.description.resolve(op.spec["requestBody"])
	if err != nil {
		p.t.Fatal(err)
	}
	content := asObject(asObject(resolved)["content"])
	for _, media := range sorted(content) {
		examples := asObject(asObject(content[media])["examples"])
		for _, name := range sorted(examples) {
			value := asObject(examples[name])["value"]
			if media == "application/x-www-form-urlencoded" {
				form := url.Values{}
				for _, name := range sorted(asObject(value)) {
					form.Set(name, fmt.Sprint(asObject(value)[name]))
				}
				return media, []byte(form.Encode())
			}
			if body, err = json.Marshal(value); err != nil {
				p.t.Fatal(err)
			}
			return media, body
		}
	}
	return "", nil
}
