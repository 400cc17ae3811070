package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// breaking stands before a server and cuts each connection after so many events.
func breaking(t *testing.T, to string, events int) (url string, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections.Add(1)
		out, err := http.NewRequestWithContext(r.Context(), r.Method, to+r.URL.RequestURI(), nil)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		out.Header = r.Header.Clone()
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		lines, seen := bufio.NewReader(resp.Body), 0
		for seen < events {
			line, err := lines.ReadString('\n')
			if _, werr := io.WriteString(w, line); err != nil || werr != nil || http.NewResponseController(w).Flush() != nil {
				panic(http.ErrAbortHandler)
			}
			if strings.HasPrefix(line, "data:") {
				seen++
			}
		}
		panic(http.ErrAbortHandler) // before the end of the last event: it comes once more
	}))
	t.Cleanup(srv.Close)
	return srv.URL, connections
}

// Over connections that break again and again nothing is missing and nothing comes
// twice.
func TestFollowOverBreaks(t *testing.T) {
	server := testkit.Start(t, testkit.Options{})
	_, key := server.Tenant(t, "office", directory.RankAdministrator)
	url, connections := breaking(t, server.URL, 3)
	var p pauses
	direct, c := newClient(t, server.URL, key), newClient(t, url, key, p.option())
	const people = 12
	go func() {
		for i := range people {
			if _, err := direct.Users.Create(t.Context(), named(fmt.Sprintf("user%d", i))); err != nil {
				t.Error(err)
			}
		}
	}()
	var got []string
	last := int64(0)
	for e, err := range c.Events.Follow(t.Context(), client.EventQuery{Types: []string{"user.created"}}) {
		check(t, err)
		if e.Cursor == "" || e.Position <= last || e.UserID == "" {
			t.Errorf("%+v behind %d", e, last)
		}
		last = e.Position
		if got = append(got, string(e.Changes["user_name"][1])); len(got) == people {
			break
		}
	}
	for i, name := range got {
		if name != fmt.Sprintf(`"user%d"`, i) {
			t.Errorf("event %d is of %s", i, name)
		}
	}
	if connections.Load() < people/3 || int64(len(p.list)) != connections.Load()-1 {
		t.Errorf("%d connections, %d pauses", connections.Load(), len(p.list))
	}
}

// A cursor that was kept goes on in another program; events can be had as
// CloudEvents.
func TestFollowFromACursor(t *testing.T) {
	server, c := newOffice(t)
	q := client.EventQuery{Types: []string{"user.*"}}
	must(c.Users.Create(t.Context(), named("ada")))(t)
	must(c.Users.Create(t.Context(), named("bo")))(t)
	for e, err := range c.Events.Follow(t.Context(), q) {
		check(t, err)
		q.Cursor = e.Cursor
		break
	}
	for e, err := range c.Events.FollowCloudEvents(t.Context(), q) {
		check(t, err)
		var cloud struct {
			Type, Source string
			Data         struct {
				Changes map[string][2]json.RawMessage
			}
		}
		check(t, json.Unmarshal(e.JSON, &cloud))
		if cloud.Type != "usher.user.created" || cloud.Source != server.URL+"/api/v1" && !strings.HasSuffix(cloud.Source, "/api/v1") ||
			string(cloud.Data.Changes["user_name"][1]) != `"bo"` || e.Cursor == "" {
			t.Errorf("%s", e.JSON)
		}
		break
	}
}

// following collects what a stream of scripted answers comes to.
func following(t *testing.T, answers ...http.HandlerFunc) (ids []string, requests []*http.Request, waited []time.Duration, last error) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
		answers[min(len(requests), len(answers))-1](w, r)
	}))
	defer srv.Close()
	var p pauses
	c := newClient(t, srv.URL, "key", p.option())
	for e, err := range c.Events.Follow(t.Context(), client.EventQuery{}) {
		if last = err; err == nil {
			ids = append(ids, e.ID)
		}
	}
	return ids, requests, p.list, last
}

// streams answers with a stream of server-sent events that ends.
func streams(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
	}
}

func refuses(status int, reason string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"status":%d,"code":"x","reason":%q}`, status, reason)
	}
}

// What will go away is waited for, and what will not ends it.
func TestFollowUntilItIsRefused(t *testing.T) {
	ids, requests, waited, err := following(t,
		streams("retry: 3000\n\nid: c1\nevent: user.created\ndata: {\"id\":\n"+`data: "e1"}`+"\n\n: still here\nid: c2\n\n"),
		refuses(503, "feed.busy", "Retry-After", "9"),
		refuses(429, "limit.requests"),
		refuses(502, ""),
		streams("id: c3\r\nevent: user.created\r\ndata: {\"id\":\"e2\"}\r\n\r\nid: c4\ndata: {\"id\":\"half"),
		streams("event: error\ndata: {\"status\":503,\"code\":\"unavailable\",\"reason\":\"store.busy\"}\n\n"),
		streams("event: error\ndata: {\"status\":401,\"code\":\"unauthenticated\",\"reason\":\"credential.invalid\",\"detail\":\"Gone.\"}\n\n"))
	if !slices.Equal(ids, []string{"e1", "e2"}) {
		t.Errorf("events %v", ids)
	}
	if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Status != 401 || refused.Detail != "Gone." {
		t.Errorf("it ends with %v", err)
	}
	var from []string
	for _, r := range requests {
		from = append(from, r.Header.Get("Last-Event-ID"))
	}
	if !slices.Equal(from, []string{"", "c2", "c2", "c2", "c2", "c3", "c3"}) {
		t.Errorf("from %v", from)
	}
	if len(waited) != 6 || waited[0] < 3*time.Second || waited[1] < 9*time.Second {
		t.Errorf("pauses %v", waited)
	}
}

func TestFollowEnds(t *testing.T) {
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		requests int
		reason   string
	}{
		"another history":   {refuses(410, "feed.reset"), 1, "feed.reset"},
		"no right":          {refuses(403, "scope.missing"), 1, "scope.missing"},
		"never there":       {refuses(503, "store.busy"), 4, "store.busy"},
		"a page of a proxy": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, 1, ""},
		"no event":          {streams("data: <html>\n\n"), 1, ""},
	} {
		_, requests, _, err := following(t, test.answer)
		if err == nil || len(requests) != test.requests || test.reason != "" && !client.IsReason(err, test.reason) {
			t.Errorf("%s: %v after %d requests", name, err, len(requests))
		}
	}
}

// Who wants no more, or has no more time, is let go.
func TestFollowUntilTheContextEnds(t *testing.T) {
	_, c := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	var last error
	for _, err := range c.Events.Follow(ctx, client.EventQuery{}) {
		if last = err; err == nil {
			seen++
			cancel()
		}
	}
	if seen == 0 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d events, then %v", seen, last)
	}
}
