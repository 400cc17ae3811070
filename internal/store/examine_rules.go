package store

import "strconv"

// tenantOf is the tenant in a row id, in SQL.
func tenantOf(column string) string { return "(" + column + " >> " + strconv.Itoa(numberBits) + ")" }

// ridOf is the row id of a user, in SQL, of rows that have tenant and number.
func ridOf(alias, number string) string {
	return "(" + alias + ".tenant << " + strconv.Itoa(numberBits) + ") + " + alias + "." + number
}

var tenantRules = []rule{
	{"default companies that do not exist", `SELECT 'tenant ' || t.no || ' company ' || t.default_company FROM tenants t
		WHERE t.default_company <> 0 AND NOT EXISTS (SELECT 1 FROM companies c WHERE c.tenant = t.no AND c.number = t.default_company)`, ""},
	{"account owners that are not active users", `SELECT 'tenant ' || t.no || ' user ' || t.owner FROM tenants t
		WHERE t.owner <> 0 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant = t.no AND u.number = t.owner AND u.state = 1)`,
		"Name another owner: usher user owner --tenant NAME --user WHO."},
	{"chains of events without an end", `SELECT 'tenant ' || e.tenant FROM (SELECT DISTINCT tenant FROM events WHERE position IS NOT NULL) e
		WHERE NOT EXISTS (SELECT 1 FROM chain_heads h WHERE h.tenant = e.tenant)`, ""},
}

var companyRules = []rule{
	{"companies whose place in the tree contradicts the company above them", `SELECT 'tenant ' || c.tenant || ' company ' || c.number FROM companies c
		LEFT JOIN companies p ON p.tenant = c.tenant AND p.number = c.parent
		WHERE c.path <> CASE WHEN c.parent = 0 THEN CAST(c.number AS TEXT) ELSE coalesce(p.path, '?') || '/' || c.number END`, ""},
	missing("locations of a company that does not exist", "locations", "number", "company", "companies"),
	missing("roles of a company that does not exist", "roles", "number", "company", "companies"),
	missing("lock reasons of a company that does not exist", "lock_reasons", "number", "company", "companies"),
	missing("groups below a group that does not exist", "groups", "number", "parent", "groups"),
	missing("users of a company that does not exist", "users", "number", "company", "companies"),
	missing("credentials bound to a company that does not exist", "credentials", "id", "root", "companies"),
	missing("roles given for a company that does not exist", "user_roles", "number", "company", "companies"),
	missing("roles given that do not exist", "user_roles", "number", "role", "roles"),
	missing("memberships in a group that does not exist", "group_members", "group_no", "group_no", "groups"),
}

// missing is the rule that what a column names exists in the tenant; 0 names nothing.
func missing(what, table, id, column, other string) rule {
	return rule{what, "SELECT 'tenant ' || t.tenant || ' " + table + " ' || t." + id + " || ' names ' || t." + column + " FROM " + table + " t WHERE t." + column +
		" <> 0 AND NOT EXISTS (SELECT 1 FROM " + other + " o WHERE o.tenant = t.tenant AND o.number = t." + column + ")", ""}
}

// orphans is the rule that what belongs to a user belongs to one that exists.
func orphans(table, rid string) rule {
	return rule{table + " of users that do not exist", "SELECT 'user ' || (x.rid & 1099511627775) || ' of tenant ' || " + tenantOf("x.rid") + " FROM (SELECT " + rid +
		" AS rid FROM " + table + " t) x WHERE (x.rid & 1099511627775) <> 0 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.rid = x.rid)", ""}
}

// foreign is the rule that a row of a user is of the user's tenant.
func foreign(table string) rule {
	return rule{table + " of another tenant than their user", "SELECT 'user ' || (t.rid & 1099511627775) || ' of tenant ' || " + tenantOf("t.rid") + " || ' in tenant ' || t.tenant FROM " +
		table + " t WHERE t.tenant <> " + tenantOf("t.rid"), ""}
}

// parts is the rule that a part of something has its whole.
func parts(table, column, other string) rule {
	return rule{table + " of what does not exist", "SELECT 'tenant ' || t.tenant || ' " + other + " ' || t." + column + " FROM " + table + " t WHERE NOT EXISTS (SELECT 1 FROM " +
		other + " o WHERE o.tenant = t.tenant AND o.id = t." + column + ") GROUP BY t.tenant, t." + column, ""}
}

var referenceRules = []rule{
	orphans("passwords", "t.rid"), orphans("tokens", "t.rid"), orphans("user_locations", "t.rid"), orphans("user_roles", "t.rid"), orphans("group_members", "t.rid"),
	orphans("holds", ridOf("t", "number")), orphans("second_factors", ridOf("t", "number")), orphans("recovery_codes", ridOf("t", "number")),
	orphans("impersonations", ridOf("t", "admin")), orphans("impersonations", ridOf("t", "target")),
	foreign("tokens"), foreign("user_roles"), foreign("group_members"), foreign("identifiers"), foreign("users"),
	{"locations of users that do not exist in their tenant", `SELECT 'user ' || (t.rid & 1099511627775) || ' of tenant ' || ` + tenantOf("t.rid") + ` || ' location ' || t.location
		FROM user_locations t WHERE NOT EXISTS (SELECT 1 FROM locations l WHERE l.tenant = ` + tenantOf("t.rid") + ` AND l.number = t.location)`, ""},
	{"sign-ins that are newer than their user's last sign-out", `SELECT 'tenant ' || t.tenant || ' user ' || u.number FROM tokens t JOIN users u ON u.rid = t.rid WHERE t.epoch > u.auth_epoch`, ""},
	{"recovery codes without a second factor", `SELECT DISTINCT 'tenant ' || t.tenant || ' user ' || t.number FROM recovery_codes t
		WHERE NOT EXISTS (SELECT 1 FROM second_factors f WHERE f.tenant = t.tenant AND f.number = t.number)`, ""},
	parts("webhook_deliveries", "webhook", "webhooks"), parts("bulk_parts", "run", "bulk_runs"), parts("bulk_verdicts", "run", "bulk_runs"), parts("bulk_seen", "run", "bulk_runs"),
}

var seatRules = []rule{
	{"pools whose seats in use are not those of their users", `SELECT 'tenant ' || coalesce(c.tenant, u.tenant) || ' pool ' || coalesce(c.type, u.type) || ' counts ' || coalesce(c.n, 0) || ', held ' || coalesce(u.n, 0)
		FROM (SELECT tenant, type, CAST(sum(used) AS BIGINT) AS n FROM licence_shards GROUP BY tenant, type) c
		FULL JOIN (SELECT tenant, licence_type AS type, count(*) AS n FROM users WHERE seat <> 0 GROUP BY tenant, licence_type) u
		ON u.tenant = c.tenant AND u.type = c.type WHERE coalesce(c.n, 0) <> coalesce(u.n, 0)`, ""},
	{"pools whose parts are not the pool", `SELECT 'tenant ' || p.tenant || ' pool ' || p.type FROM licence_pools p LEFT JOIN
		(SELECT tenant, type, CAST(sum(total) AS BIGINT) AS total, count(*) AS n, max(shard) AS last FROM licence_shards GROUP BY tenant, type) s
		ON s.tenant = p.tenant AND s.type = p.type WHERE coalesce(s.total, -1) <> p.total OR s.n <> p.shards OR s.last <> p.shards - 1`, ""},
	{"seats of a pool that does not exist", `SELECT 'tenant ' || s.tenant || ' pool ' || s.type FROM licence_shards s
		WHERE NOT EXISTS (SELECT 1 FROM licence_pools p WHERE p.tenant = s.tenant AND p.type = s.type)`, ""},
	// A pool that was made smaller than what is in use is kept in one part.
	{"parts of a pool that gave more seats than they have", `SELECT 'tenant ' || s.tenant || ' pool ' || s.type || ' part ' || s.shard || ': ' || s.used || ' of ' || s.total
		FROM licence_shards s JOIN licence_pools p ON p.tenant = s.tenant AND p.type = s.type WHERE s.used > s.total AND p.shards > 1`, ""},
}

var totalRules = []rule{
	{"totals of companies that are not those of their lists", `SELECT 'tenant ' || coalesce(c.tenant, u.tenant) || ' company ' || coalesce(c.company, u.company) || ' state ' || coalesce(c.state, u.state)
		FROM (SELECT tenant, company, state, CAST(sum(n) AS BIGINT) AS n FROM company_totals WHERE company <> 0 GROUP BY tenant, company, state) c
		FULL JOIN (SELECT tenant, ancestor AS company, state, count(*) AS n FROM user_company GROUP BY tenant, ancestor, state) u
		ON u.tenant = c.tenant AND u.company = c.company AND u.state = c.state WHERE coalesce(c.n, 0) <> coalesce(u.n, 0)`, ""},
	{"totals of tenants that are not those of their users", `SELECT 'tenant ' || coalesce(c.tenant, u.tenant) || ' state ' || coalesce(c.state, u.state)
		FROM (SELECT tenant, state, CAST(sum(n) AS BIGINT) AS n FROM company_totals WHERE company = 0 GROUP BY tenant, state) c
		FULL JOIN (SELECT tenant, state, count(*) AS n FROM users GROUP BY tenant, state) u
		ON u.tenant = c.tenant AND u.state = c.state WHERE coalesce(c.n, 0) <> coalesce(u.n, 0)`, ""},
	{"entries in the list of a company to which the user does not belong", `SELECT 'tenant ' || l.tenant || ' company ' || l.ancestor || ' user ' || l.number FROM user_company l
		LEFT JOIN users u ON u.rid = ` + ridOf("l", "number") + ` AND u.state = l.state LEFT JOIN companies c ON c.tenant = u.tenant AND c.number = u.company
		WHERE u.rid IS NULL OR '/' || coalesce(c.path, '') || '/' NOT LIKE '%/' || l.ancestor || '/%'`, ""},
}

var numberRules = []rule{
	{"users whose number or id was somebody else's, who was erased", `SELECT 'tenant ' || u.tenant || ' user ' || u.number FROM purged g
		JOIN users u ON u.tenant = g.tenant AND u.number = g.number UNION SELECT 'tenant ' || u.tenant || ' user ' || u.number FROM purged g
		JOIN users u ON u.tenant = g.tenant AND u.id = g.id`, ""},
	{"counters that would give a number again", `SELECT 'tenants ' || t.most FROM (SELECT max(no) AS most FROM tenants) t
		WHERE t.most >= coalesce((SELECT n.next FROM numbers n WHERE n.tenant = 0 AND n.kind = 'tenant'), 0)`, ""},
}

var workRules = []rule{
	{"jobs in a state that there is not", `SELECT 'tenant ' || t.tenant || ' job ' || t.id FROM jobs t WHERE t.state NOT IN (0, 1, 2, 3) OR t.attempts < 0`, ""},
	{"jobs to be done about users that do not exist", `SELECT 'tenant ' || t.tenant || ' job ' || t.id FROM jobs t
		WHERE t.number <> 0 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.rid = ` + ridOf("t", "number") + `)`, ""},
	{"jobs that are done and have a lease", `SELECT 'tenant ' || t.tenant || ' job ' || t.id FROM jobs t WHERE t.state <> 0 AND t.lease_owner <> ''`, ""},
	{"endpoints that are ahead of the events", `SELECT 'tenant ' || w.tenant || ' webhook ' || w.id FROM webhooks w
		WHERE w.position > coalesce((SELECT h.position FROM chain_heads h WHERE h.tenant = w.tenant), 0)`, ""},
	{"endpoints in a state that there is not", `SELECT 'tenant ' || w.tenant || ' webhook ' || w.id FROM webhooks w WHERE w.failures < 0 OR w.fence < 0`, ""},
	{"runs of imports that have done more rows than they have", `SELECT 'tenant ' || b.tenant || ' run ' || b.id FROM bulk_runs b WHERE b.done_rows < 0 OR b.total_rows > 0 AND b.done_rows > b.total_rows`, ""},
}
