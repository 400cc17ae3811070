package canonical_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// sent is one server-sent event.
type sent struct{ id, name, data string }

// stream is a connection that receives server-sent events.
type stream struct {
	t      *testing.T
	answer *http.Response
	lines  *bufio.Scanner
}

// follow opens a stream; last is the Last-Event-ID, "" for none.
func follow(t *testing.T, s *testkit.Server, key, query, last string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/api/v1/events"+query, nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("RateLimit") == "" ||
		answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	return &stream{t: t, answer: answer, lines: bufio.NewScanner(answer.Body)}
}

// next is the next event that is one; comments, and how far the server has looked,
// are passed over. ok is false at the end of the stream.
func (s *stream) next() (e sent, ok bool) {
	s.t.Helper()
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data += value
		case "":
			if s.lines.Text() == "" && e.data != "" {
				return e, true
			}
		}
	}
	return sent{}, false
}

// types are the types of the next n events.
func (s *stream) types(n int) string {
	s.t.Helper()
	var names []string
	for range n {
		e, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ended after %v: %v", names, s.lines.Err())
		}
		names = append(names, e.name)
	}
	return strings.Join(names, " ")
}

// resize makes an event: the pool of a licence type gets a total.
func resize(t *testing.T, s *testkit.Server, total int) {
	t.Helper()
	if status, _, text := ask(t, s, "PUT", "/api/v1/licence_pools/regular", "usher-demo-key", fmt.Sprintf(`{"total":%d}`, total)); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
}

// What happens comes at once, and Last-Event-ID goes on behind any event, also one
// within a page (dossier 3.21).
func TestStreamGoesOnBehindTheLastEvent(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			const query = "?type=licence_pool.set"
			first := follow(t, s, "usher-demo-key", query, "")
			var ids []string
			var whole []string
			for i := range 6 {
				if i >= 4 { // the sample directory has four
					resize(t, s, 100+i)
				}
				e, ok := first.next()
				if !ok || e.name != "licence_pool.set" || !json.Valid([]byte(e.data)) {
					t.Fatalf("event %d: %+v, %v", i, e, first.lines.Err())
				}
				ids, whole = append(ids, e.id), append(whole, e.data)
			}
			must(t, first.answer.Body.Close())
			for i, id := range ids[:5] {
				again := follow(t, s, "usher-demo-key", query, id)
				if e, ok := again.next(); !ok || e.data != whole[i+1] {
					t.Errorf("behind %d: %s, want %s", i, e.data, whole[i+1])
				}
				must(t, again.answer.Body.Close())
			}
			status, _, text := ask(t, s, "GET", "/api/v1/events"+query+"&cursor="+ids[4], "usher-demo-key", "")
			if !strings.Contains(text, whole[5]) || strings.Contains(text, whole[4]) {
				t.Errorf("the id of an event as a cursor: %d %s", status, text)
			}
		})
	}
}

// A stream of CloudEvents has one in each data (dossier 3.22).
func TestStreamOfCloudEvents(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	e, ok := follow(t, s, "usher-demo-key", "?envelope=cloudevents&type=user.created", "").next()
	var cloud struct{ SpecVersion, Source, Type string }
	must(t, json.Unmarshal([]byte(e.data), &cloud))
	if !ok || e.name != "user.created" || cloud.SpecVersion != "1.0" || cloud.Type != "usher.user.created" || !strings.HasSuffix(cloud.Source, "/api/v1") {
		t.Errorf("%+v", e)
	}
}

// A system that leaves out its own echo hears the others (dossier 3.20).
func TestStreamWithoutEcho(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	before := follow(t, s, "usher-demo-key", "?except_origin=self&type=user.created,licence_pool.set", "")
	before.types(14)
	resize(t, s, 77)
	ctx := context.Background()
	tenant, err := s.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	_, other, err := s.Service.CreateKey(ctx, directory.System(tenant.No, "test"), directory.NewCredential{Name: "other", Rank: directory.RankAdministrator})
	must(t, err)
	if status, _, text := ask(t, s, "POST", "/api/v1/users", other, `{"user_name":"echo"}`); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	if e, ok := before.next(); !ok || e.name != "user.created" || !strings.Contains(e.data, `"echo"`) {
		t.Errorf("%+v", e)
	}
}

// Whoever may not read any more is told so, and the stream ends (dossier 3.21).
func TestStreamOfARevokedKey(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	ctx := context.Background()
	tenant, err := s.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	c, key, err := s.Service.CreateKey(ctx, directory.System(tenant.No, "test"), directory.NewCredential{Name: "short", Rank: directory.RankReader})
	must(t, err)
	following := follow(t, s, key, "?type=credential.*", "")
	if got := following.types(4); got != strings.TrimSpace(strings.Repeat("credential.created ", 4)) {
		t.Errorf("%s", got)
	}
	if status, _, text := ask(t, s, "DELETE", "/api/v1/credentials/"+c.ID, "usher-demo-key", ""); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	e, ok := following.next()
	var problem struct {
		Status int
		Reason string
	}
	must(t, json.Unmarshal([]byte(e.data), &problem))
	if !ok || e.name != "error" || problem.Status != 401 || problem.Reason != "credential.invalid" {
		t.Errorf("%+v", e)
	}
	if e, ok := following.next(); ok {
		t.Errorf("it goes on: %+v", e)
	}
}

// A server that stops sends its followers away at once, whatever time others have:
// the stop is an orderly one (dossier 3.21).
func TestStreamsEndWithTheServer(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	following := follow(t, s, "usher-demo-key", "?type=credential.created", "")
	following.types(3)
	waited := make(chan string)
	go func() {
		r, err := http.NewRequest("GET", s.URL+"/api/v1/events?type=credential.revoked&wait=30", nil)
		if err != nil {
			waited <- err.Error()
			return
		}
		r.Header.Set("Authorization", "Bearer usher-demo-key")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			waited <- "" // it came too late
			return
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= 500 && answer.StatusCode != 503 {
			waited <- fmt.Sprintf("%d %s %v", answer.StatusCode, text, err)
			return
		}
		waited <- ""
	}()
	if err := s.Stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if e, ok := following.next(); ok || following.lines.Err() != nil {
		t.Errorf("after the stop: %+v, %v", e, following.lines.Err())
	}
	if wrong := <-waited; wrong != "" {
		t.Error(wrong)
	}
}

// A checkpoint is signed with the server's key, where it has one (dossier 3.24).
func TestCheckpoint(t *testing.T) {
	for engine, want := range map[string]int{"sqlite": 200, "postgres": 503} {
		s := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
		status, header, text := ask(t, s, "GET", "/api/v1/events/checkpoint", "usher-demo-key", "")
		if status != want {
			t.Errorf("%s: %d %s", engine, status, text)
		}
		if status == 503 {
			if !strings.Contains(text, `"audit.no_key"`) || header.Get("Retry-After") == "" {
				t.Errorf("%s", text)
			}
			continue
		}
		c, err := directory.ParseCheckpoint([]byte(text))
		if err != nil || c.Position == 0 || c.Name != "demo" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v, %v", text, c, err)
		}
	}
}

// Where the history goes on from another point than a cursor knows, whoever has one
// is told to begin anew: a page, a stream before its first byte, and one that is
// open (dossier 3.20).
func TestFeedReset(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	ctx := context.Background()
	tenant, err := s.Service.TenantByName(ctx, directory.System(0, "test"), "demo")
	must(t, err)
	following := follow(t, s, "usher-demo-key", "?type=credential.created,credential.revoked", "")
	e, _ := following.next()
	following.types(2)
	_, err = s.Service.RestartChain(ctx, directory.System(tenant.No, "test"), "restored")
	must(t, err)
	const query = "/api/v1/events?type=credential.created,credential.revoked"
	if status, _, text := ask(t, s, "GET", query+"&cursor="+e.id, "usher-demo-key", ""); status != http.StatusGone || !strings.Contains(text, `"feed.reset"`) {
		t.Errorf("a page: %d %s", status, text)
	}
	r, err := http.NewRequest("GET", s.URL+query, nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer usher-demo-key")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Last-Event-ID", e.id)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusGone {
		t.Errorf("a stream: %d", answer.StatusCode)
	}
	if e, ok := following.next(); !ok || e.name != "error" || !strings.Contains(e.data, `"status":410`) {
		t.Errorf("an open stream: %+v, %t", e, ok)
	}
}
