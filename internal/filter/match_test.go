package filter

import (
	"encoding/json"
	"strings"
	"testing"
)

// element is the user that the conditions of TestMatch are asked of.
const element = `{"type":"Work","value":"Bob@Example.com","primary":true,"display":"","n":7,"big":9007199254740993,
	"at":"2026-05-13T06:42:34+02:00","asText":"True","none":null,"empty":[],"nothing":{},
	"name":{"familyName":"O'Malley","givenName":null},"phones":[{"type":"work","value":"1"},{"type":"home","value":"2"}],
	"tags":["red","blue"],"$ref":"x","urn:x:2.0:User":{"department":"Sales"},"EXACT":"Case"}`

func TestMatch(t *testing.T) {
	decoder := json.NewDecoder(strings.NewReader(element))
	decoder.UseNumber()
	var exactNumbers, floats map[string]any
	if err := decoder.Decode(&exactNumbers); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(element), &floats); err != nil {
		t.Fatal(err)
	}
	caseExact := func(path string) bool { return path == "exact" }
	for source, want := range map[string]bool{
		`type eq "work"`: true, `TYPE EQ "wOrK"`: true, `type ne "work"`: false, `type ne "home"`: true, `absent ne "x"`: true,
		`exact eq "Case"`: true, `exact eq "case"`: false, `exact sw "c"`: false,
		`value co "example"`: true, `value sw "bob"`: true, `value ew ".COM"`: true, `value ew ".org"`: false,
		`value gt "a"`: true, `value lt "a"`: false, `value ge "bob@example.com"`: true, `value le "bob@example.com"`: true,
		`primary eq true`: true, `primary eq "True"`: true, `primary eq "x"`: false, `primary eq false`: false, `primary gt false`: false,
		`asText eq true`: true, `asText eq false`: false, `type eq true`: false,
		`n eq 7`: true, `n eq 7.0`: true, `n eq 70e-1`: true, `n gt 6`: true, `n ge 8`: false, `n lt 7`: false, `n le 7`: true, `n eq "7"`: false, `n co 7`: false,
		`at eq "2026-05-13T04:42:34Z"`: true, `at gt "2026-05-13T05:00:00Z"`: false, `at sw "2026-05-13T06"`: true,
		`display pr`: false, `none pr`: false, `empty pr`: false, `nothing pr`: false, `name pr`: true, `phones pr`: true, `n pr`: true, `absent pr`: false,
		`display eq null`: true, `display eq ""`: true, `display co ""`: false, `type eq ""`: false, `type co ""`: true, `absent eq ""`: true, `display lt "x"`: false, `type eq null`: false, `type ne null`: true, `absent eq null`: true, `absent gt null`: false,
		`name.familyname eq "o'malley"`: true, `name.givenName pr`: false, `type.sub pr`: false,
		`phones.type eq "home"`: true, `phones.value eq "1"`: true, `phones eq "2"`: true, `phones eq "3"`: false, `phones.type ne "home"`: false,
		`phones[type eq "home" and value eq "2"]`: true, `phones[type eq "home" and value eq "1"]`: false, `phones[not (type eq "home")]`: true,
		`absent[not (type eq "home")]`: false, `tags[value eq "red"]`: true, `tags eq "blue"`: true, `tags eq "green"`: false,
		`$ref eq "x"`: true, `urn:x:2.0:User:department eq "sales"`: true, `urn:y:2.0:User:type eq "work"`: true,
		`type eq "work" and n eq 8`: false, `type eq "x" or n eq 7`: true, `not (n eq 7)`: false,
	} {
		e, err := Parse(source, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		for what, object := range map[string]map[string]any{"float64": floats, "json.Number": exactNumbers} {
			if got := Match(e, object, caseExact); got != want {
				t.Errorf("%s (%s): %t", source, what, got)
			}
		}
	}
	big, err := Parse(`big eq 9007199254740992`, Limits{})
	if err != nil || Match(big, exactNumbers, nil) {
		t.Errorf("numbers beyond 2^53 are one: %v", err)
	}
	exact, err := Parse(`exact eq "case"`, Limits{})
	if err != nil || !Match(exact, exactNumbers, nil) {
		t.Errorf("without a rule the letter case counts: %v", err)
	}
}

// TestMatchOfTwoSpellings: an object with one name in two letter cases has the
// same value for a name every time.
func TestMatchOfTwoSpellings(t *testing.T) {
	object := map[string]any{"Type": "a", "TYPE": "b", "tYPE": "c"}
	for source, want := range map[string]bool{`Type eq "a"`: true, `tYPE eq "c"`: true, `type eq "b"`: true, `type eq "a"`: false} {
		e, err := Parse(source, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if Match(e, object, nil) != want {
				t.Errorf("%s is not %t", source, want)
			}
		}
	}
}
