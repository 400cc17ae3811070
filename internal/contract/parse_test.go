package contract

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// parseErrors are scripts that must be refused, with the message.
var parseErrors = []struct{ name, text, want string }{
	{"nothing", "", "s: no cases"},
	{"comments only", "# a\n\n# b\n", "s: no cases"},
	{"no request line", "code == 200\n", `s:1: want a request line METHOD /path, got "code == 200"`},
	{"lower case method", "get /x\n", `s:1: want a request line METHOD /path, got "get /x"`},
	{"no path", "GET\n", `s:1: want a request line METHOD /path, got "GET"`},
	{"path without slash", "GET x\n", `s:1: want a request line METHOD /path, got "GET x"`},
	{"space in the path", "GET /a b\n", `s:1: want a request line METHOD /path, got "GET /a b"`},
	{"two slashes", "GET //a\n", `s:1: path "//a": the client cannot send one that starts with two slashes`},
	{"typo", "# c\nGET /\ncod == 200\n", `s:3: unknown directive "cod"`},
	{"verb of another case", "GET /\nCode == 200\n", `s:2: unknown directive "Code"`},
	{"second request without a blank line", "GET /\ncode == 200\nGET /b\n", `s:3: unknown directive "GET"`},
	{"tab behind the verb", "GET /\ncode\t== 200\n", `s:2: unknown directive "code\t=="`},
	{"checks nothing", "GET /\nas key\n\nGET /\ncode == 200\n", "s:1: the case checks nothing"},
	{"two credentials", "GET /\nas a\nas b\ncode == 200\n", `s:3: a second "as" in one case`},
	{"two bodies", "GET /\nreqbody: a\nreqbody: b\ncode == 200\n", `s:3: a second "reqbody" in one case`},
	{"section twice", "GET /\ncode == 200\n-- a --\n-- a --\n", `s: file section "a" occurs twice`},
	{"as nobody", "GET /\nas\n", `s:2: as: want the name of a variable or none, got ""`},
	{"as two", "GET /\nas a b\n", `s:2: as: want the name of a variable or none, got "a b"`},
	{"reqheader without colon", "GET /\nreqheader Accept x\n", `s:2: reqheader: want Name: value, got "Accept x"`},
	{"reqheader with a space", "GET /\nreqheader Ac cept: x\n", `s:2: reqheader: want Name: value, got "Ac cept: x"`},
	{"reqheader of the client", "GET /\nreqheader Content-length: 3\n", "s:2: reqheader: the client sets Content-length itself"},
	{"reqbody without section", "GET /\nreqbody a.json\n", `s:2: reqbody: no file section "a.json"`},
	{"code without operator", "GET /\ncode 200\n", `s:2: code: want == and a status, got "200"`},
	{"code with another operator", "GET /\ncode != 200\n", `s:2: code: want == and a status, got "!= 200"`},
	{"code out of range", "GET /\ncode == 99\n", `s:2: code: "99" is no status`},
	{"code with more", "GET /\ncode == 200 OK\n", `s:2: code: "200 OK" is no status`},
	{"header without operator", "GET /\nheader Accept\n", `s:2: header: want == or ~, got ""`},
	{"header without name", "GET /\nheader\n", "s:2: header: want Name == value or Name ~ regexp"},
	{"header with another operator", "GET /\nheader A != b\n", `s:2: header: want == or ~, got "!="`},
	{"header without value", "GET /\nheader A ==\n", "s:2: header: nothing follows =="},
	{"header with a bad regexp", "GET /\nheader A ~ (\n", "s:2: header: error parsing regexp: missing closing ): `(`"},
	{"noheader without name", "GET /\nnoheader\n", `s:2: noheader: want one header name, got ""`},
	{"noheader with value", "GET /\nnoheader A == b\n", `s:2: noheader: want one header name, got "A == b"`},
	{"body without operator", "GET /\nbody x\n", `s:2: body: want == or ~, got "x"`},
	{"body without value", "GET /\nbody == \n", "s:2: body: nothing follows =="},
	{"reqmultipart without parts", "GET /\nreqmultipart:\ncode == 200\n", "s:2: reqmultipart has no parts"},
	{"a form and a body", "GET /\nreqform: a=1\nreqbody: b\ncode == 200\n", `s:3: a second "reqbody" in one case`},
	{"xml without path", "GET /\nxml a == 1\n", `s:2: xml: want == or a path as in /a/b[2]/@c, got "a"`},
	{"xml with a bad path", "GET /\nxml /a[0]/b == 1\n", `s:2: xml: want == or a path as in /a/b[2]/@c, got "/a[0]/b"`},
	{"xml absent with more", "GET /\nxml /a absent x\n", `s:2: xml: nothing follows absent, got "x"`},
	{"xml with a bad length", "GET /\nxml /a len -1\n", `s:2: xml: "-1" is no length`},
	{"xml with another operator", "GET /\nxml /a is 1\n", `s:2: xml: want == or ~, got "is"`},
	{"xml with a bare word", "GET /\nxml == Ann\n", `s:2: xml: "Ann" is neither XML nor a file section: a document is one element`},
	{"xml with two elements", "GET /\nxml == <a/><b/>\n", `s:2: xml: "<a/><b/>" is neither XML nor a file section: a document is one element`},
	{"xml with an attribute twice", "GET /\nxml == <a b='1' b='2'/>\n",
		`s:2: xml: "<a b='1' b='2'/>" is neither XML nor a file section: the attribute b occurs twice in a`},
	{"xml without an end", "GET /\nxml == <a><b></b>\n", `s:2: xml: "<a><b></b>" is neither XML nor a file section: the element a has no end`},
	{"xml with a wrong end", "GET /\nxml == <a></b>\n", `s:2: xml: "<a></b>" is neither XML nor a file section: the end tag b ends nothing`},
	{"nocookie without name", "GET /\nnocookie\n", `s:2: nocookie: want one header name, got ""`},
	{"capture of no xml path", "GET /\ncapture a = xml a\n", `s:2: capture: want a path as in /a/b[2]/@c, got "a"`},
	{"capture of no cookie", "GET /\ncapture a = cookie\n", "s:2: capture: want the name of a cookie"},
	{"json without path", "GET /\njson a == 1\n", `s:2: json: want a path that starts with $, got "a == 1"`},
	{"json with a bad path", "GET /\njson $.a..b == 1\n", `s:2: json: bad path "$.a..b == 1" at "..b == 1"`},
	{"json with a bad index", "GET /\njson $[-1] == 1\n", `s:2: json: bad path "$[-1] == 1" at "[-1] == 1"`},
	{"json with a bad key", "GET /\njson $[\"\\q\"] == 1\n", `s:2: json: bad key "\q" in path "$[\"\\q\"]"`},
	{"json with another operator", "GET /\njson $.a is 1\n", `s:2: json: want == or ~, got "is"`},
	{"json with a bare word", "GET /\njson $.a == Ann\n",
		`s:2: json: "Ann" is neither JSON nor a file section: invalid character 'A' looking for beginning of value`},
	{"json with two values", "GET /\njson == {} {}\n",
		`s:2: json: "{} {}" is neither JSON nor a file section: invalid character '{' after top-level value`},
	{"json with a key twice", "GET /\njson == {\"a\":1,\"a\":1}\n",
		`s:2: json: "{\"a\":1,\"a\":1}" is neither JSON nor a file section: the key "a" occurs twice`},
	{"json absent with more", "GET /\njson $.a absent x\n", `s:2: json: nothing follows absent, got "x"`},
	{"json len of no number", "GET /\njson $.a len x\n", `s:2: json: "x" is no length`},
	{"keys with a regexp", "GET /\nkeys $ ~ a\n", `s:2: keys: want ==, got "~"`},
	{"keys without path", "GET /\nkeys == a\n", `s:2: keys: want a path that starts with $, got "== a"`},
	{"keys without operator", "GET /\nkeys $ a\n", `s:2: keys: want == or ~, got "a"`},
	{"capture without source", "GET /\ncapture a\n",
		`s:2: capture: want name = $.path, name = header Name or name = body, got "a"`},
	{"capture of a bad name", "GET /\ncapture 1 = $.a\n",
		`s:2: capture: want name = $.path, name = header Name or name = body, got "1 = $.a"`},
	{"capture of any", "GET /\ncapture any = $.a\n",
		`s:2: capture: want name = $.path, name = header Name or name = body, got "any = $.a"`},
	{"capture of a word", "GET /\ncapture a = b\n", `s:2: capture: want a path that starts with $, got "b"`},
	{"capture with more", "GET /\ncapture a = $.b c\n", `s:2: capture: nothing follows the path, got " c"`},
	{"capture of no header", "GET /\ncapture a = header \n", `s:2: capture: want a path that starts with $, got "header"`},
}

func TestParseErrors(t *testing.T) {
	for _, c := range parseErrors {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse("s", c.text)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}

func TestParseArchive(t *testing.T) {
	a := parseArchive("head\r\n--  a b.json  --\r\none\r\ntwo\r\n-- no marker\n--x --\n--  --\n-- c --\n-- d --\nlast")
	for name, want := range map[string]string{"a b.json": "one\r\ntwo\r\n-- no marker\n--x --\n--  --", "c": "", "d": "last"} {
		if got, ok := a.section(name); got != want || !ok {
			t.Errorf("section %q = %q, %v; want %q", name, got, ok, want)
		}
	}
	if a.head != "head\r\n" || len(a.files) != 3 {
		t.Errorf("head %q, %d sections", a.head, len(a.files))
	}
}

// A script written on Windows reads like any other.
func TestParseLineEnds(t *testing.T) {
	s, err := parse("s", "# c\r\nGET /\r\nheader A == b\r\n\r\nGET /2\r\ncode == 200\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.cases) != 2 || s.cases[0].directives[0].value != "b" || s.cases[1].path != "/2" {
		t.Errorf("cases %+v", s.cases)
	}
}

// FuzzParse: no text panics; an error names the file; a case that was read has
// a request that a client can send and at least one check.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal(err, files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("GET /\njson $[\"a\\u0000\"].b[999999999] == \"{any}\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse("s", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "s:") {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, c := range s.cases {
			if len(c.directives) == 0 || c.line == 0 {
				t.Fatalf("case %+v", c)
			}
			if strings.ContainsAny(c.path, " \r\n\t\x00") || strings.ContainsAny(c.method, " /\r\n") {
				t.Fatalf("request %q %q", c.method, c.path)
			}
			if !strings.HasPrefix(c.path, "{") {
				if u := (&url.URL{Scheme: "http", Host: "h", Opaque: c.path}); u.RequestURI() != c.path {
					t.Fatalf("%q goes out as %q", c.path, u.RequestURI())
				}
			}
			for _, d := range c.directives {
				if d.verb != verbJSON && d.verb != verbKeys {
					continue
				}
				if _, err := lookup(&node{kind: '{'}, d.target); err != nil {
					t.Fatalf("path %q: %v", d.target, err)
				}
			}
		}
	})
}

// FuzzNode: what is read writes back as text that reads the same.
func FuzzNode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,-3e+7,true,false,null,"é\n\u0000<"],"":{}}`, `[[],{}]`, `"x"`, `{"a":1,"a":2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseNode(text)
		if err != nil {
			return
		}
		again, err := parseNode(n.String())
		if err != nil {
			t.Fatalf("%q writes as %q: %v", text, n, err)
		}
		if d := differ("$", n, again); d != "" {
			t.Fatalf("%q writes as %q: %s", text, n, d)
		}
		if !utf8.ValidString(n.String()) {
			t.Fatalf("%q writes as %q", text, n)
		}
	})
}
