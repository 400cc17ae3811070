package web

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var benchBody = []byte(`{"Id":2576,"FirstName":"Ann","LastName":"Lee","Email":"ann.lee@example.com"}`)

// discard is a ResponseWriter that keeps its header map, as a connection does
// not: what the kit itself costs, without the server.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func bareHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(benchBody)
	})
}

// kitHandler is a whole kit, which logs JSON lines to nowhere.
func kitHandler() http.Handler {
	return NewServer(Adapt("iqmetrix", "GET /v1/Users({id})", func(r *Request) (Response, error) {
		r.Event.Actor, r.Event.Tenant = "key:abc", "acme"
		return Response{ContentType: "application/json", Body: benchBody}, nil
	}, onError), Options{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Observe: func(*Event) {}})
}

// TestKitAllocations: the kit makes four allocations a request: the recorder
// with event and request, the request id, the header values, and slog's
// attributes beyond the fifth.
func TestKitAllocations(t *testing.T) {
	h, r, w := kitHandler(), httptest.NewRequest("GET", "/v1/Users(2576)", nil), discard{http.Header{}}
	n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
	if n > maxKitAllocs {
		t.Errorf("the kit makes %v allocations a request, want %d at most", n, maxKitAllocs)
	}
}

func BenchmarkHandler(b *testing.B) {
	for name, h := range map[string]http.Handler{"bare": bareHandler(), "kit": kitHandler()} {
		b.Run(name, func(b *testing.B) {
			r, w := httptest.NewRequest("GET", "/v1/Users(2576)", nil), discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkServer is the same over loopback with one keep-alive connection.
func BenchmarkServer(b *testing.B) {
	for name, h := range map[string]http.Handler{"bare": bareHandler(), "kit": kitHandler()} {
		b.Run(name, func(b *testing.B) {
			srv := httptest.NewServer(h)
			defer srv.Close()
			b.ReportAllocs()
			for b.Loop() {
				resp, err := srv.Client().Get(srv.URL)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

func BenchmarkQueryGet(b *testing.B) {
	q := Query("page=3&pagesize=50&%24orderby=LastName+desc")
	b.ReportAllocs()
	for b.Loop() {
		q.Get("$orderby")
	}
}

func BenchmarkDecodeObject(b *testing.B) {
	body := []byte(`{"user":` + string(benchBody) + `,"notes":"` + strings.Repeat("text ", 50) + `","roles":[1,2,3]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeObject(bytes.Clone(body), 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	dst := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		AppendString(dst, "ann.lee@example.com <Ann \"Annie\" Léé>")
	}
}
