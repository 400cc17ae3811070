package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// exported are the lines of an export, by the users' numbers in order.
func (f *fixture) exported(call *directory.Call, q directory.UserQuery, with directory.Include) (numbers []int64, lines []string) {
	f.t.Helper()
	check(f.t, f.svc.ExportUsers(f.ctx, call, q, with, func(page []directory.Record) error {
		for i := range page {
			numbers = append(numbers, *page[i].Number)
			lines = append(lines, string(must(json.Marshal(page[i]))(f.t)))
		}
		return nil
	}))
	return numbers, lines
}

// An export has everything of a user but what nobody may read back.
func TestRulesExportRecord(t *testing.T) {
	f := newFixture(t)
	place := f.location(f.root)
	groups := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupPlain, Name: "Crew"}, {Kind: directory.GroupServiceTeam, Key: "T-1", Name: "Team"}}, nil))(t)
	role := f.role(adminRank)
	u := f.user("ann", withPassword, withLicence, func(in *directory.NewUser) {
		in.Fields.Title = directory.Some("Engineer")
		in.Fields.Phones = directory.Some([]directory.Phone{{Number: "1", Type: "mobile"}})
		in.Fields.Address = directory.Some(directory.Address{Set: true, City: "Lund"})
		in.Fields.Attributes = directory.Some(map[string]json.RawMessage{"shoe": raw("42")})
		in.Fields.ExpiresAt = directory.Some(start.Add(time.Hour))
		in.Fields.Language = directory.Some("sv")
	})
	ref := directory.ByNumber(u.Number)
	for _, g := range groups {
		must(f.svc.ChangeGroups(f.ctx, f.sys(), ref, 0, directory.GroupChange{Kind: g.Kind, Mode: directory.GroupsAdd, Role: "lead", Groups: []directory.GroupRef{{ID: g.ID}}}))(t)
	}
	check(t, f.svc.AssignLocation(f.ctx, f.sys(), ref, place))
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), ref, role.Number, f.root)
	check(t, err)
	must(f.svc.Lock(f.ctx, f.sys(), ref, 0))(t)
	u = f.stored(u.Number)
	at := func(when time.Time) string { return string(must(json.Marshal(when))(t)) }
	own := fmt.Sprintf(`{"id":%q,"number":%d,"user_name":"ann","email":"ann@example.com","title":"Engineer","company":%d%%s,"employee_number":"e-ann",`+
		`"open_id":"https://id.example/ann","web_mdn":"mdn-ann","licence_type":"Full","status":"active","locked":true,"expires_at":%s,`+
		`"phones":[{"number":"1","type":"mobile"}],"address":{"set":true,"city":"Lund"},"language":"sv","attributes":{"shoe":42}%%s,`+
		`"rank":"administrator","created_at":%s,"updated_at":%s,"version":%d}`, u.ID, u.Number, f.root, at(u.ExpiresAt), at(u.CreatedAt), at(u.UpdatedAt), u.Version)
	company := must(f.svc.Company(f.ctx, f.sys(), f.root))(t)
	beside := fmt.Sprintf(`,"groups":[{"kind":"group","key":"crew","name":"Crew","role":"lead"},{"kind":"service_team","key":"T-1","name":"Team","role":"lead"}],`+
		`"roles":[%q],"locations":[%d]`, role.Key, place)
	for with, want := range map[directory.Include]string{
		0:                       fmt.Sprintf(own, "", ""),
		directory.IncludeRecord: fmt.Sprintf(own, fmt.Sprintf(`,"company_name":%q`, company.Name), beside),
	} {
		if _, lines := f.exported(f.sys(), directory.UserQuery{}, with); len(lines) != 1 || lines[0] != want {
			t.Errorf("with %d:\n got %s\nwant %s", with, lines, want)
		}
	}
}

// Every user that the query selects comes once, in its order, however many pages that
// takes.
func TestRulesExportPages(t *testing.T) {
	f := newFixture(t)
	company := f.company("Many", f.root)
	var want []directory.User
	for i := range 1100 {
		u := f.someone(withCompany(company), func(in *directory.NewUser) { in.Fields.FamilyName = directory.Some(fmt.Sprintf("name %d", i%7)) })
		want = append(want, u)
	}
	f.someone()
	numbersOf := func(list []directory.User) (numbers []int64) {
		for i := range list {
			numbers = append(numbers, list[i].Number)
		}
		return numbers
	}
	got, _ := f.exported(f.sys(), directory.UserQuery{Company: company, Skip: 7, After: 1_000_000, Limit: 3}, directory.IncludeRecord)
	if !slices.Equal(got, numbersOf(want)) {
		t.Errorf("%d users, want %d", len(got), len(want))
	}
	slices.SortStableFunc(want, func(a, b directory.User) int { return strings.Compare(a.FamilyName, b.FamilyName) })
	got, _ = f.exported(f.sys(), directory.UserQuery{Company: company, Sort: directory.FieldFamilyName}, 0)
	if !slices.Equal(got, numbersOf(want)) {
		t.Errorf("%d users by family name, want %d in another order", len(got), len(want))
	}
	got, _ = f.exported(f.sys(), directory.UserQuery{Filter: directory.Text{Field: directory.FieldFamilyName, Value: "name 3"}, Terms: []string{"user"}}, 0)
	if len(got) != 157 {
		t.Errorf("%d users of a search", len(got))
	}
	boom := errors.New("the reader went away")
	err := f.svc.ExportUsers(f.ctx, f.sys(), directory.UserQuery{}, 0, func([]directory.Record) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}

// A key that is revoked on the way gets no further page, and the limiter counts an
// export once.
func TestRulesExportReadmits(t *testing.T) {
	f := newFixture(t)
	for range 501 {
		f.someone()
	}
	f.settings(func(t *directory.Tenant) { t.Settings.RequestsPerMinute = map[string]int{"canonical": 1} })
	key := f.key(readerRank)
	pages := 0
	check(t, f.svc.ExportUsers(f.ctx, f.as(key), directory.UserQuery{}, 0, func([]directory.Record) error { pages++; return nil }))
	f.clock.advance(time.Minute)
	list := must(f.svc.Credentials(f.ctx, f.sys()))(t)
	err := f.svc.ExportUsers(f.ctx, f.as(key), directory.UserQuery{}, 0, func([]directory.Record) error {
		pages++
		return f.svc.RevokeCredential(f.ctx, f.sys(), list[len(list)-1].ID)
	})
	wantError(t, err, directory.CodeUnauthenticated, directory.ReasonCredentialInvalid)
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
}

// Who is bound to a company exports its subtree, and of what its users have elsewhere
// nothing.
func TestRulesExportBound(t *testing.T) {
	f := newFixture(t)
	inside, outside := f.company("Inside", f.root), f.company("Outside", f.root)
	u := f.someone(withCompany(inside))
	f.someone(withCompany(outside))
	here, there := f.location(inside), f.location(outside)
	role := f.role(selfRank)
	for _, place := range []int64{here, there} {
		check(t, f.svc.AssignLocation(f.ctx, f.sys(), directory.ByNumber(u.Number), place))
	}
	_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(u.Number), role.Number, outside)
	check(t, err)
	numbers, lines := f.exported(f.as(f.bound(inside)), directory.UserQuery{}, directory.IncludeRecord)
	if diff := cmp.Diff([]int64{u.Number}, numbers); diff != "" {
		t.Fatal(diff)
	}
	if !strings.Contains(lines[0], `"locations":[`+itoa(here)+`]`) || strings.Contains(lines[0], `"roles"`) {
		t.Errorf("the record is %s", lines[0])
	}
}
