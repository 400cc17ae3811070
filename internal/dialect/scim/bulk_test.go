package scim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// statuses are those of results, in order.
func statuses(results []map[string]any) []string {
	var list []string
	for _, o := range results {
		list = append(list, o["status"].(string))
	}
	return list
}

// Another server swallowed what was there twice inside of one import.
func TestDuplicatesInsideOfABulk(t *testing.T) {
	w := newWorld(t)
	post := func(bulkID, userName, externalID string) string {
		return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":%q,"data":{"userName":%q,"externalId":%q,"emails":[{"value":"%s@x.test"}]}}`,
			bulkID, userName, externalID, userName)
	}
	got := w.bulk("", post("1", "one", "x"), post("2", "two", "x"), post("3", "ONE", "y"), post("4", "four", "X"))
	if diff := cmp.Diff([]string{"201", "409", "409", "201"}, statuses(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, i := range []int{1, 2} {
		if response := got[i]["response"].(map[string]any); response["scimType"] != "uniqueness" || response["status"] != "409" {
			t.Errorf("%d: %v", i, response)
		}
	}
}

// maxOperations and maxPayloadSize are what the configuration says, and name
// themselves when they are exceeded (RFC 7644 section 3.7.4).
func TestLimitsOfABulk(t *testing.T) {
	w := newWorld(t)
	config := w.call(http.StatusOK, "GET", "/ServiceProviderConfig", "")["bulk"].(map[string]any)
	most, size := int(config["maxOperations"].(float64)), int(config["maxPayloadSize"].(float64))
	operation := `{"method":"DELETE","path":"/Users/x"}`
	if got := w.bulk("", strings.Split(strings.Repeat(operation+"\n", most-1)+operation, "\n")...); len(got) != most {
		t.Errorf("%d operations are done", len(got))
	}
	body := `{"Operations":[` + strings.Repeat(operation+",", most) + operation + `]}`
	if got := w.call(http.StatusRequestEntityTooLarge, "POST", "/Bulk", body); !strings.Contains(got["detail"].(string), strconv.Itoa(most)) {
		t.Errorf("%v", got)
	}
	body = `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"` + strings.Repeat("x", size) + `"}}]}`
	if got := w.call(http.StatusRequestEntityTooLarge, "POST", "/Bulk", body); !strings.Contains(got["detail"].(string), strconv.Itoa(size)) {
		t.Errorf("%v", got)
	}
	deep := strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat("}", 30)
	w.call(http.StatusBadRequest, "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":`+deep+`}]}`)
	w.call(http.StatusBadRequest, "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":[`+strings.Repeat("1,", 300_000)+`1]}]}`)
}

// A Bulk is one request of the limiter, however much it does.
func TestABulkIsOneRequest(t *testing.T) {
	w := newWorld(t)
	id := w.group("guides")
	ctx, system := context.Background(), func() *directory.Call { return directory.System(demo(t, w.s.Service), "test") }
	tenant, err := w.s.Service.TenantByName(ctx, system(), "demo")
	must(t, err)
	tenant.Settings.RequestsPerMinute = map[string]int{"scim": 1_000_000}
	_, err = w.s.Service.UpdateTenant(ctx, system(), tenant)
	must(t, err)
	key := &directory.Call{Door: directory.DoorSCIM, Secret: "usher-demo-key"}
	quota := func() int {
		call := *key
		must(t, w.s.Service.Admit(ctx, &call))
		return call.Quota.Remaining
	}
	before := quota()
	w.bulk("", `{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"a"}}`, `{"method":"POST","path":"/Groups","bulkId":"2","data":{"displayName":"a"}}`,
		`{"method":"PATCH","path":"/Users/bulkId:1","data":`+patchOf(`{"op":"replace","path":"title","value":"x"}`)+`}`,
		`{"method":"PATCH","path":"/Users/nobody","data":`+patchOf(`{"op":"replace","path":"title","value":"x"}`)+`}`,
		`{"method":"PUT","path":"/Groups/`+id+`","data":{"displayName":7}}`, `{"method":"DELETE","path":"/Groups/`+id+`"}`)
	if used := before - quota(); used != 2 { // the Bulk, and asking
		t.Errorf("a Bulk of six operations counts as %d requests", used-1)
	}
}

// Creations wait for nothing but what they refer to: a chain of managers from
// the last to the first, and a group in front of all of them.
func TestChainOfReferences(t *testing.T) {
	w := newWorld(t)
	const n = 60
	operations := []string{`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"chain","members":[`}
	for i := range n {
		member := fmt.Sprintf(`{"value":"bulkId:%d"}`, i)
		if i > 0 {
			member = "," + member
		}
		operations[0] += member
	}
	operations[0] += `]}}`
	for i := range n {
		manager := ""
		if i < n-1 {
			manager = fmt.Sprintf(`,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:%d"}}`, i+1)
		}
		operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"chain%d"%s}}`, i, i, manager))
	}
	for i, status := range statuses(w.bulk(`"failOnErrors":1,`, operations...)) {
		if status != "201" {
			t.Errorf("%d: %s", i, status)
		}
	}
	group := w.call(http.StatusOK, "GET", "/Groups?filter="+url.QueryEscape(`displayName eq "chain"`), "")["Resources"].([]any)[0].(map[string]any)
	if len(values(group["members"])) != n {
		t.Errorf("%d members", len(values(group["members"])))
	}
	// When the last of a chain fails, all that refer to it over others fail.
	broken := []string{`{"method":"POST","path":"/Users","bulkId":"0","data":{"userName":"chain0"}}`}
	for i := 1; i < 5; i++ {
		broken = append(broken, fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":"%d","data":{"displayName":"broken %d","members":[{"value":"bulkId:%d"}]}}`, i, i, i-1))
	}
	for i, status := range statuses(w.bulk("", broken...)) {
		if status != "409" {
			t.Errorf("%d: %s", i, status)
		}
	}
}

// However many operations may fail, what is answered has happened, and nothing
// else has.
func TestFailOnErrors(t *testing.T) {
	var operations []string
	for i := range 8 {
		name := fmt.Sprintf("user%d", i-i%4/3) // the fourth and the last are taken
		operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":%q}}`, i, name))
	}
	operations = append(operations, `{"method":"DELETE","path":"/Users/nobody"}`, `{"method":"POST","path":"/Users","bulkId":"x","data":{}}`,
		`{"method":"POST","path":"/Users","bulkId":"end","data":{"userName":"end"}}`)
	for failures, processed := range []int{11, 4, 8, 9, 10, 11} {
		w := newWorld(t)
		got := statuses(w.bulk(fmt.Sprintf(`"failOnErrors":%d,`, failures), operations...))
		made := 0
		for _, status := range got {
			if status == "201" {
				made++
			}
		}
		list := w.call(http.StatusOK, "GET", "/Users?count=0&filter="+url.QueryEscape(`userName sw "user" and displayName ne "x" or userName eq "end"`), "")
		if len(got) != processed || int(list["totalResults"].(float64)) != made {
			t.Errorf("failOnErrors %d: %v; %v users", failures, got, list["totalResults"])
		}
	}
}

// A Bulk does what its operations do one by one.
func TestBulkIsItsOperations(t *testing.T) {
	single, together := newWorld(t), newWorld(t)
	random := rand.New(rand.NewPCG(3, 4))
	ids := map[*world][]string{}
	for _, w := range []*world{single, together} {
		ids[w] = []string{w.user("a"), w.user("b"), w.user("c"), w.group("g"), w.group("h")}
	}
	type operation struct{ method, path, data string }
	var operations []operation
	for i := range 120 {
		at := random.IntN(5)
		kind, names := "Users", []string{"userName", "title"}
		if at > 2 {
			kind, names = "Groups", []string{"displayName", "externalId"}
		}
		path := fmt.Sprintf("/%s/{%d}", kind, at)
		value := fmt.Sprintf("%s%d", names[1], random.IntN(12))
		operations = append(operations, []operation{
			{"POST", "/" + kind, fmt.Sprintf(`{%q:%q,%q:%q}`, names[0], value, names[1], value)},
			{"POST", "/" + kind, fmt.Sprintf(`{%q:7}`, names[0])},
			{"PUT", path, fmt.Sprintf(`{%q:%q,%q:%q}`, names[0], value, names[1], value)},
			{"PATCH", path, patchOf(fmt.Sprintf(`{"op":"replace","path":%q,"value":%q}`, names[1], value))},
			{"PATCH", path, patchOf(`{"op":"remove","path":"` + names[0] + `"}`)},
			{"PATCH", "/Groups/{3}", patchOf(fmt.Sprintf(`{"op":%q,"path":"members","value":[{"value":"{%d}"}]}`, []string{"add", "remove"}[i%2], random.IntN(3)))},
			{"DELETE", fmt.Sprintf("/%s/x%d", kind, i), ""},
		}[random.IntN(7)])
	}
	operations = append(operations, operation{"DELETE", "/Users/{0}", ""}, operation{"PATCH", "/Groups/{3}", patchOf(`{"op":"remove","path":"members"}`)})
	fill := func(w *world, text string) string {
		for i, id := range ids[w] {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), id)
		}
		return text
	}
	var want, requests []string
	for i, o := range operations {
		code, _, _ := send(t, single.s.URL, o.method, "/scim/v2"+fill(single, o.path), "", []byte(fill(single, o.data)))
		want = append(want, strconv.Itoa(code))
		data := ""
		if o.data != "" {
			data = `,"data":` + fill(together, o.data)
		}
		requests = append(requests, fmt.Sprintf(`{"method":%q,"path":%q,"bulkId":"%d"%s}`, o.method, fill(together, o.path), i, data))
	}
	if diff := cmp.Diff(want, statuses(together.bulk("", requests...))); diff != "" {
		t.Errorf("statuses (-one by one +Bulk):\n%s", diff)
	}
	if diff := cmp.Diff(single.state(), together.state()); diff != "" {
		t.Errorf("(-one by one +Bulk):\n%s", diff)
	}
}

// state is everything that the door shows but for ids, addresses and times.
func (w *world) state() []string {
	w.t.Helper()
	names := map[string]string{}
	var list []string
	for _, path := range []string{"/Users?count=200&attributes=userName,title,active", "/Groups?count=200&attributes=displayName,externalId,members.value"} {
		for _, r := range w.call(http.StatusOK, "GET", path, "")["Resources"].([]any) {
			resource := r.(map[string]any)
			id := resource["id"].(string)
			names[id], _ = resource["userName"].(string)
			line := fmt.Sprint(resource["userName"], resource["title"], resource["active"], resource["displayName"], resource["externalId"])
			for _, member := range values(resource["members"]) {
				line += " " + names[member]
			}
			list = append(list, line)
		}
	}
	return list
}
