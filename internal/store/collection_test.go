package store

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// FuzzCollections holds the readers of the plain form against encoding/json:
// what they accept they read the same, and what encode writes comes back.
func FuzzCollections(f *testing.F) {
	f.Add("6135550127", "5532", "Work")
	f.Add("", "", "")
	f.Add(`a"b`, `c\d`, "é\u2028")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		phones := []directory.Phone{{Number: a, Extension: b, Type: c}, {Number: c}}
		address := directory.Address{Set: true, Line1: a, City: b, Zip: c}
		profile := directory.Profile{ExternalIDs: map[string]string{a: b, b: c}}
		for _, text := range []string{mustEncode(t, phones), mustEncode(t, address), mustEncode(t, profile), a, "[" + a + "]",
			`{"set":true` + a, `{"external_ids":{` + a} {
			if !utf8.ValidString(text) {
				continue // encode writes none
			}
			var gotProfile, wantProfile directory.Profile
			if plainProfile(text, &gotProfile) {
				if err := json.Unmarshal([]byte(text), &wantProfile); err == nil {
					if diff := cmp.Diff(wantProfile, gotProfile); diff != "" {
						t.Fatalf("%q: %s", text, diff)
					}
				}
			}
			var gotPhones, wantPhones []directory.Phone
			if plainPhones(text, &gotPhones) {
				if err := json.Unmarshal([]byte(text), &wantPhones); err == nil {
					if diff := cmp.Diff(wantPhones, gotPhones); diff != "" {
						t.Fatalf("%q: %s", text, diff)
					}
				}
			}
			var gotAddress, wantAddress directory.Address
			if plainAddress(text, &gotAddress) {
				if err := json.Unmarshal([]byte(text), &wantAddress); err == nil && gotAddress != wantAddress {
					t.Fatalf("%q: %+v, want %+v", text, gotAddress, wantAddress)
				}
			}
		}
	})
}

// TestPlainForm proves that the ordinary texts take the short way.
func TestPlainForm(t *testing.T) {
	phones := []directory.Phone{{Number: "6135550127", Extension: "5532", Type: "Work"}, {Number: "1"}}
	address := directory.Address{Set: true, Line1: "1432 Merry View Road", Region: "ON", Zip: "A1A2B2"}
	var gotPhones []directory.Phone
	var gotAddress directory.Address
	if !plainPhones(mustEncode(t, phones), &gotPhones) || !plainAddress(mustEncode(t, address), &gotAddress) {
		t.Fatal("the plain form is not read as such")
	}
	if diff := cmp.Diff(phones, gotPhones); diff != "" || gotAddress != address {
		t.Fatal(diff, gotAddress)
	}
	profile := directory.Profile{ExternalIDs: map[string]string{"k1": "00u1", "k2": "00u2"}}
	var gotProfile directory.Profile
	if !plainProfile(mustEncode(t, profile), &gotProfile) {
		t.Fatal("external ids are not read as the plain form")
	}
	if diff := cmp.Diff(profile, gotProfile); diff != "" {
		t.Fatal(diff)
	}
}

func mustEncode(t *testing.T, v any) string {
	t.Helper()
	text, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
