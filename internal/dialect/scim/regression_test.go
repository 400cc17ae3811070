package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// What other servers of SCIM got wrong, and was found out by their users. Beside
// the tests here: removal of members, groups of more than a thousand, agreement
// of /Users and /Groups, patches that change nothing and groups of administrators
// in group_test.go, duplicates inside of a Bulk in bulk_test.go, what is visible
// in visible_test.go.

const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// refused sends what must be refused with a keyword and change nothing.
func (w *world) refused(status int, keyword, method, path, body string) {
	w.t.Helper()
	got, _ := w.call(status, method, path, body)["scimType"].(string)
	if got != keyword {
		w.t.Errorf("%s %s %.200s: scimType %q, want %q", method, path, body, got, keyword)
	}
}

// same checks that a resource is what it was before.
func (w *world) same(path string, before map[string]any) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.call(http.StatusOK, "GET", path, "")); diff != "" {
		w.t.Errorf("%s changed (-before +now):\n%s", path, diff)
	}
}

// Another server took `remove` without a path for the whole resource and wiped
// it (RFC 7644 section 3.5.2.2: noTarget).
func TestRemoveWithoutAPathRemovesNothing(t *testing.T) {
	w := newWorld(t)
	user := w.user("a")
	for _, path := range []string{"/Users/" + user, "/Groups/" + w.group("guides", user)} {
		before := w.call(http.StatusOK, "GET", path, "")
		for _, o := range []string{`{"op":"remove"}`, `{"op":"Remove","path":""}`, `{"op":"remove","path":null,"value":{"displayName":"x"}}`,
			`{"op":"remove","value":[{"value":"` + user + `"}]}`} {
			w.refused(http.StatusBadRequest, "noTarget", "PATCH", path, patchOf(`{"op":"add","path":"displayName","value":"lost"}`, o))
		}
		w.same(path, before)
	}
}

// Another server answered 500 for what is there already (RFC 7644 section 3.3:
// 409 with uniqueness).
func TestWhatIsThereAlreadyIsUniqueness(t *testing.T) {
	w := newWorld(t)
	const whole = `{"userName":"first","externalId":"x","` + urnEnterprise + `":{"employeeNumber":"7"}}`
	w.call(http.StatusCreated, "POST", "/Users", whole)
	w.group("guides")
	user, group := "/Users/"+w.user("second"), "/Groups/"+w.group("pilots")
	before := []map[string]any{w.call(http.StatusOK, "GET", user, ""), w.call(http.StatusOK, "GET", group, "")}
	for _, body := range []string{whole, `{"userName":"FIRST"}`, `{"userName":"third","externalId":"x"}`, `{"userName":"third","` + urnEnterprise + `":{"employeeNumber":"7"}}`} {
		w.refused(http.StatusConflict, "uniqueness", "POST", "/Users", body)
		w.refused(http.StatusConflict, "uniqueness", "PUT", user, body)
		w.refused(http.StatusConflict, "uniqueness", "PATCH", user, patchOf(`{"op":"replace","value":`+body+`}`))
		got := w.bulk("", `{"method":"POST","path":"/Users","bulkId":"1","data":`+body+`}`)
		if response, _ := got[0]["response"].(map[string]any); got[0]["status"] != "409" || response["scimType"] != "uniqueness" {
			t.Errorf("in a Bulk: %v", got)
		}
	}
	w.refused(http.StatusConflict, "uniqueness", "POST", "/Groups", `{"displayName":"Guides"}`)
	w.refused(http.StatusConflict, "uniqueness", "PUT", group, `{"displayName":"Guides"}`)
	w.refused(http.StatusConflict, "uniqueness", "PATCH", group, patchOf(`{"op":"replace","path":"displayName","value":"GUIDES"}`))
	w.same(user, before[0])
	w.same(group, before[1])
}

// Another server panicked when a client asked for attributes of groups, and
// showed its stack.
func TestAttributesOfGroupsAreAnswered(t *testing.T) {
	w := newWorld(t)
	id := w.group("guides", w.user("a"))
	w.group("empty")
	for _, names := range []string{"id", "displayName", "members", "members.value", "members.display", "members.$ref", "members.nothing", "meta", "meta.version", "externalId",
		"schemas", urnGroup, urnGroup + ":members", urnGroup + ":members.value", urnUser + ":userName", "userName", "emails.value", ",", "MEMBERS,DISPLAYNAME", strings.Repeat("members,", 100)} {
		for _, parameter := range []string{"attributes", "excludedAttributes"} {
			query := parameter + "=" + url.QueryEscape(names)
			if got := w.call(http.StatusOK, "GET", "/Groups/"+id+"?"+query, ""); got["id"] != id || got["schemas"] == nil {
				t.Errorf("%s: %v", query, got)
			}
			w.call(http.StatusOK, "GET", "/Groups?"+query, "")
			w.call(http.StatusOK, "GET", "/?"+query, "")
			w.call(http.StatusOK, "POST", "/Groups/.search", fmt.Sprintf(`{%q:[%q]}`, parameter, names))
			w.call(http.StatusOK, "PATCH", "/Groups/"+id+"?"+query, patchOf(`{"op":"replace","path":"displayName","value":"guides"}`))
		}
	}
	for _, names := range []string{"members[value", "members[value pr]", "a b", "1", strings.Repeat("a,", 300)} {
		w.call(http.StatusBadRequest, "GET", "/Groups/"+id+"?attributes="+url.QueryEscape(names), "")
	}
}

// Another server knew attributes by their bare names alone (RFC 7644 section
// 3.10).
func TestNamesWithTheURN(t *testing.T) {
	w := newWorld(t)
	user, id := w.user("a"), w.group("guides")
	whole := patchOf(`{"op":"add","path":"`+urnUser+`:nickName","value":"N"}`, `{"op":"add","path":"`+urnUser+`:name.givenName","value":"G"}`,
		`{"op":"add","path":"`+urnUser+`:emails[type eq \"work\"].value","value":"a@x.test"}`, `{"op":"add","path":"`+urnEnterprise+`:department","value":"D"}`,
		`{"op":"add","value":{"`+strings.ToUpper(urnEnterprise)+`:division":"V","`+urnUser+`:title":"T","`+urnEnterprise+`":{"costCenter":"C"}}}`)
	got := w.call(http.StatusOK, "PATCH", "/Users/"+user, whole)
	want := map[string]any{"nickName": "N", "name": map[string]any{"formatted": "G", "givenName": "G"}, "title": "T",
		"emails":      []any{map[string]any{"value": "a@x.test", "type": "work"}},
		urnEnterprise: map[string]any{"department": "D", "division": "V", "costCenter": "C"}}
	maps.DeleteFunc(got, func(name string, _ any) bool { return want[name] == nil })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the user (-want +got):\n%s", diff)
	}
	for _, filter := range []string{urnUser + `:nickName eq "N"`, urnUser + `:name.givenName eq "G" and ` + urnEnterprise + `:department eq "D"`,
		urnUser + `:emails[value eq "a@x.test"]`, strings.ToUpper(urnUser) + `:userName eq "a"`} {
		page := w.call(http.StatusOK, "GET", "/Users?attributes="+urnUser+":userName&sortBy="+urnUser+":userName&filter="+url.QueryEscape(filter), "")
		if found, _ := page["Resources"].([]any); len(found) != 1 || found[0].(map[string]any)["userName"] != "a" {
			t.Errorf("%s: %v", filter, page)
		}
	}
	w.patch(http.StatusOK, id, `{"op":"add","path":"`+urnGroup+`:members","value":[{"value":"`+user+`"}]}`)
	for _, filter := range []string{urnGroup + `:displayName eq "guides"`, urnGroup + `:members[value eq "` + user + `"]`, urnGroup + `:members.value eq "` + user + `"`} {
		if page := w.call(http.StatusOK, "GET", "/Groups?filter="+url.QueryEscape(filter), ""); page["totalResults"] != 1.0 {
			t.Errorf("%s: %v", filter, page)
		}
	}
	w.patch(http.StatusOK, id, `{"op":"remove","path":"`+urnGroup+`:members[value eq \"`+user+`\"]"}`)
	w.want("members", w.members(id))
	w.refused(http.StatusBadRequest, "invalidPath", "PATCH", "/Users/"+user, patchOf(`{"op":"add","path":"urn:example:User:nickName","value":"N"}`))
}

// Another server took bodies, filters and paths of any size.
func TestSizesOfUserRequests(t *testing.T) {
	w := newWorld(t)
	user := "/Users/" + w.user("a")
	before := w.call(http.StatusOK, "GET", user, "")
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for method, path := range map[string]string{"POST": "/Users", "PUT": user, "PATCH": user} {
		w.call(http.StatusRequestEntityTooLarge, method, path, `{"userName":"`+strings.Repeat("x", 2<<20)+`"}`)
		w.refused(http.StatusBadRequest, "invalidSyntax", method, path, `{"userName":"b","Operations":`+deep+`}`)
	}
	nested := strings.Repeat("(", 100) + `value eq "x"` + strings.Repeat(")", 100)
	for _, filter := range []string{strings.ReplaceAll(nested, "value", "id"), `userName eq "` + strings.Repeat("x", 10_000) + `"`, "id pr" + strings.Repeat(" and id pr", 300)} {
		w.refused(http.StatusBadRequest, "invalidFilter", "POST", "/Users/.search", fmt.Sprintf(`{"filter":%q}`, filter))
		w.refused(http.StatusBadRequest, "invalidFilter", "POST", "/.search", fmt.Sprintf(`{"filter":%q}`, filter))
	}
	w.refused(http.StatusBadRequest, "invalidPath", "PATCH", user, patchOf(fmt.Sprintf(`{"op":"remove","path":%q}`, "emails["+nested+"]")))
	w.refused(http.StatusBadRequest, "invalidPath", "PATCH", user, patchOf(fmt.Sprintf(`{"op":"remove","path":%q}`, strings.Repeat("x", 10_000))))
	w.refused(http.StatusBadRequest, "invalidValue", "PATCH", user, patchOf(strings.TrimSuffix(strings.Repeat(`{"op":"remove","path":"title"},`, 501), ",")))
	w.same(user, before)
}

// Another server's documents lacked schemas and meta.
func TestDiscoveryDocumentsAreWhole(t *testing.T) {
	w := newWorld(t)
	documents := []map[string]any{w.call(http.StatusOK, "GET", "/ServiceProviderConfig", "")}
	for _, path := range []string{"/Schemas", "/ResourceTypes"} {
		list := w.call(http.StatusOK, "GET", path, "")
		if list["totalResults"] != float64(len(list["Resources"].([]any))) {
			t.Errorf("%s: %v resources", path, list["totalResults"])
		}
		for _, document := range list["Resources"].([]any) {
			documents = append(documents, document.(map[string]any))
		}
	}
	for _, document := range documents {
		meta, _ := document["meta"].(map[string]any)
		location, _ := meta["location"].(string)
		schemas, _ := document["schemas"].([]any)
		path, below := strings.CutPrefix(location, w.s.URL+"/scim/v2")
		if len(schemas) != 1 || !below || !strings.HasSuffix(fmt.Sprint(schemas[0]), ":"+fmt.Sprint(meta["resourceType"])) {
			t.Fatalf("schemas %v, meta %v", schemas, meta)
		}
		w.same(path, document)
	}
}

// Another server left Resources out of an empty page, and took count=0 for no
// count (RFC 7644 section 3.4.2.4).
func TestEmptyPagesHaveResources(t *testing.T) {
	w := newWorld(t)
	w.group("guides", w.user("a"))
	for _, path := range []string{"/Users", "/Groups", "/"} {
		total := w.call(http.StatusOK, "GET", path, "")["totalResults"].(float64)
		for query, want := range map[string]float64{"count=0": total, "count=-1": total, "startIndex=1000000": total, "startIndex=1000000&count=0": total,
			"filter=id+eq+%22none%22": 0, "filter=id+eq+%22none%22&count=0": 0, "filter=id+eq+%22none%22&cursor": 0} {
			page := w.call(http.StatusOK, "GET", path+"?"+query, "")
			resources, ok := page["Resources"].([]any)
			if !ok || len(resources) != 0 || page["itemsPerPage"] != 0.0 || page["totalResults"] != want || total == 0 {
				t.Errorf("%s?%s: %v, want %v in all", path, query, page, want)
			}
		}
	}
}

// Another server kept several primary values (RFC 7643 section 2.4).
func TestOnePrimaryValue(t *testing.T) {
	w := newWorld(t)
	const one, two = `{"value":"a@x.test","type":"work","primary":true}`, `{"value":"b@x.test","type":"home","primary":"True"}`
	user := "/Users/" + w.call(http.StatusCreated, "POST", "/Users", `{"userName":"a","emails":[`+one+`]}`)["id"].(string)
	before := w.call(http.StatusOK, "GET", user, "")
	for _, name := range []string{"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"} {
		both := `{"userName":"b","` + name + `":[` + one + `,` + two + `]}`
		w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", both)
		w.refused(http.StatusBadRequest, "invalidValue", "PUT", user, both)
		w.refused(http.StatusBadRequest, "invalidValue", "PATCH", user, patchOf(`{"op":"add","value":`+both+`}`))
		w.refused(http.StatusBadRequest, "invalidValue", "PATCH", user, patchOf(`{"op":"replace","path":"`+name+`","value":[`+one+`,`+two+`]}`))
	}
	w.same(user, before)
	after := w.call(http.StatusOK, "PATCH", user, patchOf(`{"op":"add","path":"emails","value":[`+two+`]}`))
	primary := 0
	for _, email := range after["emails"].([]any) {
		if email.(map[string]any)["primary"] == true {
			primary++
		}
	}
	if primary != 1 || after["emails"].([]any)[0].(map[string]any)["value"] != "b@x.test" {
		t.Errorf("one after the other: %v", after["emails"])
	}
}

// Another server took an account that looks like one that is there: with
// characters that nobody sees, in another letter case, in other forms of the
// same characters.
func TestNamesThatLookTheSame(t *testing.T) {
	w := newWorld(t)
	id := w.user("josé")
	user := "/Users/" + w.user("other")
	for name, want := range map[string]int{"JOSÉ": 409, "jose\u0301": 409, "ｊｏｓé": 409, "jo\u200bsé": 400, "josé\u00ad": 400, "\u2060josé": 400, "jos\ufeffé": 400, "josé\u202e": 400, " josé": 400} {
		keyword := map[int]string{409: "uniqueness", 400: "invalidValue"}[want]
		w.refused(want, keyword, "POST", "/Users", fmt.Sprintf(`{"userName":%q}`, name))
		w.refused(want, keyword, "PATCH", user, patchOf(fmt.Sprintf(`{"op":"replace","path":"userName","value":%q}`, name)))
	}
	for _, name := range []string{"JOSÉ", "jose\u0301"} {
		page := w.call(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), "")
		if found, _ := page["Resources"].([]any); len(found) != 1 || found[0].(map[string]any)["id"] != id {
			t.Errorf("%s: %v", name, page)
		}
	}
}

// Another server kept telephone numbers as they were written in one place and in
// a form of its own in another, so that nobody found them. Here they are what was
// written, everywhere, and are found by that.
func TestTelephoneNumbersAreWhatWasWritten(t *testing.T) {
	w := newWorld(t)
	const number = "+1 (555) 010-0199"
	user := w.call(http.StatusCreated, "POST", "/Users", `{"userName":"a","phoneNumbers":[{"value":"`+number+`","type":"work"}]}`)
	path := "/api/v1/users/" + user["id"].(string)
	canonical := func(want string) {
		t.Helper()
		var shown struct {
			Phones []struct{ Number string }
		}
		status, _, text := send(t, w.s.URL, "GET", path, "", nil)
		must(t, json.Unmarshal([]byte(text), &shown))
		if status != http.StatusOK || len(shown.Phones) != 1 || shown.Phones[0].Number != want {
			t.Errorf("the canonical API shows %d %s, want %s", status, text, want)
		}
		for path, member := range map[string]string{"/scim/v2/Users?filter=phoneNumbers.value+eq+": "totalResults", "/scim/v2/Users?filter=phoneNumbers+co+": "totalResults",
			"/api/v1/users?total=true&filter=phones.number+eq+": "total"} {
			var page map[string]any
			_, _, text := send(t, w.s.URL, "GET", path+url.QueryEscape(`"`+want+`"`), "", nil)
			must(t, json.Unmarshal([]byte(text), &page))
			if page[member] != 1.0 {
				t.Errorf("%s %s: %s", path, want, text)
			}
		}
	}
	canonical(number)
	const other = "(0049) 30/123 456"
	send(t, w.s.URL, "PATCH", path, "", []byte(`{"phones":[{"number":"`+other+`","type":"work"}]}`))
	canonical(other)
	if got := values(w.call(http.StatusOK, "GET", "/Users/"+user["id"].(string), "")["phoneNumbers"]); !slices.Equal(got, []string{other}) {
		t.Errorf("SCIM shows %v", got)
	}
}

// Another server lost the password when something beside it was patched. A
// replacement that shows an unset password, as clients do who were never shown
// one, leaves it too (dossier 5.4).
func TestPasswordsOutliveWhatIsChangedBeside(t *testing.T) {
	w := newWorld(t)
	const password = "sparrow-lantern-quarry-41"
	id := w.call(http.StatusCreated, "POST", "/Users", `{"userName":"a","password":"`+password+`"}`)["id"].(string)
	user := "/Users/" + id
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", "/scim/v2" + user, patchOf(`{"op":"replace","value":{"title":"T","name":{"givenName":"G"}}}`, `{"op":"remove","path":"title"}`)},
		{"PATCH", "/scim/v2" + user, patchOf(`{"op":"remove","path":"`+urnEnterprise+`"}`, `{"op":"add","path":"emails","value":[{"value":"a@x.test"}]}`)},
		{"PATCH", "/scim/v2" + user, patchOf(`{"op":"replace","path":"userName","value":"a"}`)},
		{"PUT", "/scim/v2" + user, `{"userName":"a"}`},
		{"PUT", "/scim/v2" + user, `{"userName":"a","password":null}`},
		{"PUT", "/scim/v2" + user, `{"userName":"a","password":""}`},
		{"PATCH", "/api/v1/users/" + id, `{"attributes":{"password":"x","credential":{"hash":"y"}}}`},
		{"PATCH", "/api/v1/users/" + id, `{"attributes":{"password":null,"credential":null}}`},
		{"PUT", "/api/v1/users/" + id, `{"user_name":"a"}`},
	} {
		if status, _, text := send(t, w.s.URL, c.method, c.path, "", []byte(c.body)); status != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.method, c.body, status, text)
		}
		if status, _, text := send(t, w.s.URL, "POST", "/api/v1/sessions", "", []byte(`{"user_name":"a","password":"`+password+`"}`)); status != http.StatusCreated {
			t.Fatalf("after %s %s: %d %s", c.method, c.body, status, text)
		}
	}
}

// Another server took passwords of any length and hashed them (dossier 5.13).
func TestLongPasswordsAreNotHashed(t *testing.T) {
	w := newWorld(t)
	user := "/Users/" + w.user("a")
	for _, long := range []string{strings.Repeat("long ", 300), strings.Repeat("é", 500_000)} {
		w.refused(http.StatusBadRequest, "invalidValue", "POST", "/Users", `{"userName":"b","password":"`+long+`"}`)
		w.refused(http.StatusBadRequest, "invalidValue", "PUT", user, `{"userName":"a","password":"`+long+`"}`)
		w.refused(http.StatusBadRequest, "invalidValue", "PATCH", user, patchOf(`{"op":"replace","path":"password","value":"`+long+`"}`))
		for path, body := range map[string]string{"/api/v1" + strings.ToLower(user) + "/password": `{"password":"` + long + `"}`,
			"/api/v1/sessions": `{"user_name":"a","password":"` + long + `"}`, "/api/v1/users": `{"user_name":"c","password":"` + long + `"}`} {
			if status, _, text := send(t, w.s.URL, "POST", path, "", []byte(body)); status != http.StatusUnprocessableEntity {
				t.Errorf("POST %s: %d %.200s", path, status, text)
			}
		}
	}
}

// Another server let provisioning change administrators (dossier 5.23, 5.12).
func TestAdministratorsAreNotProvisioned(t *testing.T) {
	w := newWorld(t)
	service, system := w.s.Service, directory.System(demo(t, w.s.Service), "test")
	admin := func(name string) string {
		u, err := service.CreateUser(context.Background(), system, directory.NewUser{State: directory.StateActive, Fields: directory.UserPatch{UserName: directory.Some(name)}})
		must(t, err)
		roles, err := service.ListRoles(context.Background(), system, directory.ListQuery{Name: "administrator", Limit: 10})
		must(t, err)
		_, _, err = service.AssignRole(context.Background(), system, directory.ByNumber(u.Number), roles.Items[0].Number, 0)
		must(t, err)
		return u.ID
	}
	owner := w.call(http.StatusOK, "GET", "/Users?filter=userName+eq+%22admin%22", "")["Resources"].([]any)[0].(map[string]any)["id"].(string)
	for _, id := range []string{owner, admin("second")} {
		path := "/Users/" + id
		before := w.call(http.StatusOK, "GET", path, "")
		for _, body := range []string{`{"userName":"taken-over"}`, `{"userName":"admin","active":false}`, `{"userName":"admin","password":"sparrow-lantern-quarry-41"}`, `{"userName":"admin","emails":[{"value":"evil@x.test"}]}`, `{"userName":"admin","roles":[]}`} {
			w.call(http.StatusForbidden, "PUT", path, body)
			w.call(http.StatusForbidden, "PATCH", path, patchOf(`{"op":"replace","value":`+body+`}`))
			got := w.bulk("", `{"method":"PUT","path":"`+path+`","data":`+body+`}`, `{"method":"PATCH","path":"`+path+`","data":`+patchOf(`{"op":"add","value":`+body+`}`)+`}`, `{"method":"DELETE","path":"`+path+`"}`)
			if diff := cmp.Diff([]string{"403", "403", "403"}, statuses(got)); diff != "" {
				t.Errorf("in a Bulk, %s:\n%s", body, diff)
			}
		}
		w.call(http.StatusForbidden, "DELETE", path, "")
		w.call(http.StatusForbidden, "POST", "/Groups", `{"displayName":"mine","members":[{"value":"`+id+`"}]}`)
		w.same(path, before)
	}
	user := "/Users/" + w.user("a")
	before := w.call(http.StatusOK, "GET", user, "")
	for _, roles := range []string{`{"roles":[{"value":"administrator"}]}`, `{"roles":["x",{"value":"administrator"}]}`} {
		body := strings.Replace(roles, `["x",`, `[{"value":"x"},`, 1)
		w.call(http.StatusForbidden, "PATCH", user, patchOf(`{"op":"add","value":`+body+`}`))
		w.call(http.StatusForbidden, "PUT", user, `{"userName":"a",`+body[1:])
		w.call(http.StatusForbidden, "POST", "/Users", `{"userName":"b",`+body[1:])
	}
	w.same(user, before)
}

// Other servers told by negated conditions on memberships who is there that the
// caller cannot see.
func TestMembershipsTellOnlyOfTheVisible(t *testing.T) {
	w := newWorld(t)
	v := vars(t, w.s.Service)
	bound := func(status int, path string) map[string]any {
		t.Helper()
		code, _, text := send(t, w.s.URL, "GET", "/scim/v2"+path, v["bound"], nil)
		answer := map[string]any{}
		must(t, json.Unmarshal([]byte(text), &answer))
		if code != status {
			t.Errorf("%s: %d %s, want %d", path, code, text, status)
		}
		return answer
	}
	code, _, text := send(t, w.s.URL, "POST", "/scim/v2/Users", v["bound"], []byte(`{"userName":"inside"}`))
	var inside struct{ ID string }
	must(t, json.Unmarshal([]byte(text), &inside))
	if code != http.StatusCreated {
		t.Fatal(text)
	}
	outside := w.user("outside")
	group, empty := w.group("guides", inside.ID, outside), w.group("strangers", outside)
	for _, filter := range []string{`not (groups.value eq "` + empty + `")`, `groups.value ne "` + empty + `"`, `groups pr`, `not (groups pr)`, `groups.display sw "s"`} {
		bound(http.StatusBadRequest, "/Users?filter="+url.QueryEscape(filter))
	}
	for _, filter := range []string{`not (members.value eq "` + outside + `")`, `members.value ne "` + outside + `"`, `members pr`, `not (members pr)`, `members.display sw "o"`, `members[value ne "x"]`} {
		bound(http.StatusBadRequest, "/Groups?filter="+url.QueryEscape(filter))
		bound(http.StatusBadRequest, "/?filter="+url.QueryEscape(filter))
	}
	for path, want := range map[string]float64{"/Users?filter=" + url.QueryEscape(`groups.value eq "`+group+`"`): 1, "/Users?filter=" + url.QueryEscape(`groups.value eq "`+empty+`"`): 0,
		"/Groups?filter=" + url.QueryEscape(`members.value eq "`+outside+`"`): 0, "/Groups?filter=" + url.QueryEscape(`members.value eq "`+inside.ID+`"`): 1,
		"/Users?cursor&filter=" + url.QueryEscape(`groups.value eq "`+group+`"`): 1} {
		if got := bound(http.StatusOK, path); got["totalResults"] != want || float64(len(got["Resources"].([]any))) != want || got["nextCursor"] != nil {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for id, want := range map[string][]string{group: {inside.ID}, empty: {}} {
		w.want("members that are shown", values(bound(http.StatusOK, "/Groups/"+id)["members"]), want...)
	}
}

// A PUT of what GET answered kept what is only put together of other doors'
// fields: it raised the version, left an event and fixed the formatted name,
// which then did not follow the given one. What is sent back as it is shown
// stays as it is.
func TestReplacementByWhatIsShownChangesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.user("echo")
	ctx, system := context.Background(), func() *directory.Call { return directory.System(demo(t, w.s.Service), "test") }
	_, err := w.s.Service.CreateRole(ctx, system(), directory.Role{Key: "fitter", Name: "Fitter"})
	must(t, err)
	_, err = w.s.Service.UpdateUser(ctx, system(), directory.ByID(id), directory.UserPatch{
		GivenName: directory.Some("Jo"), FamilyName: directory.Some("Bates"), Email: directory.Some("jo@example.test"), Roles: directory.Some([]string{"fitter"}),
		Phones:  directory.Some([]directory.Phone{{Number: "555", Extension: "7", Type: "Work"}}),
		Address: directory.Some(directory.Address{Set: true, Line2: "Rear", City: "Regina"}),
	}, directory.UpdateOptions{})
	must(t, err)
	path := "/Users/" + id
	before := w.call(http.StatusOK, "GET", path, "")
	shown, err := json.Marshal(before)
	must(t, err)
	w.call(http.StatusOK, "PUT", path, string(shown))
	w.same(path, before) // its version, too

	w.call(http.StatusOK, "PATCH", path, patchOf(`{"op":"replace","path":"name.givenName","value":"Joanna"}`))
	name, _ := w.call(http.StatusOK, "GET", path, "")["name"].(map[string]any)
	if name["formatted"] != "Joanna Bates" {
		t.Errorf("the name is %v", name)
	}
}
