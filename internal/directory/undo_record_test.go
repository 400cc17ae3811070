package directory

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// undoText is the record that takes back events, newest first, given by type, version
// and changes.
func undoText(t *testing.T, events ...[3]string) string {
	t.Helper()
	var list []Event
	for _, e := range events {
		list = append(list, Event{Type: EventType(e[0]), User: 7, UserID: "id", Salt: []byte{1}, Payload: fmt.Appendf(nil, `{"version":%s,"changes":{%s}}`, e[1], e[2])})
	}
	r, ok := undoOf(list)
	if !ok {
		return ""
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Several changes of one run are one record: the newest version, the oldest values.
func TestUndoOfSeveralChanges(t *testing.T) {
	updated, groups := string(EventUserUpdated), string(EventGroupsChanged)
	long := `{"bytes":90000,"sha256":"` + strings.Repeat("0", 64) + `"}`
	for _, c := range []struct {
		what   string
		events [][3]string
		want   string
	}{
		{"one", [][3]string{{updated, "3", `"title":["A","B"]`}}, `{"id":"id","number":7,"title":"A","version":3,"undo":"restore"}`},
		{"the same field twice", [][3]string{{updated, "4", `"title":["B","C"]`}, {updated, "3", `"title":["A","B"]`}},
			`{"id":"id","number":7,"title":"A","version":4,"undo":"restore"}`},
		{"made and changed", [][3]string{{groups, "2", `"groups":[[],[{"kind":"group","name":"A"}]]`}, {string(EventUserCreated), "1", ``}},
			`{"id":"id","number":7,"version":2,"undo":"delete"}`},
		{"every kind of value", [][3]string{{updated, "3", `"phones":[null,[{"number":"1"}]],"picture":[null,{}],"attributes":[null,{"a":1}],"expires_at":[null,"2026-11-21T12:00:00Z"],` +
			`"locations":[[3,4],[]],"roles":[["clerk"],["boss"]],"rank":[0,30],"groups":[[{"kind":"group","name":"Über Alles"}],[]],"extras":[{"encore":{"A":1}},{"encore":{"A":2},"scim":{"B":1}}]`}},
			`{"id":"id","number":7,"expires_at":"0001-01-01T00:00:00Z","phones":[],"picture":{},"attributes":{},` +
				`"extras":{"encore":{"A":1},"scim":null},"groups":[{"kind":"group","key":"über alles","name":"Über Alles"}],"roles":["clerk"],"locations":[3,4],"version":3,"undo":"restore"}`},
		{"what is not kept", [][3]string{{updated, "3", `"password":["[redacted]","[redacted]"],"picture":[` + long + `,null],"extras":[{"encore":{"Token":"[redacted]"}},{}]`}}, ""},
		{"a long value on the way", [][3]string{{updated, "4", `"title":["B","C"],"email":["a","b"]`}, {updated, "3", `"title":[` + long + `,"B"]`}},
			`{"id":"id","number":7,"email":"a","version":4,"undo":"restore"}`},
		{"no version", [][3]string{{string(EventSignedOut), "0", ``}}, ""},
	} {
		if got := undoText(t, c.events...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}

// Users of several events are found among those of one.
func TestUndoCountsEvents(t *testing.T) {
	u := &undoing{}
	var page []Event
	for _, n := range []int64{5, 3, 5, 9, 3, 5, 1} {
		page = append(page, Event{User: n})
	}
	if err := u.count(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	u.settle()
	if fmt.Sprint(u.users, u.left) != "[3 5] [2 3]" {
		t.Errorf("users %v, left %v", u.users, u.left)
	}
}
