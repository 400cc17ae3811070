package directory_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// What a run says is checked before anything is made, and names the field.
func TestRulesBulkInput(t *testing.T) {
	f := newFixture(t)
	dump := f.dump()
	percent := func(n int) directory.NewBulk {
		return importing(func(o *directory.ImportOptions) { o.MaxChanges, o.MaxDeactivations = n, n })
	}
	for what, c := range map[string]struct {
		in   directory.NewBulk
		want []string
	}{
		"no kind":   {directory.NewBulk{}, []string{"kind field.value"}},
		"no format": {directory.NewBulk{Kind: directory.BulkImport}, []string{"format field.required"}},
		"every choice": {importing(func(o *directory.ImportOptions) {
			o.Format, o.Comma, o.Encoding, o.Existing, o.Status = "xls", "#", "ebcdic", "burn", directory.StateDeleted
			o.Match = []string{"shoe_size"}
		}), []string{"format field.value", "comma field.value", "encoding field.value", "existing field.value", "status field.value", "match field.value"}},
		"match twice": {importing(func(o *directory.ImportOptions) { o.Match = []string{"id", "id"} }), []string{"match field.value"}},
		"match empty": {importing(func(o *directory.ImportOptions) { o.Match = []string{""} }), []string{"match field.value"}},
		"too low":     {percent(-1), []string{"max_changes field.value", "max_deactivations field.value"}},
		"too high":    {percent(101), []string{"max_changes field.value", "max_deactivations field.value"}},
		"no company":  {importing(func(o *directory.ImportOptions) { o.Company = 987_654 }), []string{"company company.not_found"}},
		"columns of ndjson": {importing(func(o *directory.ImportOptions) {
			o.Format, o.Columns = directory.BulkNDJSON, []directory.ImportColumn{{Header: "a", Field: "id"}}
		}), []string{"columns field.value"}},
		"a long name": {directory.NewBulk{Kind: directory.BulkImport, Name: strings.Repeat("x", 201), Import: directory.ImportOptions{Format: directory.BulkCSV}},
			[]string{"name field.length"}},
		"a name with a line break": {directory.NewBulk{Kind: directory.BulkImport, Name: "a\nb", Import: directory.ImportOptions{Format: directory.BulkCSV}},
			[]string{"name field.format"}},
		"no verb":          {action("", 1), []string{"verb field.required"}},
		"an unknown verb":  {action("promote", 1), []string{"verb field.value"}},
		"nobody":           {action(directory.DeedLock), []string{"users field.required"}},
		"no number":        {action(directory.DeedLock, 0), []string{"users field.value"}},
		"too many":         {action(directory.DeedLock, make([]int64, directory.MaxBulkUsers+1)...), []string{"users field.value", "users field.value"}},
		"move to nowhere":  {action(directory.DeedMove, 1), []string{"company field.required"}},
		"no group":         {action(directory.DeedAddGroup, 1), []string{"group field.required"}},
		"an unknown group": {deed(directory.BulkDeed{Verb: directory.DeedAddGroup, Users: []int64{1}, Group: 987_654}), []string{"group group.not_found"}},
		"an unknown reason": {deed(directory.BulkDeed{Verb: directory.DeedLock, Users: []int64{1}, LockReason: 987_654}),
			[]string{"lock_reason lock_reason.not_found"}},
		"what is not needed": {deed(directory.BulkDeed{Verb: directory.DeedLock, Users: []int64{1}, Company: 1, LicenceType: "Full"}),
			[]string{"company field.value", "licence_type field.value"}},
		"both": {deed(directory.BulkDeed{Verb: directory.DeedLock, Users: []int64{1}, Select: &directory.BulkSelect{}}), []string{"select field.value"}},
		"a selection of an unknown company": {deed(directory.BulkDeed{Verb: directory.DeedLock, Select: &directory.BulkSelect{Company: 987_654}}),
			[]string{"select company.not_found"}},
		"a selection of an unknown group": {deed(directory.BulkDeed{Verb: directory.DeedLock, Select: &directory.BulkSelect{
			Groups: []directory.GroupRef{{Kind: directory.GroupPlain, Name: "none"}}}}), []string{"select group.not_found"}},
		"a selection with a broken filter": {deed(directory.BulkDeed{Verb: directory.DeedLock, Select: &directory.BulkSelect{
			Filter: directory.StoredFilter{Filter: directory.Text{Field: directory.FieldTitle, Value: "\x00"}}}}), []string{"filter filter.syntax"}},
	} {
		_, err := f.svc.CreateBulk(f.ctx, f.sys(), c.in)
		if diff := cmp.Diff(c.want, fieldReasons(err)); diff != "" || directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	f.wantUnchanged(dump, "refused runs")
}

// deed is an action.
func deed(d directory.BulkDeed) directory.NewBulk {
	return directory.NewBulk{Kind: directory.BulkAction, Deed: d}
}

// A file comes part by part, in order; a part that is repeated changes nothing, and
// nothing is in the database as it was sent.
func TestRulesBulkParts(t *testing.T) {
	f := newFixture(t)
	call := f.sys()
	call.Reason = "spring clean"
	run := must(f.svc.CreateBulk(f.ctx, call, importing()))(t)
	if !call.Changed || run.State != directory.BulkOpen || run.Reason != "spring clean" || run.By.Name != "system:test" || run.By.Door != "cli" {
		t.Errorf("changed %t, the run is %+v", call.Changed, run)
	}
	parts := []string{"user_name,password\nann,", password + "\nbob,x\n"}
	for i, part := range parts {
		for again := range 2 {
			call := f.sys()
			got := must(f.svc.AddBulkPart(f.ctx, call, run.ID, int64(i), []byte(part)))(t)
			if got.Parts != int64(i)+1 || got.Bytes != int64(len(strings.Join(parts[:i+1], ""))) || call.Changed != (again == 0) {
				t.Errorf("part %d: %d parts, %d bytes, changed %t", i, got.Parts, got.Bytes, call.Changed)
			}
		}
	}
	dump := f.dump()
	if strings.Contains(fmt.Sprint(dump), password) {
		t.Error("the database holds the file as it was sent")
	}
	add := func(part int64, text string) error {
		return second(f.svc.AddBulkPart(f.ctx, f.sys(), run.ID, part, []byte(text)))
	}
	wantError(t, add(3, "x"), directory.CodeConflict, directory.ReasonBulkPart)
	wantError(t, add(-1, "x"), directory.CodeConflict, directory.ReasonBulkPart)
	wantError(t, add(2, ""), directory.CodeConflict, directory.ReasonBulkPart)
	wantError(t, add(0, parts[1]), directory.CodeConflict, directory.ReasonBulkPart)
	wantError(t, add(2, strings.Repeat("x", directory.MaxPart+1)), directory.CodeTooLarge, directory.ReasonBulkTooLarge)
	wantError(t, second(f.svc.AddBulkPart(f.ctx, f.as(f.key(adminRank)), run.ID, 2, []byte("x"))), directory.CodeForbidden, directory.ReasonBulkAsker)
	wantError(t, second(f.svc.AddBulkPart(f.ctx, f.sys(), "none", 0, []byte("x"))), directory.CodeNotFound, directory.ReasonBulkNotFound)
	for i, part := range parts {
		if got := must(f.svc.BulkPart(f.ctx, f.sys(), run.ID, int64(i)))(t); !bytes.Equal(got, []byte(part)) {
			t.Errorf("part %d is %q", i, got)
		}
	}
	wantError(t, second(f.svc.BulkPart(f.ctx, f.sys(), run.ID, 2)), directory.CodeNotFound, directory.ReasonBulkNotFound)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	wantError(t, second(f.svc.BulkPart(f.ctx, other.sys(), run.ID, 0)), directory.CodeNotFound, directory.ReasonBulkNotFound)
	wantError(t, second(f.svc.Bulk(f.ctx, other.sys(), run.ID)), directory.CodeNotFound, directory.ReasonBulkNotFound)
}

// The greatest file is the operator's to say, and the error names it.
func TestRulesBulkFileTooLarge(t *testing.T) {
	f := newFixture(t)
	small := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t), MaxBulkFile: 10})
	run := must(small.CreateBulk(f.ctx, f.sys(), importing()))(t)
	must(small.AddBulkPart(f.ctx, f.sys(), run.ID, 0, []byte("12345")))(t)
	_, err := small.AddBulkPart(f.ctx, f.sys(), run.ID, 1, []byte("678901"))
	wantError(t, err, directory.CodeTooLarge, directory.ReasonBulkTooLarge)
	if !strings.Contains(directory.AsError(err).Message, "10 bytes") {
		t.Errorf("the message is %q", directory.AsError(err).Message)
	}
	must(small.AddBulkPart(f.ctx, f.sys(), run.ID, 1, []byte("67890")))(t)
	keyless := directory.New(f.store, directory.Options{Now: f.clock.now})
	wantError(t, second(keyless.CreateBulk(f.ctx, f.sys(), importing())), directory.CodeUnavailable, directory.ReasonSecretKey)
}

// jobsOfKind are the payloads of the tenant's jobs of a kind that wait.
func (f *fixture) bulkJobs() (payloads []string) {
	f.t.Helper()
	check(f.t, f.store.Update(f.ctx, func(tx directory.Tx) error {
		payloads = nil
		jobs, err := tx.ClaimJobs(f.ctx, directory.JobBulk, "test", f.clock.now(), f.clock.now(), 100)
		for _, j := range jobs {
			payloads = append(payloads, string(j.Payload))
		}
		return err
	}))
	return payloads
}

// An import waits for its start, and a run for a server: with a job, in the same
// transaction.
func TestRulesBulkStart(t *testing.T) {
	f := newFixture(t)
	empty := f.bulk(importing())
	start := func(id string, th directory.BulkThresholds) (directory.BulkRun, error) {
		return f.svc.StartBulk(f.ctx, f.sys(), id, th)
	}
	wantError(t, second(start(empty.ID, directory.BulkThresholds{})), directory.CodeConflict, directory.ReasonBulkState)
	run := f.openImport("user_name\nann\n")
	if got := f.bulkJobs(); got != nil {
		t.Errorf("jobs before the start: %v", got)
	}
	_, err := start(run.ID, directory.BulkThresholds{MaxChanges: 101, MaxDeactivations: -1})
	if diff := cmp.Diff([]string{"max_changes field.value", "max_deactivations field.value"}, fieldReasons(err)); diff != "" {
		t.Error(diff)
	}
	key := f.key(adminRank)
	wantError(t, second(f.svc.StartBulk(f.ctx, f.as(key), run.ID, directory.BulkThresholds{})), directory.CodeForbidden, directory.ReasonBulkAsker)
	run = must(f.svc.CreateBulk(f.ctx, f.as(key), importing()))(t)
	must(f.svc.AddBulkPart(f.ctx, f.as(key), run.ID, 0, []byte("user_name\nann\n")))(t)
	run = must(f.svc.StartBulk(f.ctx, f.as(key), run.ID, directory.BulkThresholds{MaxChanges: 40}))(t)
	if run.State != directory.BulkWaiting || run.Import.MaxChanges != 40 || run.By.Credential == "" || run.By.Door != "canonical" {
		t.Errorf("the run is %+v", run)
	}
	if diff := cmp.Diff([]string{run.ID}, f.bulkJobs()); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	wantError(t, second(start(run.ID, directory.BulkThresholds{})), directory.CodeConflict, directory.ReasonBulkState)
	wantError(t, second(f.svc.AddBulkPart(f.ctx, f.as(key), run.ID, 1, []byte("x"))), directory.CodeConflict, directory.ReasonBulkState)
	wantError(t, second(start("none", directory.BulkThresholds{})), directory.CodeNotFound, directory.ReasonBulkNotFound)
}

// A run that is cancelled, or cannot go on, has an end, an event and no file any more.
func TestRulesBulkEnd(t *testing.T) {
	f := newFixture(t)
	open := f.openImport("user_name\nann\n")
	mark := f.mark()
	open = must(f.svc.CancelBulk(f.ctx, f.sys(), open.ID))(t)
	f.wantEvents(mark) // nothing had begun
	if open.State != directory.BulkCancelled || open.EndedAt.IsZero() {
		t.Errorf("the run is %+v", open)
	}
	wantError(t, second(f.svc.CancelBulk(f.ctx, f.sys(), open.ID)), directory.CodeConflict, directory.ReasonBulkState)
	run := f.openImport("user_name\nann\n")
	must(f.svc.StartBulk(f.ctx, f.sys(), run.ID, directory.BulkThresholds{}))(t)
	mark = f.mark()
	run = must(f.svc.FailBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID, "Line 7 has no end."))(t)
	f.wantEvents(mark, directory.EventBulkEnded)
	if run.State != directory.BulkFailed || run.Error != "Line 7 has no end." {
		t.Errorf("the run is %+v", run)
	}
	again := must(f.svc.FailBulk(f.ctx, directory.System(0, "bulk"), f.tenant.No, run.ID, "Something else."))(t)
	if diff := cmp.Diff(run, again); diff != "" {
		t.Errorf("a run that had failed failed again (-before +after):\n%s", diff)
	}
	for _, id := range []string{open.ID, run.ID} {
		wantError(t, second(f.svc.BulkPart(f.ctx, f.sys(), id, 0)), directory.CodeNotFound, directory.ReasonBulkNotFound)
	}
}

// A tenant has so many runs under way and no more.
func TestRulesBulkTooMany(t *testing.T) {
	f := newFixture(t)
	var last directory.BulkRun
	for range directory.MaxOpenBulks {
		last = f.bulk(importing())
	}
	_, err := f.svc.CreateBulk(f.ctx, f.sys(), importing())
	wantError(t, err, directory.CodeExhausted, directory.ReasonBulkTooMany)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	other.bulk(importing())
	must(f.svc.CancelBulk(f.ctx, f.sys(), last.ID))(t)
	f.bulk(importing())
}

// Runs are listed newest first, in pages, of a kind or of all.
func TestRulesBulkList(t *testing.T) {
	f := newFixture(t)
	var want []string
	for i := range 5 {
		in := importing()
		if i%2 == 1 {
			in = action(directory.DeedUnlock, 1)
		}
		f.clock.advance(time.Second)
		want = append(want, f.bulk(in).ID)
	}
	slices.Reverse(want)
	list := func(kind directory.BulkKind, limit int) (ids []string) {
		cursor := ""
		for {
			page := must(f.svc.Bulks(f.ctx, f.sys(), kind, cursor, limit))(t)
			for _, run := range page.Runs {
				ids = append(ids, run.ID)
			}
			if cursor = page.Next; cursor == "" {
				return ids
			}
		}
	}
	for _, limit := range []int{1, 2, 5, 6} {
		if diff := cmp.Diff(want, list("", limit)); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if diff := cmp.Diff([]string{want[1], want[3]}, list(directory.BulkAction, 1)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	_, err := f.svc.Bulks(f.ctx, f.sys(), "dance", "", 1)
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	page := must(f.svc.Bulks(f.ctx, f.sys(), "", "", 1))(t)
	wantError(t, second(f.svc.Bulks(f.ctx, f.sys(), directory.BulkImport, page.Next, 1)), directory.CodeInvalid, directory.ReasonCursorInvalid)
}

// What has ended goes: files after a week, runs after a month; and what nobody goes on
// with is ended.
func TestRulesBulkSweep(t *testing.T) {
	f := newFixture(t)
	idle := f.openImport("user_name\nann\n")
	u := f.someone()
	run, _ := f.act(f.bulk(action(directory.DeedLock, u.Number, 987_654)))
	f.clock.advance(directory.BulkFilesKept)
	sweep := func() int { return must(f.svc.Sweep(f.ctx, directory.System(0, "sweep")))(t) }
	if n := sweep(); n != 0 {
		t.Errorf("a sweep at the very moment changed %d rows", n)
	}
	f.clock.advance(time.Second)
	sweep()
	if got := must(f.svc.Bulk(f.ctx, f.sys(), idle.ID))(t); got.State != directory.BulkCancelled || got.Error == "" {
		t.Errorf("a run that nobody went on with is %+v", got)
	}
	f.clock.advance(directory.BulkFilesKept + time.Second)
	sweep()
	wantError(t, second(f.svc.BulkPart(f.ctx, f.sys(), idle.ID, 0)), directory.CodeNotFound, directory.ReasonBulkNotFound)
	must(f.svc.Bulk(f.ctx, f.sys(), run.ID))(t)
	f.clock.advance(directory.BulkRunsKept)
	sweep()
	for _, id := range []string{run.ID, idle.ID} {
		wantError(t, second(f.svc.Bulk(f.ctx, f.sys(), id)), directory.CodeNotFound, directory.ReasonBulkNotFound)
	}
}
