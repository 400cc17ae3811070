package iqmetrix

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
)

// sampleUser is the seed's user in the core's terms.
func sampleUser() directory.User {
	return directory.User{
		Number: 2576, State: directory.StateActive, GivenName: "John", FamilyName: "Bates", UserName: "johnb@kentel.com",
		Address:      directory.Address{Set: true, Line1: "1432 Merry View Road", City: "Big Windy", Region: "ON", Country: "CA", Zip: "A1A2B2"},
		ClientUserID: "132", Email: "johnb@kentel.com", Title: "Sales Clerk", Company: 1,
		Phones: []directory.Phone{{Number: "6135550127", Extension: "5532", Type: "Work"}}, DoorVersion: 1, Version: 9,
	}
}

// TestAppendUser checks the seed's User byte for byte, spaces aside.
func TestAppendUser(t *testing.T) {
	u := sampleUser()
	const want = `{"Id":2576,"FirstName":"John","LastName":"Bates","UserName":"johnb@kentel.com","Address":{"AddressLine1":"1432 Merry View Road",` +
		`"AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},"ClientUserId":"132","Email":"johnb@kentel.com",` +
		`"IsActive":true,"JobTitle":"Sales Clerk","ParentEntityId":1,"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],` +
		`"Picture":{},"Version":1}`
	if diff := cmp.Diff(want, string(appendUser(nil, &u, false))); diff != "" {
		t.Error(diff)
	}
}

func TestAppendUserOptionalParts(t *testing.T) {
	u := directory.User{Number: 1, State: directory.StateInactive, UserName: "a\"b"}
	const bare = `{"Id":1,"FirstName":"","LastName":"","UserName":"a\"b","Address":null,"ClientUserId":"","Email":"","IsActive":false,` +
		`"JobTitle":"","ParentEntityId":0,"PhoneNumbers":[],"Picture":null,"Version":0}`
	if diff := cmp.Diff(bare, string(appendUser(nil, &u, true))); diff != "" {
		t.Error(diff)
	}
	u.Profile.Picture = json.RawMessage(`{"Id":"x"}`)
	u.Profile.Attributes = map[string]json.RawMessage{"b": json.RawMessage(`[1]`), "Department": json.RawMessage(`"Sales"`)}
	u.Address.Set = true
	const full = `{"Id":1,"FirstName":"","LastName":"","UserName":"a\"b","Address":{"AddressLine1":"","AddressLine2":"","City":"","StateCode":"",` +
		`"CountryCode":"","Zip":""},"Attributes":{"Department":"Sales","b":[1]},"ClientUserId":"","Email":"","IsActive":false,"JobTitle":"",` +
		`"ParentEntityId":0,"PhoneNumbers":[],"Picture":{"Id":"x"},"Version":0}`
	if diff := cmp.Diff(full, string(appendUser(nil, &u, true))); diff != "" {
		t.Error(diff)
	}
}

// TestAppendPage checks the links and counts of dossier 5.3, 5.4 and 5.6.
func TestAppendPage(t *testing.T) {
	for _, test := range []struct {
		terms []string
		p     page
		total int64
		want  string
	}{
		{nil, page{0, 30}, 0, `{"_links":{"prev":null,"self":"/v1/entities(14146)/users?$skip=0&$top=30","next":null},"_metadata":{"count":0,"skip":0,"top":30},"items":[]}`},
		{nil, page{0, 5}, 15, `{"_links":{"prev":null,"self":"/v1/entities(14146)/users?$skip=0&$top=5","next":"/v1/entities(14146)/users?$skip=5&$top=5"},"_metadata":{"count":15,"skip":0,"top":5},"items":[]}`},
		{nil, page{3, 5}, 8, `{"_links":{"prev":"/v1/entities(14146)/users?$skip=0&$top=5","self":"/v1/entities(14146)/users?$skip=3&$top=5","next":null},"_metadata":{"count":8,"skip":3,"top":5},"items":[]}`},
		{[]string{"Sam", "O'Neil&Co"}, page{10, 10}, 21, `{"_links":{"prev":"/v1/entities(14146)/users/search?terms=Sam+O%27Neil%26Co&$skip=0&$top=10","self":"/v1/entities(14146)/users/search?terms=Sam+O%27Neil%26Co&$skip=10&$top=10","next":"/v1/entities(14146)/users/search?terms=Sam+O%27Neil%26Co&$skip=20&$top=10"},"_metadata":{"count":21,"skip":10,"top":10},"items":[]}`},
	} {
		got := appendPage(nil, linkBase(14146, test.terms), test.p, &directory.UserPage{Total: test.total}, false)
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAppendSmallAnswers(t *testing.T) {
	for want, got := range map[string][]byte{
		`{"CanUnlockUser":true,"LockReasonId":14}`:  appendLockStatus(nil, &directory.LockStatus{Locked: true, Reason: directory.LockReason{Number: 14}}),
		`{"CanUnlockUser":true}`:                    appendLockStatus(nil, &directory.LockStatus{Locked: true}),
		`{"CanUnlockUser":false}`:                   appendLockStatus(nil, &directory.LockStatus{Reason: directory.LockReason{Number: 14}}),
		`{"UserID":2576,"LocationIDs":[14202]}`:     appendLocations(nil, 2576, []int64{14202}),
		`{"UserID":2576,"LocationIDs":[]}`:          appendLocations(nil, 2576, nil),
		`[]`:                                        appendArray(nil, nil, appendRole),
		`[{"Id":1,"Name":"A"},{"Id":2,"Name":"B"}]`: appendArray(nil, []directory.Role{{Number: 1, Name: "A"}, {Number: 2, Name: "B"}}, appendRole),
		`{"Id":6548,"EntityId":14146,"SecurityRoleId":3,"UserId":2576}`: appendAssignedRole(nil, &directory.RoleAssignment{Number: 6548, User: 2576, Role: 3, Company: 14146}),
	} {
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
