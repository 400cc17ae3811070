package servicemobility

import (
	"encoding/json"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxText bounds a text of a body in characters, as the core bounds its own.
const maxText = 256

// text reads an optional text; absent and null are "".
func (f *faults) text(o web.Object, prefix, name string) string {
	value, state := o.String(name)
	if state == web.Mistyped {
		raw, _ := o.Get(name)
		f.wrongType(prefix+name, "a string", raw)
	}
	return value
}

// ownText is text for what only this door keeps, and so must check.
func (f *faults) ownText(o web.Object, prefix, name string) string {
	value := f.text(o, prefix, name)
	f.clean(prefix+name, value, maxText)
	return value
}

// requiredText reads a text that must be there and not empty.
func (f *faults) requiredText(o web.Object, name string) string {
	before := len(f.list)
	value := f.text(o, "", name)
	if value == "" && len(f.list) == before {
		f.required(name)
	}
	return value
}

// flag reads an optional true or false.
func (f *faults) flag(o web.Object, prefix, name string, absent bool) bool {
	value, state := o.Bool(name)
	switch state {
	case web.Mistyped:
		raw, _ := o.Get(name)
		f.wrongType(prefix+name, "true or false", raw)
	case web.Present:
		return value
	}
	return absent
}

// array reads an optional array; absent and null have no elements.
func (f *faults) array(o web.Object, prefix, name string) []json.RawMessage {
	elements, state := o.Array(name)
	if state == web.Mistyped {
		raw, _ := o.Get(name)
		f.wrongType(prefix+name, "an array", raw)
	}
	return elements
}

// objects reads an optional array of objects, each by read, which gets the
// place of the element with a dot behind.
func objects[T any](f *faults, o web.Object, prefix, name string, read func(o web.Object, place string) T) []T {
	var list []T
	for i, raw := range f.array(o, prefix, name) {
		place := prefix + name + "[" + strconv.Itoa(i) + "]"
		if len(f.list) > maxFaults {
			break // the answer is full
		}
		element, state := web.ObjectOf(raw)
		if state != web.Present {
			f.wrongType(place, "an object", raw)
			continue
		}
		list = append(list, read(element, place+"."))
	}
	return list
}

// ids reads a list of ids that must be there.
func (f *faults) ids(o web.Object, name string) []string {
	if _, state := o.Array(name); state == web.Absent || state == web.Null {
		f.required(name)
		return nil
	}
	return f.texts(o, name)
}

// texts reads an optional list of texts that are not empty.
func (f *faults) texts(o web.Object, name string) []string {
	var list []string
	for i, raw := range f.array(o, "", name) {
		if len(f.list) > maxFaults {
			break // the answer is full
		}
		id, state := web.StringOf(raw)
		if state != web.Present || id == "" {
			f.wrongType(name+"["+strconv.Itoa(i)+"]", "a string that is not empty", raw)
			continue
		}
		list = append(list, id)
	}
	return list
}

// sameID checks that an id in the body, if there is one, is the URI's (dossier
// 5.7).
func (f *faults) sameID(o web.Object, name, inPath string) {
	if id := f.text(o, "", name); id != "" && id != inPath {
		f.mismatch(name, id, inPath)
	}
}

func (f *faults) phones(o web.Object, prefix string) []directory.Phone {
	return objects(f, o, prefix, "Phones", func(o web.Object, place string) directory.Phone {
		return directory.Phone{Number: f.text(o, place, "PhoneNum"), Type: f.text(o, place, "PhoneType")}
	})
}

// replacement is the body of a PUT to a user: every field that this door shows,
// so that what is left out goes back to its default (dossier 5.2).
type replacement struct {
	fields   directory.UserPatch
	password string // to insert with
}

// userReplacement converts the User object (dossier 4.3). Deleted is for bulk
// calls and EntityEmployeeNumber deprecated: neither is kept.
func userReplacement(x *exchange, o web.Object) replacement {
	f := &x.faults
	f.sameID(o, "UserID", x.ids[0])
	f.flag(o, "", "Deleted", false)
	f.text(o, "", "EntityEmployeeNumber")
	r := replacement{password: f.text(o, "", "Password")}
	r.fields = directory.UserPatch{
		Email:           directory.Some(f.text(o, "", "Email")),
		GivenName:       directory.Some(f.text(o, "", "FirstName")),
		FamilyName:      directory.Some(f.text(o, "", "LastName")),
		Locked:          directory.Some(f.flag(o, "", "Locked", false)),
		Phones:          directory.Some(f.phones(o, "")),
		NoExtensions:    true,
		StorageLocation: directory.Some(f.text(o, "", "StorageLocationID")),
		State:           directory.Some(directory.StateInactive),
		Groups:          []directory.GroupChange{oneTeam(f.text(o, "", "ServiceTeamID"))},
	}
	if f.flag(o, "", "Activated", true) {
		r.fields.State.Value = directory.StateActive
	}
	if f.flag(o, "", "ResetPassword", false) && r.password != "" {
		r.fields.Password = directory.Some(r.password)
	}
	own := readOwn(f, o, x.ids[0])
	language := f.ownText(o, "", "LanguageCode")
	if !directory.ValidLanguage(language) {
		own.language, language = language, ""
	}
	r.fields.Language = directory.Some(language)
	r.fields.Extras = directory.Some(own.json())
	return r
}

// oneTeam makes a team the user's first and, of several, leaves the others
// alone; none takes all away. A GET and a PUT of the same object change nothing
// that way (dossier 5.9).
func oneTeam(id string) directory.GroupChange {
	change := directory.GroupChange{Kind: directory.GroupServiceTeam, Mode: directory.GroupsReplace}
	if id != "" {
		change.Mode = directory.GroupsReplaceFirst
		change.Groups = []directory.GroupRef{team(id)}
	}
	return change
}

// team refers to a service team.
func team(id string) directory.GroupRef {
	return directory.GroupRef{Kind: directory.GroupServiceTeam, Name: id}
}

// teamsOf refers to several.
func teamsOf(ids []string) []directory.GroupRef {
	refs := make([]directory.GroupRef, len(ids))
	for i, id := range ids {
		refs[i] = team(id)
	}
	return refs
}

// usersOf refers to users by their UserIDs.
func usersOf(ids []string) []directory.UserRef {
	refs := make([]directory.UserRef, len(ids))
	for i, id := range ids {
		refs[i] = directory.ByExactUserName(id)
	}
	return refs
}

// signIn is the body of createjwt and impersonate, whose names differ (dossier
// 5.10).
type signIn struct{ name, password string }

func readCreateToken(x *exchange, o web.Object) signIn {
	return signIn{x.faults.requiredText(o, "username"), x.faults.requiredText(o, "password")}
}

func readImpersonate(x *exchange, o web.Object) signIn {
	return signIn{x.faults.requiredText(o, "UserID"), x.faults.requiredText(o, "Password")}
}
