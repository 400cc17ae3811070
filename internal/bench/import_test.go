package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/store"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

// importInto makes a process of this test binary one that imports a file of users
// into a new directory: the database and how many users, separated by a blank.
const importInto = "BENCH_IMPORT"

// importCompanies is how many companies the users of the file are of: those of
// load.User.
const importCompanies = 20

// importFigures are what such a process prints.
type importFigures struct {
	Upload, Import time.Duration
	Memory         int // RssAnon at most, in KiB
}

// BenchmarkImport imports IMPORT_USERS users (20,000; 1,000,000 for the figures of
// docs/decisions/0035-import.md) from CSV, each engine in a process of its own, and
// writes the same rows of the table of users, and nothing else, by the statements of
// several rows or the COPY that are the fastest way into it.
func BenchmarkImport(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("IMPORT_USERS"))
	if err != nil {
		n = 20_000
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) {
			for b.Loop() {
				database := "sqlite:" + filepath.Join(b.TempDir(), "usher.db")
				if engine == "postgres" {
					database = pgtest.Database(b)
				}
				figures := runImport(b, database, n)
				rate := float64(n) / figures.Import.Seconds()
				raw := float64(n) / rawRows(b, engine, database, n).Seconds()
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(figures.Import.Seconds(), "import-s")
				b.ReportMetric(figures.Upload.Seconds(), "upload-s")
				b.ReportMetric(rate, "users/s")
				b.ReportMetric(raw, "raw-rows/s")
				b.ReportMetric(rate/raw, "ratio-to-raw")
				b.ReportMetric(float64(figures.Memory)/1024, "MiB")
			}
		})
	}
}

// runImport runs the process.
func runImport(b *testing.B, database string, n int) importFigures {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", importInto, database, n))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("import: %v\n%s", err, out)
	}
	var figures importFigures
	if err := json.Unmarshal(out, &figures); err != nil {
		b.Fatalf("import: %v\n%s", err, out)
	}
	return figures
}

// importMain is the process.
func importMain(spec string) error {
	database, users, _ := strings.Cut(spec, " ")
	n, err := strconv.Atoi(users)
	if err != nil {
		return err
	}
	debug.SetGCPercent(400) // as usher serve
	stop, err := profile(os.Getenv("IMPORT_PROFILE"))
	if err != nil {
		return err
	}
	defer stop()
	figures, err := importUsers(context.Background(), database, n)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(figures)
	}
	return err
}

// importUsers makes a directory and imports n users into it.
func importUsers(ctx context.Context, database string, n int) (figures importFigures, err error) {
	if err := store.Migrate(ctx, database, store.Options{}); err != nil {
		return figures, err
	}
	db, err := store.Open(ctx, database, store.Options{})
	if err != nil {
		return figures, err
	}
	following, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = db.Follow(following, func(directory.TenantNo, int64) {}) }) // as a server does
	defer func() {
		end()
		wg.Wait()
		err = errors.Join(err, db.Close())
	}()
	sealer, err := directory.NewSealer(bytes.Repeat([]byte{1}, directory.SecretKeyBytes))
	if err != nil {
		return figures, err
	}
	service := directory.New(db, directory.Options{Sealer: sealer})
	tenant, run, err := upload(ctx, service, n, &figures)
	if err != nil {
		return figures, err
	}
	peak := watchMemory()
	began := time.Now()
	runner := bulk.NewRunner(service, time.Now, nil)
	last, seen := began, int64(0)
	done, err := runner.Work(ctx, tenant, run, time.Time{}, func(r *directory.BulkRun) {
		if r.Done-seen >= 100_000 {
			now := time.Now()
			fmt.Fprintf(os.Stderr, "%8d rows %6.1f s, now %6.0f rows/s\n", r.Done, now.Sub(began).Seconds(), float64(r.Done-seen)/now.Sub(last).Seconds())
			last, seen = now, r.Done
		}
	})
	figures.Import = time.Since(began)
	figures.Memory = peak()
	if err == nil {
		err = imported(ctx, service, tenant, done, n)
	}
	return figures, err
}

// imported checks that every user is there and that a search finds the last at once.
func imported(ctx context.Context, service *directory.Service, tenant directory.TenantNo, run directory.BulkRun, n int) error {
	if run.State != directory.BulkDone || run.Counts[directory.RowCreate] != int64(n) {
		return fmt.Errorf("the run is %s (%s) with %v", run.State, run.Error, run.Counts)
	}
	page, err := service.Users(ctx, directory.System(tenant, "bench"), directory.UserQuery{Terms: []string{load.User(n).UserName}, Limit: 10, WantTotal: true})
	if err == nil && len(page.Users) != 1 {
		err = fmt.Errorf("a search finds %d users of the name %s", len(page.Users), load.User(n).UserName)
	}
	return err
}

// upload makes a tenant and an import of n users that waits.
func upload(ctx context.Context, service *directory.Service, n int, figures *importFigures) (directory.TenantNo, string, error) {
	tenant, err := service.CreateTenant(ctx, directory.System(0, "bench"), directory.Tenant{Name: "bench"}, directory.Company{})
	if err != nil {
		return 0, "", err
	}
	call := func() *directory.Call { return directory.System(tenant.No, "bench") }
	for c := range importCompanies {
		if _, err := service.CreateCompany(ctx, call(), directory.Company{Name: fmt.Sprintf("Company %d", c+1), Parent: tenant.DefaultCompany}); err != nil {
			return 0, "", err
		}
	}
	run, err := service.CreateBulk(ctx, call(), directory.NewBulk{Kind: directory.BulkImport, Name: "users.csv", Import: directory.ImportOptions{Format: directory.BulkCSV}})
	if err != nil {
		return 0, "", err
	}
	began, part := time.Now(), int64(0)
	err = csvParts(n, func(data []byte) error {
		_, err := service.AddBulkPart(ctx, call(), run.ID, part, data)
		part++
		return err
	})
	if err == nil {
		_, err = service.StartBulk(ctx, call(), run.ID, directory.BulkThresholds{})
	}
	figures.Upload = time.Since(began)
	return tenant.No, run.ID, err
}

// csvParts hands out a file of n users in parts.
func csvParts(n int, send func([]byte) error) error {
	file := bytes.NewBufferString("user_name,email,given_name,family_name,title,company_name,employee_number,client_user_id,phones.work,address.line1,address.city,address.region,address.country,address.zip\r\n")
	for i := 1; i <= n; i++ {
		u := load.User(i)
		fmt.Fprintf(file, "%s,%s,%s,%s,%s,Company %d,E%d,%s,%s,%s,%s,%s,%s,%s\r\n", u.UserName, u.Email, u.GivenName, u.FamilyName, u.Title, u.Company-load.Company,
			i, u.ClientUserID, u.Phones[0].Number, u.Address.Line1, u.Address.City, u.Address.Region, u.Address.Country, u.Address.Zip)
		for file.Len() >= directory.MaxPart {
			if err := send(bytes.Clone(file.Next(directory.MaxPart))); err != nil {
				return err
			}
		}
	}
	if file.Len() == 0 {
		return nil
	}
	return send(file.Bytes())
}

// watchMemory samples what the process has in memory; the function that it returns
// says how much it was at most, in KiB.
func watchMemory() func() int {
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		peak := 0
		for {
			select {
			case <-stop:
				most <- peak
				return
			case <-tick.C:
				peak = max(peak, ownMemory("RssAnon"))
			}
		}
	}()
	return func() int {
		close(stop)
		return <-most
	}
}

// ownMemory is a figure of /proc/self/status in KiB; 0 where there is none.
func ownMemory(name string) int {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(io.LimitReader(file, 64<<10)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}
