package app

import (
	"maps"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/usher-id/usher/internal/web"
)

// metrics counts requests. Names and labels are documented in their help texts
// and are an interface: dashboards read them.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	inFlight atomic.Int64

	// known holds the resolved children of the vectors, so that counting a
	// request neither hashes labels nor allocates. It is replaced whole when a
	// new combination appears; doors and routes are few, so that ends soon.
	known atomic.Pointer[map[seriesKey]series]
	grow  sync.Mutex
}

type seriesKey struct {
	door, route string
	status      int
}

type series struct {
	requests prometheus.Counter
	latency  prometheus.Observer
}

// latencyBuckets are seconds: a read takes well under a millisecond, a hashed
// password tens of them, and what takes longer than seconds is a fault.
var latencyBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "usher_http_requests_total",
			Help: "Requests answered, by door, route and status.",
		}, []string{"door", "route", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "usher_http_request_duration_seconds",
			Help:    "Time from the end of a request's head to the end of its answer, by door and route. Streams are not among them.",
			Buckets: latencyBuckets,
		}, []string{"door", "route"}),
	}
	m.known.Store(&map[seriesKey]series{})
	m.registry.MustRegister(m.requests, m.latency,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "usher_http_requests_in_flight",
			Help: "Requests that are being answered.",
		}, func() float64 { return float64(m.inFlight.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "usher_build_info",
			Help:        "Always 1; the labels say what runs.",
			ConstLabels: prometheus.Labels{"version": Version(), "go_version": goVersion()},
		}, func() float64 { return 1 }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// observe counts one finished request.
func (m *metrics) observe(e *web.Event) {
	key := seriesKey{e.Door, e.Route, e.Status}
	s, ok := (*m.known.Load())[key]
	if !ok {
		s = m.resolve(key)
	}
	s.requests.Inc()
	if e.Streamed {
		return // it lasted for as long as the client stayed
	}
	s.latency.Observe(time.Since(e.Start).Seconds())
}

func (m *metrics) resolve(key seriesKey) series {
	m.grow.Lock()
	defer m.grow.Unlock()
	s := series{
		requests: m.requests.WithLabelValues(key.door, key.route, strconv.Itoa(key.status)),
		latency:  m.latency.WithLabelValues(key.door, key.route),
	}
	grown := maps.Clone(*m.known.Load())
	grown[key] = s
	m.known.Store(&grown)
	return s
}

// track counts the requests in flight.
func (m *metrics) track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.inFlight.Add(1)
		defer m.inFlight.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// watchStore adds what is cheap to know about the database: which engine it is
// and, for SQLite, the sizes of its files. A write-ahead log that keeps growing
// means that checkpoints cannot keep up.
func (m *metrics) watchStore(engine, sqlitePath string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "usher_store_info", Help: "Always 1; the label says which database engine is used.",
		ConstLabels: prometheus.Labels{"engine": engine},
	}, func() float64 { return 1 }))
	if sqlitePath == "" {
		return
	}
	for file, suffix := range map[string]string{"database": "", "wal": "-wal"} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "usher_sqlite_file_bytes", Help: "Size of the SQLite database and of its write-ahead log.",
			ConstLabels: prometheus.Labels{"file": file},
		}, func() float64 {
			info, err := os.Stat(sqlitePath + suffix)
			if err != nil {
				return 0 // no log is there while nothing was written
			}
			return float64(info.Size())
		}))
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Version is the version of the program as the Go tool stamped it into the
// binary: a release's tag, a pseudo-version of a commit, or "(devel)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return ""
}
