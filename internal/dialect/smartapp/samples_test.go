package smartapp_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestSampleSession runs a session of curl with the seed's own JSON: the
// vendor's pages print no client (docs/dialects/smartapp.md, The vendor's sample clients).
// The sample user is in the sample directory already, so it is made in a tenant
// of its own, with what its document takes for granted.
func TestSampleSession(t *testing.T) {
	server := testkit.Start(t, testkit.Options{})
	tenant, secret := server.Tenant(t, "sample", directory.RankAdministrator)
	call := func() *directory.Call { return directory.System(tenant.No, "test") }
	for _, g := range []directory.Group{
		{Kind: directory.GroupPlain, Name: "software developers"}, {Kind: directory.GroupPlain, Name: "interns"},
		{Kind: directory.GroupDashboard, Name: "string"},
	} {
		_, err := server.Service.CreateGroups(t.Context(), call(), []directory.Group{g}, nil)
		must(t, err)
	}
	_, err := server.Service.CreateRole(t.Context(), call(), directory.Role{Key: "string", Name: "string"})
	must(t, err)

	curl := func(want string, args ...string) string {
		t.Helper()
		args = append([]string{"-sS", "-w", "\n%{http_code}", "-H", "Authorization: Bearer " + secret}, args...)
		program := exec.CommandContext(t.Context(), "curl", args...)
		program.Dir = "testdata/samples"
		out, err := program.Output()
		if err != nil {
			t.Fatalf("%v: %v", program.Args, err)
		}
		body, status, _ := cutLast(string(out), "\n")
		if status != want {
			t.Errorf("%v: %s %s, want %s", args[5:], status, body, want)
		}
		return body
	}
	sample, err := filepath.Abs("testdata/samples/create_user.txt")
	must(t, err)
	user := filepath.Join(t.TempDir(), "user.json")
	must(t, os.WriteFile(user, []byte(plainJSON(t, sample)), 0o600))

	curl("200", server.URL+"/company/create", "-d", `{"name":"smartapp.com","website":"smartapp.com"}`)
	made := curl("200", server.URL+"/user/create", "-H", "Content-Type: application/json", "-d", "@"+user)
	id := member(t, made, "userID")
	curl("402", server.URL+"/user/create", "-d", "@"+user)
	read := curl("200", server.URL+"/user/get/uniqueid", "-G", "-d", "UniqueID="+id)
	for key, want := range map[string]string{"firstName": "Caleb", "lastName": "Carr", "displayName": "ccarr1", "email": "ccarr@smartapp.com",
		"status": "Active", "licenceType": "Licenced User", "fax": "1-555-9876543", "phone": "555-123-4567", "userName": "ccarr1"} {
		if got := member(t, read, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	curl("200", "-X", "POST", server.URL+"/user/update?UniqueID="+id+"&mobile=982-482-5927&phone=123-456-7890")
	curl("200", server.URL+"/user/removegroups", "-d", `{"UniqueID":"`+id+`","groups":["interns"]}`)
	curl("200", server.URL+"/user/addgroups", "-d", `{"UniqueID":"`+id+`","groups":["interns"]}`)
	curl("400", server.URL+"/user/addgroups", "-d", `{"UniqueID":"`+id+`","groups":["nobody"]}`)
	for _, path := range []string{"/user/deactivate", "/user/activate"} {
		if body := curl("200", "-X", "POST", server.URL+path+"?UniqueID="+id); body != "" {
			t.Errorf("%s: %s", path, body)
		}
	}
	if list := curl("200", server.URL+"/user/getusers?take=10"); !strings.HasPrefix(list, `{"totalCount":1,"users":[`) || !strings.Contains(list, `"mobile":"982-482-5927"`) {
		t.Errorf("the list: %s", list)
	}
	company := curl("200", server.URL+"/company/get/name/smartapp.com")
	curl("200", server.URL+"/companyl.ocation/create", "-d", `{"name":"depot","companyUniqueID":"`+member(t, company, "uniqueID")+`","zipCode":2893,"phoneNumber":8002544050}`)
}

// plainJSON takes the hyphens off that the seed's text has before each key, and
// the comma that it moved behind them.
func plainJSON(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	plain := strings.NewReplacer("{- \"", "{\"", "\n- \"", "\n\"", ", - \"", ", \"").Replace(string(text))
	if !json.Valid([]byte(plain)) {
		t.Fatalf("%s: no JSON: %s", file, plain)
	}
	return plain
}

// member is a text of a JSON object.
func member(t *testing.T, body, key string) string {
	t.Helper()
	var object map[string]any
	must(t, json.Unmarshal([]byte(body), &object))
	text, _ := object[key].(string)
	return text
}

// cutLast cuts a text at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}
