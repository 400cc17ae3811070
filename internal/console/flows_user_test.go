package console_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/input"

	"github.com/usher-id/usher/internal/browser"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// demoServer is a server with the sample directory, and what flows need of it besides.
type demoServer struct {
	*testkit.Server
	t      *testing.T
	tenant directory.TenantNo
}

func newDemoServer(t *testing.T) *demoServer {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Demo: true})
	tenants, err := s.Service.Tenants(context.Background(), directory.System(0, "test"))
	if err != nil {
		t.Fatal(err)
	}
	return &demoServer{s, t, tenants[0].No}
}

func (s *demoServer) sys() *directory.Call { return directory.System(s.tenant, "dispatch") }

// someone makes a user beside the console.
func (s *demoServer) someone(t *testing.T, name string, change func(*directory.NewUser)) directory.User {
	t.Helper()
	in := directory.NewUser{Fields: directory.UserPatch{UserName: directory.Some(name), GivenName: directory.Some("Toni"), FamilyName: directory.Some(name), Title: directory.Some("Clerk")}}
	if change != nil {
		change(&in)
	}
	u, err := s.Service.CreateUser(context.Background(), s.sys(), in)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func pathOf(u directory.User) string { return fmt.Sprintf("/console/users/%d", u.Number) }

// optionOf is the value of the option of a select that has a text.
func optionOf(p *browser.Page, selector, text string) string {
	return p.MustEval(`(selector, text) => [...document.querySelector(selector).options].find(o => o.text === text).value`, selector, text).Str()
}

// What administrators do with one user, in a real browser.
func TestFlowsOfAUser(t *testing.T) {
	s := newDemoServer(t)
	for name, flow := range map[string]func(t *testing.T, s *demoServer, p *browser.Page){
		"create": create, "edit conflict": editConflict, "lock": lockAndUnlock, "deactivate with a hold": deactivateHeld, "seat exhausted": seatExhausted,
		"password": temporaryPassword, "impersonate": impersonate, "history": history, "memberships": memberships, "recycle bin": recycleBin, "as seen by": asSeenBy,
	} {
		t.Run(name, func(t *testing.T) { flow(t, s, signIn(t, s.URL, browser.Options{})) })
	}
}

func create(t *testing.T, s *demoServer, p *browser.Page) {
	p.Allow("status of 422")
	p.Go("/console/users")
	p.Follow(`a[href="/console/users/new"]`)
	p.Fill("#f-given_name", "Grace")
	p.Fill("#f-family_name", "Hopper")
	p.Fill("#f-user_name", "admin")
	p.Choose("#f-password", "shown")
	p.Follow("main form button.primary")
	p.Shows("taken") // by the administrator, and nothing that was typed is lost
	if v := p.Find("#f-family_name").MustProperty("value").Str(); v != "Hopper" {
		t.Errorf("the family name is %q after a refusal", v)
	}
	p.Fill("#f-user_name", "grace")
	p.Follow("main form button.primary")
	p.Shows("Grace Hopper has been made")
	secret := p.Find("#secret").MustText()
	p.Follow(`main a.primary`)
	p.Shows("temporary password")
	p.Shows("Grace Hopper")
	p.Hides(secret)
	if _, err := s.Service.OpenUserSession(context.Background(), &directory.Call{Door: directory.DoorCanonical}, "grace", directory.Secret(secret), ""); !directory.IsReason(err, directory.ReasonLoginTemporary) {
		t.Errorf("signing in with the password that was shown: %v", err)
	}
}

func editConflict(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "conflict", nil)
	p.Allow("status of 409")
	p.Go(pathOf(u) + "/edit")
	_, err := s.Service.UpdateUser(context.Background(), s.sys(), directory.ByNumber(u.Number),
		directory.UserPatch{Title: directory.Some("Director"), DisplayName: directory.Some("Toni of theirs")}, directory.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Fill("#f-title", "Manager")
	p.Fill("#f-employee_number", "E-17")
	p.Follow("main form button.primary")
	p.Shows("Somebody else changed this user while you did")
	p.Shows("Director")
	p.Shows("Manager")
	p.Shows("Toni of theirs")
	p.Accessible()
	p.Click("#m-title")
	p.Follow("main form .buttons button.primary")
	p.Shows("Saved.")
	now, err := s.Service.User(context.Background(), s.sys(), directory.ByNumber(u.Number))
	if err != nil || now.Title != "Manager" || now.EmployeeNumber != "E-17" || now.DisplayName != "Toni of theirs" {
		t.Errorf("the user is %q, %q, %q, %v", now.Title, now.EmployeeNumber, now.DisplayName, err)
	}
}

func lockAndUnlock(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "locked", nil)
	p.Go(pathOf(u))
	p.Click(`a[href$="/do/lock"]`)
	p.Choose("dialog[open] #f-lock_reason", "14")
	p.Fill("dialog[open] #f-reason", "no papers")
	p.Accessible()
	p.Follow("dialog[open] button.primary")
	p.Shows("PaperworkNotDone")
	now, err := s.Service.User(context.Background(), s.sys(), directory.ByNumber(u.Number))
	if err != nil || !now.Locked || now.LockReason != 14 {
		t.Errorf("locked: %t for %d, %v", now.Locked, now.LockReason, err)
	}
	p.Follow(`form[action$="/do/unlock"] button`)
	p.Shows("Unlocked.")
	p.Go(pathOf(u) + "/history")
	p.Shows("“no papers”")
}

func deactivateHeld(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "held", nil)
	err := s.Service.PlaceHold(context.Background(), s.sys(), directory.ByNumber(u.Number), directory.Hold{Kind: directory.HoldOpenOrders, Source: "dispatch", Ref: "order 17"})
	if err != nil {
		t.Fatal(err)
	}
	p.Allow("status of 422")
	p.Go(pathOf(u))
	p.Click(`a[href$="/do/deactivate"]`)
	p.Follow("dialog[open] button.primary")
	p.Shows("order 17")
	p.Accessible()
	p.Follow(`main .note a[href$="/memberships"]`)
	p.Follow(`button[value="release_hold"]`)
	p.Shows("The hold was released.")
	p.Click(`a[href$="/do/deactivate"]`)
	p.Follow("dialog[open] button.primary")
	p.Shows("Inactive now.")
}

func seatExhausted(t *testing.T, s *demoServer, p *browser.Page) {
	if _, err := s.Service.SetPool(context.Background(), s.sys(), "scarce", 1); err != nil {
		t.Fatal(err)
	}
	licensed := func(in *directory.NewUser) { in.Fields.LicenceType = directory.Some("scarce") }
	s.someone(t, "sits", licensed)
	u := s.someone(t, "waits", func(in *directory.NewUser) { licensed(in); in.State = directory.StateInactive })
	p.Allow("status of 422")
	p.Go(pathOf(u))
	p.Follow(`form[action$="/do/activate"] button`)
	p.Shows("1 of 1 seats of scarce are in use")
	p.Accessible()
	p.Follow(`main .note a[href="/console/licences/scarce"]`)
	p.Shows("sits")
}

func temporaryPassword(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "forgetful", nil)
	p.Go(pathOf(u) + "/access")
	p.Click(`a[href$="/do/password"]`)
	p.Follow("dialog[open] button.primary")
	p.Shows("It is shown only now.")
	secret := p.Find("#secret").MustText()
	if _, err := s.Service.OpenUserSession(context.Background(), &directory.Call{Door: directory.DoorCanonical}, "forgetful", directory.Secret(secret), ""); !directory.IsReason(err, directory.ReasonLoginTemporary) {
		t.Errorf("signing in with the password that was shown: %v", err)
	}
	p.Follow("main a.primary")
	p.Hides(secret)
	p.Shows("temporary")
}

func impersonate(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "other", func(in *directory.NewUser) { in.Fields.Roles = directory.Some([]string{"administrator"}) })
	p.Go(pathOf(u) + "/access")
	p.Click(`a[href$="/do/impersonate"]`)
	p.Fill("dialog[open] #f-reason", "to see what they see")
	p.Follow("dialog[open] button.primary")
	p.Shows("You act as Toni other")
	p.Accessible()
	p.Go("/console/users")
	p.Shows("You act as Toni other")
	p.Follow(".acting button")
	p.Hides("You act as Toni other")
	p.Go(pathOf(u) + "/history")
	p.Shows("to see what they see")
}

func history(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "changing", nil)
	for _, title := range []string{"Manager", "Director"} {
		if _, err := s.Service.UpdateUser(context.Background(), s.sys(), directory.ByNumber(u.Number), directory.UserPatch{Title: directory.Some(title)}, directory.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	p.Go(pathOf(u))
	p.Shows("The whole history") // a part that htmx fetches
	p.Go(pathOf(u) + "/history")
	if del, ins := p.Find(".event del").MustText(), p.Find(".event ins").MustText(); !strings.Contains(del, "Manager") || !strings.Contains(ins, "Director") {
		t.Errorf("the newest change is from %q to %q", del, ins)
	}
	p.Shows("system:dispatch")
	p.Choose("#f-type", "user.created")
	p.Follow("main form button")
	p.Shows("Created")
	p.Hides("Manager")
	made, err := s.Service.UserHistory(context.Background(), s.sys(), directory.ByNumber(u.Number), []directory.EventType{directory.EventUserCreated}, "", 1)
	if err != nil || len(made.Events) != 1 {
		t.Fatalf("the first event: %d, %v", len(made.Events), err)
	}
	p.Go(pathOf(u) + "/past?at=" + made.Events[0].Time.UTC().Format("2006-01-02T15:04:05.999999"))
	p.Shows("What is different now")
	p.Shows("Clerk")
	p.Accessible()
	p.Go(pathOf(u) + "/past?at=2020-01-01T00:00:00")
	p.Shows("There was no such user at that moment.")
}

func memberships(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "joiner", nil)
	p.Go(pathOf(u) + "/memberships")
	p.Choose("#add-group", optionOf(p, "#add-group", "interns"))
	p.Follow(`button[value="add_group"]`)
	p.Shows("Added to the group.")
	p.Choose("#add-role", optionOf(p, "#add-role", "software developer"))
	p.Follow(`button[value="give_role"]`)
	p.Shows("The role was given.")
	p.Choose("#add-location", optionOf(p, "#add-location", "Big Windy"))
	p.Follow(`button[value="add_location"]`)
	p.Shows("The location was added.")
	p.Accessible()
	p.Follow(`button[value="remove_group"]`)
	p.Shows("In no group.")
	p.Follow(`button[value="take_role"]`)
	p.Shows("No role")
}

func recycleBin(t *testing.T, s *demoServer, p *browser.Page) {
	u := s.someone(t, "leaver", nil)
	p.Allow("status of 422")
	p.Go(pathOf(u))
	p.Click(`a[href$="/do/delete"]`)
	p.Fill("dialog[open] #f-name", "somebody else")
	p.Follow("dialog[open] button.bad")
	p.Shows("Type the user name to confirm")
	p.Fill("#f-name", "leaver")
	p.Follow("main button.bad")
	p.Shows("In the recycle bin since")
	p.Accessible()
	p.Go(pathOf(u) + "/seen")
	p.Shows("does not show users in the recycle bin")
	p.Follow(`form[action$="/do/restore"] button`)
	p.Shows("Restored, as inactive.")
}

func asSeenBy(t *testing.T, s *demoServer, p *browser.Page) {
	p.Go("/console/users/2576/seen")
	for _, text := range []string{`curl -H "Authorization: Bearer $KEY" '` + s.URL + `/v1/Users(2576)'`, `"UserName": "johnb@kentel.com"`, `<userName><![CDATA[johnb@kentel.com]]>`, `x-access-token: $TOKEN`} {
		p.Shows(text)
	}
	if n := len(p.MustElements(".seen")); n != 7 {
		t.Errorf("%d doors show the user", n)
	}
}

// The list by the keyboard alone: search, move, select, open and edit.
func TestKeyboardOnly(t *testing.T) {
	s := newDemoServer(t)
	p := signIn(t, s.URL, browser.Options{})
	p.Go("/console/users")
	p.Keyboard.MustType(input.Slash)
	p.MustInsertText("smith")
	p.Keyboard.MustType(input.Backspace, input.KeyH) // keys, as a person types them
	p.MustWait(`() => document.querySelectorAll("#people [data-row]").length === 2 && location.search.includes("q=smith")`)
	p.Keyboard.MustType(input.ArrowDown, input.KeyX)
	p.MustWait(`() => document.querySelector("#people [data-row]").classList.contains("chosen")`)
	p.Keyboard.MustType(input.KeyJ)
	if name := p.MustEval(`() => document.activeElement.innerText`).Str(); !strings.Contains(name, "Smitherson") {
		t.Errorf("j leads to %q", name)
	}
	wait := p.MustWaitNavigation()
	p.Keyboard.MustType(input.Enter)
	wait()
	p.Shows("Sam Smitherson")
	wait = p.MustWaitNavigation()
	p.Keyboard.MustType(input.KeyE)
	wait()
	p.Find("#f-given_name")
}

// Everything essential works without script.
func TestWithoutScript(t *testing.T) {
	s := newDemoServer(t)
	p := signIn(t, s.URL, browser.Options{NoScript: true})
	p.Go("/console/users")
	p.Fill("#users-q", "bates")
	p.Follow("#filters button")
	p.Follow(`#people tbody a`)
	p.Shows("John Bates")
	p.Follow("[data-edit]")
	p.Fill("#f-title", "Sales Manager")
	p.Follow("main form button.primary")
	p.Shows("Saved.")
	p.Shows("Sales Manager")
	p.Follow(`a[href$="/do/lock"]`)
	p.Choose("#f-lock_reason", "14")
	p.Follow("main form button.primary")
	p.Shows("PaperworkNotDone")
	p.Follow(`nav.tabs a[href$="/history"]`)
	p.Shows("Sales Manager")
	p.Go("/console/actions/new?verb=unlock&user=2576")
	p.Follow("main form button.primary")
	for !strings.Contains(p.Text(), "Nobody was refused.") { // the link that a person would click
		p.Follow(`main a.button`)
	}
	p.Go("/console/users/2576")
	p.Hides("PaperworkNotDone")
}

// Many at once: those that are marked, all that match, and only tried.
func TestBulkAction(t *testing.T) {
	s := newDemoServer(t)
	p := signIn(t, s.URL, browser.Options{})
	p.Go("/console/users?q=kentel.com")
	p.Click(`input[name="user"][value="2577"]`)
	p.Click(`input[name="user"][value="2578"]`)
	p.Choose("#verb", "lock")
	p.Follow("#people button[data-act]")
	p.Shows("Lock: 2 users")
	p.Shows("Sam Smitherson")
	p.Choose("#f-lock_reason", "14")
	p.Fill("#f-reason", "audit")
	p.Follow("main form button.primary")
	p.Shows("Nobody was refused.")
	p.Shows("2 of 2 users")
	p.Accessible()
	p.Picture("run-light")
	for _, number := range []int64{2577, 2578} {
		if u, err := s.Service.User(context.Background(), s.sys(), directory.ByNumber(number)); err != nil || !u.Locked {
			t.Errorf("user %d is not locked: %v", number, err)
		}
	}
	p.Go("/console/users?locked=yes")
	p.Shows("2 users")
	p.Click("[data-all]")
	p.Choose("#verb", "deactivate")
	p.Follow("#people button[data-act]")
	p.Click("#f-dry_run")
	p.Follow("main form button.primary")
	p.Shows("Nothing was changed")
	if u, err := s.Service.User(context.Background(), s.sys(), directory.ByNumber(2577)); err != nil || u.State != directory.StateActive {
		t.Errorf("a dry run left the user %s: %v", u.State, err)
	}
	p.Go("/console/actions")
	p.Shows("only tried")
	p.Accessible()
	p.Picture("runs-light")
}
