package load

import (
	"strings"
	"testing"
	"time"
)

func TestTextOfAFigure(t *testing.T) {
	var h Histogram
	for i := range 1000 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	f := Figure{Scenario: "read", Door: "scim", Engine: "postgres", Users: 100_000, Processes: 3, Connections: 32, Requests: 1000,
		PerSecond: 12345.6, BarePerSecond: 50_000, Ratio: 0.2469, RatioLow: 0.21, RatioHigh: 0.26, CPU: 98.76, DatabaseCPU: 51.2, BareCPU: 20,
		Corrected: &Percentiles{P99: 1234, P999: 2345}, Errors: map[int]int{503: 7, 0: 2}, FirstBad: "503 {\n \"detail\":\t\"busy\"}"}
	var out strings.Builder
	f.WriteText(&out, &h)
	want := `read through scim, 100,000 users, 3 processes on postgres, 32 connections, closed loop
  12,346 requests/s, 0.247 of the bare handler (0.210 to 0.260; it did 50,000/s)
  98.8 µs of processor time a request, and 51.2 of PostgreSQL (bare handler: 20.0)
  p50         501 ms  ████████████████████████████████████
  p90         902 ms  ███████████████████████████████████████
  p99         994 ms  ████████████████████████████████████████
  p99.9     1,000 ms  ████████████████████████████████████████
  max       1,000 ms  ████████████████████████████████████████
  as if connections had not waited (estimate): p99 1,234 ms, p99.9 2,345 ms
  no answer: 2 times
  status 503: 7 times
  the first of them: 503 { "detail": "busy"}
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	(&Figure{Scenario: "mixed", Door: "encore", Connections: 1, Rate: 500, PerSecond: 480, Unsent: 40}).WriteText(&out, nil)
	want = `mixed through encore, 1 connections, open loop, 500 due a second
  480 requests/s
  40 requests were due and never sent: the rate is more than the server or the connections can do
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNumbersKeepFewDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0.00", 0.01234: "0.012", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234: "1,234", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := number(x); got != want {
			t.Errorf("%v is printed as %s, want %s", x, got, want)
		}
	}
	for x, want := range map[float64]float64{0: 0, 0.123456: 0.1235, 12.34567: 12.35, 123456: 123500} {
		if got := round(x); got != want {
			t.Errorf("%v is rounded to %v, want %v", x, got, want)
		}
	}
}

// Of a kernel's release only the series is told.
func TestKernelSeries(t *testing.T) {
	for release, want := range map[string]string{"6.18.44-own-build-595\n": "6.18", "5.10": "5.10", "7": "7", "": ""} {
		if got := series(release); got != want {
			t.Errorf("series of %q: %q, want %q", release, got, want)
		}
	}
}
