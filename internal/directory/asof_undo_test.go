package directory

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Whatever an event records of a user's row is taken back: a field that is added
// to the row, to the record or to neither of them is found here.
func TestUndoTakesBackEveryField(t *testing.T) {
	day := time.Date(2026, 11, 21, 12, 0, 0, 123_000, time.UTC)
	full := User{
		State: StateInactive, Locked: true, LockReason: 3, MustChangePassword: true, ValidFrom: day, ExpiresAt: day.Add(1), UserName: "a", Email: "b",
		GivenName: "c", FamilyName: "d", DisplayName: "e", Title: "f", Company: 4, EmployeeNumber: "g", OpenID: "h", WebMDN: "i", ClientUserID: "j",
		LicenceType: "k", Rank: RankOwner, Phones: []Phone{{Number: "1", Extension: "2", Type: "3"}}, Address: Address{true, "l", "m", "n", "o", "p", "q"},
		Profile: Profile{Language: "r", TimeZone: "s", Picture: json.RawMessage(`{"t":1}`), Attributes: map[string]json.RawMessage{"u": json.RawMessage("1.0")},
			Extras: map[string]json.RawMessage{"encore": json.RawMessage(`{"v":2}`)}, ExternalIDs: map[string]string{"w": "x"}, MobileOnly: true, StorageLocation: "y"},
	}
	notRecorded := []string{"Tenant", "Number", "ID", "EmailClaimed", "Seat", "AuthEpoch", "Version", "DoorVersion", "CreatedAt", "UpdatedAt", "DeletedAt"}
	for _, v := range []reflect.Value{reflect.ValueOf(full), reflect.ValueOf(full.Profile)} {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() != slices.Contains(notRecorded, name) {
				t.Errorf("%s is set: %t", name, !v.Field(i).IsZero())
			}
		}
	}
	for name, users := range map[string][2]User{"set": {{State: StateActive}, full}, "cleared": {full, {State: StateActive}}} {
		var diff changes
		diff.compare(&users[0], &users[1])
		diff.version = 8
		var contents eventContents
		if err := json.Unmarshal(diff.payload(), &contents); err != nil {
			t.Fatal(err)
		}
		p := PastUser{User: users[1]}
		p.Version, p.DoorVersion = 8, 5
		p.undo(&contents)
		want := users[0]
		want.Version, want.DoorVersion = 7, 4
		if d := cmp.Diff(want, p.User); d != "" || p.Unknown != 0 {
			t.Errorf("%s, unknown %b (-before +told):\n%s", name, p.Unknown, d)
		}
	}
}

// An event of a time when events did not say the version counts one back if it
// changed the row, and only then.
func TestUndoCountsVersionsBack(t *testing.T) {
	for payload, want := range map[string]int64{`{"changes":{"title":["a","b"]}}`: 6, `{"changes":{"groups":[[],[1]]}}`: 6, `{"changes":{}}`: 7,
		`{"version":5,"changes":{"title":["a","b"]}}`: 4, `{"changes":{"unknown":[1,2]}}`: 7, `{"changes":{"title":["a"]}}`: 7, `{}`: 7} {
		var contents eventContents
		if err := json.Unmarshal([]byte(payload), &contents); err != nil {
			t.Fatal(err)
		}
		p := PastUser{User: User{Version: 7}}
		if p.undo(&contents); p.Version != want {
			t.Errorf("%s: version %d, want %d", payload, p.Version, want)
		}
	}
}
