package smartapp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The limits of texts in characters, where the vendor has none.
const (
	maxText  = 256
	maxEmail = 254
	maxPhone = 64
)

// maxNames is how many groups or roles one request names. The core takes fewer.
const maxNames = 2000

// input is what a request wants of a user, a company or a location, on its way
// to the core.
type input struct {
	values *values
	faults []directory.FieldError
}

// fault adds a violation that this door finds by itself, of the core's name of
// the field.
func (in *input) fault(field string, reason directory.Reason, format string, args ...any) {
	in.faults = append(in.faults, directory.FieldError{Field: field, Reason: reason, Message: fmt.Sprintf(format, args...)})
}

// err is nil without violations, else one invalid error with all of them.
func (in *input) err() error {
	if len(in.faults) == 0 {
		return nil
	}
	return &directory.Error{Code: directory.CodeInvalid, Reason: in.faults[0].Reason, Message: in.faults[0].Message, Fields: in.faults}
}

// text reads an optional text of the query or, without one there, of the body;
// null is as if it were left out. A number is taken as the text that it is
// written as: the vendor's own sample sends telephone numbers so (dossier 5.5).
func (in *input) text(field, name string, most int) directory.Opt[string] {
	value, sent := in.values.query.Get(name)
	if !sent {
		raw, _ := in.values.body.Get(name)
		if value, sent = in.textOf(field, name, raw); !sent {
			return directory.Opt[string]{}
		}
	}
	if !in.fits(field, name, value, most) {
		return directory.Opt[string]{}
	}
	return directory.Some(value)
}

// textOf reads a text or a plain number.
func (in *input) textOf(field, name string, raw json.RawMessage) (string, bool) {
	value, state := web.StringOf(raw)
	switch {
	case state == web.Present:
		return value, true
	case state == web.Mistyped && isDigits(raw):
		return string(raw), true
	case state == web.Mistyped:
		in.fault(field, directory.ReasonFieldFormat, "%s must be a text.", name)
	}
	return "", false
}

func isDigits(raw []byte) bool {
	return !slices.ContainsFunc(raw, func(c byte) bool { return c < '0' || c > '9' })
}

// fits checks that a text is no longer than the limit and has no control
// characters, which no field takes.
func (in *input) fits(field, name, value string, most int) bool {
	switch {
	case utf8.RuneCountInString(value) > most:
		in.fault(field, directory.ReasonFieldLength, "%s has more than %d characters.", name, most)
	case strings.ContainsFunc(value, unicode.IsControl):
		in.fault(field, directory.ReasonFieldFormat, "%s has control characters.", name)
	default:
		return true
	}
	return false
}

// list reads an optional list of names: the parameter as often as there are
// names, or an array of texts. A single empty parameter is the empty list
// (dossier 5.5).
func (in *input) list(field, name string) directory.Opt[[]string] {
	names := in.values.query.All(name)
	if len(names) == 1 && names[0] == "" {
		return directory.Some([]string{})
	}
	if names == nil {
		elements, state := in.values.body.Array(name)
		switch state {
		case web.Present:
			names = make([]string, 0, min(len(elements), maxNames))
		case web.Mistyped:
			in.fault(field, directory.ReasonFieldFormat, "%s must be an array of texts.", name)
			return directory.Opt[[]string]{}
		default:
			return directory.Opt[[]string]{}
		}
		for _, raw := range elements {
			text, state := web.StringOf(raw)
			if state != web.Present {
				in.fault(field, directory.ReasonFieldFormat, "%s must be an array of texts.", name)
				return directory.Opt[[]string]{}
			}
			names = append(names, text)
		}
	}
	if len(names) > maxNames {
		in.fault(field, directory.ReasonFieldLength, "%s has more than %d names.", name, maxNames)
		return directory.Opt[[]string]{}
	}
	for _, text := range names {
		if !in.fits(field, name, text, maxText) {
			return directory.Opt[[]string]{}
		}
	}
	return directory.Some(names)
}

// flag reads an optional truth value.
func (in *input) flag(field, name string) directory.Opt[bool] {
	if text, sent := in.values.query.Get(name); sent {
		for _, value := range []bool{true, false} {
			if strings.EqualFold(strings.TrimSpace(text), fmt.Sprint(value)) {
				return directory.Some(value)
			}
		}
		in.fault(field, directory.ReasonFieldFormat, "%s must be true or false.", name)
		return directory.Opt[bool]{}
	}
	value, state := in.values.body.Bool(name)
	if state == web.Mistyped {
		in.fault(field, directory.ReasonFieldFormat, "%s must be true or false.", name)
	}
	return directory.Opt[bool]{Set: state == web.Present, Value: value}
}

// metadata reads the optional free object: of the body, or written as JSON in
// the query.
func (in *input) metadata(field string) json.RawMessage {
	raw, _ := in.values.body.Get("metadata")
	if text, sent := in.values.query.Get("metadata"); sent {
		var err error
		if raw, err = web.DecodeValue([]byte(text), maxDepth); err != nil {
			in.fault(field, directory.ReasonFieldFormat, "metadata must be a JSON object.")
			return nil
		}
	}
	if _, state := web.ObjectOf(raw); state == web.Present {
		return raw
	} else if state == web.Mistyped {
		in.fault(field, directory.ReasonFieldFormat, "metadata must be a JSON object.")
	}
	return nil
}

// phoneTypes are the telephone numbers that this door shows, by the type under
// which the core keeps them and by the vendor's name (dossier 4.2).
var phoneTypes = []string{"phone", "mobile", "fax"}

// userPatch reads the fields of a user that the request names (dossier 4.1).
func (in *input) userPatch() directory.UserPatch {
	p := directory.UserPatch{
		GivenName:    in.text(directory.FieldGivenName.String(), "firstName", maxText),
		FamilyName:   in.text(directory.FieldFamilyName.String(), "lastName", maxText),
		Email:        in.text(directory.FieldEmail.String(), "email", maxEmail),
		CompanyName:  in.text(directory.FieldCompany.String(), "companyName", maxText),
		LocationName: in.text(directory.FieldLocations.String(), "companyLocationName", maxText),
		Roles:        in.list(directory.FieldRoles.String(), "applicationRoles"),
		LicenceType:  in.licence(),
	}
	if p.Email.Set && strings.TrimSpace(p.Email.Value) == "" {
		in.fault(directory.FieldEmail.String(), directory.ReasonFieldRequired, "email is required.")
	}
	for _, kind := range []struct {
		name string
		kind directory.GroupKind
	}{{"groups", directory.GroupPlain}, {"dashboardGroups", directory.GroupDashboard}} {
		if names := in.list(directory.FieldGroups.String(), kind.name); names.Set {
			p.Groups = append(p.Groups, groupChange(kind.kind, directory.GroupsReplace, names.Value))
		}
	}
	for _, name := range phoneTypes {
		if number := in.text(directory.FieldPhones.String(), name, maxPhone); number.Set {
			p.TypedPhones = append(p.TypedPhones, directory.Phone{Number: number.Value, Type: name})
		}
	}
	if metadata := in.metadata(directory.FieldExtras.String()); metadata != nil {
		if o, _ := web.ObjectOf(metadata); o.Len() == 0 {
			metadata = json.RawMessage("null") // {} is shown where there is none, and is not kept
		}
		p.ExtraFields = map[string]json.RawMessage{"metadata": metadata}
	}
	return p
}

// groupChange names groups by name.
func groupChange(kind directory.GroupKind, mode directory.GroupMode, names []string) directory.GroupChange {
	change := directory.GroupChange{Kind: kind, Mode: mode, Groups: make([]directory.GroupRef, len(names))}
	for i, name := range names {
		change.Groups[i] = directory.GroupRef{Kind: kind, Name: name}
	}
	return change
}

// licenceType is a licence type as the core, requests and answers call it.
type licenceType struct{ core, in, out string }

// licenceTypes are the vendor's types (dossier 4.3).
var licenceTypes = []licenceType{
	{"regular", "LicencedUser", "Licenced User"},
	{"transaction_based", "TransactionBasedUser", "Transaction Based User"},
}

// seenLicences are the types for which the vendor has a word: all others are
// shown as none, and an update that sends none keeps them (dossier 4.3).
var seenLicences = []string{licenceTypes[0].core, licenceTypes[1].core}

// licence reads a licence type as requests or answers spell it, and "" for
// none.
func (in *input) licence() directory.Opt[string] {
	text := in.text(directory.FieldLicenceType.String(), "licenceType", maxText)
	if !text.Set || text.Value == "" {
		return text
	}
	for _, known := range licenceTypes {
		if strings.EqualFold(text.Value, known.in) || strings.EqualFold(text.Value, known.out) {
			return directory.Some(known.core)
		}
	}
	in.fault(directory.FieldLicenceType.String(), directory.ReasonFieldValue, "licenceType must be LicencedUser or TransactionBasedUser.")
	return directory.Opt[string]{}
}

// rules are what this door asks of every user that it writes.
func (in *input) rules() directory.DoorRules {
	return directory.DoorRules{Faults: in.faults, Licences: seenLicences}
}

// newUser is the input of a creation: an e-mail is required in effect, and the
// licence is the vendor's default unless the request says otherwise (dossier
// 4.1).
func (in *input) newUser() directory.NewUser {
	fields := in.userPatch()
	if !fields.Email.Set {
		in.fault(directory.FieldEmail.String(), directory.ReasonFieldRequired, "email is required.")
	}
	if !fields.LicenceType.Set {
		fields.LicenceType = directory.Some(licenceTypes[0].core)
	}
	return directory.NewUser{
		NameBase:            nameBase(fields.GivenName.Value, fields.FamilyName.Value),
		ClaimEmail:          true,
		InactiveWithoutSeat: func(s *directory.Settings) bool { return s.SmartappInactiveWithoutSeat },
		Rules:               in.rules(),
		Fields:              fields,
	}
}

// maxNameBase bounds the drawn user names in characters.
const maxNameBase = 64

// nameBase is what a drawn user name begins with: the first letter of the given
// name and the family name, in lower case, of ASCII letters and digits only; as
// the sample's ccarr1 (dossier 4.4).
func nameBase(given, family string) string {
	given, family = plainLetters(given), plainLetters(family)
	base := given[:min(1, len(given))] + family
	if base == "" {
		return "user"
	}
	return base[:min(maxNameBase, len(base))]
}

// plainLetters are the ASCII letters and digits of a text in lower case.
func plainLetters(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(text))
}
