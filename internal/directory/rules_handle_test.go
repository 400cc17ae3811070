package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// create tries to make a user and returns the error.
func (f *fixture) create(change func(p *directory.UserPatch), claim bool) error {
	in := directory.NewUser{ClaimEmail: claim, Fields: directory.UserPatch{UserName: directory.Some(f.unique("other"))}}
	change(&in.Fields)
	_, err := f.svc.CreateUser(f.ctx, f.sys(), in)
	return err
}

// name is a change that gives a user a name.
func name(text string) func(*directory.UserPatch) {
	return func(p *directory.UserPatch) { p.UserName = directory.Some(text) }
}

// mail is a change that gives a user an address.
func mail(text string) func(*directory.UserPatch) {
	return func(p *directory.UserPatch) { p.Email = directory.Some(text) }
}

// Two names that people take for one are one: case, width, compatibility and
// composition do not tell users apart.
func TestRulesHandleFolding(t *testing.T) {
	for what, pair := range map[string][2]string{
		"case":                {"Ada.Lovelace", "aDA.lOVELACE"},
		"sharp s":             {"straße", "STRASSE"},
		"final sigma":         {"ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
		"width":               {"ada@example.com", "ＡＤＡ＠ｅｘａｍｐｌｅ．ｃｏｍ"},
		"composed":            {"jos\u00e9", "jose\u0301"},
		"ligature":            {"office", "o\ufb03ce"},
		"circled":             {"user1", "user\u2460"},
		"Ångström and Å":      {"\u212bngstrom", "\u00e5ngstrom"},
		"Kelvin and k":        {"\u212a9", "k9"},
		"half-width katakana": {"\uff76\uff9e", "\u30ac"},
		"Hangul jamo":         {"\u1112\u1161\u11ab", "\ud55c"},
	} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t)
			check(t, f.create(name(pair[0]), true))
			err := f.create(name(pair[1]), true)
			wantError(t, err, directory.CodeConflict, directory.ReasonUserNameTaken)
			wantError(t, f.create(name(pair[0]), true), directory.CodeConflict, directory.ReasonUserNameTaken)
			found := must(f.svc.User(f.ctx, f.sys(), directory.ByHandle(directory.SpaceLogin, pair[1])))(t)
			if found.UserName != pair[0] {
				t.Errorf("the name is kept as %q, want %q", found.UserName, pair[0])
			}
		})
	}
}

// What cannot be seen or turns the reading direction is refused in every
// folded handle.
func TestRulesHandleInvisible(t *testing.T) {
	f := newFixture(t)
	dump := f.dump()
	for what, r := range map[string]string{
		"zero width space": "\u200b", "zero width joiner": "\u200d", "zero width non-joiner": "\u200c", "byte order mark": "\ufeff",
		"soft hyphen": "\u00ad", "right-to-left override": "\u202e", "left-to-right isolate": "\u2066", "right-to-left mark": "\u200f",
		"word joiner": "\u2060", "variation selector": "\ufe0f", "tag": "\U000e0041", "Hangul filler": "\u3164", "line separator": "\u2028",
		"no-break space twice": "\u00a0\u00a0", "control": "\x07", "NUL": "\x00", "line feed": "\n", "private use": "\ue000",
	} {
		for _, text := range []string{"ad" + r + "a", r + "ada", "ada" + r} {
			for field, change := range map[string]func(*directory.UserPatch){
				"user_name":       name(text),
				"email":           mail(text + "@example.com"),
				"employee_number": func(p *directory.UserPatch) { p.EmployeeNumber = directory.Some(text) },
				"web_mdn":         func(p *directory.UserPatch) { p.WebMDN = directory.Some(text) },
			} {
				err := f.create(change, true)
				if directory.CodeOf(err) != directory.CodeInvalid || !cmp.Equal(fieldReasons(err), []string{field + " field.format"}) {
					t.Errorf("%s in %s (%q): error %v with fields %v", what, field, text, err, fieldReasons(err))
				}
			}
		}
	}
	f.wantUnchanged(dump, "a refused handle")
}

// User names and addresses share one space, each other kind has its own.
func TestRulesHandleSpaces(t *testing.T) {
	f := newFixture(t)
	check(t, f.create(func(p *directory.UserPatch) {
		p.UserName, p.Email = directory.Some("ada@example.com"), directory.Some("ada.l@example.com")
		p.EmployeeNumber, p.OpenID, p.WebMDN = directory.Some("one"), directory.Some("One"), directory.Some("two")
	}, true))
	employee := func(text string) func(*directory.UserPatch) {
		return func(p *directory.UserPatch) { p.EmployeeNumber = directory.Some(text) }
	}
	openID := func(text string) func(*directory.UserPatch) {
		return func(p *directory.UserPatch) { p.OpenID = directory.Some(text) }
	}
	for _, c := range []struct {
		what   string
		change func(*directory.UserPatch)
		reason directory.Reason
	}{
		{"a name that is another's address", name("ADA.L@example.com"), directory.ReasonUserNameTaken},
		{"an address that is another's name", mail("Ada@Example.com"), directory.ReasonEmailTaken},
		{"an address that is another's address", mail("ada.L@example.com"), directory.ReasonEmailTaken},
		{"an employee number that is another's", employee("ONE"), directory.ReasonEmployeeNumberTaken},
		{"an openId that is another's", openID("One"), directory.ReasonOpenIDTaken},
	} {
		dump, err := f.dump(), f.create(c.change, true)
		if !cmp.Equal(fieldReasons(err), []string{directory.AsError(err).Fields[0].Field + " " + string(c.reason)}) {
			t.Errorf("%s: error %v with fields %v", c.what, err, fieldReasons(err))
		}
		wantError(t, err, directory.CodeConflict, c.reason)
		f.wantUnchanged(dump, c.what)
	}
	check(t, f.create(openID("one"), true))   // exact: another case is another id
	check(t, f.create(employee("two"), true)) // two is a web MDN elsewhere
	check(t, f.create(name("one"), true))     // and one an employee number
}

// One user may hold one text as name and address, gains and loses each alone.
func TestRulesHandleBothKinds(t *testing.T) {
	f := newFixture(t)
	const text = "Ada@Example.com"
	u := must(f.svc.CreateUser(f.ctx, f.sys(), directory.NewUser{ClaimEmail: true,
		Fields: directory.UserPatch{UserName: directory.Some(text), Email: directory.Some("ada@example.com")}}))(t)
	kinds := func() directory.HandleKind {
		t.Helper()
		var h directory.Handle
		check(t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
			h, err = r.HandleByKey(f.ctx, f.tenant.No, directory.SpaceLogin, "ada@example.com")
			return err
		}))
		return h.Kinds
	}
	update := func(change func(*directory.UserPatch)) {
		t.Helper()
		var p directory.UserPatch
		change(&p)
		must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), p, directory.UpdateOptions{ClaimEmail: true}))(t)
	}
	for _, step := range []struct {
		change func(*directory.UserPatch)
		want   directory.HandleKind
	}{
		{func(*directory.UserPatch) {}, directory.HandleUserName | directory.HandleEmail},
		{name("ada"), directory.HandleEmail},
		{name(text), directory.HandleUserName | directory.HandleEmail},
		{mail(""), directory.HandleUserName},
		{mail(text), directory.HandleUserName | directory.HandleEmail},
	} {
		update(step.change)
		if got := kinds(); got != step.want {
			t.Errorf("held as %b, want %b", got, step.want)
		}
	}
	wantError(t, f.create(name(text), true), directory.CodeConflict, directory.ReasonUserNameTaken)
}

// Where a taken address is no error it is kept, but it is nobody's second
// sign-in name; it becomes one when it is set again once it is free.
func TestRulesHandleUnclaimedEmail(t *testing.T) {
	f := newFixture(t)
	holder := f.someone(withPassword)
	in := directory.NewUser{Password: otherPass, Fields: directory.UserPatch{UserName: directory.Some("sharer"), Email: directory.Some(holder.Email)}}
	sharer := must(f.svc.CreateUser(f.ctx, f.sys(), in))(t)
	if sharer.EmailClaimed || sharer.Email != holder.Email {
		t.Fatalf("the address %q is claimed %t", sharer.Email, sharer.EmailClaimed)
	}
	client := f.client()
	if _, err := f.grant(client, holder.Email, otherPass); !directory.IsReason(err, directory.ReasonLoginFailed) {
		t.Errorf("the sharer signed in by an address it does not hold: %v", err)
	}
	must(f.grant(client, holder.Email, password))(t)
	ref := directory.ByNumber(sharer.Number)
	// What the user had before may be sent back; a new one must be free.
	same := must(f.svc.UpdateUser(f.ctx, f.sys(), ref, directory.UserPatch{Email: directory.Some(holder.Email), Title: directory.Some("w")}, directory.UpdateOptions{ClaimEmail: true}))(t)
	if same.EmailClaimed || same.Email != holder.Email || same.Title != "w" {
		t.Errorf("the same address again: %q, claimed %t, title %q", same.Email, same.EmailClaimed, same.Title)
	}
	third := f.someone()
	dump := f.dump()
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), ref, directory.UserPatch{Email: directory.Some(third.Email), Title: directory.Some("x")}, directory.UpdateOptions{ClaimEmail: true})
	wantError(t, err, directory.CodeConflict, directory.ReasonEmailTaken)
	f.wantUnchanged(dump, "a refused address")
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(holder.Number), directory.UserPatch{Email: directory.Some("moved@example.com")}, directory.UpdateOptions{}))(t)
	got := must(f.svc.UpdateUser(f.ctx, f.sys(), ref, directory.UserPatch{Email: directory.Some(holder.Email), Title: directory.Some("x")}, directory.UpdateOptions{}))(t)
	if !got.EmailClaimed || f.holder(directory.SpaceLogin, holder.Email) != sharer.Number {
		t.Errorf("the free address is claimed %t and held by %d", got.EmailClaimed, f.holder(directory.SpaceLogin, holder.Email))
	}
	must(f.grant(client, holder.Email, otherPass))(t)
}

// A rename frees the old name and takes the new one in one step; inactive
// users keep their names and deleted ones free them.
func TestRulesHandleLifecycle(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	ref := directory.ByNumber(u.Number)
	patch := directory.UserPatch{UserName: directory.Some("renamed"), Email: directory.Some("renamed@example.com"),
		EmployeeNumber: directory.Some("e-renamed"), OpenID: directory.Some("renamed"), WebMDN: directory.Some("mdn-renamed")}
	renamed := must(f.svc.UpdateUser(f.ctx, f.sys(), ref, patch, directory.UpdateOptions{ClaimEmail: true}))(t)
	f.wantHandles(u, 0)
	f.wantHandles(renamed, u.Number)
	heir := f.user(u.UserName)
	f.wantHandles(u, heir.Number)

	must(f.svc.Deactivate(f.ctx, f.sys(), ref))(t)
	f.wantHandles(renamed, u.Number)
	wantError(t, f.create(name("renamed"), true), directory.CodeConflict, directory.ReasonUserNameTaken)
	must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(t)
	f.wantHandles(renamed, 0)
	check(t, f.create(name("renamed"), true))

	clear := directory.UserPatch{Email: directory.Some(""), EmployeeNumber: directory.Some(""), OpenID: directory.Some(""), WebMDN: directory.Some("")}
	must(f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(heir.Number), clear, directory.UpdateOptions{}))(t)
	for space, text := range map[directory.Space]string{directory.SpaceLogin: u.Email, directory.SpaceEmployee: u.EmployeeNumber,
		directory.SpaceOpenID: u.OpenID, directory.SpaceWebMDN: u.WebMDN} {
		if got := f.holder(space, text); got != 0 {
			t.Errorf("%s %q is held by %d after it was cleared", space, text, got)
		}
	}
}

// Two users swap names only one after the other: a name is never held twice.
func TestRulesHandleNoSwap(t *testing.T) {
	f := newFixture(t)
	a, b := f.someone(), f.someone()
	rename := func(u directory.User, to string) error {
		_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number), directory.UserPatch{UserName: directory.Some(to)}, directory.UpdateOptions{})
		return err
	}
	wantError(t, rename(a, b.UserName), directory.CodeConflict, directory.ReasonUserNameTaken)
	check(t, rename(a, "between"))
	check(t, rename(b, a.UserName))
	check(t, rename(a, b.UserName))
	if f.holder(directory.SpaceLogin, a.UserName) != b.Number || f.holder(directory.SpaceLogin, b.UserName) != a.Number || f.holder(directory.SpaceLogin, "between") != 0 {
		t.Error("the names are not swapped")
	}
}

// Everything that is taken is named at once and in one order, by create and by
// update.
func TestRulesHandleConflictsTogether(t *testing.T) {
	f := newFixture(t)
	a, b := f.someone(), f.someone()
	patch := directory.UserPatch{UserName: directory.Some(a.UserName), Email: directory.Some(b.Email), EmployeeNumber: directory.Some(a.EmployeeNumber),
		OpenID: directory.Some(b.OpenID), WebMDN: directory.Some(a.WebMDN)}
	want := []string{"user_name user.user_name_taken", "email user.email_taken", "employee_number user.employee_number_taken",
		"open_id user.open_id_taken", "web_mdn user.web_mdn_taken"}
	third := f.someone()
	dump := f.dump()
	_, created := f.svc.CreateUser(f.ctx, f.sys(), directory.NewUser{ClaimEmail: true, Fields: patch})
	_, updated := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(third.Number), patch, directory.UpdateOptions{ClaimEmail: true})
	for what, err := range map[string]error{"create": created, "update": updated} {
		got := fieldReasons(err)
		if diff := cmp.Diff(want, got); diff != "" || directory.CodeOf(err) != directory.CodeConflict {
			t.Errorf("%s: error %v (-want +got):\n%s", what, err, diff)
		}
	}
	f.wantUnchanged(dump, "a conflict")
}

// External ids are unique per provisioning credential, and exact.
func TestRulesHandleExternalIDs(t *testing.T) {
	f := newFixture(t)
	one, two := f.key(adminRank), f.key(adminRank)
	external := func(key, id string) error {
		in := newUser(f.unique("external"))
		in.Fields.ExternalID = directory.Some(id)
		_, err := f.svc.CreateUser(f.ctx, f.as(key), in)
		return err
	}
	check(t, external(one, "id-1"))
	wantError(t, external(one, "id-1"), directory.CodeConflict, directory.ReasonExternalIDTaken)
	check(t, external(one, "ID-1"))
	check(t, external(two, "id-1"))
}

// Of many who take one name at once, in whatever form, one gets it.
func TestRulesHandleRace(t *testing.T) {
	f := newFixture(t)
	forms := []string{"ada@example.com", "ADA@example.com", "ada@EXAMPLE.com", "ＡＤＡ@example.com"}
	var ways []func() error
	for _, form := range forms {
		other := f.someone()
		ways = append(ways, func() error { return f.create(name(form), true) }, func() error { return f.create(mail(form), true) }, func() error {
			_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(other.Number), directory.UserPatch{UserName: directory.Some(form)}, directory.UpdateOptions{})
			return err
		})
	}
	won, refused := race(ways)
	for _, err := range refused {
		if directory.CodeOf(err) != directory.CodeConflict || len(fieldReasons(err)) != 1 {
			t.Errorf("a loser was told %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d got the name, want 1", won)
	}
}
