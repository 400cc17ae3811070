package canonical

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// TestUserIsItsSchema: what appendUser writes are the members of User, in order,
// and reads back as one (dossier 4.1).
func TestUserIsItsSchema(t *testing.T) {
	var want, have []string
	schema := reflect.TypeFor[User]()
	for i := range schema.NumField() {
		name, _, _ := strings.Cut(schema.Field(i).Tag.Get("json"), ",")
		if name != "expanded" && name != "as_of" {
			want = append(want, name)
		}
	}
	for i := range userMembers {
		have = append(have, userMembers[i].name())
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Fatal(diff)
	}
	when := time.Date(2026, 5, 13, 4, 42, 34, 123456000, time.FixedZone("", 7200))
	full := directory.User{Number: 7, ID: "id", State: directory.StateActive, LockReason: 3, UserName: `a"b`, ValidFrom: when,
		Phones: []directory.Phone{{Number: "1"}, {Number: "2", Type: "x"}}, Address: directory.Address{Set: true, City: "C"},
		Profile: directory.Profile{Picture: json.RawMessage(`[1]`), Attributes: map[string]json.RawMessage{"b": json.RawMessage(`2`), "a": json.RawMessage(`1`)}}}
	text := string(appendUser(nil, &shown{u: &full}, 0))
	for _, part := range []string{`{"id":"id","number":7,"user_name":"a\"b"`, `"lock_reason":3`, `"valid_from":"2026-05-13T02:42:34.123456Z"`, `"expires_at":null`,
		`"phones":[{"number":"1","extension":"","type":""},{"number":"2","extension":"","type":"x"}]`, `"picture":[1]`, `"attributes":{"a":1,"b":2}`} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	if !json.Valid([]byte(text)) {
		t.Errorf("no JSON: %s", text)
	}
}

// TestMergePatch holds the merge of objects against the examples of RFC 7396,
// appendix A, as far as the target is an object.
func TestMergePatch(t *testing.T) {
	for _, test := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`null`, `{"a": 1}`, `{"a":1}`},
	} {
		if got := string(mergeValue(json.RawMessage(test[0]), json.RawMessage(test[1]))); got != test[2] {
			t.Errorf("%s with %s: %s, want %s", test[0], test[1], got, test[2])
		}
	}
}

// TestTags: RFC 9110 sections 8.8.3 and 13.1 (dossier 2.3).
func TestTags(t *testing.T) {
	for text, want := range map[string]tags{
		`*`:                   {any: true},
		`"7"`:                 {versions: []int64{7}},
		` "7" ,W/"8", , "x" `: {versions: []int64{7}, weak: []int64{8}},
		`"07", "-1", "+2"`:    {versions: []int64{-1}},
		`"a,b"`:               {},
	} {
		got, ok := parseTags(text)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(tags{})); diff != "" || !ok {
			t.Errorf("%s: %t %s", text, ok, diff)
		}
	}
	for _, text := range []string{``, `,`, `7`, `"7`, `"7""8"`, `*, "7"`, `w/"7"`, `"a b"`, strings.Repeat(`"1",`, maxTags+1)} {
		if _, ok := parseTags(text); ok {
			t.Errorf("%q was read", text)
		}
	}
}
