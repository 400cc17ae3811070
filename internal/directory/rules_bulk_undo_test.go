package directory_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// undo are the records of a run's undo file, as lines by the users' numbers, in order.
func (f *fixture) undo(run directory.BulkRun) (numbers []int64, lines map[int64]string) {
	f.t.Helper()
	lines = map[int64]string{}
	check(f.t, f.svc.UndoRecords(f.ctx, f.sys(), run.ID, func(page []directory.Record) error {
		for _, r := range page {
			n := *r.Number
			if lines[n] != "" {
				f.t.Errorf("user %d has two records", n)
			}
			if u := f.stored(n); r.ID == nil || *r.ID != u.ID || r.Version == nil || *r.Version != u.Version {
				f.t.Errorf("the record %+v is of the user %s in version %d", r, u.ID, u.Version)
			}
			r.ID, r.Number, r.Version = nil, nil, nil
			numbers, lines[n] = append(numbers, n), string(must(json.Marshal(r))(f.t))
		}
		return nil
	}))
	return numbers, lines
}

// Every verb can be taken back by the record of each of its users.
func TestRulesBulkUndo(t *testing.T) {
	f := newFixture(t)
	company, reason := f.company("Elsewhere", f.root), f.lockReason(f.root)
	team := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupServiceTeam, Key: "T-1", Name: "Team"}}, nil))(t)[0]
	for _, c := range []struct {
		deed  directory.BulkDeed
		start string
		want  string
	}{
		{directory.BulkDeed{Verb: directory.DeedActivate}, "inactive", `{"status":"inactive","undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedDeactivate}, "", `{"status":"active","undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedDelete}, "", `{"status":"active","undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedRestore}, "deleted", `{"undo":"delete"}`},
		{directory.BulkDeed{Verb: directory.DeedLock, LockReason: reason.Number}, "", `{"locked":false,"lock_reason":0,"undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedUnlock}, "locked", `{"locked":true,"undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedMove, Company: company}, "", `{"company":` + itoa(f.root) + `,"undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedLicence, LicenceType: licence}, "", `{"licence_type":"","undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedAddGroup, Group: team.Number}, "", `{"groups":[],"undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedRemoveGroup, Group: team.Number}, "member",
			`{"groups":[{"kind":"service_team","key":"T-1","name":"Team"}],"undo":"restore"}`},
		{directory.BulkDeed{Verb: directory.DeedSignOut}, "", ""},
	} {
		f := f.sub(t)
		u := f.startingAt(c.start, team)
		c.deed.Users = []int64{u.Number}
		run, _ := f.act(f.bulk(deed(c.deed)))
		if _, lines := f.undo(run); lines[u.Number] != c.want {
			t.Errorf("%s is taken back by %s, want %s", c.deed.Verb, lines[u.Number], c.want)
		}
	}
}

// The records come newest first, one for each user that was changed, and not of users
// who were refused, nor of what others did.
func TestRulesBulkUndoOrder(t *testing.T) {
	f := newFixture(t)
	var numbers []int64
	for range 620 { // more than a page of events
		numbers = append(numbers, f.someone().Number)
	}
	must(f.svc.Lock(f.ctx, f.sys(), directory.ByNumber(numbers[3]), 0))(t)
	in := action(directory.DeedLock, numbers...)
	run := f.bulk(in)
	wantError(t, f.svc.UndoRecords(f.ctx, f.sys(), run.ID, nil), directory.CodeConflict, directory.ReasonBulkState)
	run, _ = f.act(run)
	got, _ := f.undo(run)
	want := slices.Delete(slices.Clone(numbers), 3, 4)
	slices.Reverse(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	wantError(t, f.svc.UndoRecords(f.ctx, f.sys(), "none", nil), directory.CodeNotFound, directory.ReasonBulkNotFound)
	dry := in
	dry.DryRun = true
	run, _ = f.act(f.bulk(dry))
	if got, _ := f.undo(run); len(got) != 0 {
		t.Errorf("a dry run left %d records", len(got))
	}
}
