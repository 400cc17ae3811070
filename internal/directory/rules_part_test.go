package directory_test

import (
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// The parts of a call are not counted, but each is verified: what is revoked
// between two of them is refused, and a call that was not let pass has no parts
// that are.
func TestRulesPartsOfACall(t *testing.T) {
	f := newFixture(t)
	f.settings(func(t *directory.Tenant) { t.Settings.RequestsPerMinute = map[string]int{"canonical": 2} })
	key := f.key(readerRank)
	whole := f.as(key)
	check(t, f.svc.Admit(f.ctx, whole))
	for range 5 {
		if got, err := f.listing(whole.Part()); err != nil || got != whole.Quota {
			t.Fatalf("a part: quota %+v, error %v", got, err)
		}
	}
	if got, err := f.listing(whole.Part().Part()); err != nil || got != whole.Quota {
		t.Errorf("a part of a part: quota %+v, error %v", got, err)
	}
	unused := f.as(key)
	if got, err := f.listing(unused.Part()); err != nil || got.Remaining != 0 {
		t.Errorf("a part of a call that was not counted: quota %+v, error %v", got, err)
	}
	late := f.as(key)
	wantError(t, f.svc.Admit(f.ctx, late), directory.CodeRateLimited, directory.ReasonTooManyRequests)
	wantError(t, second(f.listing(late.Part())), directory.CodeRateLimited, directory.ReasonTooManyRequests)
	wantError(t, second(f.listing(directory.System(f.tenant.No, "test").Part())), directory.CodeUnauthenticated, directory.ReasonCredentialMissing)
	f.settings(func(t *directory.Tenant) { t.Doors = directory.AllDoors &^ directory.DoorSet(directory.DoorCanonical) })
	wantError(t, second(f.listing(whole.Part())), directory.CodeUnauthenticated, directory.ReasonDoorClosed)
}

// What is made or edited shows its members as far as it is asked to.
func TestRulesShownMembers(t *testing.T) {
	f := newFixture(t)
	one, two := f.someone(), f.someone()
	both := []directory.UserRef{directory.ByNumber(two.Number), directory.ByNumber(one.Number)}
	for show, want := range map[int]int{0: -1, 1: -1, 2: 2, 5000: 2, directory.Unbounded: 2} {
		in := directory.NewGroup{Group: directory.Group{Kind: directory.GroupPlain, Name: f.unique("group")}, Members: both, Show: show}
		made := must(f.svc.MakeGroup(f.ctx, f.sys(), in))(t)
		edited := must(f.svc.EditGroup(f.ctx, f.sys(), directory.GroupRef{ID: made.Group.ID}, directory.GroupEdit{Show: show}))(t)
		for _, d := range []directory.GroupDetail{made, edited} {
			if want < 0 && d.Members != nil || want > 0 && (len(d.Members) != want || d.Members[0].Number != one.Number || d.Size != 2) {
				t.Errorf("show %d: %d members of %d", show, len(d.Members), d.Size)
			}
		}
	}
	empty := must(f.svc.MakeGroup(f.ctx, f.sys(), directory.NewGroup{Group: directory.Group{Kind: directory.GroupPlain, Name: "empty"}, Show: 1}))(t)
	if empty.Members == nil || len(empty.Members) != 0 {
		t.Errorf("the members of an empty group are %v", empty.Members)
	}
}

// Groups are listed by id in either order, page by page.
func TestRulesGroupsByID(t *testing.T) {
	f := newFixture(t)
	f.groups("b", "c", "a")
	for _, descending := range []bool{false, true} {
		q := directory.GroupSearch{Kind: directory.GroupPlain, ByID: true, Descending: descending, Limit: 1, WantCursor: true}
		var ids []string
		for more := true; more; more = q.Cursor != "" {
			page := must(f.svc.SearchGroups(f.ctx, f.sys(), q))(t)
			for _, g := range page.Groups {
				ids = append(ids, g.Group.ID)
			}
			q.Cursor = page.Next
		}
		if descending {
			slices.Reverse(ids)
		}
		if len(ids) != 3 || !slices.IsSorted(ids) {
			t.Errorf("descending %v: %v", descending, ids)
		}
	}
}
