package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/store"
)

// historyBegan is when the seeded events begin; there is one every three seconds,
// so that ten million of them take a year.
var historyBegan = time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)

const (
	historyStep    = 3 * time.Second
	historyUsers   = 1000
	historyActors  = 300
	historyReasons = 50  // each hundredth event has one
	historyAtOnce  = 500 // events in one transaction
)

// historyDoors are those through which the seeded events came.
var historyDoors = [...]directory.Door{directory.DoorIQmetrix, directory.DoorEncore, directory.DoorSmartapp, directory.DoorSCIM, directory.DoorCanonical}

// historyEvent is the n-th seeded event of a tenant, from 0.
func historyEvent(t directory.TenantNo, n int) directory.Event {
	r := mathrand.New(mathrand.NewPCG(1, uint64(n)))
	user := 1 + r.IntN(historyUsers)
	e := directory.Event{Tenant: t, ID: uuid.Must(uuid.NewV7()).String(), Type: directory.EventUserUpdated, User: int64(user),
		UserID: userIDs()[user], Company: load.Company, Door: historyDoors[r.IntN(len(historyDoors))], RequestID: "bench",
		Actor: fmt.Sprintf("key:%d", r.IntN(historyActors)), Time: historyBegan.Add(time.Duration(n) * historyStep), Salt: make([]byte, 16),
		Payload: fmt.Appendf(nil, `{"version":%d,"changes":{"title":["Sales Clerk","Title %d"]}}`, n, n)}
	e.Origin = "credential:" + e.Actor
	if n%100 == 0 {
		e.Reason = fmt.Sprintf("ticket %d", r.IntN(historyReasons))
	}
	_, _ = rand.Read(e.Salt) // never fails (crypto/rand)
	return e
}

// withHistory is a directory of 1,000 users with so many events, findable.
func withHistory(b *testing.B, events int) string {
	b.Helper()
	path := filepath.Join(directories(b), fmt.Sprintf("events-%d.v2.db", events))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	making := copyOf(b, seeded(b, 1000))
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+making, store.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	for done := 0; done < events; done += historyAtOnce {
		err := db.Update(ctx, func(tx directory.Tx) error {
			for n := done; n < min(done+historyAtOnce, events); n++ {
				if err := tx.InsertEvent(ctx, historyEvent(1, n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for n := 1; n > 0; {
		if err := db.Update(ctx, func(tx directory.Tx) (err error) {
			n, err = tx.IndexEvents(ctx, 1, historyAtOnce)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(making, path); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkFindEvents asks for pages of 20 events by what they say, of 100,000 and
// of 10,000,000: growth is server time per request.
func BenchmarkFindEvents(b *testing.B) {
	sizes := [2]int{100_000, 10_000_000}
	small, large := usherOn(b, withHistory(b, sizes[0])), usherOn(b, withHistory(b, sizes[1]))
	for _, q := range []struct {
		name  string
		query func(events int) url.Values
	}{
		{"user", func(int) url.Values { return url.Values{"user_number": {fmt.Sprint(1 + mathrand.IntN(historyUsers))}} }},
		{"actor", func(int) url.Values {
			return url.Values{"actor": {fmt.Sprintf("key:%d", mathrand.IntN(historyActors))}}
		}},
		{"reason", func(int) url.Values {
			return url.Values{"reason": {fmt.Sprintf("ticket %d", mathrand.IntN(historyReasons))}}
		}},
		{"door", func(int) url.Values { return url.Values{"door": {"encore"}} }},
		{"time", func(events int) url.Values {
			from := historyBegan.Add(time.Duration(mathrand.IntN(events-1200)) * historyStep)
			return url.Values{"since": {from.Format(time.RFC3339)}, "until": {from.Add(time.Hour).Format(time.RFC3339)}}
		}},
	} {
		for _, order := range []string{"oldest", "newest"} {
			b.Run(q.name+"/"+order, func(b *testing.B) {
				load := func(events int) load.Load {
					return load.Load{Conns: 8, Accept: isOK, Next: get(func(int, int) string {
						query := q.query(events)
						query.Set("limit", "20")
						query.Set("order", order)
						return "/api/v1/events?" + query.Encode()
					})}
				}
				many, few := alternate(b, large, load(sizes[1]), small, load(sizes[0]))
				many.report(b)
				b.ReportMetric(ratios(many.cpu, few.cpu), "growth-100000-to-10000000")
			})
		}
	}
}
