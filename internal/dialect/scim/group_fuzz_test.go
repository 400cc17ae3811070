package scim

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// wantRefusal: bad input is the caller's fault, never an internal error.
func wantRefusal(t *testing.T, err error) {
	if status := lookUp(err).status; status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d: %v", status, err)
	}
}

// FuzzGroupPatch: no PATCH of a group breaks the reader; what it makes names
// everybody once, by the form of an id, and nobody to join and to leave.
func FuzzGroupPatch(f *testing.F) {
	for _, operation := range []string{
		`{"op":"add","path":"members","value":[{"value":"2819c223-7f76-453a-919d-413861904646","$ref":"https://x/Users/2819c223-7f76-453a-919d-413861904646"}]}`,
		`{"op":"Remove","path":"members[value eq \"2819c223-7f76-453a-919d-413861904646\" or value eq \"x\"]"}`,
		`{"op":"replace","value":{"displayName":"x","urn:ietf:params:scim:schemas:core:2.0:Group:members":["2819c223-7f76-453a-919d-413861904646"]}}`,
		`{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:Group"}`,
		`{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group","value":{"externalId":null}}`,
		`{"op":"remove","path":"members","value":null}`, `{"op":"remove"}`, `{"op":"replace","path":"meta.version","value":{}}`,
	} {
		f.Add([]byte(`{"schemas":["` + urnPatch + `"],"Operations":[` + operation + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := decode(body, maxDepth, web.MaxJSONValues)
		var edit directory.GroupEdit
		if err == nil {
			edit, err = groupPatch(object)
		}
		if err != nil {
			wantRefusal(t, err)
			return
		}
		if edit.Members.Set && len(edit.Add)+len(edit.Remove) > 0 {
			t.Errorf("%s: all members, and others: %+v", body, edit)
		}
		named := map[string]bool{}
		for _, ref := range slices.Concat(edit.Members.Value, edit.Add, edit.Remove) {
			if named[ref.ID] || !isUUID(ref.ID) || ref != directory.ByID(ref.ID) {
				t.Errorf("%s: names %+v", body, ref)
			}
			named[ref.ID] = true
		}
	})
}

// FuzzBulk: no Bulk breaks the reader; every operation has its resource or its
// error; ids are drawn for creations, and references lead to such; and there is
// always something that can be done next.
func FuzzBulk(f *testing.F) {
	for _, operations := range []string{
		`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"x","manager":{"value":"bulkId:b"}}},{"method":"POST","path":"/Users","bulkId":"b","data":{"manager":"bulkId:a"}}`,
		`{"method":"POST","path":"/Groups","bulkId":"g","data":{"members":["bulkId:g",{"$ref":"../Users/bulkId:a"}]}},{"method":"DELETE","path":"/Groups/bulkId:g"}`,
		`{"method":"PATCH","path":"Groups/bulkId:g/","version":"W/\"1\"","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:a\"]"}]}}`,
		`{"method":"PUT","path":"/Users/%2e%2e","data":{"value":"bulkId:bulkId:"}},{"method":"GET","path":"/Bulk"},{}`,
	} {
		f.Add([]byte(`{"schemas":["` + urnBulkRequest + `"],"failOnErrors":1,"Operations":[` + operations + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := decode(body, maxDepth+3, maxBulkValues)
		var b *bulkRequest
		drawn := 0
		if err == nil {
			b, err = parseBulk(object, func() string { drawn++; return fmt.Sprintf("drawn-%d", drawn) })
		}
		if err != nil {
			wantRefusal(t, err)
			return
		}
		for _, o := range b.operations {
			checkOperation(t, o)
		}
		checkOrder(t, b.operations)
	})
}

func checkOperation(t *testing.T, o *bulkOperation) {
	if o.err != nil {
		wantRefusal(t, o.err)
	} else if o.kind == "" || o.key == "" || o.create() && o.bulkID == "" {
		t.Errorf("%+v", o)
	}
	for _, target := range o.refs {
		if !target.create() {
			t.Errorf("%q refers to a %s", o.bulkID, target.method)
		}
	}
}

// checkOrder: in the end nothing waits but what is in a circle that has groups
// in it, or waits for that.
func checkOrder(t *testing.T, waiting []*bulkOperation) {
	for before := -1; before != len(waiting); {
		before = len(waiting)
		var rest []*bulkOperation
		for _, o := range waiting {
			if o.done = o.ready(false); !o.done {
				rest = append(rest, o)
			}
		}
		waiting = rest
	}
	for _, o := range waiting {
		if !slices.ContainsFunc(o.refs, func(target *bulkOperation) bool { return slices.Contains(waiting, target) }) {
			t.Errorf("%q waits for nothing", o.bulkID)
		}
	}
	if len(waiting) > 0 && !slices.ContainsFunc(waiting, func(o *bulkOperation) bool { return o.kind != "Users" }) {
		t.Error("users wait for one another")
	}
}
