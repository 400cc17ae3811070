package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A path is as long as a body may be, and so are the references in it: they are
// resolved in one pass. One after the other each would copy the whole path, which
// takes minutes for this one.
func TestManyReferencesInAPath(t *testing.T) {
	w := newWorld(t)
	path := strings.ReplaceAll(strings.Repeat(`"bulkId:a"`, 70_000), `"`, `\"`)
	got := w.bulk("", `{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"referred"}}`,
		`{"method":"PATCH","path":"/Users/bulkId:a","data":{"Operations":[{"op":"remove","path":"`+path+`"}]}}`)
	w.want("results", statuses(got), "201", "413") // the ids are longer than the references
	id := w.user("other")
	got = w.bulk("", `{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"second"}}`,
		`{"method":"PATCH","path":"/Users/`+id+`","data":{"Operations":[{"op":"add","path":"emails[value eq \"bulkId:b\" or value eq \"bulkId:b\"].type","value":"home"}]}}`)
	if text := fmt.Sprint(got[1]); strings.Contains(text, "bulkId:b") {
		t.Errorf("a reference is left: %s", text)
	}
}

// The operations of a PATCH are carried out while others wait: what they compare is
// bounded, however they are split up.
func TestAPatchComparesABoundedNumber(t *testing.T) {
	w := newWorld(t)
	id := w.user("patched")
	condition := strings.TrimSuffix(strings.Repeat(`value eq \"1\" or `, 190), " or ")
	remove := `{"op":"remove","path":"phoneNumbers[` + condition + `]"}`
	add := `{"op":"add","path":"phoneNumbers","value":[{"value":"1"}` + strings.Repeat(`,{"value":"2"}`, 99) + `]}`
	for name, operation := range map[string]string{"conditions": remove, "values": add} {
		repeated := func(n int) string {
			return patchOf(strings.Split(strings.Repeat(operation+"\n", n-1)+operation, "\n")...)
		}
		if got := w.call(http.StatusBadRequest, "PATCH", "/Users/"+id, repeated(30)); got["scimType"] != "invalidValue" || !strings.Contains(fmt.Sprint(got["detail"]), "2000") {
			t.Errorf("%s: %v", name, got)
		}
		w.call(http.StatusOK, "PATCH", "/Users/"+id, repeated(5))
	}
}
