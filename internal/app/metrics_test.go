package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/web"
)

func scrape(t *testing.T, m *metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	m.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestMetricsCountRequests(t *testing.T) {
	m := newMetrics()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 100 {
				m.observe(&web.Event{Door: "iqmetrix", Route: "GET /v1/ping", Status: 200 + 204*(i%2), Start: time.Now()})
			}
		})
	}
	group.Wait()
	text := scrape(t, m)
	for _, want := range []string{
		`usher_http_requests_total{door="iqmetrix",route="GET /v1/ping",status="200"} 400`,
		`usher_http_requests_total{door="iqmetrix",route="GET /v1/ping",status="404"} 400`,
		`usher_http_request_duration_seconds_count{door="iqmetrix",route="GET /v1/ping"} 800`,
		"usher_http_requests_in_flight 0", "go_goroutines ", "usher_build_info{",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

func TestInFlightIsCounted(t *testing.T) {
	m := newMetrics()
	m.track(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if text := scrape(t, m); !strings.Contains(text, "usher_http_requests_in_flight 1\n") {
			t.Errorf("a request in flight is not counted:\n%s", text)
		}
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
}

// Counting is on the path of every request.
func TestObserveDoesNotAllocate(t *testing.T) {
	m := newMetrics()
	event := &web.Event{Door: "iqmetrix", Route: "GET /v1/ping", Status: 200, Start: time.Now()}
	if n := testing.AllocsPerRun(1000, func() { m.observe(event) }); n != 0 {
		t.Errorf("observe allocates %v times", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := newMetrics()
	event := &web.Event{Door: "iqmetrix", Route: "GET /v1/ping", Status: 200, Start: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		m.observe(event)
	}
}
