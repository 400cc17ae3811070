package directory_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// A row has every field of a user, and all of them arrive.
func TestRulesImportEveryMember(t *testing.T) {
	f := newFixture(t)
	company, location := f.company("North", f.root), f.location(f.root)
	reason, role := f.lockReason(f.root), f.role(directory.RankSelf)
	team := must(f.svc.CreateGroups(f.ctx, f.sys(), []directory.Group{{Kind: directory.GroupPlain, Name: "Team"}}, nil))(t)[0]
	from, until := f.clock.now().Add(-time.Hour), f.clock.now().Add(time.Hour)
	hash := "$2b$04$zfWfN6nTnhbDxvGYSZBcuOJkZpSjOY6D8u0bQJ8yCkXt0PzrXzSPK"
	row := recordOf("ann", func(r *directory.Record) {
		r.ID, r.Number = new("5f0a1c2e-0000-4000-8000-000000000001"), new(int64(777_001))
		r.Email, r.GivenName, r.FamilyName, r.DisplayName = new("ann@example.com"), new("Ann"), new("Lee"), new("Ann L.")
		r.Title, r.CompanyName, r.EmployeeNumber, r.OpenID = new("Clerk"), new("north"), new("E1"), new("https://id.example/ann")
		r.WebMDN, r.ClientUserID, r.LicenceType = new("555"), new("c1"), new(licence)
		r.Status, r.Locked, r.LockReason = new(directory.StateActive), new(true), new(reason.Number)
		r.MustChangePassword, r.ValidFrom, r.ExpiresAt = new(true), &from, &until
		r.Phones = &[]directory.Phone{{Number: "1", Type: "work"}}
		r.Address = &directory.Address{City: "Oslo"}
		r.Picture, r.Language, r.TimeZone = new(json.RawMessage(`{"a":1}`)), new("nb"), new("Europe/Oslo")
		r.Attributes = &map[string]json.RawMessage{"floor": raw(`3`)}
		r.Extras = map[string]json.RawMessage{"encore": raw(`{"EPTTNumber":"7"}`), "smartapp": raw(`{"globalUserID":"g"}`)}
		r.MobileOnly, r.StorageLocation = new(true), new("S1")
		r.Groups = &[]directory.RecordGroup{{Kind: directory.GroupPlain, Key: team.Key, Role: "INSTRUCTOR"}}
		r.Roles, r.Locations = &[]string{role.Key}, &[]int64{location}
		r.PasswordHash = new(directory.Secret(hash))
	})
	f.secret(hash)
	run, verdicts := f.imported(importOf(), row)
	if diff := cmp.Diff([]string{"create"}, whatCame(verdicts)); diff != "" {
		t.Fatalf("verdicts (-want +got):\n%s%+v", diff, verdicts)
	}
	if run.State != directory.BulkDone || run.Done != 1 || run.Rows != 1 || run.Counts[directory.RowCreate] != 1 || verdicts[0].User != 777_001 || verdicts[0].Name != "ann" {
		t.Errorf("the run is %+v, the verdict %+v", run, verdicts[0])
	}
	got := f.stored(777_001)
	want := directory.User{
		Tenant: f.tenant.No, Number: 777_001, ID: "5f0a1c2e-0000-4000-8000-000000000001", State: directory.StateActive, Locked: true, LockReason: reason.Number,
		MustChangePassword: true, ValidFrom: from, ExpiresAt: until, UserName: "ann", Email: "ann@example.com", EmailClaimed: true,
		GivenName: "Ann", FamilyName: "Lee", DisplayName: "Ann L.", Title: "Clerk", Company: company, EmployeeNumber: "E1",
		OpenID: "https://id.example/ann", WebMDN: "555", ClientUserID: "c1", LicenceType: licence, Seat: 1,
		Phones: []directory.Phone{{Number: "1", Type: "work"}}, Address: directory.Address{Set: true, City: "Oslo"},
		Profile: directory.Profile{Language: "nb", TimeZone: "Europe/Oslo", Picture: raw(`{"a":1}`), Attributes: map[string]json.RawMessage{"floor": raw(`3`)},
			Extras:     map[string]json.RawMessage{"encore": raw(`{"EPTTNumber":"7"}`), "smartapp": raw(`{"globalUserID":"g"}`)},
			MobileOnly: true, StorageLocation: "S1"},
		AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: f.clock.now(), UpdatedAt: f.clock.now(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the user (-want +got):\n%s", diff)
	}
	detail := must(f.svc.UserDetail(f.ctx, f.sys(), directory.ByNumber(777_001), directory.IncludeGroups|directory.IncludeRoles|directory.IncludeLocations))(t)
	if len(detail.Groups) != 1 || detail.Groups[0].Group.Number != team.Number || detail.Groups[0].Role != "INSTRUCTOR" ||
		len(detail.Roles) != 1 || detail.Roles[0].Role.Number != role.Number || len(detail.Locations) != 1 || detail.Locations[0].Number != location {
		t.Errorf("what belongs to the user is %+v", detail)
	}
	if held := f.passwordOf(got); held.Hash != hash {
		t.Error("the hash is not kept as it is")
	}
	again, verdicts := f.imported(importOf(), row)
	if diff := cmp.Diff([]string{"skip"}, whatCame(verdicts)); diff != "" || again.Counts[directory.RowSkip] != 1 || f.stored(777_001).Version != 1 {
		t.Errorf("the second time (-want +got):\n%s%+v", diff, verdicts)
	}
}

// An update changes what differs and nothing else, and names it.
func TestRulesImportUpdates(t *testing.T) {
	f := newFixture(t)
	u := f.user("ann", withLicence, withPassword)
	other := f.user("bob")
	mark := f.mark()
	run, verdicts := f.imported(importOf(),
		recordOf("ann", func(r *directory.Record) { r.GivenName, r.Status = new("Anna"), new(directory.StateInactive) }),
		recordOf("bob", func(r *directory.Record) { r.Email = new("bob@example.com") }))
	if diff := cmp.Diff([]string{"update: status, given_name", "skip"}, whatCame(verdicts)); diff != "" {
		t.Fatalf("verdicts (-want +got):\n%s", diff)
	}
	got := f.stored(u.Number)
	if got.GivenName != "Anna" || got.State != directory.StateInactive || got.Seat != 0 || got.Version != u.Version+1 || got.AuthEpoch != u.AuthEpoch+1 || got.Email != u.Email {
		t.Errorf("the user is %+v", got)
	}
	if f.stored(other.Number).Version != other.Version || run.Counts[directory.RowUpdate] != 1 || run.Counts[directory.RowSkip] != 1 {
		t.Errorf("the run is %+v", run)
	}
	f.wantEvents(mark, directory.EventBulkStarted, directory.EventUserDeactivated, directory.EventBulkEnded)
	event := f.events(mark)[1]
	if event.Reason != "import users.csv (bulk:"+run.ID+")" || event.RequestID != "bulk:"+run.ID || event.Actor != "system:test" {
		t.Errorf("the event is %+v", event)
	}
}

// Rows find their users by the members of the options, in their order, and members
// that name different users are a contradiction.
func TestRulesImportMatch(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann", func(in *directory.NewUser) { in.Fields.ClientUserID = directory.Some("c-ann") })
	bob := f.user("bob", func(in *directory.NewUser) { in.Fields.ClientUserID = directory.Some("c-two") })
	f.user("cid", func(in *directory.NewUser) { in.Fields.ClientUserID = directory.Some("c-two") })
	gone := f.user("gone")
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(gone.Number)))(t)
	title := func(r *directory.Record) { r.Title = new("New") }
	for what, c := range map[string]struct {
		row   directory.Record
		match []string
		want  string
		about int64
	}{
		"id":              {directory.Record{ID: &ann.ID}, nil, "update: title", ann.Number},
		"number":          {directory.Record{Number: &ann.Number}, nil, "update: title", ann.Number},
		"user name":       {recordOf("ANN"), nil, "update: user_name, title", ann.Number},
		"email":           {directory.Record{Email: new("ann@example.com")}, nil, "update: title", ann.Number},
		"employee number": {directory.Record{EmployeeNumber: new("e-ann")}, nil, "update: title", ann.Number},
		"open id":         {directory.Record{OpenID: new("https://id.example/ann")}, nil, "update: title", ann.Number},
		"client user id":  {directory.Record{ClientUserID: new("c-ann")}, nil, "update: title", ann.Number},
		"of several":      {recordOf("fresh", func(r *directory.Record) { r.ClientUserID = new("c-two") }), nil, "create", 0},
		"two users":       {recordOf("ann", func(r *directory.Record) { r.Email = new("bob@example.com") }), nil, "conflict: user_name import.ambiguous, email import.ambiguous", ann.Number},
		"the order":       {recordOf("ann", func(r *directory.Record) { r.EmployeeNumber = new("e-bob") }), []string{"employee_number"}, "conflict: user_name user.user_name_taken", bob.Number},
		"web mdn":         {directory.Record{WebMDN: new("mdn-ann")}, []string{"web_mdn"}, "update: title", ann.Number},
		"not asked for":   {directory.Record{WebMDN: new("mdn-ann")}, nil, "invalid: user_name field.required", 0},
		"an address":      {recordOf("ann@example.com"), []string{"user_name"}, "conflict: user_name user.user_name_taken", 0},
		"recycle bin":     {directory.Record{Number: &gone.Number}, nil, "conflict: number user.deleted", gone.Number},
	} {
		t.Run(what, func(t *testing.T) {
			f := f.sub(t)
			in := importOf(func(o *directory.ImportOptions) { o.Match = c.match })
			in.DryRun = true
			row := c.row
			title(&row)
			dump := f.dump("users", "identifiers", "events", "passwords")
			_, verdicts := f.imported(in, row)
			if diff := cmp.Diff([]string{c.want}, whatCame(verdicts)); diff != "" || verdicts[0].User != c.about {
				t.Errorf("the verdict (-want +got):\n%s%+v", diff, verdicts)
			}
			now := f.dump("users", "identifiers", "passwords")
			delete(dump, "events")
			if diff := cmp.Diff(dump, now); diff != "" {
				t.Errorf("a dry run changed:\n%s", diff)
			}
		})
	}
}

// What is there can be updated, passed over or refused.
func TestRulesImportExisting(t *testing.T) {
	f := newFixture(t)
	u := f.user("ann")
	row := recordOf("ann", func(r *directory.Record) { r.Title = new("New") })
	for choice, want := range map[directory.OnExisting]string{
		directory.ExistingSkip: "skip", directory.ExistingConflict: "conflict: user_name import.user_exists",
	} {
		_, verdicts := f.imported(importOf(func(o *directory.ImportOptions) { o.Existing = choice }), row)
		if diff := cmp.Diff([]string{want}, whatCame(verdicts)); diff != "" || f.stored(u.Number).Version != u.Version {
			t.Errorf("%s (-want +got):\n%s", choice, diff)
		}
	}
}

// Two rows of a file about one user, or with one key, contradict each other: in one
// page, over several, and in a dry run as in the run itself.
func TestRulesImportTwice(t *testing.T) {
	mail := func(address string) func(*directory.Record) {
		return func(r *directory.Record) { r.Email = new(address) }
	}
	rows := []directory.Record{
		recordOf("ann", mail("ann@example.com")),
		recordOf("bad\u200bname", mail("cat@example.com")), // refused, and claims nothing
		recordOf("ANN"),
		recordOf("bob", mail("Ann@example.com")),
		recordOf("cat", mail("cat@example.com")),
		recordOf("dan", mail("ann")), // no address
	}
	want := []string{"create", "invalid: user_name field.format", "conflict: user_name import.same_row",
		"conflict: email import.same_row", "create", "invalid: email field.format"}
	for _, dry := range []bool{false, true} {
		for _, size := range []int{1, 2, 6} {
			t.Run(fmt.Sprintf("dry run %t, %d a page", dry, size), func(t *testing.T) {
				f := newFixture(t)
				in := importOf()
				in.DryRun = dry
				run := f.begun(f.sys(), in)
				var all []directory.RowVerdict
				for i := 0; i < len(rows); i += size {
					var verdicts []directory.RowVerdict
					run, verdicts = f.page(run, rows[i:i+size]...)
					all = append(all, verdicts...)
				}
				if diff := cmp.Diff(want, whatCame(all)); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				if made := f.numberOf("ann") != 0; made == dry {
					t.Errorf("ann is made: %t", made)
				}
				for i, v := range all {
					if v.Row != int64(i+1) {
						t.Errorf("row %d is called %d", i+1, v.Row)
					}
				}
			})
		}
	}
}
