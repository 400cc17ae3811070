package smartapp

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/web"
)

func TestFind(t *testing.T) {
	d := testDoor(Options{})
	for path, want := range map[string][2]string{
		"/user/create":                   {"create_user", ""},
		"/user/create/":                  {"create_user", ""},
		"/USER/Create":                   {"create_user", ""},
		"/%75ser/create":                 {"create_user", ""},
		"/user/create/x":                 {},
		"/user/get/uniqueid":             {"get_user", ""},
		"/user/get/uniqueid/a%2Fb":       {"get_user", "a%2Fb"},
		"/user/get/uniqueid/a/":          {"get_user", "a"},
		"/user/get/uniqueid//":           {},
		"/user/get/uniqueid/a/b":         {},
		"/user/get":                      {},
		"/user/getall":                   {"list_users", ""},
		"/user/getusers/x":               {},
		"/companyl.ocation/create":       {"create_location", ""},
		"/companylocation/create":        {"create_location", ""},
		"/company/get/name/Acme":         {"get_company_by_name", "Acme"},
		"/companylocation/get/uniqueid":  {"get_location", ""},
		"/companylocation/update/a%zz":   {"update_location", "a%zz"},
		"/user/updategroups":             {"replace_groups", ""},
		"/user":                          {},
		"/":                              {},
		"":                               {},
		"user/create":                    {},
		"/user/create?x":                 {},
		"/user/get/username/%E2%84%AA":   {"get_user_by_user_name", "%E2%84%AA"},
		"/company/get/uniqueid/uniqueid": {"get_company", "uniqueid"},
	} {
		op, subject := d.find(path)
		name := ""
		if op != nil {
			name = op.name
		}
		if name != want[0] || subject != want[1] {
			t.Errorf("%s: %q %q, want %q", path, name, subject, want)
		}
	}
}

// TestOperationsAreDocumented: every operation says where it comes from, and no
// two share a name or a path.
func TestOperationsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for i := range operations {
		op := &operations[i]
		if seen[op.name] || op.source == "" || op.handle == nil || len(op.paths) == 0 || len(op.methods) == 0 {
			t.Errorf("%s is there twice, or has no source, handler, path or method", op.name)
		}
		seen[op.name] = true
	}
	if err := CheckPaths(nil); err != nil {
		t.Error(err)
	}
	if len(Operations()) != len(operations) {
		t.Errorf("%d names of %d operations", len(Operations()), len(operations))
	}
}

func TestCheckPaths(t *testing.T) {
	for _, test := range []struct {
		chosen map[string][]string
		want   string // "" for no error
	}{
		{map[string][]string{"update_user": {"/user/edit", "/User/Edit"}}, ""},
		{map[string][]string{"update_user": {"/user/create"}, "create_user": {"/user/update"}}, ""},
		{map[string][]string{"update_user": {"/USER/create"}}, "/USER/create is the path of both create_user and update_user"},
		{map[string][]string{"delete_user": {"/user/delete"}}, `there is no operation "delete_user"; the operations are create_user, get_user, `},
	} {
		err := CheckPaths(test.chosen)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%v: error %v, want one that begins with %q", test.chosen, err, test.want)
		}
	}
}

func TestSegments(t *testing.T) {
	if diff := cmp.Diff([]string{"user", "company", "companyl.ocation", "companylocation"}, Segments(nil)); diff != "" {
		t.Error(diff)
	}
	chosen := map[string][]string{"create_location": {"/Sites/create"}, "get_user": {"/v2/user"}}
	if diff := cmp.Diff([]string{"user", "v2", "company", "sites", "companylocation"}, Segments(chosen)); diff != "" {
		t.Error(diff)
	}
}

// TestDispatchAllocations: finding the operation is on the path of every
// request and must cost nothing.
func TestDispatchAllocations(t *testing.T) {
	d := testDoor(Options{})
	op, _ := d.find("/user/activate")
	d.paths["/user/activate"] = &served{operation: op.operation, handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	w := httptest.NewRecorder()
	for _, path := range []string{"/user/activate?UniqueID=1", "/user/activate/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"} {
		r := httptest.NewRequest("POST", path, nil)
		if n := testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

// TestAPIKey: only where it is accepted, and the first place that has one
// (dossier 2).
func TestAPIKey(t *testing.T) {
	all := map[string]string{"Authorization": "Bearer a", "X-API-Key": "b", "apiKey": "c", "api_key": "d"}
	for _, test := range []struct {
		headers  map[string]string
		query    string
		accepted []Credential
		want     string
	}{
		{all, "apiKey=e", Credentials(), "a"},
		{all, "apiKey=e", []Credential{CredentialAPIKeyQuery, CredentialXAPIKey}, "b"},
		{all, "apiKey=e", []Credential{CredentialAPIKeyHeader}, "c"},
		{map[string]string{"api_key": "d"}, "apiKey=e", []Credential{CredentialAPIKeyHeader}, "d"},
		{all, "APIKEY=e%2B", []Credential{CredentialAPIKeyQuery}, "e+"},
		{all, "apiKey=&api_key=f", []Credential{CredentialAPIKeyQuery}, "f"},
		{map[string]string{"Authorization": "Basic a"}, "", Credentials(), ""},
		{map[string]string{"Authorization": "Bearer"}, "api_key=f", Credentials(), "f"},
		{map[string]string{"Authorization": "Bearer  a "}, "", Credentials(), "a"},
		{all, "apiKey=e", nil, ""},
	} {
		r := httptest.NewRequest("GET", "/user/getusers?"+test.query, nil)
		for name, value := range test.headers {
			r.Header.Set(name, value)
		}
		if got := apiKey(&web.Request{Request: r}, test.accepted); string(got) != test.want {
			t.Errorf("%v %q, %v: %q, want %q", test.headers, test.query, test.accepted, string(got), test.want)
		}
	}
}

func TestNameBase(t *testing.T) {
	for _, test := range [][3]string{
		{"Caleb", "Carr", "ccarr"}, {"", "Carr", "carr"}, {"Caleb", "", "c"}, {"", "", "user"}, {"李", "王", "user"},
		{"Élodie", "Müller 3rd", "lmller3rd"}, {" -x", "O'Neil", "xoneil"}, {"a", strings.Repeat("b", 80), "a" + strings.Repeat("b", 63)},
	} {
		if got := nameBase(test[0], test[1]); got != test[2] {
			t.Errorf("%q %q: %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

// TestMethods: what only reads answers HEAD, which programs send to look, and
// nothing that changes does (dossier 5.3).
func TestMethods(t *testing.T) {
	for i := range operations {
		op := &operations[i]
		reads := strings.HasPrefix(op.name, "get_") || strings.HasPrefix(op.name, "list_")
		if slices.Contains(op.methods, "HEAD") != reads {
			t.Errorf("%s has the methods %v", op.name, op.methods)
		}
	}
}
