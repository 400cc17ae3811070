package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// lister lists the numbers of things of a kind.
type lister func(c *directory.Call, q directory.ListQuery) ([]int64, directory.Page[int64], error)

// listOf makes a lister of a use case.
func listOf[T any](list func(c *directory.Call, q directory.ListQuery) (directory.Page[T], error), number func(T) int64) lister {
	return func(c *directory.Call, q directory.ListQuery) ([]int64, directory.Page[int64], error) {
		page, err := list(c, q)
		numbers := []int64{}
		for _, item := range page.Items {
			numbers = append(numbers, number(item))
		}
		return numbers, directory.Page[int64]{Total: page.Total, Next: page.Next}, err
	}
}

// lists are the lists by number.
func (f *fixture) lists() map[string]lister {
	return map[string]lister{
		"companies": listOf(func(c *directory.Call, q directory.ListQuery) (directory.Page[directory.Company], error) {
			return f.svc.ListCompanies(f.ctx, c, q)
		}, func(c directory.Company) int64 { return c.Number }),
		"locations": listOf(func(c *directory.Call, q directory.ListQuery) (directory.Page[directory.Location], error) {
			return f.svc.ListLocations(f.ctx, c, q)
		}, func(l directory.Location) int64 { return l.Number }),
		"roles": listOf(func(c *directory.Call, q directory.ListQuery) (directory.Page[directory.Role], error) {
			return f.svc.ListRoles(f.ctx, c, q)
		}, func(r directory.Role) int64 { return r.Number }),
		"lock reasons": listOf(func(c *directory.Call, q directory.ListQuery) (directory.Page[directory.LockReason], error) {
			return f.svc.ListLockReasons(f.ctx, c, q)
		}, func(r directory.LockReason) int64 { return r.Number }),
	}
}

// pages walks through a list and returns the numbers of all items.
func (f *fixture) pages(list lister, secret string, q directory.ListQuery) []int64 {
	f.t.Helper()
	all, total := []int64{}, int64(-1)
	for {
		numbers, page, err := list(f.as(secret), q)
		check(f.t, err)
		all = append(all, numbers...)
		if q.WantTotal {
			if total >= 0 && page.Total != total {
				f.t.Errorf("total %d after %d", page.Total, total)
			}
			total = page.Total
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if q.WantTotal && total != int64(len(all)) {
		f.t.Errorf("total %d of %d", total, len(all))
	}
	return all
}

// grove is a tree of companies with one thing of each kind in each: the root, A,
// A1 below it, and B; and a role of the tenant.
type grove struct {
	root, a, a1, b int64
	things         map[string]map[int64]int64 // by list and company
}

func (f *fixture) grove() grove {
	f.t.Helper()
	g := grove{root: f.root, things: map[string]map[int64]int64{"companies": {}, "locations": {}, "roles": {}, "lock reasons": {}}}
	g.a, g.b = f.company("A", f.root), f.company("B", f.root)
	g.a1 = f.company("A one", g.a)
	for _, c := range []int64{g.b, g.root, g.a1, g.a} {
		g.things["companies"][c] = c
		g.things["locations"][c] = f.location(c)
		g.things["lock reasons"][c] = f.lockReason(c).Number
		g.things["roles"][c] = must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: f.unique("role"), Company: c}))(f.t).Number
	}
	g.things["roles"][0] = f.role(selfRank).Number
	return g
}

// of are the numbers of the things of some companies, in order.
func (g *grove) of(list string, companies ...int64) []int64 {
	numbers := []int64{}
	for _, c := range companies {
		if n, ok := g.things[list][c]; ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// Each list shows what the caller can see, page by page, of one company or of
// all, and nothing else; a company outside of the caller's reach does not exist.
func TestRulesTreeLists(t *testing.T) {
	f := newFixture(t)
	g := f.grove()
	whole, bound := f.key(readerRank), f.bound(g.a)
	for name, list := range f.lists() {
		own := func(company int64) directory.Opt[int64] { return directory.Some(company) }
		wants := func(secret string, company directory.Opt[int64], want []int64) {
			t.Helper()
			for limit := 1; limit <= 6; limit++ {
				for _, total := range []bool{true, false} {
					if got := f.pages(list, secret, directory.ListQuery{Limit: limit, Company: company, WantTotal: total}); !slices.Equal(got, want) {
						t.Errorf("%s of %+v by %d: %v, want %v", name, company, limit, got, want)
					}
				}
			}
		}
		wants(whole, directory.Opt[int64]{}, g.of(name, 0, g.root, g.a, g.a1, g.b))
		wants(bound, directory.Opt[int64]{}, g.of(name, 0, g.a, g.a1))
		if name == "companies" {
			wants(whole, own(g.a), []int64{g.a1})
			wants(whole, own(0), []int64{g.root})
			wants(bound, own(0), []int64{})
		} else {
			wants(whole, own(g.a), g.of(name, g.a))
			wants(bound, own(g.a1), g.of(name, g.a1))
			wants(whole, own(0), g.of(name, 0))
		}
		for _, company := range []int64{g.b, g.root, 987_654, -1} {
			_, _, err := list(f.as(bound), directory.ListQuery{Limit: 1, Company: own(company)})
			wantError(t, err, directory.CodeNotFound, noCompany)
		}
	}
}

// Lists find by a part of the name; cursors are good for their list, query and
// caller only.
func TestRulesListNamesAndCursors(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"North Sea", "Baltic sea", "Lake"} {
		f.company(name, f.root)
	}
	key := f.key(readerRank)
	list := f.lists()["companies"]
	if got := f.pages(list, key, directory.ListQuery{Limit: 1, Name: "ＳEA", WantTotal: true}); len(got) != 2 {
		t.Errorf("companies of the name: %v", got)
	}
	q := directory.ListQuery{Limit: 1, Name: "sea"}
	_, page, err := list(f.as(key), q)
	check(t, err)
	q.Cursor = page.Next
	for what, refused := range map[string]func() error{
		"another name":   func() error { other := q; other.Name = "lake"; _, _, err := list(f.as(key), other); return err },
		"another caller": func() error { _, _, err := list(f.as(f.key(readerRank)), q); return err },
		"another list":   func() error { _, _, err := f.lists()["roles"](f.as(key), q); return err },
		"a company": func() error {
			other := q
			other.Company = directory.Some(f.root)
			_, _, err := list(f.as(key), other)
			return err
		},
		"rubbish": func() error { other := q; other.Cursor = "rubbish"; _, _, err := list(f.as(key), other); return err },
	} {
		if err := refused(); !directory.IsReason(err, directory.ReasonCursorInvalid) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	for _, bad := range []directory.ListQuery{{}, {Limit: -1}, {Limit: directory.MaxLimit + 1}} {
		_, _, err := list(f.as(key), bad)
		wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	}
	_, _, err = list(f.as(key), directory.ListQuery{Limit: 1, Name: "a\x00"})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldFormat)
	f.clock.advance(directory.CursorLifetime)
	_, _, err = list(f.as(key), q)
	wantError(t, err, directory.CodeInvalid, directory.ReasonCursorExpired)
}

// versioned is a change of something that has a version.
type versioned struct {
	event  directory.EventType
	change func(c *directory.Call, name string) (int64, error) // returns the version
}

// versioneds are the changes that ask for a version, each of something of version
// 1.
func (f *fixture) versioneds() map[string]versioned {
	f.t.Helper()
	company := directory.CompanyRef{Number: f.company(f.unique("company"), f.root)}
	place := directory.LocationRef{Number: f.location(f.root)}
	placeID := must(f.svc.LocationOf(f.ctx, f.sys(), directory.LocationRef{Number: f.location(f.root)}))(f.t).ID
	role, put, reason := f.role(selfRank), f.role(selfRank), f.lockReason(f.root)
	licence := f.unique("licence")
	must(f.svc.SetPool(f.ctx, f.sys(), licence, 1))(f.t)
	return map[string]versioned{
		"UpdateCompany": {directory.EventCompanyUpdated, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.UpdateCompany(f.ctx, c, company, directory.CompanyPatch{Name: directory.Some(name), Metadata: directory.Some(`{"a": 1}`)})
			return made.Version, err
		}},
		"EditLocation": {directory.EventLocationUpdated, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.EditLocation(f.ctx, c, place, directory.LocationPatch{Name: directory.Some(name)})
			return made.Version, err
		}},
		"UpdateLocation": {directory.EventLocationUpdated, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.UpdateLocation(f.ctx, c, placeID, directory.LocationPatch{Name: directory.Some(name)})
			return made.Location.Version, err
		}},
		"EditRole": {directory.EventRoleUpdated, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.EditRole(f.ctx, c, role.Number, directory.RolePatch{Name: directory.Some(name), Rank: directory.Some(readerRank)})
			return made.Version, err
		}},
		"PutRole": {directory.EventRoleUpdated, func(c *directory.Call, name string) (int64, error) {
			made, _, err := f.svc.PutRole(f.ctx, c, directory.Role{Key: put.Key, Name: name})
			return made.Version, err
		}},
		"UpdateLockReason": {directory.EventLockReasonUpdated, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.UpdateLockReason(f.ctx, c, directory.LockReason{Company: f.root, Number: reason.Number, Name: name, Description: "d"})
			return made.Version, err
		}},
		"SetPool": {directory.EventPoolSet, func(c *directory.Call, name string) (int64, error) {
			made, err := f.svc.SetPool(f.ctx, c, licence, int64(10+len(name)))
			return made.Version, err
		}},
	}
}

// A change asks for the version, raises it by one and makes one event; a repeat
// changes nothing.
func TestRulesVersions(t *testing.T) {
	f := newFixture(t)
	for what, v := range f.versioneds() {
		call, mark := f.sys(), f.mark()
		call.If.Match = []int64{1}
		version, err := v.change(call, "Renamed "+what)
		if err != nil || version != 2 || !call.Changed {
			t.Errorf("%s: version %d, changed %t, error %v", what, version, call.Changed, err)
		}
		f.wantEvents(mark, v.event)
		dump, again := f.dump(), f.sys()
		again.If.MustExist = true
		version, err = v.change(again, "Renamed "+what)
		if err != nil || version != 2 || again.Changed {
			t.Errorf("%s again: version %d, changed %t, error %v", what, version, again.Changed, err)
		}
		for _, condition := range []directory.Condition{{Match: []int64{1, 3}}, {Match: []int64{}}, {NoneMatch: []int64{2}}, {MustNotExist: true}} {
			stale := f.sys()
			stale.If = condition
			_, err := v.change(stale, "Something else "+what)
			wantRefused(t, what, err, directory.CodeStale, directory.ReasonVersionMismatch)
			if stale.Changed {
				t.Errorf("%s: changed by a refused call", what)
			}
		}
		f.wantUnchanged(dump, what)
	}
	tenant := must(f.svc.OwnTenant(f.ctx, f.sys()))(t)
	stale := f.sys()
	stale.If.Match = []int64{tenant.Version + 1}
	wantError(t, second(f.svc.UpdateTenant(f.ctx, stale, tenant)), directory.CodeStale, directory.ReasonVersionMismatch)
	for _, condition := range []directory.Condition{{MustExist: true}, {Match: []int64{1}}} {
		for what, create := range map[string]func(c *directory.Call) error{
			"PutRole": func(c *directory.Call) error {
				_, _, err := f.svc.PutRole(f.ctx, c, directory.Role{Key: "new"})
				return err
			},
			"SetPool": func(c *directory.Call) error { return second(f.svc.SetPool(f.ctx, c, "new", 1)) },
			"PutGroup": func(c *directory.Call) error {
				_, _, err := f.svc.PutGroup(f.ctx, c, plain, "new", directory.GroupPatch{})
				return err
			},
		} {
			call := f.sys()
			call.If = condition
			wantRefused(t, what+" of nothing", create(call), directory.CodeStale, directory.ReasonVersionMismatch)
		}
	}
}

// creations are the use cases that make something and honour idempotency keys;
// each returns the id or number of what was made.
func (f *fixture) creations(name string) map[string]func(c *directory.Call) (string, error) {
	credential := func(c directory.Credential, secret string, err error) (string, error) {
		if err == nil {
			f.secret(secret)
		}
		return c.ID + secret, err
	}
	in := directory.NewCredential{Name: name}
	return map[string]func(c *directory.Call) (string, error){
		"CreateCompany": func(c *directory.Call) (string, error) {
			made, err := f.svc.CreateCompany(f.ctx, c, directory.Company{Name: name})
			return made.ID, err
		},
		"CreateLocation": func(c *directory.Call) (string, error) {
			made, err := f.svc.CreateLocation(f.ctx, c, directory.Location{Name: name, Company: f.root})
			return made.ID, err
		},
		"CreateRole": func(c *directory.Call) (string, error) {
			made, err := f.svc.CreateRole(f.ctx, c, directory.Role{Name: name})
			return fmt.Sprint(made.Number), err
		},
		"CreateLockReason": func(c *directory.Call) (string, error) {
			made, err := f.svc.CreateLockReason(f.ctx, c, directory.LockReason{Name: name, Description: "d", Company: f.root})
			return fmt.Sprint(made.Number), err
		},
		"CreateGroups": func(c *directory.Call) (string, error) {
			made, err := f.svc.CreateGroups(f.ctx, c, []directory.Group{{Kind: plain, Name: name}}, nil)
			if err != nil {
				return "", err
			}
			return made[0].ID, err
		},
		"MakeGroup": func(c *directory.Call) (string, error) {
			made, err := f.svc.MakeGroup(f.ctx, c, directory.NewGroup{Group: directory.Group{Kind: dash, Name: name}})
			return made.Group.ID, err
		},
		"CreateKey":      func(c *directory.Call) (string, error) { return credential(f.svc.CreateKey(f.ctx, c, in)) },
		"CreateClient":   func(c *directory.Call) (string, error) { return credential(f.svc.CreateClient(f.ctx, c, in)) },
		"CreateAPIUser":  func(c *directory.Call) (string, error) { return credential(f.svc.CreateAPIUser(f.ctx, c, in)) },
		"CreateCustomer": func(c *directory.Call) (string, error) { return credential(f.svc.CreateCustomer(f.ctx, c, in)) },
	}
}

// identify is the id or number of what a use case made, as creations has it.
func identify(created any) ([]byte, error) {
	switch made := created.(type) {
	case directory.Company:
		return []byte(made.ID), nil
	case directory.Location:
		return []byte(made.ID), nil
	case directory.Role:
		return fmt.Append(nil, made.Number), nil
	case directory.LockReason:
		return fmt.Append(nil, made.Number), nil
	case []directory.Group:
		return []byte(made[0].ID), nil
	case directory.GroupDetail:
		return []byte(made.Group.ID), nil
	case directory.MadeCredential:
		return []byte(made.Credential.ID + made.Secret), nil
	}
	return nil, fmt.Errorf("made a %T", created)
}

// Everything is made once for an idempotency key, and the repetition is answered
// with what was made.
func TestRulesCreationsOnce(t *testing.T) {
	f := newFixture(t)
	key := f.key(adminRank)
	for what, create := range f.creations("Once") {
		call := func(request string) *directory.Call {
			c := f.as(key)
			c.Idempotency = &directory.Idempotency{Key: what, Request: []byte(request), Answer: identify}
			return c
		}
		first := call("r")
		made, err := create(first)
		if err != nil || !first.Changed || made == "" {
			t.Fatalf("%s: %q, changed %t, error %v", what, made, first.Changed, err)
		}
		dump, again := f.dump(), call("r")
		_, err = create(again)
		if replay, ok := errors.AsType[*directory.Replay](err); !ok || string(replay.Answer) != made || again.Changed {
			t.Errorf("%s again: changed %t, error %v", what, again.Changed, err)
		}
		_, err = create(call("other"))
		wantRefused(t, what+" of another request", err, directory.CodeInvalid, directory.ReasonIdempotencyReused)
		f.wantUnchanged(dump, what)
	}
}

// The parts of one company cannot be deleted while anything belongs to them.
func TestRulesDeleteCompanyAndLocation(t *testing.T) {
	f := newFixture(t)
	g := f.grove()
	inUse := func(number int64) {
		t.Helper()
		dump := f.dump()
		wantError(t, f.svc.DeleteCompany(f.ctx, f.sys(), directory.CompanyRef{Number: number}), directory.CodeConflict, directory.ReasonCompanyInUse)
		f.wantUnchanged(dump, "a refused deletion")
	}
	inUse(f.root)
	inUse(g.a)
	u := f.someone(withCompany(g.a1))
	place := directory.LocationRef{Number: g.things["locations"][g.a1]}
	check(t, f.svc.AssignLocation(f.ctx, f.sys(), directory.ByNumber(u.Number), place.Number))
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	wantError(t, f.svc.DeleteLocation(f.ctx, f.sys(), place), directory.CodeConflict, directory.ReasonLocationInUse)
	inUse(g.a1)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	mark := f.mark()
	for _, step := range []func() error{
		func() error { return f.svc.DeleteLocation(f.ctx, f.sys(), place) },
		func() error { return f.svc.EraseRole(f.ctx, f.sys(), g.things["roles"][g.a1]) },
		func() error { return f.svc.DeleteLockReason(f.ctx, f.sys(), g.a1, g.things["lock reasons"][g.a1]) },
	} {
		inUse(g.a1)
		check(t, step())
	}
	stale := f.sys()
	stale.If.Match = []int64{2}
	wantError(t, f.svc.DeleteCompany(f.ctx, stale, directory.CompanyRef{Number: g.a1}), directory.CodeStale, directory.ReasonVersionMismatch)
	call := f.sys()
	check(t, f.svc.DeleteCompany(f.ctx, call, directory.CompanyRef{Number: g.a1}))
	f.wantEvents(mark, directory.EventLocationDeleted, directory.EventRoleDeleted, directory.EventLockReasonDeleted, directory.EventCompanyDeleted)
	if !call.Changed {
		t.Error("the deletion says that nothing changed")
	}
	wantError(t, f.svc.DeleteCompany(f.ctx, f.sys(), directory.CompanyRef{Number: g.a1}), directory.CodeNotFound, noCompany)
	wantError(t, f.svc.DeleteLocation(f.ctx, f.sys(), place), directory.CodeNotFound, directory.ReasonLocationNotFound)
}

// What an update of a company keeps, refuses and records.
func TestRulesUpdateCompany(t *testing.T) {
	f := newFixture(t)
	number := f.company("Before", f.root)
	c := must(f.svc.CompanyOf(f.ctx, f.sys(), directory.CompanyRef{Name: "BEFORE"}))(t)
	patch := directory.CompanyPatch{Name: directory.Some("before"), Website: directory.Some("https://x.example"), Metadata: directory.Some(`{"token": "abc"}`)}
	after := must(f.svc.UpdateCompany(f.ctx, f.sys(), directory.CompanyRef{ID: c.ID}, patch))(t)
	c.Name, c.Website, c.Metadata, c.Version = "before", "https://x.example", `{"token": "abc"}`, 2
	if diff := cmp.Diff(c, after) + cmp.Diff(after, must(f.svc.CompanyOf(f.ctx, f.sys(), directory.CompanyRef{Number: number}))(t)); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if last := f.events(0)[len(f.events(0))-1]; strings.Contains(string(last.Payload), "abc") || last.Subject != fmt.Sprint("company:", number) {
		t.Errorf("event about %s: %s", last.Subject, last.Payload)
	}
	f.company("Taken", f.root)
	dump := f.dump()
	for reason, patch := range map[directory.Reason]directory.CompanyPatch{
		directory.ReasonCompanyTaken:  {Name: directory.Some("TAKEN")},
		directory.ReasonFieldRequired: {Name: directory.Some(" ")},
		directory.ReasonFieldFormat:   {Metadata: directory.Some("{")},
		directory.ReasonFieldLength:   {Website: directory.Some(strings.Repeat("x", 2001))},
	} {
		if _, err := f.svc.UpdateCompany(f.ctx, f.sys(), directory.CompanyRef{ID: c.ID}, patch); !directory.IsReason(err, reason) {
			t.Errorf("%+v: error %v, want %s", patch, err, reason)
		}
	}
	f.wantUnchanged(dump, "refused updates")
}
