package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// Contradiction is one kind of thing in a database that cannot be: what is stored
// twice and differs, or what refers to nothing.
type Contradiction struct {
	What     string   // in words
	Count    int64    // how many there are
	Examples []string // the first few, by number or id, never by what a person is called
	Remedy   string   // what to do, in a sentence
}

// String is the contradiction in one line.
func (c *Contradiction) String() string {
	return fmt.Sprintf("%s: %d (%s)", c.What, c.Count, strings.Join(c.Examples, "; "))
}

// examplesShown is how many examples a contradiction names.
const examplesShown = 3

// Part is what one part of an examination has looked at, and what it found.
type Part struct {
	Name  string
	Seen  string // what was looked at, in words
	Found []Contradiction
}

// add counts a contradiction; what says which.
func (p *Part) add(what, remedy, format string, args ...any) {
	at := -1
	for i := range p.Found {
		if p.Found[i].What == what {
			at = i
		}
	}
	if at < 0 {
		at = len(p.Found)
		p.Found = append(p.Found, Contradiction{What: what, Remedy: remedy})
	}
	c := &p.Found[at]
	c.Count++
	if len(c.Examples) < examplesShown {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// What is to be done about a contradiction.
const (
	remedyForeign = "Something else than usher has written into the database, or it was damaged: keep a copy of it, and restore the last backup in which nothing was found."
	remedySearch  = "`usher backup`, and `usher restore` into a new database, makes the search index anew."
	remedyIndex   = "With all servers stopped, empty the tables event_keys, event_hours and event_index: the servers fill them again."
	remedyPages   = "Stop the servers, keep a copy of the database, and restore the last good backup into a new one."
)

// Examine compares everything that a database says twice, and looks for what refers
// to nothing, as servers work on it: it changes nothing, and each of its statements
// sees one moment. It calls report with each part when it is done with it. What it
// keeps in memory does not grow with the directory, but for two bits a user.
func (db *DB) Examine(ctx context.Context, report func(Part)) error {
	x := &examiner{e: db.engine}
	for _, look := range [...]struct {
		name string
		fn   func(context.Context, directory.Store, *Part) error
	}{
		{"pages", x.pages}, {"tenants", x.tenants}, {"companies", x.companies}, {"references", x.references}, {"users", x.users},
		{"seats", x.seats}, {"totals", x.totals}, {"numbers", x.numbers}, {"events", x.events}, {"event index", x.indexes}, {"work", x.work},
	} {
		p := Part{Name: look.name}
		if err := look.fn(ctx, db.Store, &p); err != nil {
			return fmt.Errorf("%s: %w", look.name, err)
		}
		report(p)
	}
	return nil
}

// examiner is one examination.
type examiner struct {
	e   *engine
	all []directory.TenantNo // numbers of all tenants
}

// rule is a statement whose rows are what must not be: each is a text that says
// which, by numbers and ids.
type rule struct{ what, sql, remedy string }

// apply runs rules.
func (x *examiner) apply(ctx context.Context, db directory.Store, p *Part, rules []rule) error {
	for _, c := range rules {
		remedy := c.remedy
		if remedy == "" {
			remedy = remedyForeign
		}
		err := sift(ctx, db, c.sql, nil, func(r *row) { p.add(c.what, remedy, "%s", r.text()) })
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
	}
	return nil
}

// sift runs a statement that may run long outside of any transaction.
func sift(ctx context.Context, db directory.Store, sql string, args []any, each func(*row)) error {
	return db.Read(ctx, func(r directory.Reader) error { return querierOf(r).scan(ctx, sql, args, each) })
}

// querierOf is what runs the statements of a reader of this package.
func querierOf(r directory.Reader) querier { return r.(*reader).q }

// tenants compares the hosts of tenants with the table that finds them, and looks for
// rows of tenants that do not exist, in every table that has a tenant.
func (x *examiner) tenants(ctx context.Context, db directory.Store, p *Part) error {
	err := sift(ctx, db, "SELECT no FROM tenants ORDER BY no", nil, func(r *row) { x.all = append(x.all, directory.TenantNo(r.int())) })
	if err != nil {
		return err
	}
	tables, err := x.tablesOf(ctx, db, "tenant")
	if err != nil {
		return err
	}
	for _, name := range tables {
		sql := "SELECT 'tenant ' || t.tenant || ' in ' || '" + name + "' || ': rows ' || count(*) FROM \"" + name +
			"\" t WHERE NOT EXISTS (SELECT 1 FROM tenants o WHERE o.no = t.tenant)"
		if name == "numbers" {
			sql += " AND t.tenant <> 0" // the counter of tenants
		}
		err := sift(ctx, db, sql+" GROUP BY t.tenant", nil, func(r *row) { p.add("rows of a tenant that does not exist", remedyForeign, "%s", r.text()) })
		if err != nil {
			return err
		}
	}
	hosts := map[string]int64{}
	if err := sift(ctx, db, "SELECT host, tenant FROM tenant_hosts", nil, func(r *row) { hosts[r.text()] = r.int() }); err != nil {
		return err
	}
	err = sift(ctx, db, "SELECT no, hosts FROM tenants ORDER BY no", nil, func(r *row) {
		no := r.int()
		for _, host := range strings.Fields(r.text()) {
			if hosts[host] != no {
				p.add("hosts of tenants that lead elsewhere", remedyForeign, "tenant %d", no)
			}
			delete(hosts, host)
		}
	})
	for _, no := range hosts {
		p.add("hosts of tenants that lead elsewhere", remedyForeign, "tenant %d", no)
	}
	p.Seen = fmt.Sprintf("%d tenants, %d tables", len(x.all), len(tables))
	if err == nil {
		err = x.apply(ctx, db, p, tenantRules)
	}
	return err
}

// tablesOf are the tables that have a column.
func (x *examiner) tablesOf(ctx context.Context, db directory.Store, column string) (names []string, err error) {
	sql := "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.name = $1 ORDER BY 1"
	if x.e.name == "postgres" {
		sql = "SELECT CAST(table_name AS TEXT) FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = $1 ORDER BY 1"
	}
	err = sift(ctx, db, sql, []any{column}, func(r *row) { names = append(names, r.text()) })
	return names, err
}

// companies looks at the tree and at the folded names of everything that has one.
func (x *examiner) companies(ctx context.Context, db directory.Store, p *Part) error {
	for _, table := range [...]string{"companies", "locations", "groups", "lock_reasons"} {
		n := 0
		err := sift(ctx, db, "SELECT tenant, number, name, name_key FROM "+table+" ORDER BY tenant, number", nil, func(r *row) {
			n++
			tenant, number, name, key := r.int(), r.int(), r.text(), r.text()
			if directory.NameKey(name) != key {
				p.add("names of "+table+" that are looked up as another", remedyForeign, "tenant %d number %d", tenant, number)
			}
		})
		if err != nil {
			return err
		}
		p.Seen += fmt.Sprintf("%d %s, ", n, strings.ReplaceAll(table, "_", " "))
	}
	p.Seen = strings.TrimSuffix(p.Seen, ", ")
	return x.apply(ctx, db, p, companyRules)
}

func (x *examiner) references(ctx context.Context, db directory.Store, p *Part) error {
	p.Seen = "places, roles, groups, sign-ins, holds and keys refer to what exists, in their own tenant"
	return x.apply(ctx, db, p, referenceRules)
}

func (x *examiner) seats(ctx context.Context, db directory.Store, p *Part) error {
	err := sift(ctx, db, "SELECT count(*), coalesce(CAST(sum(used) AS BIGINT), 0) FROM licence_shards", nil, func(r *row) {
		p.Seen = fmt.Sprintf("%d counters, %d seats in use", r.int(), r.int())
	})
	if err == nil {
		err = x.apply(ctx, db, p, seatRules)
	}
	return err
}

func (x *examiner) totals(ctx context.Context, db directory.Store, p *Part) error {
	p.Seen = "totals of tenants and companies, and the lists of their users"
	rules := append([]rule{{"users who are missing in the list of a company", x.missingInLists(), remedyForeign}}, totalRules...)
	return x.apply(ctx, db, p, rules)
}

// missingInLists splits the paths of companies, for which each engine has its own way.
func (x *examiner) missingInLists() string {
	split := "json_each('[' || replace(c.path, '/', ',') || ']') p"
	if x.e.name == "postgres" {
		split = "unnest(string_to_array(c.path, '/')) p(value)"
	}
	return `SELECT 'tenant ' || u.tenant || ' user ' || u.number || ' company ' || p.value FROM users u
		JOIN companies c ON c.tenant = u.tenant AND c.number = u.company CROSS JOIN ` + split + `
		WHERE NOT EXISTS (SELECT 1 FROM user_company l WHERE l.tenant = u.tenant AND l.state = u.state AND l.ancestor = CAST(p.value AS BIGINT) AND l.number = u.number)`
}

// numbers compares counters with the numbers that were given.
func (x *examiner) numbers(ctx context.Context, db directory.Store, p *Part) error {
	p.Seen = "counters are above all numbers that were given"
	rules := slices.Clone(numberRules)
	for _, c := range [...]struct{ kind, table string }{{"user", "users"}, {"user", "purged"}, {"company", "companies"}, {"location", "locations"},
		{"lock_reason", "lock_reasons"}, {"role", "roles"}, {"assignment", "user_roles"}, {"group", "groups"}} {
		rules = append(rules, rule{"counters that would give a number again", `SELECT 'tenant ' || t.tenant || ' ` + c.kind + ` ' || t.most FROM
			(SELECT tenant, max(number) AS most FROM ` + c.table + ` GROUP BY tenant) t LEFT JOIN numbers n ON n.tenant = t.tenant AND n.kind = '` + c.kind + `'
			WHERE coalesce(n.next, 0) <= t.most`, "With all servers stopped, raise the counter of that kind in the table numbers above the number."})
	}
	return x.apply(ctx, db, p, rules)
}
