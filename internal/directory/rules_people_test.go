package directory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// numbersOfPeople walks a list to its end.
func (f *fixture) numbersOfPeople(q directory.UserQuery) (numbers []int64, first directory.PeoplePage) {
	f.t.Helper()
	q.Limit, q.WantTotal = 4, true
	for {
		page := must(f.svc.People(f.ctx, f.sys(), q))(f.t)
		if q.Cursor == "" {
			first = page
		}
		for i := range page.Users {
			numbers = append(numbers, page.Users[i].Number)
		}
		if page.Next == "" {
			return numbers, first
		}
		q.Cursor = page.Next
	}
}

func TestRulesPeople(t *testing.T) {
	f := newFixture(t)
	var all, locked []int64
	for range 9 {
		u := f.someone(withPassword)
		if all = append(all, u.Number); len(all)%2 == 0 {
			check(t, f.doing("lock")(directory.ByNumber(u.Number)))
			locked = append(locked, u.Number)
		}
	}
	role := f.role(readerRank)
	for _, number := range all[:2] {
		_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(number), role.Number, f.root)
		check(t, err)
	}
	f.session(must(f.svc.User(f.ctx, f.sys(), directory.ByNumber(all[0])))(t))
	for name, test := range map[string]struct {
		q    directory.UserQuery
		want []int64
	}{
		"everybody":       {directory.UserQuery{}, all},
		"the locked":      {directory.UserQuery{Filter: directory.Is{Field: directory.FieldLocked, Value: true}}, locked},
		"a role":          {directory.UserQuery{Role: role.Number}, all[:2]},
		"never signed in": {directory.UserQuery{SignedIn: directory.SignInTime{Never: true}}, all[1:]},
		"signed in":       {directory.UserQuery{SignedIn: directory.SignInTime{From: f.clock.now().Add(-time.Hour)}}, all[:1]},
		"some":            {directory.UserQuery{Numbers: []int64{all[3], all[1], 1 << 30}}, []int64{all[1], all[3]}},
		"own fields":      {directory.UserQuery{Filter: directory.HasExtras{Door: directory.DoorEncore}}, nil},
	} {
		got, first := f.numbersOfPeople(test.q)
		if !slices.Equal(got, test.want) || first.Total != int64(len(test.want)) || first.AtLeast || first.Looked || first.Unsorted {
			t.Errorf("%s: %v of %d, want %v", name, got, first.Total, test.want)
		}
		sorted := test.q
		sorted.Sort, sorted.Descending = directory.FieldUserName, true
		got, _ = f.numbersOfPeople(sorted)
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s, sorted: %v, want %v", name, got, test.want)
		}
	}
	page := must(f.svc.People(f.ctx, f.sys(), directory.UserQuery{Limit: 1}))(t)
	if p := page.Users[0]; p.LastSignIn.IsZero() || p.CompanyName == "" {
		t.Errorf("signed in %v, of %q", p.LastSignIn, p.CompanyName)
	}
}

func TestRulesUserSheet(t *testing.T) {
	f := newFixture(t)
	f.setPool(5)
	u := f.someone(withPassword, withLicence)
	ref := directory.ByNumber(u.Number)
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), ref, directory.Hold{Kind: directory.HoldLegal, Source: "x", Ref: "y"}))
	f.session(u)
	sheet := must(f.svc.UserSheet(f.ctx, f.sys(), ref))(t)
	if sheet.User.Number != u.Number || !sheet.Password.Set || sheet.Password.LastSignIn.IsZero() || len(sheet.Holds) != 1 || len(sheet.Sessions) != 1 ||
		!sheet.Pool.Set || sheet.Pool.Value.Used != 1 || !sheet.Factor.IsZero() || sheet.Company.Number != u.Company {
		t.Errorf("the sheet: %+v", sheet)
	}
	for rank, want := range map[directory.Rank][]directory.Action{readerRank: nil, deskRank: {directory.ActUnlock, directory.ActReset}, adminRank: {directory.ActUnlock, directory.ActReset, directory.ActLock, directory.ActDelete}} {
		sheet := must(f.svc.UserSheet(f.ctx, f.as(f.key(rank)), ref))(t)
		for _, action := range []directory.Action{directory.ActUnlock, directory.ActReset, directory.ActLock, directory.ActDelete} {
			if sheet.May(action) != slices.Contains(want, action) {
				t.Errorf("%s may do %d: %t", rank, action, sheet.May(action))
			}
		}
	}
	secret := must(f.svc.TemporaryPassword(f.ctx, f.sys(), ref))(t)
	f.secret(string(secret))
	sheet = must(f.svc.UserSheet(f.ctx, f.sys(), ref))(t)
	if !sheet.User.MustChangePassword || len(sheet.Sessions) != 0 {
		t.Errorf("after a temporary password: %t, %d sessions", sheet.User.MustChangePassword, len(sheet.Sessions))
	}
	history := must(f.svc.UserHistory(f.ctx, f.sys(), ref, nil, "", 2))(t)
	if len(history.Events) != 2 || history.Events[0].Type != directory.EventPasswordSet || !history.More {
		t.Errorf("history: %+v", history.Events)
	}
	history = must(f.svc.UserHistory(f.ctx, f.sys(), ref, []directory.EventType{directory.EventUserCreated}, "", 2))(t)
	if len(history.Events) != 1 || history.Events[0].Type != directory.EventUserCreated {
		t.Errorf("history of one type: %+v", history.Events)
	}
	check(t, f.svc.ReleaseHold(f.ctx, f.sys(), ref, directory.Hold{Kind: directory.HoldLegal, Source: "x", Ref: "y"}))
	check(t, f.doing("delete")(ref))
	if sheet := must(f.svc.UserSheet(f.ctx, f.sys(), ref))(t); sheet.User.State != directory.StateDeleted {
		t.Errorf("in the recycle bin: %s", sheet.User.State)
	}
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), ref))
	_, err := f.svc.UserSheet(f.ctx, f.sys(), ref)
	if !directory.IsReason(err, directory.ReasonUserNotFound) {
		t.Errorf("a user that was erased: %v", err)
	}
}

func TestRulesChoices(t *testing.T) {
	f := newFixture(t)
	east := f.company("east", f.root)
	f.lockReason(east)
	f.role(readerRank)
	for _, kind := range []directory.GroupKind{directory.GroupPlain, directory.GroupPlain, directory.GroupDashboard} {
		name := f.unique("group")
		must(f.svc.CreateGroup(f.ctx, f.sys(), directory.Group{Kind: kind, Key: name, Name: name}))(t)
	}
	c := must(f.svc.Choices(f.ctx, f.sys(), 1))(t)
	if len(c.Groups) != 2 || !c.MoreGroups {
		t.Errorf("groups: %+v", c.Groups)
	}
	if len(c.Companies) != 1 || !c.MoreCompanies || len(c.Roles) != 1 || c.MoreRoles || len(c.LockReasons) != 1 {
		t.Errorf("choices: %+v", c)
	}
	c = must(f.svc.Choices(f.ctx, f.as(f.bound(east)), 10))(t)
	if len(c.Companies) != 1 || c.Companies[0].Number != east || len(c.LockReasons) != 1 {
		t.Errorf("choices of a company: %+v", c)
	}
}
