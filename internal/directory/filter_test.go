package directory

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestExtraMatches: the meaning of a filter on a door's own field, that the
// store's SQL has to agree with.
func TestExtraMatches(t *testing.T) {
	u := &User{Profile: Profile{Extras: map[string]json.RawMessage{
		"encore": json.RawMessage(`{"Flag":"on","Deep":{"a.b":"x","Deep":{"n":1}},"List":["on"],"None":null,"Flag2":"a","Flag2":"b"}`),
		"text":   json.RawMessage(`"on"`)}}}
	for _, c := range []struct {
		path  string // names with blanks between
		value string
		want  bool
	}{
		{"encore Flag", "on", true}, {"encore Flag", "On", false}, {"encore flag", "on", false}, {"Encore Flag", "on", false},
		{"encore Deep a.b", "x", true}, {"encore Deep.a.b", "x", false}, {"encore Deep Deep n", "1", false}, {"encore List", "on", false},
		{"encore List 0", "on", false}, {"encore None", "", false}, {"encore None", "null", false}, {"encore Absent", "", false},
		{"encore Flag on", "on", false}, {"encore Flag2", "b", true}, {"encore Flag2", "a", false}, {"text", "on", true}, {"encore", "", false},
		{"iqmetrix Flag", "on", false},
	} {
		f := Extra{Path: strings.Split(c.path, " "), Value: c.value}
		if got := f.Match(u); got != c.want {
			t.Errorf("%q = %q: %t, want %t", c.path, c.value, got, c.want)
		}
	}
	if (Extra{Path: []string{"encore", "Flag"}, Value: "on"}).Match(&User{}) || (Extra{}).Match(u) {
		t.Error("a user without extras, or no path, matches")
	}
}

// TestFilterOnRank compares ranks as numbers.
func TestFilterOnRank(t *testing.T) {
	u := &User{Rank: RankHelpdesk}
	if !(Compare{Field: FieldRank, Order: GreaterOrEqual, Value: int64(RankHelpdesk)}).Match(u) ||
		(Compare{Field: FieldRank, Order: GreaterOrEqual, Value: int64(RankAdministrator)}).Match(u) {
		t.Error("the rank is not compared")
	}
}

// TestFilterOnExtraIsChecked: what no user can have is refused before it costs
// the database anything.
func TestFilterOnExtraIsChecked(t *testing.T) {
	eight := strings.Split("a b c d e f g h", " ")
	for what, c := range map[string]struct {
		filter Filter
		ok     bool
	}{
		"one name":           {Extra{Path: eight[:1]}, true},
		"eight names":        {Extra{Path: eight, Value: "x"}, true},
		"an empty name":      {Extra{Path: []string{"a", ""}}, true},
		"no name":            {Extra{Value: "x"}, false},
		"nine names":         {Extra{Path: append(eight, "i")}, false},
		"a NUL in a name":    {Extra{Path: []string{"a", "b\x00"}}, false},
		"a NUL in the value": {Extra{Path: eight, Value: "\x00"}, false},
		"broken UTF-8":       {Extra{Path: []string{"\xff"}}, false},
		"deep inside":        {And{Not{Or{Extra{Path: eight, Value: "\xed\xa0\x80"}}}}, false},
	} {
		nodes := 0
		err := checkFilter(c.filter, 0, &nodes)
		if c.ok != (err == nil) || err != nil && !IsReason(err, ReasonFilterSyntax) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
