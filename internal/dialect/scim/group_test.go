package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// world is a server with the sample directory, and a client of its SCIM door.
type world struct {
	t *testing.T
	s *testkit.Server
}

func newWorld(t *testing.T) *world {
	return &world{t, testkit.Start(t, testkit.Options{Demo: true})}
}

// call sends a request and returns its answer as JSON.
func (w *world) call(status int, method, path, body string) map[string]any {
	w.t.Helper()
	code, _, text := send(w.t, w.s.URL, method, "/scim/v2"+path, "", []byte(body))
	if code != status {
		w.t.Fatalf("%s %s %.300s: %d, want %d: %.500s", method, path, body, code, status, text)
	}
	answer := map[string]any{}
	if text != "" {
		must(w.t, json.Unmarshal([]byte(text), &answer))
	}
	return answer
}

// user makes a user and returns its id.
func (w *world) user(name string) string {
	w.t.Helper()
	return w.call(http.StatusCreated, "POST", "/Users", fmt.Sprintf(`{"userName":%q}`, name))["id"].(string)
}

// users makes as many users, by a Bulk.
func (w *world) users(n int) []string {
	w.t.Helper()
	var ids []string
	for len(ids) < n {
		var operations []string
		for i := range min(1000, n-len(ids)) {
			operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"many%d"}}`, i, len(ids)+i))
		}
		for _, o := range w.bulk("", operations...) {
			location := o["location"].(string)
			ids = append(ids, location[strings.LastIndexByte(location, '/')+1:])
		}
	}
	return ids
}

// bulk sends a Bulk and returns the results.
func (w *world) bulk(members string, operations ...string) []map[string]any {
	w.t.Helper()
	answer := w.call(http.StatusOK, "POST", "/Bulk",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],`+members+`"Operations":[`+strings.Join(operations, ",")+`]}`)
	var results []map[string]any
	for _, o := range answer["Operations"].([]any) {
		results = append(results, o.(map[string]any))
	}
	return results
}

// group makes a group and returns its id.
func (w *world) group(name string, members ...string) string {
	w.t.Helper()
	return w.call(http.StatusCreated, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, refs(members)))["id"].(string)
}

// refs are members as JSON, without brackets.
func refs(ids []string) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"value":%q}`, id))
	}
	return strings.Join(list, ",")
}

// patch sends operations to a group.
func (w *world) patch(status int, id string, operations ...string) map[string]any {
	w.t.Helper()
	return w.call(status, "PATCH", "/Groups/"+id, patchOf(operations...))
}

func patchOf(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

// members are the ids of a group's members, in order.
func (w *world) members(id string) []string {
	w.t.Helper()
	return values(w.call(http.StatusOK, "GET", "/Groups/"+id, "")["members"])
}

// groups are the ids of a user's groups, in order.
func (w *world) groups(id string) []string {
	w.t.Helper()
	return values(w.call(http.StatusOK, "GET", "/Users/"+id, "")["groups"])
}

// values are the values of a multi-valued attribute, in order.
func values(attribute any) []string {
	ids := []string{}
	list, _ := attribute.([]any)
	for _, element := range list {
		ids = append(ids, element.(map[string]any)["value"].(string))
	}
	slices.Sort(ids)
	return ids
}

// want compares lists without order.
func (w *world) want(what string, got []string, want ...string) {
	w.t.Helper()
	want = append([]string{}, want...)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Another server emptied the whole group when Entra ID removed one member.
func TestRemovalOfMembersLeavesTheOthers(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.user("a"), w.user("b"), w.user("c")
	for _, operation := range []string{
		`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + a + `"}]}`,
		`{"op":"remove","path":"members","value":{"value":"` + a + `"}}`,
		`{"op":"remove","path":"members","value":["` + a + `"]}`,
		`{"op":"remove","path":"members","value":"` + strings.ToUpper(a) + `"}`,
		`{"op":"remove","path":"members[value eq \"` + a + `\"]"}`,
		`{"op":"REMOVE","path":"urn:ietf:params:scim:schemas:core:2.0:Group:Members[Value EQ \"` + strings.ToUpper(a) + `\"]"}`,
	} {
		id := w.group("guides", a, b, c)
		w.patch(http.StatusOK, id, operation)
		w.want(operation, w.members(id), b, c)
		w.patch(http.StatusOK, id, `{"op":"remove","path":"members","value":[]}`)
		w.want("an empty list", w.members(id), b, c)
		w.call(http.StatusNoContent, "DELETE", "/Groups/"+id, "")
	}
}

// Another server took a member who was removed from one group out of all.
func TestRemovalFromOneGroupLeavesTheOtherGroups(t *testing.T) {
	w := newWorld(t)
	a := w.user("a")
	one, two := w.group("one", a), w.group("two", a)
	w.patch(http.StatusOK, one, `{"op":"remove","path":"members"}`)
	w.want("the groups of the user", w.groups(a), two)
	w.want("the other group", w.members(two), a)
}

// Another server cut memberships off behind a thousand.
func TestMoreThanAThousandMembers(t *testing.T) {
	w := newWorld(t)
	ids := w.users(1500)
	id := w.group("large", ids...)
	w.want("made", w.members(id), ids...)
	w.patch(http.StatusNoContent, id, `{"op":"remove","path":"members[value eq \"`+ids[700]+`\"]"}`)
	ids = slices.Delete(ids, 700, 701)
	w.want("after a PATCH", w.members(id), ids...)
	w.call(http.StatusOK, "PUT", "/Groups/"+id, `{"displayName":"large","members":[`+refs(ids[1:])+`]}`)
	w.want("after a PUT", w.members(id), ids[1:]...)
	w.want("who is out", w.groups(ids[0]))
	// The answer to a PATCH shows them only to who asks for them.
	add := `{"op":"add","path":"members","value":[{"value":"` + ids[0] + `"}]}`
	w.patch(http.StatusNoContent, id, add)
	w.want("asked for", values(w.call(http.StatusOK, "PATCH", "/Groups/"+id+"?attributes=members", patchOf(add))["members"]), ids...)
}

// Another server left /Groups and /Users with different answers after a failure.
func TestGroupsAndUsersAgreeAfterAFailure(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	id := w.group("guides", a)
	before := w.call(http.StatusOK, "GET", "/Groups/"+id, "")
	const nobody = "019f9c5e-2f2e-7a8e-8dd5-2bb1d8e6f3a1"
	admin := values(map[string]any{})
	for _, u := range w.call(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`userName eq "admin"`), "")["Resources"].([]any) {
		admin = append(admin, u.(map[string]any)["id"].(string))
	}
	w.group("taken")
	tooMany := make([]string, 2001)
	for i := range tooMany {
		tooMany[i] = fmt.Sprintf("019f9c5e-2f2e-7a8e-8dd5-%012d", i)
	}
	for status, operations := range map[int][][]string{
		http.StatusBadRequest: {
			{`{"op":"add","path":"members","value":[{"value":"` + b + `"},{"value":"` + nobody + `"}]}`},
			{`{"op":"replace","value":{"displayName":"new","members":[{"value":"` + nobody + `"}]}}`},
			{`{"op":"remove","path":"members"}`, `{"op":"replace","path":"displayName","value":""}`},
			{`{"op":"add","path":"members","value":[` + refs(tooMany) + `]}`},
			{`{"op":"remove","path":"members"}`, `{"op":"remove"}`},
		},
		http.StatusForbidden: {{`{"op":"add","path":"members","value":[{"value":"` + b + `"},{"value":"` + admin[0] + `"}]}`}},
		http.StatusConflict:  {{`{"op":"replace","path":"members","value":[{"value":"` + b + `"}]}`, `{"op":"replace","value":{"displayName":"TAKEN"}}`}},
	} {
		for _, o := range operations {
			w.patch(status, id, o...)
			if diff := cmp.Diff(before, w.call(http.StatusOK, "GET", "/Groups/"+id, "")); diff != "" {
				t.Fatalf("%.200s changes the group:\n%s", o, diff)
			}
			w.want("who did not join", w.groups(b))
			w.want("who did not leave", w.groups(a), id)
		}
	}
}

// Another server wrote events for every member when nothing changed.
func TestPatchThatChangesNothingHasNoEvents(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("a"), w.user("b")
	id := w.group("guides", a)
	tenant := demo(t, w.s.Service)
	events := func(id string) int {
		page, err := w.s.Service.UserEvents(context.Background(), directory.System(tenant, "test"), directory.ByID(id), "", 100)
		must(t, err)
		return len(page.Events)
	}
	hadA, hadB := events(a), events(b)
	before := w.call(http.StatusOK, "GET", "/Groups/"+id, "")
	w.patch(http.StatusOK, id, `{"op":"add","path":"members","value":[{"value":"`+a+`"}]}`, `{"op":"remove","path":"members[value eq \"`+b+`\"]"}`,
		`{"op":"replace","path":"displayName","value":"guides"}`)
	w.patch(http.StatusOK, id, `{"op":"replace","value":{"members":["`+a+`"],"displayName":"guides"}}`)
	w.call(http.StatusOK, "PUT", "/Groups/"+id, `{"displayName":"guides","members":["`+a+`"]}`)
	if diff := cmp.Diff(before, w.call(http.StatusOK, "GET", "/Groups/"+id, "")); diff != "" || events(a) != hadA || events(b) != hadB {
		t.Errorf("something changed: %d and %d events\n%s", events(a)-hadA, events(b)-hadB, diff)
	}
	w.patch(http.StatusOK, id, `{"op":"add","path":"members","value":[{"value":"`+b+`"}]}`)
	if events(a) != hadA || events(b) != hadB+1 {
		t.Errorf("who stays has %d events more, who joins %d", events(a)-hadA, events(b)-hadB)
	}
}

// Operations in every form, one after another at random, and what they mean.
func TestGroupPatchAgainstAModel(t *testing.T) {
	w := newWorld(t)
	ids := []string{w.user("a"), w.user("b"), w.user("c"), w.user("d")}
	id, other := w.group("guides"), w.group("others", ids...)
	random := rand.New(rand.NewPCG(1, 2))
	model := map[string]bool{}
	for range 60 {
		var operations []string
		for range 1 + random.IntN(3) {
			operations = append(operations, step(random, ids, model))
		}
		before := maps.Clone(model)
		w.patch(http.StatusOK, id, operations...)
		w.want(fmt.Sprintf("%v after %v", before, operations), w.members(id), slices.Collect(maps.Keys(model))...)
		for _, u := range ids {
			want := []string{other}
			if model[u] {
				want = append(want, id)
			}
			w.want("the groups of "+u, w.groups(u), want...)
		}
	}
}

// step draws an operation, as JSON, and carries it out on a model.
func step(random *rand.Rand, ids []string, model map[string]bool) string {
	some := slices.Clone(ids)
	random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	some = some[:1+random.IntN(2)]
	value := refs(some)
	set := func(in bool) {
		for _, id := range some {
			if delete(model, id); in {
				model[id] = true
			}
		}
	}
	switch random.IntN(6) {
	case 0:
		set(true)
		return `{"op":"add","path":"members","value":[` + value + `]}`
	case 1:
		set(true)
		return `{"op":"Add","value":{"urn:ietf:params:scim:schemas:core:2.0:Group:members":[` + value + `]}}`
	case 2:
		clear(model)
		set(true)
		return `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members","value":[` + value + `]}`
	case 3:
		set(false)
		return `{"op":"remove","path":"members","value":[` + value + `]}`
	case 4:
		some = some[:1]
		set(false)
		return `{"op":"remove","path":"members[value eq \"` + some[0] + `\"]"}`
	default:
		clear(model)
		return `{"op":"remove","path":"members"}`
	}
}

// Sizes are limited (dossier 5.25, 5.36), and what is too large changes nothing.
func TestSizesOfGroupRequests(t *testing.T) {
	w := newWorld(t)
	id := w.group("guides")
	w.call(http.StatusRequestEntityTooLarge, "PUT", "/Groups/"+id, `{"displayName":"`+strings.Repeat("x", 2<<20)+`"}`)
	w.call(http.StatusBadRequest, "PUT", "/Groups/"+id, strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100))
	for _, filter := range []string{strings.Repeat("(", 100) + "id pr" + strings.Repeat(")", 100), `displayName eq "` + strings.Repeat("x", 10_000) + `"`,
		"id pr" + strings.Repeat(" or id pr", 300)} {
		if got := w.call(http.StatusBadRequest, "POST", "/Groups/.search", fmt.Sprintf(`{"filter":%q}`, filter)); got["scimType"] != "invalidFilter" {
			t.Errorf("%.40s: %v", filter, got)
		}
	}
	w.patch(http.StatusBadRequest, id, `{"op":"remove","path":"members[`+strings.Repeat("(", 100)+`value eq \"x\"`+strings.Repeat(")", 100)+`]"}`)
	w.want("members", w.members(id))
}

// A page of groups with more members than can be shown says what to do; without
// the members there is no such page (dossier 5.36).
func TestPageWithTooManyMembers(t *testing.T) {
	w := newWorld(t)
	ids := w.users(1500)
	for i := range 7 {
		w.group(fmt.Sprintf("large %d", i), ids...)
	}
	got := w.call(http.StatusBadRequest, "GET", "/Groups", "")
	if got["scimType"] != "tooMany" || !strings.Contains(got["detail"].(string), "without their members") {
		t.Errorf("%v", got)
	}
	for _, query := range []string{"?excludedAttributes=members", "?attributes=displayName", "?count=6"} {
		w.call(http.StatusOK, "GET", "/Groups"+query, "")
	}
}

// Walks by index and by cursor see the same groups, each once, in every order.
func TestWalksOverGroups(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.group(fmt.Sprintf("walk %c", 'g'-i))
	}
	for _, query := range []string{"", "&sortBy=displayName", "&sortBy=id&sortOrder=descending", "&sortBy=meta.created&sortOrder=descending",
		"&filter=" + url.QueryEscape(`displayName sw "WALK" and not (displayName eq "walk c")`)} {
		var byIndex, byCursor []string
		for start := 1; ; start += 3 {
			page := w.call(http.StatusOK, "GET", fmt.Sprintf("/Groups?count=3&startIndex=%d%s", start, query), "")["Resources"].([]any)
			if len(page) == 0 {
				break
			}
			byIndex = append(byIndex, ids(page)...)
		}
		for cursor, more := "", true; more; {
			answer := w.call(http.StatusOK, "GET", "/Groups?count=2&cursor="+cursor+query, "")
			byCursor = append(byCursor, ids(answer["Resources"].([]any))...)
			cursor, more = answer["nextCursor"].(string)
		}
		if diff := cmp.Diff(byIndex, byCursor); diff != "" || len(byIndex) < 6 {
			t.Errorf("%s: by index and by cursor:\n%s", query, diff)
		}
	}
}

func ids(resources []any) []string {
	var list []string
	for _, r := range resources {
		list = append(list, r.(map[string]any)["id"].(string))
	}
	return list
}

// Whoever provisions neither takes an administrator out of a group nor erases it
// (dossier 5.38).
func TestGroupOfAnAdministrator(t *testing.T) {
	w := newWorld(t)
	tenant := demo(t, w.s.Service)
	made, err := w.s.Service.MakeGroup(context.Background(), directory.System(tenant, "test"), directory.NewGroup{
		Group:   directory.Group{Kind: directory.GroupPlain, Name: "administrators"},
		Members: []directory.UserRef{directory.ByUserName("admin")}})
	must(t, err)
	id := made.Group.ID
	before := w.call(http.StatusOK, "GET", "/Groups/"+id, "")
	w.patch(http.StatusForbidden, id, `{"op":"remove","path":"members"}`)
	w.call(http.StatusForbidden, "PUT", "/Groups/"+id, `{"displayName":"administrators"}`)
	w.call(http.StatusForbidden, "DELETE", "/Groups/"+id, "")
	if got := statuses(w.bulk("", `{"method":"DELETE","path":"/Groups/`+id+`"}`)); got[0] != "403" {
		t.Errorf("in a Bulk: %v", got)
	}
	if diff := cmp.Diff(before, w.call(http.StatusOK, "GET", "/Groups/"+id, "")); diff != "" {
		t.Errorf("the group changed:\n%s", diff)
	}
	w.patch(http.StatusOK, id, `{"op":"add","path":"members","value":["`+w.user("a")+`"]}`)
}
