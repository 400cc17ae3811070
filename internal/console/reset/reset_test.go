package reset_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

const (
	oldPassword = "sparrow-lantern-quarry-41"
	newPassword = "violin-harbour-thistle-86"
)

// person is somebody of the sample directory with a link to set a password.
type person struct {
	*testkit.Server
	tenant directory.TenantNo
	user   directory.User
	token  string
}

// withLink makes a user and a reset token for it, as an administrator's call
// through the edubrite door would.
func withLink(t *testing.T) *person {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	tenant, key := s.Tenant(t, "acme", directory.RankAdministrator)
	ctx, call := context.Background(), directory.System(tenant.No, "test")
	user, err := s.Service.CreateUser(ctx, call, directory.NewUser{Password: oldPassword, Fields: directory.UserPatch{
		UserName: directory.Some("<jones>"), Email: directory.Some("jones@example.test")}})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{Server: s, tenant: tenant.No, user: user}
	detail, err := s.Service.UserDetail(ctx, &directory.Call{Door: directory.DoorCanonical, Secret: directory.Secret(key)},
		directory.ByNumber(user.Number), directory.IncludeReset)
	if err != nil {
		t.Fatal(err)
	}
	p.token = detail.Reset.Token
	return p
}

func (p *person) get(t *testing.T, path string) (int, string, http.Header) {
	t.Helper()
	return read(t)(http.Get(p.URL + path))
}

func (p *person) post(t *testing.T, password, again string) (int, string) {
	t.Helper()
	status, body, _ := read(t)(http.PostForm(p.URL+"/reset", url.Values{"token": {p.token}, "password": {password}, "again": {again}}))
	return status, body
}

func read(t *testing.T) func(*http.Response, error) (int, string, http.Header) {
	return func(response *http.Response, err error) (int, string, http.Header) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body), response.Header
	}
}

// signsIn reports whether a password is the person's.
func (p *person) signsIn(t *testing.T, password string) bool {
	t.Helper()
	_, err := p.Service.SignIn(context.Background(), &directory.Call{Door: directory.DoorServiceMobility, Addr: "192.0.2.1"},
		p.user.UserName, directory.Secret(password))
	if err != nil && directory.CodeOf(err) != directory.CodeUnauthenticated {
		t.Fatal(err)
	}
	return err == nil
}

// The link opens a form, at the address of messages and at that of EduBrite's
// answers; the form sets the password, once.
func TestPersonSetsPassword(t *testing.T) {
	p := withLink(t)
	for _, path := range []string{"/reset", "/oltpublish/site/resetpasswd.do", "/site/resetPasswd.do"} {
		status, body, header := p.get(t, path+"?token="+url.QueryEscape(p.token))
		if status != http.StatusOK || !strings.Contains(body, "&lt;jones&gt;") || strings.Contains(body, "<jones>") {
			t.Fatalf("%s answers %d:\n%s", path, status, body)
		}
		if header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" || header.Get("Set-Cookie") != "" ||
			!strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: headers %v", path, header)
		}
		_, rest, _ := strings.Cut(body, "<style>")
		style, _, _ := strings.Cut(rest, "</style>")
		sum := sha256.Sum256([]byte(style))
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: the policy %q forbids the page's own style", path, policy)
		}
	}
	for name, pair := range map[string][2]string{"not the same": {newPassword, newPassword + "x"}, "short": {"short", "short"}} {
		status, body := p.post(t, pair[0], pair[1])
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) || strings.Contains(body, pair[0]) && name != "short" {
			t.Errorf("%s: %d\n%s", name, status, body)
		}
	}
	if !p.signsIn(t, oldPassword) {
		t.Fatal("a refused form changed the password")
	}
	if status, body := p.post(t, newPassword, newPassword); status != http.StatusOK || !strings.Contains(body, "Your password is set") {
		t.Fatalf("the form answers %d:\n%s", status, body)
	}
	if p.signsIn(t, oldPassword) || !p.signsIn(t, newPassword) {
		t.Error("the new password is not the one that signs in")
	}
	if status, _ := p.post(t, oldPassword, oldPassword); status != http.StatusGone {
		t.Errorf("the same link a second time answers %d", status)
	}
}

// A link that is not good tells nothing but that.
func TestBadLinks(t *testing.T) {
	p := withLink(t)
	_, gone, _ := p.get(t, "/reset?token=unknown")
	if _, err := p.Service.Deactivate(context.Background(), directory.System(p.tenant, "test"), directory.ByNumber(p.user.Number)); err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]string{"none": "", "unknown": "?token=" + strings.Repeat("a", 43), "of a disabled user": "?token=" + url.QueryEscape(p.token),
		"huge": "?token=" + strings.Repeat("a", 4000), "not UTF-8": "?token=%ff%00"} {
		status, body, _ := p.get(t, "/reset"+query)
		if status != http.StatusGone || body != gone {
			t.Errorf("%s: %d\n%s", name, status, body)
		}
	}
}

// What is no form at all is refused on a page, and other methods say which
// there are.
func TestBadForms(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	status, _, _ := read(t)(http.Post(s.URL+"/reset", "application/x-www-form-urlencoded", strings.NewReader(strings.Repeat("a", 20<<10))))
	if status != http.StatusBadRequest {
		t.Errorf("a huge form answers %d", status)
	}
	status, _, _ = read(t)(http.Post(s.URL+"/reset", "application/x-www-form-urlencoded", strings.NewReader("token=%zz")))
	if status != http.StatusBadRequest {
		t.Errorf("a malformed form answers %d", status)
	}
	request, err := http.NewRequest(http.MethodDelete, s.URL+"/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body, header := read(t)(http.DefaultClient.Do(request))
	if status != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, HEAD, POST" || !regexp.MustCompile(`(?i)get and post`).MatchString(body) {
		t.Errorf("DELETE answers %d, Allow %q", status, header.Get("Allow"))
	}
}
