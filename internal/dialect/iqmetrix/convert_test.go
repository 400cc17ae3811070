package iqmetrix

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// sampleBody is the seed's PUT body with names of other letter cases.
const sampleBody = `{"ID":2576,"firstname":"John","LASTNAME":"Bates","Username":"johnb@kentel.com",
 "Address":{"addressline1":"1432 Merry View Road","AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},
 "ClientUserId":"132","Email":"johnb@kentel.com","IsActive":false,"JobTitle":"Sales Clerk","ParentEntityId":1,
 "PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],"Picture":{},"Version":1,
 "Password":7,"CorrelationId":[],"Profiles":"x"}`

// TestUserUpdate: a PUT sets every field that the door shows and no other.
func TestUserUpdate(t *testing.T) {
	object, err := decode([]byte(sampleBody))
	if err != nil {
		t.Fatal(err)
	}
	patch, options, err := userUpdate(object, 2576)
	if err != nil {
		t.Fatal(err)
	}
	u := sampleUser()
	want := directory.UserPatch{
		UserName: directory.Some(u.UserName), Email: directory.Some(u.Email), GivenName: directory.Some(u.GivenName),
		FamilyName: directory.Some(u.FamilyName), Title: directory.Some(u.Title), Company: directory.Some(u.Company),
		ClientUserID: directory.Some(u.ClientUserID), Phones: directory.Some(u.Phones), Address: directory.Some(u.Address),
		Picture: directory.Some(json.RawMessage(nil)), Attributes: directory.Some(map[string]json.RawMessage(nil)),
	}
	if diff := cmp.Diff(want, patch); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(directory.UpdateOptions{IfDoorVersion: directory.Some[int64](1), ClaimEmail: true}, options); diff != "" {
		t.Error(diff)
	}
}

// TestViolations: all at once, under the vendor's names, in the body's order.
func TestViolations(t *testing.T) {
	required := func(field string) string {
		return "The field " + field + " is a required field but was not found in the request"
	}
	for _, test := range []struct {
		name, body string
		put        bool
		want       []string
	}{
		{"empty import", `{}`, false, []string{required("UserName"), required("ParentEntityId")}},
		{"empty put", `{}`, true, []string{required("UserName"), required("ParentEntityId"), required("FirstName"), required("LastName")}},
		{"nulls", `{"UserName":null,"ParentEntityId":null,"FirstName":null,"LastName":"","Address":null,"PhoneNumbers":null,"Picture":null,"Id":null,"Version":null}`,
			true, []string{required("UserName"), required("ParentEntityId"), required("FirstName"), required("LastName")}},
		{"wrong types", `{"UserName":1,"ParentEntityId":"1","FirstName":[],"LastName":{},"Email":true,"JobTitle":0,"ClientUserId":132,
			"Address":[],"PhoneNumbers":{},"Picture":"x","Attributes":[],"Id":"2576","Version":1.5}`, true,
			[]string{"UserName must be a string", "FirstName must be a string", "LastName must be a string", "Email must be a string", "JobTitle must be a string",
				"ClientUserId must be a string", "ParentEntityId must be an integer", "Address must be an object", "PhoneNumbers must be an array",
				"Picture must be an object", "Attributes must be an object", "Id must be an integer", "Version must be an integer"}},
		{"password", `{"UserName":"a","ParentEntityId":1,"Password":""}`, false, []string{"Password must not be empty"}},
		{"password type", `{"UserName":"a","ParentEntityId":1,"Password":123456}`, false, []string{"Password must be a string"}},
		{"zero company", `{"UserName":"a","ParentEntityId":0}`, false, []string{required("ParentEntityId")}},
		{"other id", `{"Id":7,"UserName":"a","ParentEntityId":1,"FirstName":"a","LastName":"b"}`, true, []string{"Expected Id to contain 2576 but found 7"}},
		{"country", `{"UserName":"a","ParentEntityId":1,"Address":{"CountryCode":"ZZ","StateCode":"ON"}}`, false, []string{"Address.CountryCode must be an ISO 3166-1 alpha-2 code"}},
		{"state of no country", `{"UserName":"a","ParentEntityId":1,"Address":{"StateCode":"ON"}}`, false, []string{"Address.StateCode requires Address.CountryCode"}},
		{"state of another country", `{"UserName":"a","ParentEntityId":1,"Address":{"CountryCode":"US","StateCode":"ON"}}`, false,
			[]string{"Address.StateCode must be an ISO 3166-2 code of Address.CountryCode"}},
		{"address types", `{"UserName":"a","ParentEntityId":1,"Address":{"City":1,"Zip":12345}}`, false, []string{"Address.City must be a string", "Address.Zip must be a string"}},
		{"phones", `{"UserName":"a","ParentEntityId":1,"PhoneNumbers":[{},{"Number":"123456","Type":"Work"},{"Extension":"1"},{"Number":"1234567"},{"Number":"6135550127","Type":"Cell"},null,{"Number":6135550127}]}`, false,
			[]string{"PhoneNumbers[0].Number must be at least 7 characters long", "PhoneNumbers[1].Number must be at least 7 characters long",
				"PhoneNumbers[2].Extension requires a Number", required("PhoneNumbers[3].Type"), "PhoneNumbers[5] must be an object", "PhoneNumbers[6].Number must be a string"}},
	} {
		object, err := decode([]byte(test.body))
		if err == nil && test.put {
			_, _, err = userUpdate(object, 2576)
		} else if err == nil {
			_, err = newUser(object)
		}
		var got []string
		for _, f := range directory.AsError(err).Fields {
			got = append(got, f.Message)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for body, want := range map[string]string{
		"":                               "The body is not valid JSON",
		"{":                              "The body is not valid JSON",
		`{"a":1}{}`:                      "The body is not valid JSON",
		`{'a':1}`:                        "The body is not valid JSON",
		"[]":                             "The body must be a JSON object",
		"null":                           "The body must be a JSON object",
		`"x"`:                            "The body must be a JSON object",
		"{\"a\":\"\xff\"}":               "The body is not valid UTF-8",
		strings.Repeat(`{"a":`, 100_000): "The body is nested too deeply",
	} {
		if len(body) > 20 {
			body += "1" + strings.Repeat("}", 100_000)
		}
		_, err := decode([]byte(body))
		if e := directory.AsError(err); e.Code != directory.CodeInvalid || e.Message != want {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

// TestPictureAndAttributes: kept as the client wrote them, without the white
// space; {} and null mean none.
func TestPictureAndAttributes(t *testing.T) {
	object, err := decode([]byte(`{"UserName":"a","ParentEntityId":1,"Picture":{ "Id": "x", "Height" : 1.50 },"Attributes":{"Department": "Sales", "n": { "a" : [ ] }}}`))
	if err != nil {
		t.Fatal(err)
	}
	in, err := newUser(object)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(in.Fields.Picture.Value); got != `{"Id":"x","Height":1.50}` {
		t.Errorf("picture %s", got)
	}
	want := map[string]json.RawMessage{"Department": json.RawMessage(`"Sales"`), "n": json.RawMessage(`{"a":[]}`)}
	if diff := cmp.Diff(want, in.Fields.Attributes.Value); diff != "" {
		t.Error(diff)
	}
}

// Search words are folded before it is known who asks: a text that the core
// refuses by its length is not folded here, also when nothing of it is visible.
func TestLongSearchIsLeftToTheCore(t *testing.T) {
	for n, want := range map[int]bool{10: false, directory.MaxSearch: true} {
		terms, err := parseTerms(web.Query("terms=" + strings.Repeat("%C2%AD", n)))
		if (err == nil) != want {
			t.Errorf("%d soft hyphens: %d terms, error %v", n, len(terms), err)
		}
	}
}
