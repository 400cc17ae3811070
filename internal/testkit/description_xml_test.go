package testkit

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// page is the schema of a document with attributes, a list without an element
// of its own and one with.
const page = `{"oneOf":[{"type":"object","xml":{"name":"page"},"additionalProperties":false,"required":["n","tags"],"properties":{
	"n":{"type":"integer","xml":{"attribute":true}},
	"name":{"type":"string"},
	"item":{"type":"array","items":{"type":"object","xml":{"name":"item"},"properties":{"ok":{"type":"boolean"}},"additionalProperties":false}},
	"tags":{"type":"array","xml":{"wrapped":true},"items":{"type":"string","maxLength":2,"xml":{"name":"tag"}}}}},
	{"type":"object","xml":{"name":"error"},"additionalProperties":false}]}`

func TestXMLFaults(t *testing.T) {
	for body, want := range map[string]string{
		`<page n="1"><name><![CDATA[a]]>b</name><item><ok>true</ok></item><item/><tags><tag>a</tag><tag/></tags></page>`: "",
		"<page n='1'>\n<tags/>\n</page>": "",
		`<error/>`:                       "",
		`<other/>`:                       "root element",
		`<error><a/></error>`:            "$",
		`<error>text</error>`:            "$",
		`<error a="1"/>`:                 "$",
		`<page><tags/></page>`:           "$",
		`<page n="1"/>`:                  "$",
		`<page n="x"><tags/></page>`:     "$",
		`<page n="1"><tags/><name>a</name><name>b</name></page>`: "$",
		`<page n="1"><tags/><item><ok>1</ok></item></page>`:      "$",
		`<page n="1"><tags/><item x="1"/></page>`:                "$",
		`<page n="1"><tags><tag>abc</tag></tags></page>`:         "$",
		`<page n="1"><tags><item>a</item></tags></page>`:         "$",
		`<page n="1"><tags><tag><b/></tag></tags></page>`:        "$",
		`<error/><error/>`: "2 elements at the root",
		`<error>`:          "no XML",
		``:                 "0 elements at the root",
	} {
		d := described(t, page)
		got := fmt.Sprint(d.xmlFaults(object{"$ref": "#/components/schemas/S"}, []byte(body)))
		if want == "" && got != "[]" || want != "" && !strings.Contains(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
	d := described(t, `{"type":"string","pattern":"^<a>"}`)
	for body, good := range map[string]bool{`<a></a>`: true, `<b/>`: false} {
		if faults := d.xmlFaults(object{"$ref": "#/components/schemas/S"}, []byte(body)); (len(faults) == 0) != good {
			t.Errorf("%s: %q", body, faults)
		}
	}
}

func TestPatternProperties(t *testing.T) {
	d := described(t, `{"properties":{"a":{}},"patternProperties":{"^n[0-9]$":{"type":"integer"}},"additionalProperties":false}`)
	schema := object{"$ref": "#/components/schemas/S"}
	values := described(t, `[{"a":1,"n0":1}, {"n0":"x"}, {"n00":1}]`).root["components"].(object)["schemas"].(object)["S"]
	for i, value := range asArray(values) {
		if faults := d.faults(schema, value, "$"); (len(faults) == 0) != (i == 0) {
			t.Errorf("%v: %q", value, faults)
		}
	}
}

// TestMethodsOfPaths: a path of any method, what is no letter of a path, and
// HEAD of what it would change.
func TestMethodsOfPaths(t *testing.T) {
	d := readDescription(t, []byte(`{"paths":{
		"/any":{"x-any-method":true,"get":{"responses":{"204":{"description":"x"}}}},
		"/site":{"get":{"responses":{"204":{"description":"x"}}}}}}`))
	for _, test := range []struct {
		method, path string
		status       int
		good         bool
	}{
		{"PUT", "/any", 204, true}, {"PUT", "/Any", 400, false}, {"PUT", "/site", 204, false},
		{"GET", "/SITE", 204, true}, {"GET", "/%C5%BFite", 404, true}, {"GET", "/ſite", 204, false},
		{"HEAD", "/site", 405, true}, {"HEAD", "/site", 404, false}, {"GET", "/site", 405, false},
	} {
		faults := d.answerFaults(test.method, test.path, &http.Response{StatusCode: test.status}, nil)
		if (len(faults) == 0) != test.good {
			t.Errorf("%s %s %d: %q", test.method, test.path, test.status, faults)
		}
	}
}
