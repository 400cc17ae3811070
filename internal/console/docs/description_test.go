package docs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sound is a description with one of everything that a page shows.
const sound = `{
 "openapi": "3.1.0",
 "info": {"title": "Things", "version": "2", "summary": "Things & <more>.", "description": "Uses ` + "`code`" + ` and **bold**.\n\n* one\n* two"},
 "security": [{"key": []}],
 "tags": [{"name": "things", "description": "All things."}],
 "paths": {
  "/things/{id}": {
   "parameters": [{"$ref": "#/components/parameters/ID"}],
   "get": {
    "operationId": "get thing", "tags": ["things"], "summary": "Read a thing",
    "parameters": [{"name": "expand", "in": "query", "required": true, "schema": {"type": "string", "enum": ["a b", "c"]}}],
    "responses": {
     "200": {"description": "The thing.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
     "404": {"$ref": "#/components/responses/Missing", "description": "No such thing."}
    }
   },
   "put": {
    "summary": "Change a thing", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
    "responses": {"204": {"description": "Done."}}
   }
  }
 },
 "components": {
  "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
  "parameters": {"ID": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 7}}},
  "responses": {"Missing": {"description": "Missing.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
  "schemas": {
   "Thing": {"type": "object", "required": ["name"], "properties": {
    "id": {"type": "integer", "readOnly": true},
    "name": {"type": ["string", "null"], "maxLength": 9, "example": "it's"},
    "parent": {"$ref": "#/components/schemas/Thing"},
    "tags": {"type": "array", "items": {"type": "object", "properties": {"label": {"type": "string", "format": "email"}}}}
   }}
  }
 }
}`

func soundSpec(t *testing.T, text string) *spec {
	t.Helper()
	s, err := readSpec([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The command has what the description says: sample values, credentials only
// where one is asked for, and quotes that a shell takes.
func TestCurlLines(t *testing.T) {
	s := soundSpec(t, sound)
	var got []string
	for _, op := range s.operations() {
		got = append(got, s.curl("http://h", op))
	}
	want := []string{
		`curl -H "X-Key: $KEY" 'http://h/things/7?expand=a+b'`,
		`curl -X PUT -H 'Content-Type: application/json' -d '`,
	}
	if got[0] != want[0] {
		t.Errorf("got  %s\nwant %s", got[0], want[0])
	}
	if !strings.HasPrefix(got[1], want[1]+`{"name":"it'\''s","parent":{"name":"it'\''s",`) || !strings.HasSuffix(got[1], `"tags":[{"label":"ada@example.test"}]}' 'http://h/things/7'`) {
		t.Errorf("got %s", got[1])
	}
}

// What a page shows of an operation, without looking at HTML.
func TestViewOfOperations(t *testing.T) {
	s := soundSpec(t, sound)
	v := s.view(&Document{Name: "things", Title: "Things"}, "http://h")
	if len(v.Groups) != 2 || v.Groups[0].Name != "things" || v.Groups[1].Name != "operations" {
		t.Fatalf("groups %+v", v.Groups)
	}
	get := v.Groups[0].Operations[0]
	if get.ID != "op-get-thing" || len(get.Parameters) != 2 || get.Parameters[0].Schema.Type != "integer" || !get.Parameters[1].Required {
		t.Errorf("%+v", get)
	}
	if diff := cmp.Diff([]string{`one of "a b", "c"`}, get.Parameters[1].Schema.Limits); diff != "" {
		t.Error(diff)
	}
	missing := get.Answers[1]
	if missing.About != "<p>No such thing.</p>" || missing.Link != "#answer-missing" || missing.Name != "Missing" || len(missing.Media) != 0 {
		t.Errorf("%+v", missing)
	}
	if len(v.Shared) != 1 || v.Shared[0].ID != "answer-missing" || v.Shared[0].Media[0].Type != "text/plain" {
		t.Errorf("%+v", v.Shared)
	}
	if put := v.Groups[1].Operations[0]; put.Access == "" || !put.Body.Required {
		t.Errorf("%+v", put)
	}
	thing := v.Schemas[0].Schema
	var rows []string
	for _, f := range thing.Fields {
		rows = append(rows, strings.TrimSpace(f.Name+": "+f.Schema.Type+" "+f.Schema.Link+strings.Join(f.Schema.Limits, ",")))
	}
	want := []string{"id: integer only in answers", "name: string or null characters up to 9", "parent:  #schema-thing", "tags: array of object"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if !thing.Fields[1].Required || thing.Fields[3].Schema.Fields[0].Name != "label" {
		t.Errorf("%+v", thing.Fields)
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"one\ntwo\n\nthree":           "<p>one two</p><p>three</p>",
		"a <b> & `c <d>`":             "<p>a &lt;b&gt; &amp; <code>c &lt;d&gt;</code></p>",
		"**b** *e* 2*3*4":             "<p><strong>b</strong> <em>e</em> 2*3*4</p>",
		"intro\n* one\n  more\n- two": "<p>intro</p><ul><li>one more</li><li>two</li></ul>",
		"```\n<x>\n```":               "<pre tabindex=\"0\"><code>&lt;x&gt;\n</code></pre>",
		"# Head\ntext":                "<p><strong>Head</strong></p><p>text</p>",
		"a lone ` tick":               "<p>a lone ` tick</p>",
		"[x](javascript:alert(1))":    "<p>[x](javascript:alert(1))</p>",
	} {
		if got := string(prose(text)); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// A description that is not sound is named when the server starts, with what is
// wrong.
func TestMalformedDescriptions(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(sound, old, with, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":      {"{", "EOF"},
		"two values":   {sound + "{}", "something follows"},
		"twice":        {replace(`"info": {`, `"openapi": "3.1.0", "info": {`), "there twice"},
		"deep":         {strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested too deeply"},
		"other":        {replace("3.1.0", "3.0.3"), "not 3.1"},
		"no title":     {replace(`"title": "Things", `, ""), "title"},
		"no paths":     {`{"openapi": "3.1.0", "info": {"title": "x"}}`, "paths"},
		"dangling":     {replace("parameters/ID", "parameters/Id"), "leads nowhere"},
		"outside":      {replace("#/components/parameters/ID", "https://example.test/x.json"), "leads nowhere"},
		"circle":       {replace(`"Missing": {"description": "Missing.", "content": {"text/plain": {"schema": {"type": "string"}}}}`, `"Missing": {"$ref": "#/components/responses/Missing"}`), "circle"},
		"no responses": {replace(`"responses": {"204": {"description": "Done."}}`, `"responses": {}`), "no responses"},
	} {
		_, err := New("http://h", []Document{{Name: "things", Title: "Things", JSON: []byte(c.text)}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "things") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, names := range [][]string{{"a", "a"}, {"A"}, {""}, {"a/b"}, {"style.css"}} {
		var documents []Document
		for _, name := range names {
			documents = append(documents, Document{Name: name, JSON: []byte(sound)})
		}
		if _, err := New("http://h", documents); err == nil {
			t.Errorf("%q are taken for names", names)
		}
	}
}

func FuzzProse(f *testing.F) {
	f.Add("a `b` **c**\n* d\n```\ne")
	f.Fuzz(func(t *testing.T, text string) {
		got := string(prose(text))
		for _, tag := range []string{"p", "ul", "pre", "strong", "em"} {
			if strings.Count(got, "<"+tag+">")+strings.Count(got, "<"+tag+" ") != strings.Count(got, "</"+tag+">") {
				t.Errorf("%q: %s is not closed in %s", text, tag, got)
			}
		}
		if strings.Contains(got, "<script") {
			t.Errorf("%q gives %s", text, got)
		}
	})
}
