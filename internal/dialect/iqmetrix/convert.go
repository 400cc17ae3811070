package iqmetrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxDepth is how deep a body may be nested; the vendor's own go to 3.
const maxDepth = 16

// decode reads a body as one JSON object, whose member names are matched
// without regard to case (dossier 5.9); of two with one name the last counts.
func decode(body []byte) (web.Object, error) {
	object, err := web.DecodeObject(body, maxDepth)
	if err == nil {
		return object, nil
	}
	message := "The body is not valid JSON"
	switch {
	case errors.Is(err, web.ErrJSONNotObject):
		message = "The body must be a JSON object"
	case errors.Is(err, web.ErrJSONNotUTF8):
		message = "The body is not valid UTF-8"
	case errors.Is(err, web.ErrJSONTooDeep):
		message = "The body is nested too deeply"
	case errors.Is(err, web.ErrJSONTooMany):
		message = "The body has too many values"
	}
	return web.Object{}, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "%s", message).Because(err)
}

// text reads an optional text; absent and null are "".
func (f *faults) text(o web.Object, prefix, name string) string {
	value, state := o.String(name)
	if state == web.Mistyped {
		f.wrongType(prefix+name, "a string")
	}
	return value
}

// requiredText reads a text that must be there and not empty.
func (f *faults) requiredText(o web.Object, name string) string {
	value, state := o.String(name)
	switch {
	case state == web.Mistyped:
		f.wrongType(name, "a string")
	case value == "":
		f.required(name)
	}
	return value
}

// integer reads an optional integer; ok is false when it is absent, null or
// wrong.
func (f *faults) integer(o web.Object, name string) (value int64, ok bool) {
	value, state := o.Int(name)
	if state == web.Mistyped {
		f.wrongType(name, "an integer")
	}
	return value, state == web.Present
}

// requiredNumber reads the number of something that must exist. 0 is what a
// typed client sends for a member that it never set.
func (f *faults) requiredNumber(o web.Object, name string) int64 {
	value, state := o.Int(name)
	switch {
	case state == web.Mistyped:
		f.wrongType(name, "an integer")
	case value == 0:
		f.required(name)
	}
	if value < 0 || value > directory.MaxNumber {
		return noNumber
	}
	return value
}

// userPatch converts what import and PUT have in common: every field that this
// door shows and no other, so that a PUT replaces all of it (dossier 5.15) and
// leaves alone what only other doors show. IsActive is the server's own and
// CorrelationId and Profiles are internal (dossier 4.1): none is read.
func userPatch(f *faults, o web.Object) directory.UserPatch {
	return directory.UserPatch{
		UserName:     directory.Some(f.requiredText(o, "UserName")),
		GivenName:    directory.Some(f.text(o, "", "FirstName")),
		FamilyName:   directory.Some(f.text(o, "", "LastName")),
		Email:        directory.Some(f.text(o, "", "Email")),
		Title:        directory.Some(f.text(o, "", "JobTitle")),
		ClientUserID: directory.Some(f.text(o, "", "ClientUserId")),
		Company:      directory.Some(f.requiredNumber(o, "ParentEntityId")),
		Address:      directory.Some(f.address(o)),
		Phones:       directory.Some(f.phones(o)),
		Picture:      directory.Some(f.picture(o)),
		Attributes:   directory.Some(f.attributes(o)),
	}
}

// newUser converts the body of an import (dossier 3.1, row 1). Id and Version
// are assigned by the server.
func newUser(o web.Object) (directory.NewUser, error) {
	var f faults
	in := directory.NewUser{State: directory.StateActive, ClaimEmail: true, Fields: userPatch(&f, o)}
	password, state := o.String("Password")
	switch {
	case state == web.Mistyped:
		f.wrongType("Password", "a string")
	case state == web.Present && password == "":
		f.add("Password", directory.ReasonFieldLength, "Password must not be empty")
	}
	in.Password = password
	return in, f.err()
}

// userUpdate converts the body of a PUT to a user (dossier 3.1, row 3).
// Password is not read (dossier 5.15).
func userUpdate(o web.Object, user int64) (directory.UserPatch, directory.UpdateOptions, error) {
	var f faults
	p := userPatch(&f, o)
	f.requiredIfText(o, "FirstName")
	f.requiredIfText(o, "LastName")
	if id, ok := f.integer(o, "Id"); ok && id != user {
		f.mismatch("Id", strconv.FormatInt(user, 10), strconv.FormatInt(id, 10))
	}
	options := directory.UpdateOptions{ClaimEmail: true}
	if version, ok := f.integer(o, "Version"); ok {
		options.IfDoorVersion = directory.Some(version)
	}
	return p, options, f.err()
}

// requiredIfText reports an absent, null or empty text; one of a wrong type
// has been reported already.
func (f *faults) requiredIfText(o web.Object, name string) {
	if value, state := o.String(name); value == "" && state != web.Mistyped {
		f.required(name)
	}
}

// address converts an Address. A StateCode needs a valid CountryCode (dossier
// 4.1); both codes are ISO 3166 (seed, Address).
func (f *faults) address(o web.Object) directory.Address {
	body, state := o.Object("Address")
	if state != web.Present {
		if state == web.Mistyped {
			f.wrongType("Address", "an object")
		}
		return directory.Address{}
	}
	a := directory.Address{
		Set:     true,
		Line1:   f.text(body, "Address.", "AddressLine1"),
		Line2:   f.text(body, "Address.", "AddressLine2"),
		City:    f.text(body, "Address.", "City"),
		Region:  f.text(body, "Address.", "StateCode"),
		Country: f.text(body, "Address.", "CountryCode"),
		Zip:     f.text(body, "Address.", "Zip"),
	}
	switch {
	case a.Country != "" && !directory.ValidCountry(a.Country):
		f.add("Address.CountryCode", directory.ReasonFieldValue, "Address.CountryCode must be an ISO 3166-1 alpha-2 code")
	case a.Region == "":
	case a.Country == "":
		f.add("Address.StateCode", directory.ReasonFieldValue, "Address.StateCode requires Address.CountryCode")
	case !directory.ValidRegion(a.Country, a.Region):
		f.add("Address.StateCode", directory.ReasonFieldValue, "Address.StateCode must be an ISO 3166-2 code of Address.CountryCode")
	}
	return a
}

// minPhoneLength is the seed's "Must be at least 7 characters".
const minPhoneLength = 7

// phones converts PhoneNumbers (dossier 4.1).
func (f *faults) phones(o web.Object) []directory.Phone {
	elements, state := o.Array("PhoneNumbers")
	if state == web.Mistyped {
		f.wrongType("PhoneNumbers", "an array")
	}
	if len(elements) == 0 {
		return nil
	}
	phones := make([]directory.Phone, 0, len(elements))
	for i, element := range elements {
		if len(*f) > maxFaults {
			break // the answer is full
		}
		phones = append(phones, f.phone("PhoneNumbers["+strconv.Itoa(i)+"]", element))
	}
	return phones
}

// phone converts one PhoneNumber: Number at least 7 characters, Extension
// needs a Number, Type is required with a Number.
func (f *faults) phone(name string, raw json.RawMessage) directory.Phone {
	body, state := web.ObjectOf(raw)
	if state != web.Present {
		f.wrongType(name, "an object")
		return directory.Phone{}
	}
	before := len(*f)
	p := directory.Phone{
		Number:    f.text(body, name+".", "Number"),
		Extension: f.text(body, name+".", "Extension"),
		Type:      f.text(body, name+".", "Type"),
	}
	if len(*f) > before {
		return p
	}
	if p.Number == "" && p.Extension != "" {
		f.add(name+".Extension", directory.ReasonFieldRequired, name+".Extension requires a Number")
	} else if utf8.RuneCountInString(p.Number) < minPhoneLength {
		f.add(name+".Number", directory.ReasonFieldLength, name+".Number must be at least 7 characters long")
	}
	if p.Number != "" && p.Type == "" {
		f.required(name + ".Type")
	}
	return p
}

// picture converts a Picture, which is kept as the client wrote it. {} is what
// this door shows where there is none, so it means none.
func (f *faults) picture(o web.Object) json.RawMessage {
	body, state := o.Object("Picture")
	if state == web.Mistyped {
		f.wrongType("Picture", "an object")
	}
	if state != web.Present || body.Len() == 0 {
		return nil
	}
	raw, _ := o.Get("Picture")
	return compact(raw)
}

// attributes converts Attributes, free keys and values.
func (f *faults) attributes(o web.Object) map[string]json.RawMessage {
	body, state := o.Object("Attributes")
	if state == web.Mistyped {
		f.wrongType("Attributes", "an object")
	}
	if state != web.Present || body.Len() == 0 {
		return nil
	}
	members := make(map[string]json.RawMessage, body.Len())
	for key, value := range body.Each {
		members[key] = compact(value)
	}
	return members
}

// compact is a copy of a JSON value without white space.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return bytes.Clone(raw) // not JSON after all: the core refuses it
	}
	return b.Bytes()
}
