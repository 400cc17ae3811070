package testkit

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// described makes a description whose schema S is the given one.
func described(t *testing.T, schema string) *description {
	t.Helper()
	return readDescription(t, []byte(`{"paths":{"/x({a})/y":{"get":{"responses":{
		"200":{"description":"x","headers":{"X-N":{"required":true,"schema":{"type":"integer"}}},
			"content":{"application/json; charset=utf-8":{"schema":{"$ref":"#/components/schemas/S"}}}},
		"204":{"description":"x"},
		"401":{"description":"x","content":{"text/plain":{"schema":{"const":"no"}}}},
		"404":{"description":"x","content":{"text/xml":{"schema":{"type":"object","xml":{"name":"r"}}}}}}}},
		"/x({a})/z":{"get":{"responses":{"204":{"description":"x"}}}}},
		"components":{"schemas":{"S":`+schema+`}}}`))
}

func TestSchemaFaults(t *testing.T) {
	for _, test := range []struct{ schema, good, bad string }{
		{`{"type":"integer"}`, `[1, 1.0, -7]`, `[1.5, "1", null, true, [], {}]`},
		{`{"type":["number","null"]}`, `[1.5, 1, null]`, `["1", false]`},
		{`{"type":"string","minLength":2,"maxLength":3}`, `["ab", "äöü"]`, `["a", "abcd", 12]`},
		{`{"minimum":1,"maximum":2147483647}`, `[1, 2147483647, "0"]`, `[0, 2147483648, -1]`},
		{`{"pattern":"^a+$"}`, `["aa", 1]`, `["ab", ""]`},
		{`{"enum":[1,"a",null]}`, `[1, "a", null]`, `[2, "b", false]`},
		{`{"const":{"a":[1]}}`, `[{"a":[1]}]`, `[{"a":[1,1]}, 1]`},
		{`{"type":"array","minItems":1,"maxItems":2,"items":{"type":"boolean"}}`, `[[true], [true,false]]`, `[[], [true,true,true], [1], {}]`},
		{`{"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`, `[{"a":"x"}, 1]`, `[{}, {"a":1}, {"a":"x","b":1}]`},
		{`{"additionalProperties":{"type":"null"},"minProperties":1,"maxProperties":2}`, `[{"a":null}]`, `[{}, {"a":1}, {"a":null,"b":null,"c":null}]`},
		{`{"allOf":[{"type":"string"},{"maxLength":1}]}`, `["a"]`, `[1, "ab"]`},
		{`{"anyOf":[{"type":"string"},{"maxLength":1}]}`, `["ab", 1]`, `[]`},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `["ab", null]`, `[1]`},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `[1.5]`, `[1, "a"]`},
		{`{"$ref":"#/components/schemas/T"}`, `[]`, `[1]`},
		{`true`, `[1, null]`, `[]`},
		{`false`, `[]`, `[1, null]`},
	} {
		d := described(t, test.schema)
		for _, list := range []string{test.good, test.bad} {
			values := asArray(described(t, list).root["components"].(object)["schemas"].(object)["S"])
			for _, value := range values {
				faults := d.faults(object{"$ref": "#/components/schemas/S"}, value, "$")
				if bad := list == test.bad; (len(faults) > 0) != bad {
					t.Errorf("%s, %v: %q", test.schema, value, faults)
				}
			}
		}
	}
}

func TestFindOperation(t *testing.T) {
	d := described(t, `{}`)
	for path, want := range map[string]string{"/x(1)/y": "/x({a})/y", "/X(1)/Y/": "/x({a})/y", "/x%281%29/z": "/x({a})/z",
		"/x(1)": "", "/x(1)/y/z": "", "/x(a/b)/y": "", "/x(a%2Fb)/y": "/x({a})/y"} {
		got := ""
		if op := d.find("HEAD", path); op != nil {
			got = op.template
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if op := d.find("POST", "/x(1)/y"); op != nil {
		t.Errorf("POST: %s", op.name)
	}
}

func TestAnswerFaults(t *testing.T) {
	const json = "application/json;charset=utf-8"
	for _, test := range []struct {
		method, path string
		status       int
		media, body  string
		want         string // "": as described
	}{
		{"GET", "/x(1)/y", 200, json, `{"a":1}`, ""},
		{"HEAD", "/x(1)/y", 200, json, ``, ""},
		{"GET", "/x(1)/y", 200, json, `{"a":"1"}`, "type"},
		{"GET", "/x(1)/y", 200, json, `{"a":1}1`, "follows"},
		{"GET", "/x(1)/y", 200, json, `{`, "no JSON"},
		{"GET", "/x(1)/y", 200, "application/json", `{"a":1}`, "content type"},
		{"GET", "/x(1)/y", 200, "", `{"a":1}`, "content type"},
		{"GET", "/x(1)/y", 204, "", ``, ""},
		{"GET", "/x(1)/y", 204, "", `x`, "no body"},
		{"GET", "/x(1)/y", 401, "text/plain", `no`, ""},
		{"GET", "/x(1)/y", 401, "text/plain", `yes`, "must be "},
		{"GET", "/x(1)/y", 404, "text/xml", `<?xml version="1.0" encoding="UTF-8"?><r><a/></r>`, ""},
		{"GET", "/x(1)/y", 404, "text/xml", `<q/>`, "root element"},
		{"GET", "/x(1)/y", 404, "text/xml", `<r>`, "no XML"},
		{"GET", "/x(1)/y", 500, json, `{}`, "declares"},
		{"POST", "/x(1)/y", 405, json, `{}`, ""},
		{"POST", "/x(1)/y", 200, json, `{}`, "no such operation"},
		{"OPTIONS", "/x(1)/y", 200, json, ``, ""},
	} {
		d := described(t, `{"properties":{"a":{"type":"integer"}}}`)
		answer := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {test.media}, "X-N": {"7"}}}
		got := fmt.Sprint(d.answerFaults(test.method, test.path, answer, []byte(test.body)))
		if test.want == "" && got != "[]" || test.want != "" && !strings.Contains(got, test.want) {
			t.Errorf("%s %d %q %q: %s", test.method, test.status, test.media, test.body, got)
		}
	}
	d := described(t, `{}`)
	for value, want := range map[string]string{"": "no header", "x": "no number", "1.5": "type"} {
		answer := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {json}}}
		if value != "" {
			answer.Header.Set("X-N", value)
		}
		if got := fmt.Sprint(d.answerFaults("GET", "/x(1)/y", answer, []byte(`{}`))); !strings.Contains(got, want) {
			t.Errorf("%q: %s", value, got)
		}
	}
}
