package store_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// Compare ratios of one run, not single figures of two machines. For the
// figures of docs/operations.md: go test -bench . -users 100000.
var (
	benchUsers = flag.Int("users", 10_000, "users in the directory of benchmarks")
	// benchEvents shows by the difference what the events of changes cost.
	benchEvents = flag.Bool("events", true, "whether the changes of benchmarks write events")
)

var benchWords = []string{"anna", "bruno", "clara", "david", "elena", "felix", "greta", "hugo", "irene", "jonas", "klara",
	"lukas", "maria", "niklas", "olivia", "paul", "quirin", "rosa", "simon", "teresa", "ulrich", "vera", "walter", "xenia", "yusuf", "zoe"}

// benchUser is the n-th user of the benchmark directory.
func benchUser(tenant directory.TenantNo, n int64) directory.User {
	given, family := benchWords[n%26], benchWords[n/26%26]+benchWords[n/676%26]
	now := time.UnixMicro(1_700_000_000_000_000 + n).UTC()
	name := fmt.Sprintf("%s.%s%d", given, family, n)
	return directory.User{Tenant: tenant, Number: n, ID: fmt.Sprintf("01890000-0000-7000-8000-%012x", n), State: directory.StateActive,
		Company: 2, UserName: name, Email: name + "@example.com", EmailClaimed: true, GivenName: given, FamilyName: family,
		DisplayName: given + " " + family, Title: "Technician", EmployeeNumber: fmt.Sprint(n), ClientUserID: fmt.Sprintf("c%d", n),
		Phones: []directory.Phone{{Number: "+1 555 0100", Type: "Work"}}, AuthEpoch: 1, Version: 1, DoorVersion: 1,
		CreatedAt: now, UpdatedAt: now, LicenceType: "field"}
}

// insertBenchUser writes what a create writes.
func insertBenchUser(ctx context.Context, tx directory.Tx, u directory.User) error {
	if err := tx.InsertUser(ctx, u); err != nil {
		return err
	}
	for key, kind := range map[string]directory.HandleKind{u.UserName: directory.HandleUserName, u.Email: directory.HandleEmail} {
		if err := tx.InsertHandle(ctx, u.Tenant, directory.Handle{Space: directory.SpaceLogin, Key: key, Kinds: kind, User: u.Number}); err != nil {
			return err
		}
	}
	return writeBenchEvent(ctx, tx, u.Tenant, u.Number)
}

func writeBenchEvent(ctx context.Context, tx directory.Tx, tenant directory.TenantNo, number int64) error {
	if !*benchEvents {
		return nil
	}
	return tx.InsertEvent(ctx, benchEvent(tenant, number))
}

func benchEvent(tenant directory.TenantNo, number int64) directory.Event {
	return directory.Event{Tenant: tenant, ID: "01890000-0000-7000-8000-000000000000", Type: directory.EventUserUpdated, User: number,
		Door: directory.DoorIQmetrix, Actor: "key:bench", RequestID: "0123456789abcdef", Time: time.UnixMicro(1_700_000_000_000_000),
		Salt: make([]byte, 16), Payload: []byte(`{"changes":{"status":["active","inactive"]}}`)}
}

// bench is the directory that the benchmarks of one engine share.
type bench struct {
	once   sync.Once
	db     *store.DB
	tenant directory.TenantNo
	users  int64
	next   atomic.Int64
}

var benches = map[string]*bench{"sqlite": {}, "postgres": {}}

var benchKey = sha256.Sum256([]byte("key"))

// each runs fn on both engines.
func eachBench(b *testing.B, fn func(b *testing.B, d *bench)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			d := benches[engine]
			d.once.Do(func() { d.load(b, engine) })
			b.ReportAllocs()
			fn(b, d)
		})
	}
}

// load makes the directory. It stays for the whole run of the binary.
func (d *bench) load(b *testing.B, engine string) {
	ctx := context.Background()
	database := benchDatabase(b, engine)
	if err := store.Migrate(ctx, database, store.Options{}); err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(ctx, database, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	go db.Follow(ctx, func(directory.TenantNo, int64) {}) // as a server does, until the binary ends
	d.db, d.users = db, int64(*benchUsers)
	d.update(b, func(tx directory.Tx) error {
		no, err := tx.InsertTenant(ctx, directory.Tenant{ID: "bench", Name: "bench", Doors: directory.AllDoors})
		if err != nil {
			return err
		}
		d.tenant = no
		for n, path := range [][]int64{{1}, {1, 2}} {
			c := directory.Company{Tenant: no, Number: int64(n + 1), ID: fmt.Sprint(n), Path: path, Name: fmt.Sprint("Company ", n)}
			if err := tx.InsertCompany(ctx, c); err != nil {
				return err
			}
		}
		if err := tx.SetPool(ctx, no, "field", 10*d.users+1000); err != nil {
			return err
		}
		return tx.InsertCredential(ctx, directory.Credential{Tenant: no, ID: "k", Kind: directory.CredentialKey, Name: "bench",
			Hash: benchKey[:], Rank: directory.RankAdministrator, Scopes: directory.AllScopes, Doors: directory.AllDoors})
	})
	for d.next.Load() < d.users {
		first := d.next.Load()
		last := min(first+500, d.users)
		d.update(b, func(tx directory.Tx) error {
			for n := first + 1; n <= last; n++ {
				u := benchUser(d.tenant, n)
				var err error
				if u.Seat, err = tx.TakeSeat(ctx, d.tenant, u.LicenceType); err != nil {
					return err
				}
				if err := insertBenchUser(ctx, tx, u); err != nil {
					return err
				}
			}
			return nil
		})
		d.next.Store(last)
	}
}

func (d *bench) update(b *testing.B, fn func(tx directory.Tx) error) {
	b.Helper()
	if err := d.db.Update(context.Background(), fn); err != nil {
		b.Fatal(err)
	}
}

func (d *bench) read(b *testing.B, fn func(ctx context.Context, r directory.Reader) error) {
	b.Helper()
	ctx := context.Background()
	if err := d.db.Read(ctx, func(r directory.Reader) error { return fn(ctx, r) }); err != nil {
		b.Fatal(err)
	}
}

// random is the number of some user.
func (d *bench) random() int64 { return 1 + rand.Int64N(d.users) }

func BenchmarkUserByNumber(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		for b.Loop() {
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.UserByNumber(ctx, d.tenant, d.random())
				return err
			})
		}
	})
}

// BenchmarkRequest is what a get costs the store: the key, then the user.
func BenchmarkRequest(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		for b.Loop() {
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.AuthenticateKey(ctx, benchKey[:])
				return err
			})
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.UserByNumber(ctx, d.tenant, d.random())
				return err
			})
		}
	})
}

func BenchmarkUserByHandle(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		for b.Loop() {
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, _, err := r.UserByHandle(ctx, d.tenant, directory.SpaceLogin, benchUser(d.tenant, d.random()).UserName)
				return err
			})
		}
	})
}

func BenchmarkListPageAndTotal(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		for b.Loop() {
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.Users(ctx, d.tenant, directory.UserQuery{Company: 1, After: d.random() * 9 / 10, Limit: 30})
				return err
			})
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.UserTotal(ctx, d.tenant, 1, directory.LivingStates)
				return err
			})
		}
	})
}

func BenchmarkSearchTwoWords(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		for b.Loop() {
			n := d.random()
			d.read(b, func(ctx context.Context, r directory.Reader) error {
				_, err := r.Users(ctx, d.tenant, directory.UserQuery{Company: 1, Limit: 30,
					Terms: []string{benchWords[n%26], benchWords[n/26%26]}})
				return err
			})
		}
	})
}

// changeState is what an activation or deactivation does to the store.
func (d *bench) changeState(ctx context.Context, tx directory.Tx, number int64) error {
	before, err := tx.LockUser(ctx, d.tenant, number)
	if err != nil {
		return err
	}
	if _, err := tx.Company(ctx, d.tenant, before.Company); err != nil {
		return err
	}
	after := before
	after.Version++
	after.AuthEpoch++
	if before.State == directory.StateActive {
		after.State, after.Seat = directory.StateInactive, 0
		err = tx.FreeSeat(ctx, d.tenant, before.LicenceType, before.Seat)
	} else {
		after.State = directory.StateActive
		after.Seat, err = tx.TakeSeat(ctx, d.tenant, before.LicenceType)
	}
	if err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, before, after); err != nil {
		return err
	}
	return writeBenchEvent(ctx, tx, d.tenant, number)
}

// BenchmarkStateChange compares 64 callers at once, whose changes SQLite
// commits in groups, with one caller, whose changes each have a transaction.
func BenchmarkStateChange(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		change := func() error {
			number := d.random()
			return d.db.Update(context.Background(), func(tx directory.Tx) error { return d.changeState(context.Background(), tx, number) })
		}
		b.Run("callers=1", func(b *testing.B) {
			for b.Loop() {
				if err := change(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("callers=64", func(b *testing.B) { callers(b, 64, change) })
	})
}

func BenchmarkCreate(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		callers(b, 64, func() error {
			u := benchUser(d.tenant, d.next.Add(1))
			return d.db.Update(context.Background(), func(tx directory.Tx) error {
				return insertBenchUser(context.Background(), tx, u)
			})
		})
	})
}

// BenchmarkCreateTogether makes users in one transaction, each in a part of its
// own, as a bulk request does. Its figures are for one user.
func BenchmarkCreateTogether(b *testing.B) {
	eachBench(b, func(b *testing.B, d *bench) {
		ctx := context.Background()
		for done := 0; done < b.N; {
			n := min(500, b.N-done)
			d.update(b, func(tx directory.Tx) error {
				for range n {
					u := benchUser(d.tenant, d.next.Add(1))
					if err := tx.Try(ctx, func() error { return insertBenchUser(ctx, tx, u) }); err != nil {
						return err
					}
				}
				return nil
			})
			done += n
		}
	})
}

// callers runs fn b.N times in n goroutines.
func callers(b *testing.B, n int, fn func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := fn(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
