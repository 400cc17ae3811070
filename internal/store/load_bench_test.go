package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// loadUsers is how many users BenchmarkLoad loads: LOAD_USERS=1000000 for the figures
// of docs/decisions/0036-loading.md.
func loadUsers(b *testing.B) int64 {
	n, err := strconv.ParseInt(cmp.Or(os.Getenv("LOAD_USERS"), "20000"), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// syllables make names of which there are many, as there are of people.
var syllables = []string{"an", "ber", "cor", "da", "el", "fin", "gor", "ha", "il", "jo", "ka", "len", "mar", "no", "ol", "pet",
	"qui", "ros", "sa", "tom", "ul", "ver", "wil", "xa", "yu", "zen", "bri", "cla", "dro", "ste", "tri", "ga"}

// loaded is the n-th user of the load.
func loaded(tenant directory.TenantNo, n int64) directory.UserLoad {
	sum := sha256.Sum256([]byte(strconv.FormatInt(n, 10)))
	part := func(i int) string { return syllables[sum[i]%32] }
	given, family := part(0)+part(1), part(2)+part(3)+part(4)
	name := given + "." + family + strconv.FormatInt(n%1000, 10) + part(5) + strconv.FormatInt(n, 36)
	at := time.UnixMicro(1_700_000_000_000_000 + n).UTC()
	u := directory.User{Tenant: tenant, Number: n, ID: fmt.Sprintf("%x-%x-4%x-a%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])[:36], State: directory.StateActive,
		Company: 2, UserName: name, Email: name + "@example.com", EmailClaimed: true, GivenName: given, FamilyName: family,
		DisplayName: given + " " + family, Title: "Technician", EmployeeNumber: strconv.FormatInt(n, 10), ClientUserID: "c" + strconv.FormatInt(n, 10),
		Phones: []directory.Phone{{Number: "+1 555 0100", Type: "Work"}}, AuthEpoch: 1, Version: 1, DoorVersion: 1,
		CreatedAt: at, UpdatedAt: at}
	return directory.UserLoad{User: u, Handles: []directory.Handle{
		{Space: directory.SpaceLogin, Key: name, Kinds: directory.HandleUserName, User: n},
		{Space: directory.SpaceLogin, Key: u.Email, Kinds: directory.HandleEmail, User: n},
		{Space: directory.SpaceEmployee, Key: u.EmployeeNumber, Kinds: directory.HandleUserName, User: n},
	}, Event: directory.Event{Tenant: tenant, ID: u.ID, Type: directory.EventUserCreated, User: n, UserID: u.ID, Company: 2,
		Door: directory.DoorCanonical, Actor: "key:bench", Origin: "credential:k", RequestID: "0123456789abcdef", Time: at, Salt: sum[:16],
		Payload: []byte(`{"changes":{"user_name":["","` + name + `"],"email":["","` + u.Email + `"],"given_name":["","` + given +
			`"],"family_name":["","` + family + `"],"status":["","active"]}}`)}}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// loading is an empty directory to load users into.
type loading struct {
	db     *DB
	tenant directory.TenantNo
}

func newLoading(b *testing.B, database string) *loading {
	b.Helper()
	ctx := context.Background()
	if err := Migrate(ctx, database, Options{}); err != nil {
		b.Fatal(err)
	}
	db, err := Open(ctx, database, Options{})
	if err != nil {
		b.Fatal(err)
	}
	l := &loading{db: db}
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { // as a server does
		defer close(done)
		if err := db.Follow(following, func(directory.TenantNo, int64) {}); err != nil {
			b.Error(err)
		}
	}()
	b.Cleanup(func() {
		stop()
		<-done
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	err = db.Update(ctx, func(dt directory.Tx) (err error) {
		l.tenant, err = insertLoadTenant(ctx, dt)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// pages runs write for pages of 500 users up to the n-th, each in a transaction.
func (l *loading) pages(b *testing.B, n int64, write func(ctx context.Context, t *tx, page []directory.UserLoad) error) {
	ctx := context.Background()
	made := make(chan []directory.UserLoad, 4)
	go func() { // as whoever reads a file does
		defer close(made)
		for first := int64(1); first <= n; first += 500 {
			var page []directory.UserLoad
			for i := first; i < min(first+500, n+1); i++ {
				page = append(page, loaded(l.tenant, i))
			}
			made <- page
		}
	}()
	begun, last, count, cpu := time.Now(), time.Now(), int64(0), cpuTime()
	for page := range made {
		if err := l.db.Update(ctx, func(t directory.Tx) error { return write(ctx, t.(*tx), page) }); err != nil {
			b.Fatal(err)
		}
		if count += int64(len(page)); count%100_000 == 0 {
			used := cpuTime()
			b.Logf("%8d users %6.1f s, now %6.0f users/s, %5.1f us of CPU each", count, time.Since(begun).Seconds(), 100_000/time.Since(last).Seconds(), (used-cpu).Seconds()*10)
			last, cpu = time.Now(), used
		}
	}
}

// found waits until a search finds the last user, which is when it finds all.
func (l *loading) found(b *testing.B, n int64) {
	ctx := context.Background()
	last := loaded(l.tenant, n).User
	err := l.db.View(ctx, func(r directory.Reader) error {
		users, err := r.Users(ctx, l.tenant, directory.UserQuery{Terms: []string{last.UserName}, Limit: 10})
		if err == nil && len(users) != 1 {
			b.Errorf("a search finds %d users of the name %s", len(users), last.UserName)
		}
		total, err2 := r.UserTotal(ctx, l.tenant, 1, directory.LivingStates)
		if total != n {
			b.Errorf("%d users of %d", total, n)
		}
		if err != nil {
			return err
		}
		return err2
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoad loads users as an import does, and beside it what the databases
// can do at most: rows of the table of users alone.
func BenchmarkLoad(b *testing.B) {
	n := loadUsers(b)
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, what := range []string{"users alone", "all"} {
			b.Run(engine+"/"+what, func(b *testing.B) {
				for b.Loop() {
					database := "sqlite:" + filepath.Join(b.TempDir(), "usher.db")
					if engine == "postgres" {
						database = pgtest.Database(b)
					}
					l := newLoading(b, database)
					begun := time.Now()
					if what == "all" {
						l.pages(b, n, func(ctx context.Context, t *tx, page []directory.UserLoad) error {
							return t.LoadUsers(ctx, l.tenant, page)
						})
						l.found(b, n)
					} else {
						l.pages(b, n, bareRows)
					}
					b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "users/s")
				}
			})
		}
	}
}

// bareRows writes users and nothing that belongs to them.
func bareRows(ctx context.Context, t *tx, page []directory.UserLoad) error {
	var list []any
	for i := range page {
		values, err := userValues(&page[i].User)
		if err != nil {
			return err
		}
		list = append(append(list, values...), int64(page[i].User.Tenant), page[i].User.Number)
	}
	rows := rowsInsert{columns: len(insertUserColumns), most: 16, head: "INSERT INTO users (" + strings.Join(insertUserColumns, ", ") + ") VALUES "}.prepare()
	return rows.each(list, func(sql string, args []any) error {
		_, err := t.q.exec(ctx, sql, args...)
		return err
	})
}
