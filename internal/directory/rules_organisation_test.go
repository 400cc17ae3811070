package directory_test

import (
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// addOrganisationRules are the rows about the tree as a whole.
func addOrganisationRules(rules map[string]methodRule) {
	rules["Organisation"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.Organisation(w.ctx, c)
		return err
	})}
	rules["VerifyOwnChain"] = methodRule{readerRank, directory.ScopeEvents, false, false, directory.ReasonScopeMissing, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.VerifyOwnChain(w.ctx, c)
		return err
	})}
	rules["PoolHolders"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, directory.ReasonScopeMissing, func(w *world) func(c *directory.Call) error {
		must(w.svc.SetPool(w.ctx, w.sys(), "field", 1))(w.t)
		return func(c *directory.Call) error {
			_, err := w.svc.PoolHolders(w.ctx, c, "field")
			return err
		}
	}}
	rules["SummariseCompany"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.SummariseCompany(w.ctx, c, directory.CompanyRef{Number: w.outside})
		return err
	})}
}

// The tree shows what a caller can see and nothing above it.
func TestRulesOrganisation(t *testing.T) {
	f := newFixture(t)
	north := must(f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Name: "North", Parent: f.root}))(t)
	yard := must(f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Name: "Yard", Parent: north.Number}))(t)
	office := must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Company: yard.Number, Name: "Gate"}))(t)
	must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Company: f.root, Name: "Tower"}))(t)
	f.someone(withCompany(yard.Number))
	f.someone(withCompany(yard.Number), func(in *directory.NewUser) { in.State = directory.StateInactive })

	all := must(f.svc.Organisation(f.ctx, f.sys()))(t)
	if len(all.Companies) < 3 || len(all.Locations) < 2 || all.More {
		t.Errorf("the whole tree: %+v", all)
	}
	key := f.bound(north.Number)
	own := must(f.svc.Organisation(f.ctx, f.through(directory.DoorCanonical, key)))(t)
	if len(own.Companies) != 2 || len(own.Locations) != 1 || own.Locations[0].Number != office.Number {
		t.Errorf("the tree of a bound key: %+v", own)
	}
	sum := must(f.svc.SummariseCompany(f.ctx, f.through(directory.DoorCanonical, key), directory.CompanyRef{Number: north.Number}))(t)
	if len(sum.Above) != 0 || len(sum.Below) != 1 || sum.Users[directory.StateActive] != 1 || sum.Users[directory.StateInactive] != 1 || sum.IsDefault {
		t.Errorf("the company at which a key is bound: %+v", sum)
	}
	sum = must(f.svc.SummariseCompany(f.ctx, f.sys(), directory.CompanyRef{Number: yard.Number}))(t)
	if names := []int64{sum.Above[0].Number, sum.Above[len(sum.Above)-1].Number}; !slices.Equal(names, []int64{f.root, north.Number}) || len(sum.Locations) != 1 {
		t.Errorf("above the yard: %+v", sum)
	}
}

// A pool shows who holds its seats and who waits.
func TestRulesPoolHolders(t *testing.T) {
	f := newFixture(t)
	must(f.svc.SetPool(f.ctx, f.sys(), "field", 1))(t)
	licensed := func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some("field") }
	holder := f.someone(licensed)
	waiting := f.someone(licensed, func(in *directory.NewUser) { in.State = directory.StateInactive })
	p := must(f.svc.PoolHolders(f.ctx, f.sys(), "field"))(t)
	if p.Pool.Used != 1 || len(p.Holders) != 1 || p.Holders[0].Number != holder.Number || len(p.Waiting) != 1 || p.Waiting[0].Number != waiting.Number || p.MoreHolders || p.MoreWaiting {
		t.Errorf("%+v", p)
	}
	wantError(t, second(f.svc.PoolHolders(f.ctx, f.sys(), "office")), directory.CodeNotFound, directory.ReasonPoolNotFound)
}

// A tenant's own people can have its history verified.
func TestRulesVerifyOwnChain(t *testing.T) {
	f := newFixture(t)
	f.someone()
	report := must(f.svc.VerifyOwnChain(f.ctx, f.through(directory.DoorCanonical, f.key(readerRank))))(t)
	if report.Broken != 0 || report.Events < 2 || report.Last != report.Events {
		t.Errorf("%+v", report)
	}
}
