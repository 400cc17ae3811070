package signin_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"io"

	"github.com/pquerna/otp/totp"

	"github.com/usher-id/usher/internal/browser"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

func TestMain(m *testing.M) { browser.Run(m) }

const (
	password = "sparrow-lantern-quarry-41"
	another  = "violin-harbour-thistle-86"
)

// desk is a server with one person, and a browser without script.
type desk struct {
	t      *testing.T
	server *testkit.Server
	tenant directory.TenantNo
	user   directory.User
	client *http.Client
}

func newDesk(t *testing.T, settings directory.Settings) *desk {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	tenant, _ := s.Tenant(t, "acme", directory.RankAdministrator)
	d := &desk{t: t, server: s, tenant: tenant.No}
	tenant.Settings = settings
	if _, err := s.Service.UpdateTenant(t.Context(), d.sys(), tenant); err != nil {
		t.Fatal(err)
	}
	d.user = d.person("ada", directory.RankAdministrator)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.client = &http.Client{Jar: jar}
	return d
}

func (d *desk) sys() *directory.Call { return directory.System(d.tenant, "test") }

// person makes somebody of a rank.
func (d *desk) person(name string, rank directory.Rank) directory.User {
	d.t.Helper()
	u, err := d.server.Service.CreateUser(d.t.Context(), d.sys(), directory.NewUser{Password: password, Fields: directory.UserPatch{
		UserName: directory.Some(name), GivenName: directory.Some("Ada"), FamilyName: directory.Some("<Lovelace>"), Email: directory.Some(name + "@example.test")}})
	if err != nil {
		d.t.Fatal(err)
	}
	if rank == directory.RankSelf {
		return u
	}
	role, err := d.server.Service.CreateRole(d.t.Context(), d.sys(), directory.Role{Key: name, Name: name, Rank: rank})
	if err == nil {
		_, _, err = d.server.Service.AssignRole(d.t.Context(), d.sys(), directory.ByNumber(u.Number), role.Number, u.Company)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return u
}

// answer is a page that came.
type answer struct {
	status int
	path   string
	body   string
}

func (d *desk) read(resp *http.Response, err error) answer {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Request.URL.Path, string(body)}
}

func (d *desk) get(path string) answer {
	d.t.Helper()
	return d.read(d.client.Get(d.server.URL + path))
}

// hidden are the hidden fields of the form of a page that leads to a path.
func hidden(body, action string) url.Values {
	values := url.Values{}
	_, form, _ := strings.Cut(body, `action="`+action+`"`)
	form, _, _ = strings.Cut(form, "</form>")
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(form, -1) {
		values.Set(m[1], html.UnescapeString(m[2]))
	}
	return values
}

// submit fills the form of a page that leads to a path.
func (d *desk) submit(from answer, action string, pairs ...string) answer {
	d.t.Helper()
	if !strings.Contains(from.body, `action="`+action+`"`) {
		d.t.Fatalf("no form to %s on %s:\n%s", action, from.path, from.body)
	}
	values := hidden(from.body, action)
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return d.read(d.client.PostForm(d.server.URL+action, values))
}

// wants fails unless a page came with a status and has texts.
func (d *desk) wants(got answer, status int, texts ...string) answer {
	d.t.Helper()
	if got.status != status {
		d.t.Errorf("%s: status %d, want %d:\n%s", got.path, got.status, status, got.body)
	}
	for _, text := range texts {
		if !strings.Contains(got.body, text) {
			d.t.Errorf("%s: no %q in\n%s", got.path, text, got.body)
		}
	}
	return got
}

func (d *desk) signIn(pass string) answer {
	d.t.Helper()
	return d.submit(d.get("/console/sign-in"), "/console/sign-in", "name", "ada", "password", pass)
}

// seed is what a page that sets a second factor up shows.
func (d *desk) seed(page answer) string {
	d.t.Helper()
	m := regexp.MustCompile(`<p class="secret">([A-Z2-7 ]+)</p>`).FindStringSubmatch(page.body)
	if m == nil {
		d.t.Fatalf("no seed on %s:\n%s", page.path, page.body)
	}
	return strings.ReplaceAll(m[1], " ", "")
}

// code is the app's code, steps from now.
func (d *desk) code(seed string, steps int) string {
	d.t.Helper()
	code, err := totp.GenerateCode(seed, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		d.t.Fatal(err)
	}
	return code
}

// A name and a password lead to where the person wanted to go; wrong ones say so and
// keep what was typed but the password.
func TestSignIn(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	first := d.get("/console/account")
	d.wants(first, 200, "<h1>Sign in</h1>")
	if first.path != "/console/sign-in" || hidden(first.body, "/console/sign-in").Get("next") != "/console/account" {
		t.Errorf("led to %s, next %v", first.path, hidden(first.body, "/console/sign-in"))
	}
	wrong := d.submit(first, "/console/sign-in", "name", "ada<", "password", another)
	d.wants(wrong, 422, "The user name or password is incorrect.", `value="ada&lt;"`)
	if strings.Contains(wrong.body, another) {
		t.Error("the page shows the password")
	}
	in := d.submit(wrong, "/console/sign-in", "name", "ada", "password", password)
	d.wants(in, 200, "Your account", "this one")
	if in.path != "/console/account" {
		t.Errorf("led to %s", in.path)
	}
	if again := d.get("/console/sign-in"); again.path != "/console/" {
		t.Errorf("who is signed in is led to %s", again.path)
	}
	out := d.submit(in, "/console/sign-out")
	if out.path != "/console/sign-in" {
		t.Errorf("led to %s", out.path)
	}
	if after := d.get("/console/account"); after.path != "/console/sign-in" {
		t.Errorf("after signing out: %s", after.path)
	}
}

// Whoever else wants somebody to sign in, and to go elsewhere from there, does not get it.
func TestSignInStaysHere(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	for _, next := range []string{"https://example.org/", "//example.org/", "/console//example.org", "/v1/Users", `/console/\example.org`} {
		page := d.get("/console/sign-in?next=" + url.QueryEscape(next))
		if got := hidden(page.body, "/console/sign-in").Get("next"); got != "/console/" {
			t.Errorf("%s: next is %s", next, got)
		}
	}
	for _, path := range []string{"/console/sign-in", "/console/sign-in/code", "/console/sign-in/password", "/console/sign-in/second-factor"} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.server.URL+path, strings.NewReader("name=ada&password="+password))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://example.org")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		d.wants(d.read(d.client.Do(req)), 403, "did not come from this console")
	}
}

// Who tries too often is told when to try again.
func TestSignInIsLimited(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	page := d.get("/console/sign-in")
	for range directory.DefaultLoginsPerAccount {
		page = d.wants(d.submit(page, "/console/sign-in", "name", "nobody", "password", password), 422)
	}
	limited := d.submit(page, "/console/sign-in", "name", "nobody", "password", password)
	d.wants(limited, 429, "Too many attempts. Try again in ", " second")
}

// A temporary password is replaced on the way.
func TestSignInWithTemporaryPassword(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	err := d.server.Service.SetPassword(t.Context(), d.sys(), directory.ByNumber(d.user.Number), directory.NewPassword{Password: password, Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	page := d.wants(d.signIn(password), 200, "A new password")
	const form = "/console/sign-in/password"
	page = d.wants(d.submit(page, form, "password", another, "again", password), 422, "The two passwords are not the same.")
	page = d.wants(d.submit(page, form, "password", "short", "again", "short"), 422, "Use a password of at least")
	if anywhere := d.get("/console/account"); anywhere.path != "/console/sign-in" {
		t.Errorf("with a temporary password: %s", anywhere.path)
	}
	in := d.submit(page, form, "password", another, "again", another)
	d.wants(in, 200, "<h1>Overview</h1>")
	d.wants(d.submit(page, form, "password", password, "again", password), 422, "Sign in again.")
}

// A second factor is set up on the account's page and asked for at the next sign-in.
func TestSecondFactor(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	d.signIn(password)
	page := d.get("/console/account")
	d.wants(d.submit(page, "/console/account/second-factor", "proof", another), 422, "This is not your password.")
	enrol := d.wants(d.submit(page, "/console/account/second-factor", "proof", password), 200, "<svg class=\"qr\"", "Set up a second factor")
	seed := d.seed(enrol)
	const confirm = "/console/account/second-factor/confirm"
	enrol = d.wants(d.submit(enrol, confirm, "code", d.code(seed, 7)), 422, "The code is not right")
	if d.seed(enrol) != seed {
		t.Error("another seed after a wrong code")
	}
	codes := d.wants(d.submit(enrol, confirm, "code", d.code(seed, -1)), 200, "Recovery codes")
	recovery := regexp.MustCompile(`<code>([a-z2-7-]{19})</code>`).FindAllStringSubmatch(codes.body, -1)
	if len(recovery) != directory.RecoveryCodes {
		t.Fatalf("%d recovery codes on\n%s", len(recovery), codes.body)
	}
	page = d.wants(d.get("/console/account"), 200, "10 recovery codes are left", "Remove the second factor")
	d.submit(page, "/console/sign-out")

	asked := d.wants(d.signIn(password), 200, "<h1>Second factor</h1>")
	const form = "/console/sign-in/code"
	asked = d.wants(d.submit(asked, form, "code", "000000"), 422, "The code is not right")
	if anywhere := d.get("/console/account"); anywhere.path != "/console/sign-in" {
		t.Errorf("before the code: %s", anywhere.path)
	}
	d.wants(d.submit(asked, form, "code", d.code(seed, 1)), 200, "<h1>Overview</h1>")
	d.wants(d.submit(asked, form, "code", d.code(seed, 1)), 422, "The code is not right")
	d.wants(d.submit(asked, form, "code", recovery[0][1]), 200, "<h1>Overview</h1>")
	d.wants(d.submit(asked, form, "code", recovery[0][1]), 422, "The code is not right")

	page = d.wants(d.get("/console/account"), 200, "9 recovery codes are left")
	d.wants(d.submit(page, "/console/account/second-factor/codes", "proof", another), 422, "This is not your password.")
	d.wants(d.submit(page, "/console/account/second-factor/codes", "proof", password), 200, "Recovery codes")
	d.wants(d.submit(page, "/console/account/second-factor/remove", "proof", "000000"), 422, "The code is not right")
	d.wants(d.submit(page, "/console/account/second-factor/remove", "proof", password), 200, "The second factor has been removed.")
}

// Where the tenant asks for a second factor, signing in leads to setting it up.
func TestSecondFactorIsRequired(t *testing.T) {
	d := newDesk(t, directory.Settings{SecondFactor: directory.SecondFactorAdministrators})
	enrol := d.wants(d.signIn(password), 200, "Set up a second factor", "needs a second factor")
	seed := d.seed(enrol)
	if anywhere := d.get("/console/account"); anywhere.path != "/console/sign-in" {
		t.Errorf("before the second factor: %s", anywhere.path)
	}
	const form = "/console/sign-in/second-factor"
	enrol = d.wants(d.submit(enrol, form, "code", d.code(seed, 9)), 422, "The code is not right")
	d.wants(d.submit(enrol, form, "code", d.code(seed, 0)), 200, "Recovery codes", "I have kept them")
	d.wants(d.get("/console/account"), 200, "10 recovery codes are left")
}

// The account's page shows and changes what is the person's own.
func TestAccount(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	d.signIn(password)
	page := d.wants(d.get("/console/account"), 200, `value="&lt;Lovelace&gt;"`, "ada@example.test")
	saved := d.submit(page, "/console/account", "given_name", "Augusta", "family_name", "King", "display_name", "", "email", "king@example.test")
	d.wants(saved, 200, "Your data have been saved.", `value="Augusta"`)
	d.wants(d.submit(page, "/console/account", "given_name", "Grace", "family_name", "King", "display_name", "", "email", "king@example.test"), 422,
		"Somebody else changed your account", `value="Grace"`)
	d.person("grace", directory.RankSelf)
	d.wants(d.submit(saved, "/console/account", "given_name", "A", "family_name", "K", "display_name", "", "email", "grace@example.test"), 422, "grace@example.test")

	const form = "/console/account/password"
	d.wants(d.submit(saved, form, "old_password", another, "password", another, "again", another), 422, "This is not your password.")
	d.wants(d.submit(saved, form, "old_password", password, "password", "short", "again", "short"), 422, "Use a password of at least")
	d.wants(d.submit(saved, form, "old_password", password, "password", another, "again", password), 422, "not the same")
	changed := d.wants(d.submit(saved, form, "old_password", password, "password", another, "again", another), 200, "Your password has been changed.")

	elsewhere := &desk{t: t, server: d.server, tenant: d.tenant, user: d.user}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.client = &http.Client{Jar: jar}
	elsewhere.wants(elsewhere.signIn(another), 200, "<h1>Overview</h1>")
	changed = d.get("/console/account")
	end := regexp.MustCompile(`/console/account/sessions/[0-9a-f-]+/end`).FindString(changed.body)
	d.wants(d.submit(changed, end), 200, "That session has ended.")
	if after := elsewhere.get("/console/account"); after.path != "/console/sign-in" {
		t.Errorf("the session that was ended: %s", after.path)
	}
	if out := d.submit(d.get("/console/account"), "/console/account/sessions/end-all"); out.path != "/console/sign-in" {
		t.Errorf("signed out everywhere: %s", out.path)
	}
	if after := d.get("/console/account"); after.path != "/console/sign-in" {
		t.Errorf("after signing out everywhere: %s", after.path)
	}
}

// Who sees nobody else has an account's page and no overview; a form without its proof
// is refused.
func TestAccountOfAnybody(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	d.person("grace", directory.RankSelf)
	in := d.submit(d.get("/console/sign-in"), "/console/sign-in", "name", "grace", "password", password)
	d.wants(in, 200, "Your account")
	if in.path != "/console/account" {
		t.Errorf("led to %s", in.path)
	}
	d.wants(d.read(d.client.PostForm(d.server.URL+"/console/account/sessions/end-all", nil)), 403, "did not come from this console")
	d.wants(d.get("/console/account"), 200)
}

// Who is disabled is out with the next request.
func TestDisabledIsOut(t *testing.T) {
	d := newDesk(t, directory.Settings{})
	d.wants(d.signIn(password), 200, "<h1>Overview</h1>")
	if _, err := d.server.Service.Deactivate(t.Context(), d.sys(), directory.ByNumber(d.user.Number)); err != nil {
		t.Fatal(err)
	}
	if after := d.get("/console/account"); after.path != "/console/sign-in" {
		t.Errorf("who is disabled is at %s", after.path)
	}
	d.wants(d.signIn(password), 422, "The account is disabled.")
}

// The pages in a browser: whoever signs in with a second factor, in both looks and on a
// narrow screen, with nothing that axe finds.
func TestPagesInBrowser(t *testing.T) {
	for name, o := range map[string]browser.Options{"light": {}, "dark": {Dark: true}, "narrow": {Width: 360, Height: 740}, "wide": {Width: 2560, Height: 1300}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, directory.Settings{SecondFactor: directory.SecondFactorAll})
			for n := range 3 {
				if _, err := d.server.Service.SetPool(t.Context(), d.sys(), fmt.Sprintf("type%d", n), int64(n*10)); err != nil {
					t.Fatal(err)
				}
			}
			p := browser.Open(t, d.server.URL, o)
			p.Allow("status of 422")
			p.Go("/console/sign-in")
			p.Accessible()
			p.Picture("sign-in-" + name)
			p.Fill("#f-name", "ada")
			p.Fill("#f-password", another)
			p.Follow("form button.primary")
			p.Shows("The user name or password is incorrect.")
			p.Accessible()
			p.Fill("#f-password", password)
			p.Follow("form button.primary")
			p.Shows("Set up a second factor")
			p.Accessible()
			p.Picture("enrol-" + name)
			p.Click("details summary")
			seed := strings.ReplaceAll(strings.Join(strings.Fields(p.Find(".secret").MustText()), ""), " ", "")
			p.Fill("#f-code", d.code(seed, 0))
			p.Follow("form button.primary")
			p.Shows("Recovery codes")
			p.Accessible()
			p.Picture("codes-" + name)
			p.Follow("a.button.primary")
			p.Shows("Overview")
			p.Accessible()
			p.Picture("overview-" + name)
			p.Go("/console/account")
			p.Accessible()
			p.Picture("account-" + name)
			p.Go("/console/?days=90")
			p.Accessible()
		})
	}
}
