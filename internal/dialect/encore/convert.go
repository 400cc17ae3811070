package encore

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxDepth is how deep a body may be nested. The vendor's are flat; more is
// allowed where nobody looks.
const maxDepth = 16

// maxGroupName bounds the name of a group in characters: a longer one names no
// group, and folding it to find that out would be dear.
const maxGroupName = 256

// property is one member of CreateUpdateUser (dossier 4.1). read converts its
// value: nil where the member is absent.
type property struct {
	name string
	read func(in *input, raw json.RawMessage)
}

// properties are the members of CreateUpdateUser in the vendor's order. What
// another door shows is in none of them, so that a full replace leaves it alone
// (dossier 5.8).
var properties = []property{
	{"UserName", readUserName},
	{"Password", readPassword},
	{"GroupName", readGroupName},
	{"FirstName", func(in *input, raw json.RawMessage) {
		in.patch.GivenName = directory.Some(in.limited("FirstName", directory.FieldGivenName, raw))
	}},
	{"LastName", func(in *input, raw json.RawMessage) {
		in.patch.FamilyName = directory.Some(in.limited("LastName", directory.FieldFamilyName, raw))
	}},
	{"EmployeeNumber", readEmployeeNumber},
	{"Email", func(in *input, raw json.RawMessage) {
		in.patch.Email = directory.Some(in.limited("Email", directory.FieldEmail, raw))
	}},
	{"Phone", readPhone},
	{"RoleId", readRole},
	{"IsActive", readActive},
	{"EPTTEnabled", func(in *input, raw json.RawMessage) { in.extraFlag("EPTTEnabled", raw) }},
	{"EPTTNumber", func(in *input, raw json.RawMessage) { in.extraText("EPTTNumber", raw) }},
	{"EPTTWebMDN", func(in *input, raw json.RawMessage) {
		in.patch.WebMDN = directory.Some(in.limited("EPTTWebMDN", directory.FieldWebMDN, raw))
	}},
	{"EPTTToken", func(in *input, raw json.RawMessage) { in.extraText("EPTTToken", raw) }},
	{"GPSEnabled", func(in *input, raw json.RawMessage) { in.extraFlag("GPSEnabled", raw) }},
	{"MobileOnly", func(in *input, raw json.RawMessage) {
		in.patch.MobileOnly = directory.Some(in.flag(raw))
	}},
	{"LicenseType", readLicence},
}

// input is a body on its way to the core.
type input struct {
	limits    Limits
	creating  bool // a new user: the password is required
	malformed bool // a value of a wrong type: code 3
	// badLicence is a licence type that is none: it is not missing besides.
	badLicence bool
	patch      directory.UserPatch
	faults     []directory.FieldError
}

// fault adds a violation that this door finds by itself. The core reports it
// together with its own.
func (in *input) fault(field string, reason directory.Reason) {
	in.faults = append(in.faults, directory.FieldError{Field: field, Reason: reason, Message: field + ": " + string(reason)})
}

// replace reads a whole CreateUpdateUser: a property that is left out is empty
// (dossier 5.8).
func (in *input) replace(o web.Object) {
	for i := range properties {
		raw, _ := o.Get(properties[i].name)
		properties[i].read(in, raw)
	}
}

// change reads the properties that a PATCH names, each as replace does. A name
// that is no property is code 138; UserId is one that nobody can set, and is
// ignored as elsewhere.
func (in *input) change(o web.Object) {
	known := 0
	for i := range properties {
		if raw, ok := o.Get(properties[i].name); ok {
			properties[i].read(in, raw)
			known++
		}
	}
	if o.Len() == known {
		return
	}
	for name := range o.Each {
		if !strings.EqualFold(name, "UserId") && !isProperty(name) {
			in.fault(fieldProperty, directory.ReasonFieldValue)
			return
		}
	}
}

// isProperty reports whether a name is a property's without regard to case.
func isProperty(name string) bool {
	for i := range properties {
		if strings.EqualFold(name, properties[i].name) {
			return true
		}
	}
	return false
}

// text reads an optional text; absent and null are "". A text with control
// characters, which no field takes, is as malformed as one that is no text.
func (in *input) text(raw json.RawMessage) (value string, state web.State) {
	value, state = web.StringOf(raw)
	if state == web.Mistyped || strings.ContainsFunc(value, unicode.IsControl) {
		in.malformed = true
	}
	return value, state
}

// flag reads an optional truth value; absent and null are false.
func (in *input) flag(raw json.RawMessage) bool {
	value, state := web.BoolOf(raw)
	if state == web.Mistyped {
		in.malformed = true
	}
	return value
}

// integer reads an optional integer; absent and null are the fallback.
func (in *input) integer(raw json.RawMessage, fallback int64) int64 {
	value, state := web.IntOf(raw)
	switch state {
	case web.Present:
		return value
	case web.Mistyped:
		in.malformed = true
	}
	return fallback
}

// limited reads an optional text and checks its length, if there is any.
func (in *input) limited(name string, field directory.Field, raw json.RawMessage) string {
	value, _ := in.text(raw)
	if value != "" {
		in.length(name, field.String(), value)
	}
	return value
}

// length checks the length of a text against the door's limits.
func (in *input) length(name, field, value string) bool {
	if in.limits[name].fits(utf8.RuneCountInString(value)) {
		return true
	}
	in.fault(field, directory.ReasonFieldLength)
	return false
}

// readUserName: required, without white space (codes 114, 116, 117).
func readUserName(in *input, raw json.RawMessage) {
	value, _ := in.text(raw)
	field := directory.FieldUserName.String()
	if strings.TrimSpace(value) == "" {
		in.patch.UserName = directory.Some("") // the core calls it missing
		return
	}
	in.patch.UserName = directory.Some(value)
	if in.length("UserName", field, value) && strings.ContainsFunc(value, unicode.IsSpace) {
		in.fault(field, directory.ReasonFieldFormat)
	}
}

// readPassword: required of a new user; left out or null, the old one stays
// (dossier 5.8). Which characters it may have is the core's matter.
func readPassword(in *input, raw json.RawMessage) {
	value, state := web.StringOf(raw)
	field := directory.FieldPassword.String()
	switch {
	case state == web.Mistyped:
		in.malformed = true
	case in.creating && strings.TrimSpace(value) == "":
		in.fault(field, directory.ReasonFieldRequired)
	case state == web.Present:
		in.length("Password", field, value)
		in.patch.Password = directory.Some(value)
	}
}

// readGroupName: the first of the user's groups, by name; none takes it away
// (code 107).
func readGroupName(in *input, raw json.RawMessage) {
	value, _ := in.text(raw)
	change := directory.GroupChange{Kind: directory.GroupPlain, Mode: directory.GroupsReplaceFirst}
	switch value = strings.TrimSpace(value); {
	case utf8.RuneCountInString(value) > maxGroupName:
		in.fault(directory.FieldGroups.String(), directory.ReasonGroupNotFound)
		return
	case value != "":
		change.Groups = []directory.GroupRef{{Kind: directory.GroupPlain, Name: value}}
	case in.creating:
		return
	}
	in.patch.Groups = []directory.GroupChange{change}
}

// readEmployeeNumber: absent and null are none; a text must have its least
// length (code 102).
func readEmployeeNumber(in *input, raw json.RawMessage) {
	value, state := in.text(raw)
	if state == web.Present {
		in.length("EmployeeNumber", directory.FieldEmployeeNumber.String(), value)
	}
	in.patch.EmployeeNumber = directory.Some(value)
}

// readPhone: digits, hyphens, dots, parentheses and spaces, with a plus in
// front (codes 123, 124). It is the first of the user's numbers; the others
// stay.
func readPhone(in *input, raw json.RawMessage) {
	value, _ := in.text(raw)
	field := directory.FieldPhones.String()
	if value != "" && in.length("Phone", field, value) && !isPhone(value) {
		in.fault(field, directory.ReasonFieldFormat)
	}
	in.patch.FirstPhone = directory.Some(value)
}

// isPhone reports whether a text has the characters of a number and a digit.
func isPhone(text string) bool {
	text = strings.TrimPrefix(text, "+")
	return strings.Trim(text, "0123456789()-. ") == "" && strings.ContainsAny(text, "0123456789")
}

// The vendor's roles (dossier 5.7).
const (
	roleAdministrator = 1
	roleUser          = 3
	rolePowerUser     = 5
)

// readRole: an administrator has the core's rank; the others differ only at
// this door. Absent is a user (code 113).
func readRole(in *input, raw json.RawMessage) {
	switch role := in.integer(raw, roleUser); role {
	case roleAdministrator:
		in.patch.Administrator = directory.Some(true)
	case roleUser, rolePowerUser:
		in.patch.Administrator = directory.Some(false)
		value := noExtra
		if role == rolePowerUser {
			value = "5"
		}
		in.extra("RoleId", value)
	default:
		in.fault(directory.FieldRoles.String(), directory.ReasonFieldValue)
	}
}

// readActive: as any flag, false when it is left out (dossier 5.8).
func readActive(in *input, raw json.RawMessage) {
	state := directory.StateInactive
	if in.flag(raw) {
		state = directory.StateActive
	}
	in.patch.State = directory.Some(state)
}

// readLicence: a type that the vendor numbers; 0, absent and null are none,
// which the core refuses where it matters (codes 132, 133).
func readLicence(in *input, raw json.RawMessage) {
	number := in.integer(raw, 0)
	if number < 0 || number >= int64(len(licenceTypes)) {
		in.fault(directory.FieldLicenceType.String(), directory.ReasonFieldValue)
		in.badLicence = true
		return
	}
	in.patch.LicenceType = directory.Some(licenceTypes[number])
}

// extraText reads a text that only this door has; none removes it.
func (in *input) extraText(name string, raw json.RawMessage) {
	value, _ := in.text(raw)
	if value == "" {
		in.extra(name, noExtra)
		return
	}
	in.length(name, name, value)
	in.extra(name, string(web.AppendString(nil, value)))
}

// extraFlag reads a truth value that only this door has.
func (in *input) extraFlag(name string, raw json.RawMessage) {
	if in.flag(raw) {
		in.extra(name, "true")
		return
	}
	in.extra(name, noExtra)
}

// noExtra takes one of the door's own fields away. What is shown where there is
// none (false, role 3) is not kept, so that a user whom this door never wrote
// and one written with these values are the same.
const noExtra = "null"

// extra sets one of the door's own fields.
func (in *input) extra(name, value string) {
	if in.patch.ExtraFields == nil {
		in.patch.ExtraFields = make(map[string]json.RawMessage, 5)
	}
	in.patch.ExtraFields[name] = json.RawMessage(value)
}

// rules are what this door asks of every user that it writes: all violations in
// one answer, a licence type, and hands off the account owner (dossier 5.7 and
// 6).
func (in *input) rules() directory.DoorRules {
	return directory.DoorRules{Faults: in.faults, All: true, RequireLicence: !in.badLicence, Licences: seenLicences,
		HiddenStaged: true, RefuseOwner: true}
}

// newUser is the input of a creation.
func (in *input) newUser() directory.NewUser {
	fields, password := in.patch, in.patch.Password.Value
	fields.Password = directory.Opt[string]{}
	return directory.NewUser{State: in.patch.State.Value, Password: password, MinPassword: in.limits["Password"].Least, Rules: in.rules(), Fields: fields}
}

// options are the conditions of an update.
func (in *input) options() directory.UpdateOptions {
	return directory.UpdateOptions{MinPassword: in.limits["Password"].Least, Rules: in.rules()}
}
