package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// encodingJSON is what encoding/json makes of s without HTML escaping.
func encodingJSON(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestAppendStringAgainstEncodingJSON(t *testing.T) {
	cases := []string{"", "plain", `"quoted" \ back`, "<a href='x'>&amp;</a>", "é日本😀", "a\u2028b\u2029c", "\u2027\u202a",
		"a\xffb\xc3", "\xed\xa0\x80", "\uFFFD", "\x7f"}
	for c := range rune(0x120) {
		cases = append(cases, string(c), "x"+string(c)+"y", "x"+string([]byte{byte(c)})+"y")
	}
	for _, s := range cases {
		if got, want := string(AppendString([]byte("k:"), s)), "k:"+encodingJSON(t, s); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want)
		}
	}
}

func TestAppendWithoutAllocation(t *testing.T) {
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		AppendString(dst, "é \"x\" \u2028")
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzAppendString: the text is what encoding/json writes, and reads back.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"b\\c", "\x00\x1f\x7f", "é\u2028😀", "\xff\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw := AppendString(nil, s)
		if want := encodingJSON(t, s); string(raw) != want {
			t.Fatalf("AppendString(%q) = %s, want %s", s, raw, want)
		}
		o, err := DecodeObject(append(append([]byte(`{"k":`), raw...), '}'), 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := o.String("k"); got != string([]rune(s)) {
			t.Fatalf("%q reads back as %q", s, got)
		}
	})
}
