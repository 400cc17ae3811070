package directory

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKeepableJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for text, want := range map[string]bool{
		`{}`: true, `null`: true, `"a\\u0000"`: true, `"\"[[\""`: true, `"\ud83d\ude00"`: true, `"\u00e9\n"`: true,
		nested(64): true, nested(65): false, `"` + strings.Repeat("[", 100) + `"`: true,
		`"\u0000"`: false, `{"\u0000":1}`: false, `"\ud83d"`: false, `"\ude00"`: false, `"\ud83dx"`: false, `"\ud83d\u0041"`: false,
		`{`: false, ``: false, "\"\xff\"": false,
	} {
		if got := keepableJSON(json.RawMessage(text)); got != want {
			t.Errorf("%.80s: %v", text, got)
		}
	}
}

// FuzzKeepableJSON: what is kept decodes to texts that both engines keep.
func FuzzKeepableJSON(f *testing.F) {
	for _, seed := range []string{`{"a":"\ud83d\ude00","b":[1,{"c":"\\"}]}`, `"\u0000"`, `"\ud800"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !keepableJSON(json.RawMessage(text)) {
			return
		}
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return // valid JSON with a number that Go cannot hold
		}
		checkTexts(t, v)
	})
}

func checkTexts(t *testing.T, v any) {
	switch v := v.(type) {
	case string:
		if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			t.Errorf("kept %q", v)
		}
	case []any:
		for _, member := range v {
			checkTexts(t, member)
		}
	case map[string]any:
		for name, member := range v {
			checkTexts(t, name)
			checkTexts(t, member)
		}
	}
}
