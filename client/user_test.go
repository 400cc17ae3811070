package client_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/client"
)

// goodPassword passes the strictest default policy.
const goodPassword = "lantern orchid quarry"

// check fails the test with an error.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func callUsers(t *testing.T, c *client.Client) {
	at := time.Date(2026, 3, 1, 8, 30, 0, 123456000, time.UTC)
	fields := client.UserFields{UserName: "ada", Email: "ada@example.com", GivenName: "Ada", FamilyName: "Byron", DisplayName: "Ada Byron",
		Title: "Countess", ValidFrom: at, ExpiresAt: at.AddDate(90, 0, 0), EmployeeNumber: "E1", OpenID: "open/ä ?%2F", WebMDN: "5551",
		ClientUserID: "c1", ExternalID: "..", LicenceType: "regular", Phones: []client.Phone{{Number: "5552", Type: "Work"}},
		Address: &client.Address{Line1: "Marylebone", City: "London", Country: "GB"}, Picture: json.RawMessage(`{"url":"a"}`), Language: "en-GB",
		TimeZone: "Europe/London", Attributes: map[string]json.RawMessage{"shoe": json.RawMessage("37")}, MobileOnly: true, StorageLocation: "van 1"}
	ada := must(c.Users.Create(t.Context(), client.NewUser{UserFields: fields, ID: "3f0e1e9a-0000-4000-8000-000000000001", Number: 77,
		Status: client.StatusInactive, Password: goodPassword}, client.Reason("hired")))(t)
	if ada.Status != client.StatusInactive || ada.Number != 77 || ada.Rank != client.RankSelf || ada.Version != 1 || ada.ETag != `"1"` || !ada.DeletedAt.IsZero() {
		t.Errorf("created %+v", ada)
	}
	got := ada.Fields()
	fields.Company = ada.Company
	fields.Locked = got.Locked
	if diff := cmp.Diff(fields, got, cmp.Comparer(func(a, b client.Opt[bool]) bool { return a == b })); diff != "" {
		t.Errorf("fields (-want +got)\n%s", diff)
	}
	for space, key := range map[string]string{client.ByUserName: "ADA", client.ByEmail: "ada@example.com", client.ByLogin: "ada", client.ByNumber: "77",
		client.ByEmployeeNumber: "E1", client.ByOpenID: "open/ä ?%2F", client.ByWebMDN: "5551", client.ByExternalID: "..", client.ByStorageLocation: "van 1"} {
		if u, err := c.Users.GetBy(t.Context(), space, key, client.Fields("id"), client.Expand("company", "roles")); err != nil || u.ID != ada.ID || u.UserName != "" || u.Expanded.Company == nil {
			t.Errorf("by %s %q: %+v, %v", space, key, u, err)
		}
	}
	same := must(c.Users.Replace(t.Context(), ada.ID, client.UserReplacement{UserFields: got}))(t)
	if same.Version != 1 {
		t.Errorf("what was read and written back has version %d", same.Version)
	}
	u := must(c.Users.Update(t.Context(), ada.ID, client.UserPatch{Title: client.Null[string](), Email: client.Set("a@example.com"),
		Address: client.Set(client.AddressPatch{City: client.Set("Kirkby")}), ValidFrom: client.Null[time.Time]()}, client.IfMatch(ada.ETag)))(t)
	if u.Title != "" || u.Email != "a@example.com" || u.Address.City != "Kirkby" || u.Address.Line1 != "Marylebone" || !u.ValidFrom.IsZero() || u.GivenName != "Ada" || u.ETag != `"2"` {
		t.Errorf("changed %+v", u)
	}
	u = must(c.Users.Replace(t.Context(), ada.ID, client.UserReplacement{UserFields: client.UserFields{UserName: "ada"}}))(t)
	if u.Email != "" || u.Address != nil || len(u.Phones) != 0 || u.Status != client.StatusInactive {
		t.Errorf("replaced %+v", u)
	}
	if read := must(c.Users.Get(t.Context(), ada.ID))(t); cmp.Diff(u, read) != "" {
		t.Errorf("read something else than written: %s", cmp.Diff(u, read))
	}
	callLists(t, c)
}

func callLists(t *testing.T, c *client.Client) {
	for i := range 6 {
		must(c.Users.Create(t.Context(), named(fmt.Sprintf("list-%d", i))))(t)
	}
	q := client.UserQuery{PageQuery: client.PageQuery{Limit: 2}, Filter: `user_name sw "list-"`, Sort: "-user_name", Status: []string{client.StatusActive}, Total: true}
	page := must(c.Users.List(t.Context(), q))(t)
	if len(page.Items) != 2 || page.Total != 6 || page.NextCursor == "" || page.Items[0].ETag != `"1"` {
		t.Errorf("page %+v", page)
	}
	var names []string
	for u, err := range c.Users.All(t.Context(), q) {
		check(t, err)
		if names = append(names, u.UserName); len(names) == 5 {
			break
		}
	}
	if diff := cmp.Diff([]string{"list-5", "list-4", "list-3", "list-2", "list-1"}, names); diff != "" {
		t.Errorf("all (-want +got)\n%s", diff)
	}
	errors := 0
	for u, err := range c.Users.All(t.Context(), client.UserQuery{Filter: "user_name sw"}) {
		if errors++; err == nil || u.ID != "" {
			t.Errorf("a bad filter finds %+v", u)
		}
	}
	if errors != 1 {
		t.Errorf("%d errors, want one", errors)
	}
}

func callLives(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: "bo"}, Status: client.StatusStaged}))(t)
	for _, step := range []struct {
		call   func() (*client.User, error)
		status string
		locked bool
	}{
		{func() (*client.User, error) { return c.Users.Activate(t.Context(), u.ID, client.Reason("first day")) }, client.StatusActive, false},
		{func() (*client.User, error) { return c.Users.Lock(t.Context(), u.ID, 0) }, client.StatusActive, true},
		{func() (*client.User, error) { return c.Users.Unlock(t.Context(), u.ID) }, client.StatusActive, false},
		{func() (*client.User, error) { return c.Users.Deactivate(t.Context(), u.ID, client.Reason("last day")) }, client.StatusInactive, false},
	} {
		if got := must(step.call())(t); got.Status != step.status || got.Locked != step.locked || got.ETag == "" {
			t.Errorf("%+v, want %v", got, step)
		}
	}
	check(t, c.Users.Delete(t.Context(), u.ID))
	if _, err := c.Users.Get(t.Context(), u.ID); !client.IsReason(err, "user.deleted") {
		t.Errorf("deleted: %v", err)
	}
	if got := must(c.Users.Restore(t.Context(), u.ID))(t); got.Status != client.StatusInactive {
		t.Errorf("restored %+v", got)
	}
	var types, reasons []string
	for e, err := range c.Users.AllEvents(t.Context(), u.ID, client.PageQuery{Limit: 2}) {
		check(t, err)
		types, reasons = append(types, e.Type), append(reasons, e.Reason)
	}
	if diff := cmp.Diff([]string{"user.created", "user.activated", "user.locked", "user.unlocked", "user.deactivated", "user.deleted", "user.restored"}, types); diff != "" {
		t.Errorf("history (-want +got)\n%s", diff)
	}
	if len(reasons) != 7 || reasons[1] != "first day" || reasons[4] != "last day" {
		t.Errorf("reasons %q", reasons)
	}
	check(t, c.Users.Delete(t.Context(), u.ID))
	check(t, c.Users.Purge(t.Context(), u.ID))
}

// administrator makes a person of the rank administrator and returns a client with
// a session of it.
func administrator(t *testing.T, c *client.Client, base, name string) (*client.User, *client.Client) {
	t.Helper()
	u := must(c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: name, Email: name + "@example.com"}, Password: goodPassword}))(t)
	role := must(c.Roles.Create(t.Context(), client.NewRole{Name: "Boss " + name, Rank: client.RankAdministrator}))(t)
	check(t, c.Users.GiveRole(t.Context(), u.ID, role.Number, u.Company))
	session := must(newClient(t, base, "").Sessions.Create(t.Context(), name, goodPassword))(t)
	if session.User.ID != u.ID || !session.ExpiresAt.After(u.CreatedAt) {
		t.Errorf("signed in as %+v until %v", session.User, session.ExpiresAt)
	}
	return u, newClient(t, base, string(session.Token))
}

func callPasswords(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: "cy", Email: "cy@example.com"}}))(t)
	check(t, c.Users.SetPassword(t.Context(), u.ID, goodPassword, true))
	if got := must(c.Users.Get(t.Context(), u.ID))(t); !got.MustChangePassword {
		t.Error("the password is not temporary")
	}
	check(t, c.Users.GeneratePassword(t.Context(), u.ID))
	check(t, c.Users.MailReset(t.Context(), u.ID))
	if token := must(c.Users.ResetToken(t.Context(), u.ID))(t); len(token.Token) < 20 || !token.ExpiresAt.After(u.CreatedAt) {
		t.Errorf("token %d characters, until %v", len(token.Token), token.ExpiresAt)
	}
	if err := c.Users.SetPassword(t.Context(), u.ID, "x", false); !client.IsReason(err, "password.too_short") {
		t.Errorf("a short password: %v", err)
	}
}

func callMemberships(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), named("di")))(t)
	group := must(c.Groups.Create(t.Context(), client.NewGroup{Name: "Crew"}))(t)
	location := must(c.Locations.Create(t.Context(), client.NewLocation{Company: u.Company, Name: "Shop"}))(t)
	role := must(c.Roles.Create(t.Context(), client.NewRole{Name: "Reader", Rank: client.RankReader}))(t)
	check(t, c.Users.JoinGroup(t.Context(), u.ID, group.ID, "lead"))
	check(t, c.Users.JoinLocation(t.Context(), u.ID, fmt.Sprint(location.Number)))
	check(t, c.Users.GiveRole(t.Context(), u.ID, role.Number, 0))
	if diff := cmp.Diff([]client.GroupRef{{ID: group.ID, Kind: client.GroupPlain, Name: "Crew", Role: "lead"}}, must(c.Users.Groups(t.Context(), u.ID))(t)); diff != "" {
		t.Errorf("groups (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]client.LocationRef{{Number: location.Number, ID: location.ID, Name: "Shop", Company: u.Company}}, must(c.Users.Locations(t.Context(), u.ID))(t)); diff != "" {
		t.Errorf("locations (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]client.RoleRef{{Role: role.Number, Name: "Reader", Rank: client.RankReader, Company: u.Company}}, must(c.Users.Roles(t.Context(), u.ID))(t)); diff != "" {
		t.Errorf("roles (-want +got)\n%s", diff)
	}
	check(t, c.Users.LeaveGroup(t.Context(), u.ID, group.ID))
	check(t, c.Users.LeaveLocation(t.Context(), u.ID, location.ID))
	check(t, c.Users.TakeRole(t.Context(), u.ID, role.Number))
	if err := c.Users.TakeRole(t.Context(), u.ID, role.Number); !client.IsNotFound(err) {
		t.Errorf("a role that the user does not hold: %v", err)
	}
	for name, n := range map[string]int{"groups": len(must(c.Users.Groups(t.Context(), u.ID))(t)),
		"locations": len(must(c.Users.Locations(t.Context(), u.ID))(t)), "roles": len(must(c.Users.Roles(t.Context(), u.ID))(t))} {
		if n != 0 {
			t.Errorf("%d %s are left", n, name)
		}
	}
}

func callHoldsAndSessions(t *testing.T, base string, c *client.Client) {
	u, _ := administrator(t, c, base, "eve")
	hold := client.Hold{Kind: client.HoldOpenOrders, Source: "erp & co", Ref: "47/11"}
	check(t, c.Users.PlaceHold(t.Context(), u.ID, hold))
	holds := must(c.Users.Holds(t.Context(), u.ID))(t)
	if len(holds) != 1 || holds[0].Ref != hold.Ref || holds[0].CreatedAt.IsZero() {
		t.Errorf("holds %+v", holds)
	}
	if _, err := c.Users.Deactivate(t.Context(), u.ID); !client.IsReason(err, "user.held") {
		t.Errorf("a held user is deactivated: %v", err)
	}
	check(t, c.Users.ReleaseHold(t.Context(), u.ID, holds[0]))
	sessions := must(c.Users.Sessions(t.Context(), u.ID))(t)
	if len(sessions) != 1 || sessions[0].Door != "canonical" {
		t.Fatalf("sessions %+v", sessions)
	}
	check(t, c.Users.EndSession(t.Context(), u.ID, sessions[0].ID))
	check(t, c.Users.EndSessions(t.Context(), u.ID))
	check(t, c.Users.SignOut(t.Context(), u.ID))
	if left := must(c.Users.Sessions(t.Context(), u.ID))(t); len(left) != 0 {
		t.Errorf("sessions that are left: %+v", left)
	}
}
