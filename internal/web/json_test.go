package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// deep is n objects inside each other.
func deep(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }

// badObjects are bodies that must be refused, where and as what.
var badObjects = []struct {
	name, body string
	depth      int
	kind       error
	offset     int
}{
	{"empty", "", 0, ErrJSONSyntax, 0},
	{"only space", " \n", 0, ErrJSONSyntax, 2},
	{"only a byte order mark", "\xEF\xBB\xBF", 0, ErrJSONSyntax, 3},
	{"half a byte order mark", "\xEF\xBB{}", 0, ErrJSONSyntax, 0},
	{"two byte order marks", "\xEF\xBB\xBF\xEF\xBB\xBF{}", 0, ErrJSONSyntax, 3},
	{"open", "{", 0, ErrJSONSyntax, 1},
	{"no name", "{1:2}", 0, ErrJSONSyntax, 1},
	{"single quotes", "{'a':1}", 0, ErrJSONSyntax, 1},
	{"no colon", `{"a" 1}`, 0, ErrJSONSyntax, 5},
	{"no value", `{"a":}`, 0, ErrJSONSyntax, 5},
	{"no comma", `{"a":1 "b":2}`, 0, ErrJSONSyntax, 7},
	{"trailing comma", `{"a":1,}`, 0, ErrJSONSyntax, 7},
	{"trailing comma in an array", `{"a":[1,]}`, 0, ErrJSONSyntax, 8},
	{"trailing data", `{"a":1} x`, 0, ErrJSONSyntax, 8},
	{"second object", `{}{}`, 0, ErrJSONSyntax, 2},
	{"NUL behind", "{}\x00", 0, ErrJSONSyntax, 2},
	{"comment", `{/**/}`, 0, ErrJSONSyntax, 1},
	{"wrong bracket", `{"a":[1}`, 0, ErrJSONSyntax, 7},
	{"bad literal", `{"a":nul}`, 0, ErrJSONSyntax, 8},
	{"capital literal", `{"a":True}`, 0, ErrJSONSyntax, 5},
	{"NaN", `{"a":NaN}`, 0, ErrJSONSyntax, 5},
	{"leading zero", `{"a":01}`, 0, ErrJSONSyntax, 6},
	{"plus sign", `{"a":+1}`, 0, ErrJSONSyntax, 5},
	{"point without digits", `{"a":1.}`, 0, ErrJSONSyntax, 7},
	{"point first", `{"a":.5}`, 0, ErrJSONSyntax, 5},
	{"exponent without digits", `{"a":1e}`, 0, ErrJSONSyntax, 7},
	{"minus only", `{"a":-}`, 0, ErrJSONSyntax, 6},
	{"open string", `{"a":"b`, 0, ErrJSONSyntax, 7},
	{"line break in a string", "{\"a\":\"b\nc\"}", 0, ErrJSONSyntax, 7},
	{"unknown escape", `{"a":"\x"}`, 0, ErrJSONSyntax, 7},
	{"short escape", `{"a":"\u12"}`, 0, ErrJSONSyntax, 10},
	{"escape at the end", `{"a":"\`, 0, ErrJSONSyntax, 7},
	{"array", ` [1]`, 0, ErrJSONNotObject, 1},
	{"null", `null`, 0, ErrJSONNotObject, 0},
	{"string", `"{}"`, 0, ErrJSONNotObject, 0},
	{"broken array", `[1`, 0, ErrJSONSyntax, 2},
	{"not UTF-8", "{\"a\":\"b\xff\"}", 0, ErrJSONNotUTF8, 7},
	{"name that is not UTF-8", "{\"\xc3\":1}", 0, ErrJSONNotUTF8, 2},
	{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", 0, ErrJSONNotUTF8, 6},
	{"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", 0, ErrJSONNotUTF8, 6},
	{"deeper than allowed", deep(4), 3, ErrJSONTooDeep, 15},
	{"array deeper than allowed", `{"a":[[1]]}`, 2, ErrJSONTooDeep, 6},
	{"deeper than the default", deep(33), 0, ErrJSONTooDeep, 160},
	{"more values than allowed", `{"a":[` + strings.Repeat("0,", MaxJSONValues-2) + "0]}", 0, ErrJSONTooMany, 6 + 2*(MaxJSONValues-2)},
	{"a million members", "{" + strings.Repeat(`"":0,`, 1_000_000) + `"":0}`, 0, ErrJSONTooMany, 5*(MaxJSONValues-1) + 4},
	{"a million brackets", strings.Repeat("[", 1_000_000), 0, ErrJSONTooDeep, 32},
}

func TestDecodeObjectErrors(t *testing.T) {
	for _, c := range badObjects {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeObject([]byte(c.body), c.depth)
			e, ok := errors.AsType[*JSONError](err)
			if !ok || !errors.Is(err, c.kind) || e.Offset != c.offset {
				t.Fatalf("error %v, want %v at byte %d", err, c.kind, c.offset)
			}
			if code, own := ownError(err); code != "invalid" || !own {
				t.Errorf("counts as %q, %v", code, own)
			}
		})
	}
	for _, body := range []string{deep(3), `{"a":[[1],[2]],"b":{"c":[]}}`, `[]`, ` 1 `} {
		if _, err := DecodeValue([]byte(body), 3); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestDecodeObjectOf(t *testing.T) {
	for left, kind := range map[int]error{4: nil, 3: ErrJSONTooMany} {
		if _, err := DecodeObjectOf([]byte(`{"a":[0,0]}`), 2, left); !errors.Is(err, kind) {
			t.Errorf("%d values: %v", left, err)
		}
	}
}

func object(t *testing.T, body string) Object {
	t.Helper()
	o, err := DecodeObject([]byte(body), 0)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestObjectGet(t *testing.T) {
	o := object(t, "\xEF\xBB\xBF { \"FirstName\" : \"Ann\" , \"n\":1,\"N\": 2 ,\"\\u0061b\":[ 1 , 2 ],\"\":true}\n")
	for _, c := range []struct{ name, want string }{
		{"firstname", `"Ann"`}, {"FIRSTNAME", `"Ann"`}, {"n", "2"}, {"N", "2"}, {"AB", "[ 1 , 2 ]"}, {"", "true"},
	} {
		if raw, ok := o.Get(c.name); !ok || string(raw) != c.want {
			t.Errorf("Get(%q) = %s, %v; want %s", c.name, raw, ok, c.want)
		}
	}
	if raw, ok := o.Get("lastname"); ok || raw != nil {
		t.Errorf("Get(lastname) = %s, %v", raw, ok)
	}
	var names []string
	for name := range o.Each {
		if name == "" {
			break
		}
		names = append(names, name)
	}
	if want := []string{"FirstName", "n", "N", "ab"}; !slices.Equal(names, want) || o.Len() != 5 {
		t.Errorf("names %q, want %q; %d members", names, want, o.Len())
	}
}

// A big object answers like a small one.
func TestObjectGetBig(t *testing.T) {
	b := []byte("{")
	for i := range 200 {
		b = fmt.Appendf(b, `"Key%s":%d,`, strings.Repeat("x", i), i)
	}
	o := object(t, string(append(b, `"KEYX":"last"}`...)))
	if n, state := o.Int("kEYxxx"); n != 3 || state != Present {
		t.Errorf("Int = %d, %v", n, state)
	}
	if s, state := o.String("keyx"); s != "last" || state != Present {
		t.Errorf("String = %q, %v: the last duplicate must win", s, state)
	}
	if _, state := o.Int("none"); state != Absent {
		t.Errorf("state %v, want Absent", state)
	}
}

// A letter that folds to an ASCII one in Unicode makes another name.
func TestObjectGetFoldsASCIIOnly(t *testing.T) {
	small := object(t, `{"key":1,"\u212aey":2}`)
	big := object(t, `{"key":1,"\u212aey":2`+strings.Repeat(`,"x":0`, indexFrom)+`}`)
	for _, o := range []Object{small, big} {
		if n, _ := o.Int("Key"); n != 1 {
			t.Errorf("Int(Key) = %d, want 1", n)
		}
	}
}

func TestObjectTyped(t *testing.T) {
	o := object(t, `{"s":"x","n":null,"i":7,"t":true,"f":false,"o":{"a":1},"a":[1,"2",{}],"e":[]}`)
	str := func(name string) State { _, s := o.String(name); return s }
	num := func(name string) State { _, s := o.Int(name); return s }
	boolean := func(name string) State { _, s := o.Bool(name); return s }
	obj := func(name string) State { _, s := o.Object(name); return s }
	arr := func(name string) State { _, s := o.Array(name); return s }
	for _, c := range []struct {
		getter string
		get    func(string) State
		fits   string // the members that it reads
	}{{"String", str, "s"}, {"Int", num, "i"}, {"Bool", boolean, "tf"}, {"Object", obj, "o"}, {"Array", arr, "ae"}} {
		for name := range o.Each {
			want := Mistyped
			switch {
			case name == "n":
				want = Null
			case strings.Contains(c.fits, name):
				want = Present
			}
			if got := c.get(name); got != want {
				t.Errorf("%s(%q) = %v, want %v", c.getter, name, got, want)
			}
		}
		if got := c.get("missing"); got != Absent {
			t.Errorf("%s(missing) = %v, want Absent", c.getter, got)
		}
	}
	if v, _ := o.Bool("t"); !v {
		t.Error("Bool(t) is false")
	}
	if v, _ := o.Bool("f"); v {
		t.Error("Bool(f) is true")
	}
	if inner, _ := o.Object("O"); inner.Len() != 1 {
		t.Errorf("Object(O) has %d members", inner.Len())
	}
	elements, _ := o.Array("a")
	if len(elements) != 3 || string(elements[1]) != `"2"` {
		t.Errorf("Array(a) = %s", elements)
	}
	if elements, _ := o.Array("e"); elements == nil || len(elements) != 0 {
		t.Errorf("Array(e) = %v, want no elements", elements)
	}
}

func TestIntOf(t *testing.T) {
	for _, c := range []struct {
		raw   string
		want  int64
		state State
	}{
		{"0", 0, Present}, {"-0", 0, Present}, {"2576", 2576, Present}, {"-1", -1, Present},
		{"9223372036854775807", 9223372036854775807, Present},
		{"-9223372036854775808", -9223372036854775808, Present},
		{"9223372036854775808", 0, Mistyped}, {"-9223372036854775809", 0, Mistyped},
		{"1e3", 1000, Present}, {"1E+3", 1000, Present}, {"-12e1", -120, Present}, {"5e0", 5, Present},
		{"9e18", 9_000_000_000_000_000_000, Present}, {"1e19", 0, Mistyped}, {"10e18", 0, Mistyped},
		{"1e999999999999999999999999", 0, Mistyped}, {"0e999999999999999999999999", 0, Present},
		{"1.5", 0, Mistyped}, {"1.0", 0, Mistyped}, {"1.5e1", 0, Mistyped}, {"1e-1", 0, Mistyped}, {"10e-1", 0, Mistyped},
		{`"7"`, 0, Mistyped}, {"true", 0, Mistyped}, {"{}", 0, Mistyped}, {"null", 0, Null}, {"", 0, Absent},
	} {
		if got, state := IntOf(json.RawMessage(c.raw)); got != c.want || state != c.state {
			t.Errorf("IntOf(%s) = %d, %v; want %d, %v", c.raw, got, state, c.want, c.state)
		}
	}
}

// stringCases are JSON strings of every kind of escape.
var stringCases = []string{
	`""`, `"plain"`, `"é日本😀"`, `"\"\\\/\b\f\n\r\t"`, `"a\u0041\u00e9b"`, `"\ud83d\ude00"`, `"\uD83D\uDE00x"`,
	`"\ud83d"`, `"\ude00"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\ud83d\ude00"`, `"\ud83d\u0041"`, `"\u0000"`, `"\\u0041"`, `"\uFFFD"`,
}

func TestStringOfAgainstEncodingJSON(t *testing.T) {
	for _, raw := range stringCases {
		var want string
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if got, state := StringOf(json.RawMessage(raw)); got != want || state != Present {
			t.Errorf("StringOf(%s) = %q, %v; want %q", raw, got, state, want)
		}
	}
}

func TestDecodeValue(t *testing.T) {
	raw, err := DecodeValue([]byte("\xEF\xBB\xBF [1, {\"a\":2}] "), 0)
	if err != nil || string(raw) != `[1, {"a":2}]` {
		t.Fatalf("DecodeValue = %s, %v", raw, err)
	}
	elements, state := ArrayOf(raw)
	if state != Present || len(elements) != 2 {
		t.Fatalf("ArrayOf = %s, %v", elements, state)
	}
	if o, state := ObjectOf(elements[1]); state != Present || o.Len() != 1 {
		t.Errorf("ObjectOf = %v, %v", o, state)
	}
}

// Text that no decoder has checked is never Present.
func TestBrokenValuesAreMistyped(t *testing.T) {
	if _, state := ObjectOf(json.RawMessage(`{"a"`)); state != Mistyped {
		t.Errorf("object: %v", state)
	}
	if _, state := ArrayOf(json.RawMessage(`[1`)); state != Mistyped {
		t.Errorf("array: %v", state)
	}
}

// What an append to one member's text writes must not reach the next.
func TestObjectValuesDoNotOverlap(t *testing.T) {
	o := object(t, `{"a":1,"b":2}`)
	a, _ := o.Get("a")
	_ = append(a, "999999"...)
	if n, state := o.Int("b"); n != 2 || state != Present {
		t.Errorf("b = %d, %v after an append to a", n, state)
	}
}

func TestJSONErrorText(t *testing.T) {
	_, err := DecodeObject([]byte(`{"password":hunter2}`), 0)
	if got, want := err.Error(), "not valid JSON at byte 12"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

// FuzzDecodeObject: no input panics; what encoding/json accepts as an object is
// accepted and read alike, what it refuses is refused, except for depth and
// for bytes that are not UTF-8, on which we are stricter.
func FuzzDecodeObject(f *testing.F) {
	for _, s := range append([]string{`{"a":1,"A":[true,null,{"b":-1.5e+3}],"c":"\ud83d\ude00"}`, "\xEF\xBB\xBF{}", `[[]]`, `{`, "{\"\xff\":1}"}, stringCases...) {
		f.Add([]byte(s))
		f.Add([]byte(`{"k":` + s + `}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := slices.Clone(body)
		o, err := DecodeObject(body, 16)
		if !slices.Equal(kept, body) {
			t.Fatal("the body was changed")
		}
		text := []byte(strings.TrimPrefix(string(body), "\xEF\xBB\xBF"))
		var want map[string]json.RawMessage
		oracle := json.Unmarshal(text, &want)
		if oracle == nil && want == nil {
			oracle = errors.New("null is no object")
		}
		if err != nil {
			e, ok := errors.AsType[*JSONError](err)
			if !ok || e.Offset < 0 || e.Offset > len(body) {
				t.Fatalf("error %#v", err)
			}
			if oracle == nil && !errors.Is(err, ErrJSONTooDeep) && !errors.Is(err, ErrJSONTooMany) && !errors.Is(err, ErrJSONNotUTF8) {
				t.Fatalf("refused %q: %v", body, err)
			}
			if errors.Is(err, ErrJSONNotUTF8) && utf8.Valid(body) {
				t.Fatalf("%q is UTF-8", body)
			}
			return
		}
		if oracle != nil {
			t.Fatalf("accepted %q, encoding/json: %v", body, oracle)
		}
		checkMembers(t, o, want)
	})
}

// checkMembers compares the last member of each name, as it was written, with
// what encoding/json has, and every value that has a typed reading.
func checkMembers(t *testing.T, o Object, want map[string]json.RawMessage) {
	got := map[string]json.RawMessage{}
	for name, raw := range o.Each {
		got[name] = raw
		if _, ok := o.Get(name); !ok {
			t.Fatalf("member %q is not found", name)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d names, encoding/json has %d", len(got), len(want))
	}
	for name, raw := range want {
		if string(got[name]) != string(raw) {
			t.Fatalf("member %q = %s, encoding/json has %s", name, got[name], raw)
		}
		var s string
		if v, state := StringOf(raw); state == Present && (json.Unmarshal(raw, &s) != nil || v != s) {
			t.Fatalf("StringOf(%s) = %q, encoding/json has %q", raw, v, s)
		}
		var n int64
		v, state := IntOf(raw)
		if err := json.Unmarshal(raw, &n); err == nil && state != Null && (state != Present || v != n) {
			t.Fatalf("IntOf(%s) = %d, %v; encoding/json has %d", raw, v, state, n)
		}
		var a []json.RawMessage
		if v, state := ArrayOf(raw); state == Present && (json.Unmarshal(raw, &a) != nil || len(a) != len(v)) {
			t.Fatalf("ArrayOf(%s) has %d elements, encoding/json %d", raw, len(v), len(a))
		}
	}
}
