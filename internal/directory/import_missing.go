package directory

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// importMissing are the companies, groups and roles that the rows of a page name and
// that could not be made.
type importMissing struct {
	companies map[string]error // by folded name
	groups    map[groupName]error
	roles     map[string]error
}

type groupName struct {
	kind GroupKind
	key  string
}

// refusal is why something that a record names could not be made.
func (m *importMissing) refusal(r *Record) error {
	if m == nil {
		return nil
	}
	if r.Company == nil && r.CompanyName != nil {
		if err := m.companies[NameKey(*r.CompanyName)]; err != nil {
			return asMember(FieldCompany.String(), err)
		}
	}
	for _, g := range said(r.Groups) {
		if err := m.groups[groupName{cmp.Or(g.Kind, GroupPlain), g.name()}]; err != nil {
			return asMember(FieldGroups.String(), err)
		}
	}
	for _, key := range said(r.Roles) {
		if err := m.roles[key]; err != nil {
			return asMember(FieldRoles.String(), err)
		}
	}
	return nil
}

// makeMissing makes what the rows of the page name and what is not there, if the run
// shall: companies below the default one, groups, and roles without a rank. It comes
// before the rows, whose locks follow those of companies and groups.
func (p *importPage) makeMissing(ctx context.Context) error {
	if !p.run.Import.CreateMissing {
		return nil
	}
	p.missing = &importMissing{map[string]error{}, map[groupName]error{}, map[string]error{}}
	for i, row := range p.plan.rows {
		record := row.record
		if p.decisions[i].verdict != "" || record.Undo != "" {
			continue
		}
		if record.Company == nil && said(record.CompanyName) != "" {
			if err := makeOnce(p.missing.companies, NameKey(*record.CompanyName), func() error { return p.makeCompany(ctx, *record.CompanyName) }); err != nil {
				return err
			}
		}
		for _, g := range said(record.Groups) {
			name := groupName{cmp.Or(g.Kind, GroupPlain), g.name()}
			if err := makeOnce(p.missing.groups, name, func() error { return p.makeGroup(ctx, name, g.Name) }); err != nil {
				return err
			}
		}
		for _, key := range said(record.Roles) {
			if err := makeOnce(p.missing.roles, key, func() error { return p.makeRole(ctx, key) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeOnce makes what has a key, unless that was tried before, and keeps a refusal.
func makeOnce[K comparable](tried map[K]error, key K, make func() error) error {
	if _, known := tried[key]; known {
		return nil
	}
	err := make()
	if err != nil && !isRefused(err) {
		return err
	}
	tried[key] = err
	return nil
}

// try makes something that is missing, with the rights that it takes.
func (p *importPage) try(ctx context.Context, action Action, make func() error) error {
	allowed := *p.call
	if err := allowed.permit(action); err != nil {
		return err
	}
	err := p.tx.Try(ctx, make)
	if errors.Is(err, ErrDuplicate) && p.last {
		return Wrong(CodeConflict, ReasonWriteConflict, "Somebody else writes the same at this moment.")
	}
	return err
}

func (p *importPage) makeCompany(ctx context.Context, name string) error {
	_, err := companyOf(ctx, p.tx, p.call.Actor, CompanyRef{Name: name})
	if !IsReason(err, ReasonCompanyNotFound) {
		return err
	}
	c := Company{Tenant: p.run.Tenant, ID: p.s.opts.NewID(), Parent: p.call.tenant.DefaultCompany, Name: name, Version: 1, CreatedAt: p.s.now()}
	return p.try(ctx, ActWriteCompany, func() error {
		if err := checkCompany(&c); err != nil {
			return err
		}
		return p.s.insertCompany(ctx, p.tx, p.call, &c)
	})
}

func (p *importPage) makeGroup(ctx context.Context, name groupName, shown string) error {
	if !name.kind.known() {
		return nil // said of the row
	}
	_, err := groupOf(ctx, p.tx, p.run.Tenant, GroupRef{Kind: name.kind, Name: name.key})
	if !IsReason(err, ReasonGroupNotFound) {
		return err
	}
	g := Group{Kind: name.kind, Key: name.key, Name: cmp.Or(shown, name.key)}
	if name.kind != GroupServiceTeam && NameKey(g.Name) != groupKey(name.kind, name.key) {
		g.Name = name.key // its key follows from its name
	}
	return p.try(ctx, ActGroup, func() error {
		made, err := p.s.newGroups(p.call, []Group{g})
		if err != nil {
			return err
		}
		return p.s.insertGroup(ctx, p.tx, p.call, &made[0])
	})
}

func (p *importPage) makeRole(ctx context.Context, key string) error {
	_, err := namedRoles(ctx, p.tx, p.run.Tenant, []string{key})
	if !IsReason(err, ReasonRoleNotFound) {
		return err
	}
	role := Role{Tenant: p.run.Tenant, Key: key, Name: key, Version: 1}
	return p.try(ctx, ActWriteCompany, func() error {
		if err := checkRole(&role); err != nil {
			return err
		}
		return p.s.insertRole(ctx, p.tx, p.call, &role)
	})
}

// asMember names a refusal's fields as one member of a record.
func asMember(member string, err error) error {
	e := AsError(err)
	named := *e
	named.Fields = slices.Clone(e.Fields)
	if len(named.Fields) == 0 {
		named.Fields = []FieldError{{Reason: e.Reason, Message: e.Message}}
	}
	for i := range named.Fields {
		named.Fields[i].Field = member
	}
	return &named
}
