package bulk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// office is a directory with one tenant on a new database.
type office struct {
	*directory.Service
	t      *testing.T
	tenant directory.TenantNo
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/usher.db", store.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer, err := directory.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Service: directory.New(db, directory.Options{Sealer: sealer}), t: t}
	tenant, err := o.CreateTenant(t.Context(), directory.System(0, "test"), directory.Tenant{Name: "kentel"}, directory.Company{})
	if err != nil {
		t.Fatal(err)
	}
	o.tenant = tenant.No
	return o
}

func (o *office) call() *directory.Call { return directory.System(o.tenant, "test") }

// begin makes an import of a file and starts it.
func (o *office) begin(options directory.ImportOptions, file string) directory.BulkRun {
	o.t.Helper()
	run, err := o.CreateBulk(o.t.Context(), o.call(), directory.NewBulk{Kind: directory.BulkImport, Import: options})
	if err != nil {
		o.t.Fatal(err)
	}
	const part = 10_000 // parts end in the middle of rows, and of letters
	for n := 0; n*part < len(file); n++ {
		if _, err := o.AddBulkPart(o.t.Context(), o.call(), run.ID, int64(n), []byte(file[n*part:min(len(file), (n+1)*part)])); err != nil {
			o.t.Fatal(err)
		}
	}
	if run, err = o.StartBulk(o.t.Context(), o.call(), run.ID, directory.BulkThresholds{}); err != nil {
		o.t.Fatal(err)
	}
	return run
}

// staff is a file of so many people, every seventh of whom has no user name.
func staff(n int) string {
	var b strings.Builder
	b.WriteString("user_name,given_name\r\n")
	for i := range n {
		if i%7 == 6 {
			fmt.Fprintf(&b, "\"bad\"name\",x\r\n")
			continue
		}
		fmt.Fprintf(&b, "user%d,Zoë\r\n", i)
	}
	return b.String()
}

var csvFile = directory.ImportOptions{Format: directory.BulkCSV}

// A run is worked on turn by turn; a turn ends behind a page, and the next one, of this
// server or another, goes on there. No row is done twice.
func TestTurns(t *testing.T) {
	const rows = 2300
	o := newOffice(t)
	run := o.begin(csvFile, staff(rows))
	job := directory.Job{Tenant: o.tenant, Kind: directory.JobBulk, Payload: []byte(run.ID)}
	over := make(chan struct{})
	close(over) // every turn is over after its first page
	runner := bulk.NewRunner(o, time.Now, over)
	turns := 0
	for {
		err := runner.Do(t.Context(), job)
		if err == nil {
			break
		}
		if _, ok := errors.AsType[interface {
			error
			Again() time.Time
		}](err); !ok {
			t.Fatal(err)
		}
		turns++
		if turns == 2 { // the server is killed, and another one takes it up
			runner = bulk.NewRunner(o, time.Now, over)
		}
		now, err := o.Bulk(t.Context(), o.call(), run.ID)
		if want := int64(min(rows, turns*directory.MaxImportPage)); err != nil || now.Done != want {
			t.Fatalf("turn %d ended at row %d, want %d; %v", turns, now.Done, want, err)
		}
	}
	done, err := o.Bulk(t.Context(), o.call(), run.ID)
	bad := int64(rows / 7)
	if err != nil || done.State != directory.BulkDone || done.Counts[directory.RowCreate] != rows-bad || done.Counts[directory.RowInvalid] != bad || turns != 5 {
		t.Errorf("after %d turns: %+v, %v", turns, done, err)
	}
	if err := runner.Do(t.Context(), job); err != nil {
		t.Errorf("a job of a run that has ended: %v", err)
	}
	job.Payload = []byte("0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31")
	if err := runner.Do(t.Context(), job); err != nil {
		t.Errorf("a job of no run: %v", err)
	}
	o.rejectedAgain(run.ID, bad)
}

// rejectedAgain imports the rejected rows after somebody has corrected them.
func (o *office) rejectedAgain(id string, bad int64) {
	o.t.Helper()
	var file bytes.Buffer
	if err := bulk.WriteRejected(o.t.Context(), o, o.call, id, &file, nil); err != nil {
		o.t.Fatal(err)
	}
	lines := strings.SplitAfter(file.String(), "\r\n")
	if lines[0] != "\ufeffuser_name,given_name,usher_line,usher_verdict,usher_field,usher_reason\r\n" || int64(len(lines)) != bad+2 ||
		!strings.HasPrefix(lines[1], `"""bad""name""",x,8,invalid,row,`) {
		o.t.Fatalf("%d lines, %q, %q", len(lines), lines[0], lines[1])
	}
	for i := range lines[1:] {
		lines[i+1] = strings.Replace(lines[i+1], `"""bad""name"""`, fmt.Sprintf("corrected%d", i), 1)
	}
	run := o.begin(csvFile, strings.Join(lines, ""))
	done, err := bulk.NewRunner(o, time.Now, nil).Work(o.t.Context(), o.tenant, run.ID, time.Time{}, nil)
	if err != nil || done.State != directory.BulkDone || done.Counts[directory.RowCreate] != bad {
		o.t.Errorf("corrected: %+v, %v", done, err)
	}
}

// A file that cannot be read to its end changes nothing, and says where.
func TestUnreadableFileChangesNothing(t *testing.T) {
	o := newOffice(t)
	for file, want := range map[string]string{
		staff(1000) + "bj\xf6rn,x\r\n":     "Line 1002: The byte 0xf6 is not UTF-8.",
		"shoe size,colour\r\n1,2\r\n":      "No column is known",
		"user_name,USER_NAME\r\nana,b\r\n": `Line 1: The columns 1 and 2 are both named "USER_NAME".`,
		"user_name,email\r\n\r\n":          "The file has no rows.",
	} {
		run := o.begin(csvFile, file)
		if err := bulk.NewRunner(o, time.Now, nil).Do(t.Context(), directory.Job{Tenant: o.tenant, Payload: []byte(run.ID)}); err != nil {
			t.Fatal(err)
		}
		failed, err := o.Bulk(t.Context(), o.call(), run.ID)
		if err != nil || failed.State != directory.BulkFailed || !strings.HasPrefix(failed.Error, want) || failed.Done != 0 {
			t.Errorf("%+v, %v; want %s", failed, err, want)
		}
	}
	users, err := o.Users(t.Context(), o.call(), directory.UserQuery{Limit: 1, WantTotal: true})
	if err != nil || users.Total != 0 {
		t.Errorf("%d users are there, %v", users.Total, err)
	}
}

// deaf is a directory that fails at every page.
type deaf struct{ bulk.Service }

func (deaf) ApplyImport(context.Context, *directory.Call, directory.TenantNo, int64, *directory.ImportPlan) (directory.BulkRun, []directory.RowVerdict, error) {
	return directory.BulkRun{}, nil, errors.New("the disk is full")
}

// A run that fails again and again ends; until then it is only late.
func TestHopelessRunEnds(t *testing.T) {
	o := newOffice(t)
	run := o.begin(csvFile, staff(10))
	runner := bulk.NewRunner(deaf{o}, time.Now, nil)
	o.fails(runner, run.ID, 1, directory.BulkWaiting)
	o.fails(runner, run.ID, 20, directory.BulkFailed)
}

func (o *office) fails(runner *bulk.Runner, id string, attempts int, want directory.BulkState) {
	o.t.Helper()
	err := runner.Do(o.t.Context(), directory.Job{Tenant: o.tenant, Payload: []byte(id), Attempts: attempts})
	now, read := o.Bulk(o.t.Context(), o.call(), id)
	if err == nil || read != nil || now.State != want {
		o.t.Errorf("after %d attempts %v: %s, %v", attempts, err, now.State, read)
	}
}
