package bench

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/load"
)

// Slices are short and alternate, because the machine's speed drifts.
const (
	rounds = 5
	slice  = 2 * time.Second
)

// figure is what one server did in all rounds.
type figure struct {
	rates []float64
	cpu   []float64 // µs of server time per request
	p50   []float64
	p99   []float64
}

// measure puts a load on a server for its time, or for one slice.
func (f *figure) measure(b *testing.B, p *load.Process, l load.Load) {
	b.Helper()
	l.Addrs = []string{p.Addr}
	if l.For == 0 {
		l.For = slice
	}
	before := p.CPU()
	r, err := l.Run(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if r.Failed() > 0 || r.Requests() == 0 {
		b.Fatalf("%d good answers, %d others: %s", r.Requests(), r.Failed(), r.FirstBad)
	}
	f.rates = append(f.rates, r.PerSecond())
	f.cpu = append(f.cpu, float64((p.CPU()-before).Microseconds())/float64(r.Requests()))
	f.p50 = append(f.p50, float64(r.Latency.Quantile(0.5).Microseconds())/1000)
	f.p99 = append(f.p99, float64(r.Latency.Quantile(0.99).Microseconds())/1000)
}

func median(list []float64) float64 { return load.Median(list) }

// ratios is the median of the pairwise quotients of two rows of one run.
func ratios(a, b []float64) float64 {
	quotients := make([]float64, len(a))
	for i := range a {
		quotients[i] = a[i] / b[i]
	}
	return median(quotients)
}

func (f *figure) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(f.rates), "req/s")
	b.ReportMetric(median(f.cpu), "cpu-µs/req")
	b.ReportMetric(median(f.p50), "p50-ms")
	b.ReportMetric(median(f.p99), "p99-ms")
}

// alternate measures two servers in alternate slices, after a slice of each
// that counts for nothing.
func alternate(b *testing.B, one *load.Process, oneLoad load.Load, other *load.Process, otherLoad load.Load) (ones, others figure) {
	ones.measure(b, one, oneLoad)
	others.measure(b, other, otherLoad)
	for b.Loop() {
		ones, others = figure{}, figure{}
		for range rounds {
			others.measure(b, other, otherLoad)
			ones.measure(b, one, oneLoad)
		}
	}
	return ones, others
}

// against measures a load on usher beside the bare handler with as many
// connections and reports the ratio.
func against(b *testing.B, server *load.Process, l load.Load) {
	hello := bare(b)
	helloLoad := load.Load{Conns: l.Conns, Accept: isOK, Next: get(func(int, int) string { return "/" })}
	ours, bares := alternate(b, server, l, hello, helloLoad)
	ours.report(b)
	b.ReportMetric(median(bares.rates), "bare-req/s")
	b.ReportMetric(ratios(ours.rates, bares.rates), "ratio-to-bare")
}

func isOK(status int) bool { return status == 200 }

// get makes requests for the paths that path names.
func get(path func(conn, n int) string) func([]byte, int, int) []byte { return send("GET", path) }

func send(method string, path func(conn, n int) string) func([]byte, int, int) []byte {
	return func(buf []byte, conn, n int) []byte {
		r := load.Request{Method: method, Path: path(conn, n), Header: "Authorization: Bearer " + load.Key + "\r\n"}
		return r.Append(buf, host)
	}
}

func randomUser(users int) func(int, int) string {
	return func(int, int) string { return "/v1/Users(" + strconv.Itoa(1+rand.IntN(users)) + ")" }
}

// page is the next of the first 30 pages, which every connection walks from the
// beginning again and again.
func page(_, n int) string {
	return "/v1/Entities(" + strconv.Itoa(load.Company) + ")/Users?$skip=" + strconv.Itoa(n%30*30) + "&$top=30"
}

// twoWords searches for the given and the family name of a seeded user.
func twoWords(users int) func(int, int) string {
	return func(int, int) string {
		u := load.User(1 + rand.IntN(users))
		return "/v1/Entities(" + strconv.Itoa(load.Company) + ")/Users/Search?terms=" + url.QueryEscape(u.GivenName+" "+u.FamilyName)
	}
}

// BenchmarkGetUser is GET /v1/Users(id) of random users.
func BenchmarkGetUser(b *testing.B) {
	const users = 100_000
	against(b, usher(b, users), load.Load{Conns: 32, Accept: isOK, Next: get(randomUser(users))})
}

// BenchmarkPage is a page of 30 with its exact total, at 100,000 users.
func BenchmarkPage(b *testing.B) {
	against(b, usher(b, 100_000), load.Load{Conns: 32, Accept: isOK, Next: get(page)})
}

// BenchmarkSearch is a search of two words.
func BenchmarkSearch(b *testing.B) {
	for _, users := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			against(b, usher(b, users), load.Load{Conns: 16, Accept: isOK, Next: get(twoWords(users))})
		})
	}
}

// BenchmarkPageGrowth compares the cost of a page at 1,000 and at 1,000,000
// users: growth is server time per request.
func BenchmarkPageGrowth(b *testing.B) {
	small, large := usher(b, 1000), usher(b, 1_000_000)
	pages := load.Load{Conns: 32, Accept: isOK, Next: get(page)}
	many, few := alternate(b, large, pages, small, pages)
	many.report(b)
	b.ReportMetric(ratios(many.cpu, few.cpu), "growth-1000-to-1000000")
}

// BenchmarkStateChange disables and enables different users, durably.
func BenchmarkStateChange(b *testing.B) {
	against(b, usherOn(b, copyOf(b, seeded(b, 100_000))), stateChanges)
}

// stateChanges gives every connection users of its own.
var stateChanges = load.Load{Conns: 64, Accept: isOK, Next: func(buf []byte, conn, n int) []byte {
	user := "/v1/Users(" + strconv.Itoa(1+conn*1500+n/2%1500) + ")"
	if n%2 == 0 {
		return send("DELETE", func(int, int) string { return user })(buf, conn, n)
	}
	return send("POST", func(int, int) string { return user + "/Enable" })(buf, conn, n)
}}

// BenchmarkGroupCommit compares the same changes with one transaction per
// request, on the same disk in the same run.
func BenchmarkGroupCommit(b *testing.B) {
	path := seeded(b, 100_000)
	grouped, single := usherOn(b, copyOf(b, path)), usherOn(b, copyOf(b, path), "--sqlite-batch", "1")
	many, one := alternate(b, grouped, stateChanges, single, stateChanges)
	many.report(b)
	b.ReportMetric(median(one.rates), "single-req/s")
	b.ReportMetric(ratios(many.rates, one.rates), "ratio-to-single")
}

// BenchmarkStart is the time from exec to the first answered request on an
// existing directory of 100,000 users, and the memory at rest after it.
func BenchmarkStart(b *testing.B) {
	path := seeded(b, 100_000)
	var times []float64
	var rss, anon int64
	for b.Loop() {
		for range rounds {
			p := usherOn(b, path)
			times = append(times, float64(p.Start.Microseconds())/1000)
			rss, anon = p.Memory("VmRSS"), p.Memory("RssAnon")
			p.Stop()
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(times), "start-ms")
	b.ReportMetric(float64(rss)/(1<<20), "rss-MiB")
	b.ReportMetric(float64(anon)/(1<<20), "anon-MiB")
}
