package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// withoutEvents builds usher without the feed and the audit: nothing is recorded.
func withoutEvents(b *testing.B) string {
	b.Helper()
	path := filepath.Join(directories(b), "usher-without-events")
	cmd := exec.Command("go", "build", "-tags", "usher_without_events", "-o", path, "github.com/usher-id/usher/cmd/usher")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// BenchmarkEventCost compares changes on a server with the feed and the audit with
// the same ones on a server that was built without: kept is the share of the rate
// that is left.
func BenchmarkEventCost(b *testing.B) {
	for _, kind := range []struct {
		name string
		load load.Load
	}{{"state", stateChanges}, {"patch", patches}} {
		b.Run(kind.name, func(b *testing.B) {
			path := seeded(b, 100_000)
			with, without := usherOn(b, copyOf(b, path)), programOn(b, withoutEvents(b), copyOf(b, path))
			kept, bare := alternate(b, with, kind.load, without, kind.load)
			kept.report(b)
			b.ReportMetric(median(bare.rates), "without-req/s")
			b.ReportMetric(median(bare.cpu), "without-cpu-µs/req")
			b.ReportMetric(ratios(kept.rates, bare.rates), "kept")
		})
	}
}

// titles numbers the titles that patches give: the same one again is no change.
var titles atomic.Int64

// patches give users another title through the canonical door.
var patches = load.Load{Conns: 64, Accept: isOK, Next: func(buf []byte, conn, n int) []byte {
	r := load.Request{Method: http.MethodPatch, Path: "/api/v1/users/" + userIDs()[1+conn*1500+n%1500],
		Header: "Authorization: Bearer " + load.Key + "\r\nContent-Type: application/json\r\n", Body: `{"title":"Title ` + strconv.FormatInt(titles.Add(1), 10) + `"}`}
	return r.Append(buf, host)
}}

// userIDs are the ids of the first users of a seeded directory, by number.
var userIDs = sync.OnceValue(func() []string {
	ids := make([]string, 1+100_000)
	for n := 1; n < len(ids); n++ {
		u := load.User(n)
		ids[n] = u.ID
	}
	return ids
})

// BenchmarkFeedLag is the time from a change to its event in the hands of somebody
// who waits for it, at 1,000 changes a second: from the event's own time, so that
// the transaction is in it too.
func BenchmarkFeedLag(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { feedLag(b, usherOn(b, copyOf(b, seeded(b, 100_000)))) })
	b.Run("postgres", func(b *testing.B) {
		dsn := pgtest.Shared(b)
		if err := load.PostgresDirectory(b.Context(), dsn, 10_000, nil); err != nil {
			b.Fatal(err)
		}
		key := filepath.Join(b.TempDir(), "key")
		if err := os.WriteFile(key, []byte(testkit.SecretKey), 0o600); err != nil {
			b.Fatal(err)
		}
		feedLag(b, started(b, load.Server{Program: binary(b), Database: dsn, SecretKeyFile: key}))
	})
}

// lagRate is how many changes a second are made, by lagConns clients.
const (
	lagRate  = 1000
	lagConns = 50
)

func feedLag(b *testing.B, p *load.Process) {
	for b.Loop() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		lags := make(chan []time.Duration, 1)
		go func() { lags <- followLag(b, ctx, p) }()
		made := paced(b, ctx, p)
		cancel()
		all := <-lags
		if len(all) < made*9/10 {
			b.Fatalf("of %d changes the feed showed %d in time", made, len(all))
		}
		slices.Sort(all)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(made)/15, "changes/s")
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "lag-p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "lag-p99-ms")
		b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "lag-max-ms")
	}
}

// paced makes changes at an even rate until ctx is done and returns how many.
func paced(b *testing.B, ctx context.Context, p *load.Process) int {
	var wg sync.WaitGroup
	made := make([]int, lagConns)
	for conn := range lagConns {
		wg.Go(func() {
			ticker := time.NewTicker(time.Second * lagConns / lagRate)
			defer ticker.Stop()
			for n := 0; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
				if err := ask(ctx, p, http.MethodPatch, "/users/"+userIDs()[1+conn*100+n%100], fmt.Sprintf(`{"title":"t%d"}`, time.Now().UnixNano()), nil); err != nil {
					if ctx.Err() == nil {
						b.Error(err)
					}
					return
				}
				made[conn]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range made {
		total += n
	}
	return total
}

// followLag reads the feed by long polls from its end on, and measures how old
// each event is when it is there.
func followLag(b *testing.B, ctx context.Context, p *load.Process) []time.Duration {
	type page struct {
		Items []struct{ Time time.Time }
		Next  string `json:"next_cursor"`
		More  bool
	}
	var lags []time.Duration
	cursor := ""
	for caughtUp := false; ctx.Err() == nil; {
		var got page
		wait := "0"
		if caughtUp {
			wait = "5"
		}
		if err := ask(ctx, p, http.MethodGet, "/events?limit=200&wait="+wait+"&cursor="+cursor, "", &got); err != nil {
			if ctx.Err() == nil {
				b.Error(err)
			}
			return lags
		}
		now := time.Now()
		cursor = got.Next
		for _, e := range got.Items {
			if caughtUp {
				lags = append(lags, now.Sub(e.Time))
			}
		}
		caughtUp = caughtUp || !got.More
	}
	return lags
}

// asker keeps connections.
var asker = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * lagConns}}

func ask(ctx context.Context, p *load.Process, method, path, body string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.Addr+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+load.Key)
	answer, err := asker.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	if into == nil {
		_, err := io.Copy(io.Discard, answer.Body) // so that the connection is kept
		return err
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
