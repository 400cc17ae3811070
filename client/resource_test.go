package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/client"
)

// want compares, by the text of JSON: the answers are plain values.
func want(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func callCompanies(t *testing.T, c *client.Client) {
	first := must(c.Tenant.Get(t.Context()))(t).DefaultCompany
	west := must(c.Companies.Create(t.Context(), client.NewCompany{Name: "West", Parent: first, Number: 500, Website: "https://west.example.com",
		Metadata: json.RawMessage(`{"region":"w"}`)}))(t)
	want(t, "company", &client.Company{Head: client.Head{ETag: `"1"`}, Number: 500, ID: west.ID, Name: "West", Parent: first, Path: []int64{first, 500},
		Website: "https://west.example.com", Metadata: json.RawMessage(`{"region":"w"}`), Version: 1, CreatedAt: west.CreatedAt}, west)
	changed := must(c.Companies.Update(t.Context(), west.ID, client.CompanyPatch{Website: client.Null[string](), Metadata: client.Set(json.RawMessage(`[1]`))}, client.IfMatch(west.ETag)))(t)
	if changed.Website != "" || string(changed.Metadata) != "[1]" || changed.ETag != `"2"` {
		t.Errorf("changed %+v", changed)
	}
	want(t, "company by number", changed, must(c.Companies.Get(t.Context(), "500"))(t))
	page := must(c.Companies.List(t.Context(), client.CompanyQuery{Parent: &first, Search: "wes", Total: true}))(t)
	want(t, "page of companies", &client.Page[client.Company]{Items: []client.Company{*changed}, Total: 1}, page)
	count := 0
	for _, err := range c.Companies.All(t.Context(), client.CompanyQuery{PageQuery: client.PageQuery{Limit: 1}}) {
		check(t, err)
		count++
	}
	roots := must(c.Companies.List(t.Context(), client.CompanyQuery{Parent: new(int64)}))(t)
	if count != 2 || len(roots.Items) != 1 {
		t.Errorf("%d companies and %d roots, want 2 and 1", count, len(roots.Items))
	}
	shop := must(c.Locations.Create(t.Context(), client.NewLocation{Company: 500, Name: "Shop", Number: 501, Headquarters: true, Phone: "1", Fax: "2",
		Address: &client.Address{Line1: "Main St", City: "Regina"}}))(t)
	want(t, "location", &client.Location{Head: client.Head{ETag: `"1"`}, Number: 501, ID: shop.ID, Company: 500, Name: "Shop", Headquarters: true, Phone: "1", Fax: "2",
		Address: &client.Address{Line1: "Main St", City: "Regina"}, Version: 1, CreatedAt: shop.CreatedAt}, shop)
	shop = must(c.Locations.Update(t.Context(), "501", client.LocationPatch{Fax: client.Null[string](), Address: client.Set(client.AddressPatch{City: client.Set("Moose Jaw")})}))(t)
	if shop.Fax != "" || shop.Address.City != "Moose Jaw" || shop.Address.Line1 != "Main St" {
		t.Errorf("changed %+v", shop)
	}
	want(t, "location by id", shop, must(c.Locations.Get(t.Context(), shop.ID))(t))
	for l, err := range c.Locations.All(t.Context(), client.LocationQuery{Company: 500}) {
		check(t, err)
		want(t, "location in the list", *shop, l)
	}
	if err := c.Companies.Delete(t.Context(), "500"); !client.IsConflict(err) {
		t.Errorf("a company with a location is deleted: %v", err)
	}
	check(t, c.Locations.Delete(t.Context(), "501"))
	check(t, c.Companies.Delete(t.Context(), west.ID))
}

func callGroups(t *testing.T, c *client.Client) {
	var ids []string
	for i := range 4 {
		ids = append(ids, must(c.Users.Create(t.Context(), named(fmt.Sprintf("member-%d", i))))(t).ID)
	}
	top := must(c.Groups.Create(t.Context(), client.NewGroup{Name: "All shifts"}))(t)
	g := must(c.Groups.Create(t.Context(), client.NewGroup{Name: "Night", Description: "22 to 6", Parent: top.ID, ExternalID: "n1", Number: 900,
		ID: "0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a21", Members: ids[:1]}))(t)
	want(t, "group", &client.Group{Head: client.Head{ETag: g.ETag}, ID: "0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a21", Number: 900, Kind: client.GroupPlain, Key: "night", Name: "Night",
		Description: "22 to 6", Parent: top.ID, ExternalID: "n1", Version: g.Version, CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt}, g)
	g = must(c.Groups.Update(t.Context(), g.ID, client.GroupPatch{Name: client.Set("Late"), ExternalID: client.Null[string]()}, client.IfMatch(g.ETag)))(t)
	g = must(c.Groups.ChangeMembers(t.Context(), g.ID, client.MemberChange{Add: ids[1:3], Remove: ids[:1]}, client.Reason("rota")))(t)
	check(t, c.Groups.AddMember(t.Context(), g.ID, ids[3]))
	check(t, c.Groups.RemoveMember(t.Context(), g.ID, ids[1]))
	read := must(c.Groups.Get(t.Context(), g.ID))(t)
	if read.Name != "Late" || read.ExternalID != "" || read.Version <= g.Version {
		t.Errorf("read %+v", read)
	}
	var members []string
	for m, err := range c.Groups.AllMembers(t.Context(), g.ID, client.MemberQuery{PageQuery: client.PageQuery{Limit: 1}}) {
		check(t, err)
		members = append(members, m.UserName)
	}
	want(t, "members", []string{"member-2", "member-3"}, members)
	if page := must(c.Groups.Members(t.Context(), g.ID, client.MemberQuery{Total: true}))(t); page.Total != 2 {
		t.Errorf("%d members, want 2", page.Total)
	}
	if page := must(c.Groups.List(t.Context(), client.GroupQuery{Parent: top.ID, Total: true}))(t); page.Total != 1 || page.Items[0].ETag != read.ETag {
		t.Errorf("groups below one: %+v", page)
	}
	var names []string
	for g, err := range c.Groups.All(t.Context(), client.GroupQuery{PageQuery: client.PageQuery{Limit: 1}, Sort: "-name"}) {
		check(t, err)
		names = append(names, g.Name)
	}
	want(t, "groups by name", []string{"Late", "Crew", "All shifts"}, names)
	check(t, c.Groups.Delete(t.Context(), g.ID))
}

func callRoles(t *testing.T, c *client.Client) {
	r := must(c.Roles.Create(t.Context(), client.NewRole{Name: "Dispatcher", Description: "sends", Rank: client.RankReader, Permissions: []string{"orders.read"}, Number: 700}))(t)
	want(t, "role", &client.Role{Head: client.Head{ETag: `"1"`}, Number: 700, Key: "dispatcher", Name: "Dispatcher", Description: "sends", Rank: client.RankReader,
		Permissions: []string{"orders.read"}, Version: 1}, r)
	r = must(c.Roles.Update(t.Context(), 700, client.RolePatch{Description: client.Null[string](), Permissions: client.Set([]string{})}))(t)
	want(t, "role by number", r, must(c.Roles.Get(t.Context(), 700))(t))
	u := must(c.Users.Create(t.Context(), named("fay")))(t)
	check(t, c.Users.GiveRole(t.Context(), u.ID, 700, 0))
	page := must(c.Roles.Members(t.Context(), 700, client.MemberQuery{Total: true}))(t)
	want(t, "holders", &client.Page[client.Member]{Items: []client.Member{{ID: u.ID, Number: u.Number, UserName: "fay"}}, Total: 1}, page)
	for m, err := range c.Roles.AllMembers(t.Context(), 700, client.MemberQuery{}) {
		check(t, err)
		want(t, "holder", page.Items[0], m)
	}
	if err := c.Roles.Delete(t.Context(), 700); !client.IsConflict(err) {
		t.Errorf("a role that is held is deleted: %v", err)
	}
	check(t, c.Users.TakeRole(t.Context(), u.ID, 700))
	if roles := must(c.Roles.List(t.Context(), client.RoleQuery{Company: new(int64), Search: "dispatch", Total: true}))(t); roles.Total != 1 {
		t.Errorf("roles %+v", roles)
	}
	check(t, c.Roles.Delete(t.Context(), 700))
	for r, err := range c.Roles.All(t.Context(), client.RoleQuery{}) {
		check(t, err)
		if r.Number == 700 {
			t.Error("the deleted role is listed")
		}
	}
}

func callLockReasons(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), named("gus")))(t)
	r := must(c.LockReasons.Create(t.Context(), client.NewLockReason{Company: u.Company, Name: "Lost", Description: "Call us.", Number: 800}))(t)
	want(t, "lock reason", &client.LockReason{Head: client.Head{ETag: `"1"`}, Number: 800, Company: u.Company, Name: "Lost", Description: "Call us.", Version: 1}, r)
	if locked := must(c.Users.Lock(t.Context(), u.ID, 800, client.Reason("phone is gone")))(t); locked.LockReason != 800 {
		t.Errorf("locked with reason %d", locked.LockReason)
	}
	r = must(c.LockReasons.Update(t.Context(), 800, client.LockReasonPatch{Description: client.Set("Call the desk.")}))(t)
	want(t, "lock reason by number", r, must(c.LockReasons.Get(t.Context(), 800))(t))
	want(t, "lock reasons", &client.Page[client.LockReason]{Items: []client.LockReason{*r}, Total: 1},
		must(c.LockReasons.List(t.Context(), client.LockReasonQuery{Company: u.Company, Total: true}))(t))
	check(t, c.LockReasons.Delete(t.Context(), 800))
	for r, err := range c.LockReasons.All(t.Context(), client.LockReasonQuery{}) {
		t.Errorf("left: %+v, %v", r, err)
	}
}

func callCredentials(t *testing.T, base string, c *client.Client) {
	until := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	key := must(c.Credentials.Create(t.Context(), client.NewCredential{Name: "sync", Rank: client.RankReader, Scopes: []string{"users_read"}, Doors: []string{"canonical", "scim"}, ExpiresAt: until}))(t)
	if key.Kind != client.CredentialKey || key.Rank != client.RankReader || !key.ExpiresAt.Equal(until) || len(key.Secret) < 40 || len(key.Doors) != 2 {
		t.Errorf("created %s with rank %s until %v for %v", key.Kind, key.Rank, key.ExpiresAt, key.Doors)
	}
	other := newClient(t, base, string(key.Secret))
	if me := must(other.Me.Get(t.Context()))(t); me.Kind != "key" || me.Rank != client.RankReader || me.Tenant.Name != "office" || me.Credential.ID != key.ID {
		t.Errorf("me %+v", me)
	}
	if _, err := other.Users.Create(t.Context(), named("no")); !client.IsReason(err, "scope.missing") {
		t.Errorf("a reader creates: %v", err)
	}
	shown := *key
	shown.Secret = ""
	want(t, "credential", &shown, must(c.Credentials.Get(t.Context(), key.ID))(t))
	if list := must(c.Credentials.List(t.Context()))(t); len(list) != 2 {
		t.Errorf("%d credentials, want 2", len(list))
	}
	check(t, c.Credentials.Revoke(t.Context(), key.ID, client.Reason("leaked")))
	_, err := other.Me.Get(t.Context())
	if !client.IsReason(err, "credential.invalid") {
		t.Errorf("a revoked key: %v", err)
	}
}

func callTenant(t *testing.T, c *client.Client) {
	tenant := must(c.Tenant.Get(t.Context()))(t)
	changed := must(c.Tenant.Update(t.Context(), client.TenantPatch{Hosts: client.Set([]string{"users.example.com"}), Settings: client.Set(client.SettingsPatch{
		MaxFailedLogins: client.Set(9), RequestsPerMinute: client.Set(map[string]client.Opt[int]{"scim": client.Set(5000)}),
		Password: client.Set(client.PasswordPatch{MinLength: client.Set(12)})})}, client.IfMatch(tenant.ETag)))(t)
	want(t, "settings", &client.Settings{Password: client.PasswordSettings{MinLength: 12}, RequestsPerMinute: map[string]int{"scim": 5000}, MaxFailedLogins: 9}, changed.Settings)
	want(t, "hosts", []string{"users.example.com"}, changed.Hosts)
	changed = must(c.Tenant.Update(t.Context(), client.TenantPatch{Hosts: client.Null[[]string](), Settings: client.Null[client.SettingsPatch]()}))(t)
	if changed.Settings.MaxFailedLogins != 0 || len(changed.Hosts) != 0 || changed.Version != tenant.Version+2 {
		t.Errorf("reset %+v", changed)
	}
	seats := int64(5)
	pool := must(c.LicencePools.Set(t.Context(), "web_only", &seats))(t)
	want(t, "pool", pool, must(c.LicencePools.Get(t.Context(), "web_only"))(t))
	if *pool.Total != 5 || pool.ETag == "" {
		t.Errorf("pool %+v", pool)
	}
	if _, err := c.LicencePools.Set(t.Context(), "web_only", nil, client.IfMatch(`"99"`)); !client.IsStale(err) {
		t.Errorf("another version: %v", err)
	}
	if unlimited := must(c.LicencePools.Set(t.Context(), "web_only", nil, client.IfMatch(pool.ETag)))(t); unlimited.Total != nil {
		t.Errorf("%d seats, want any number", *unlimited.Total)
	}
	found := false
	for _, p := range must(c.LicencePools.List(t.Context()))(t) {
		found = found || p.Type == "web_only" && p.Total == nil && p.ETag != ""
	}
	if !found {
		t.Error("the pool is not listed")
	}
	types := map[string]bool{}
	for e, err := range c.Events.All(t.Context(), client.EventQuery{PageQuery: client.PageQuery{Limit: 200}}) {
		check(t, err)
		types[e.Type] = true
	}
	page := must(c.Events.List(t.Context(), client.EventQuery{PageQuery: client.PageQuery{Limit: 1}}))(t)
	if !types["user.created"] || !types["credential.revoked"] || len(page.Items) != 1 || !page.More || page.NextCursor == "" {
		t.Errorf("events %v, page %+v", types, page)
	}
}

// callMyself signs in and does what only a person can.
func callMyself(t *testing.T, base string, c *client.Client, o *observer) {
	u, _ := administrator(t, c, base, "hal")
	signIn := func(password client.Secret) *client.Client {
		t.Helper()
		watched := client.WithHTTPClient(&http.Client{Transport: o})
		session := must(newClient(t, base, "", watched).Sessions.Create(t.Context(), "HAL@example.com", password))(t)
		return newClient(t, base, string(session.Token), watched)
	}
	me := signIn(goodPassword)
	if who := must(me.Me.Get(t.Context()))(t); who.Kind != "user" || who.User.ID != u.ID || who.Credential != nil {
		t.Errorf("me %+v", who)
	}
	if got := must(me.Me.Update(t.Context(), client.UserPatch{Language: client.Set("en-GB")}))(t); got.ID != u.ID || got.Language != "en-GB" {
		t.Errorf("changed %+v", got)
	}
	ivy := must(c.Users.Create(t.Context(), named("ivy")))(t)
	token := must(me.Users.Impersonate(t.Context(), ivy.ID, "ticket 4711"))(t)
	if who := must(newClient(t, base, string(token.Token)).Me.Get(t.Context()))(t); who.User.ID != ivy.ID || who.OnBehalfOf == "" {
		t.Errorf("acting as %+v", who)
	}
	if _, err := c.Users.Impersonate(t.Context(), ivy.ID, "a key is nobody"); err == nil {
		t.Error("a key acts as a person")
	}
	const other = "saffron ladder mitten"
	check(t, me.Me.SetPassword(t.Context(), other))
	if _, err := me.Me.Get(t.Context()); !client.IsReason(err, "credential.invalid") {
		t.Errorf("the session after a new password: %v", err)
	}
	me = signIn(other)
	check(t, me.Sessions.End(t.Context()))
	if _, err := me.Me.Get(t.Context()); !client.IsReason(err, "credential.invalid") {
		t.Errorf("a session that was ended: %v", err)
	}
}
