package directory

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/language"
)

// The core's limits: what every door can live with. A door may be stricter.
const (
	maxTextRunes  = 256
	maxEmailBytes = 254 // RFC 5321 section 4.5.3.1.3
	maxPhones     = 100
	maxJSONBytes  = 64 << 10
)

// applyPatch sets the fields that a patch names, after checking all of them:
// every violation is reported at once and none leaves a trace.
func applyPatch(call *Call, u *User, p *UserPatch) violations {
	var bad violations
	patchText(&bad, FieldGivenName, p.GivenName, &u.GivenName)
	patchText(&bad, FieldFamilyName, p.FamilyName, &u.FamilyName)
	patchText(&bad, FieldDisplayName, p.DisplayName, &u.DisplayName)
	patchText(&bad, FieldTitle, p.Title, &u.Title)
	patchText(&bad, FieldClientUserID, p.ClientUserID, &u.ClientUserID)
	patchText(&bad, FieldLicenceType, p.LicenceType, &u.LicenceType)
	patchText(&bad, FieldTimeZone, p.TimeZone, &u.Profile.TimeZone)
	patchKeys(&bad, u, p)
	patchEmail(&bad, u, p.Email)
	patchPhones(&bad, u, p.Phones, p.NoExtensions)
	patchFirstPhone(&bad, u, p.FirstPhone)
	patchTypedPhones(&bad, u, p.TypedPhones)
	patchAddress(&bad, u, p.Address)
	patchLanguage(&bad, u, p.Language)
	patchProfile(&bad, call, u, p)
	u.Company = p.Company.or(u.Company)
	patchMoment(&bad, FieldValidFrom, p.ValidFrom, &u.ValidFrom)
	patchMoment(&bad, FieldExpiresAt, p.ExpiresAt, &u.ExpiresAt)
	if !u.ValidFrom.IsZero() && !u.ExpiresAt.IsZero() && !u.ValidFrom.Before(u.ExpiresAt) {
		bad.add(FieldExpiresAt, ReasonFieldValue, "expires_at must be after valid_from.")
	}
	return bad
}

// moment is a time as the directory keeps it: UTC, microseconds.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// tooFar reports whether a time cannot be written as RFC 3339 has it, with a year
// of four digits. A time zone can push one that was written so over the edge.
func tooFar(t time.Time) bool { return t.UTC().Year() < 1 || t.UTC().Year() > 9999 }

const tooFarText = "%s must be in the years 1 to 9999, in UTC."

func patchMoment(bad *violations, field Field, value Opt[time.Time], to *time.Time) {
	if value.Set && tooFar(value.Value) {
		bad.add(field, ReasonFieldValue, tooFarText, field)
		return
	}
	*to = moment(value.or(*to))
}

// checkText adds a violation when a text is not fit to be kept.
func checkText(bad *violations, field Field, text string, limit int) bool {
	err := CleanText(field.String(), text, limit)
	if err == nil {
		return true
	}
	*bad = append(*bad, AsError(err).Fields...)
	return false
}

func patchText(bad *violations, field Field, value Opt[string], to *string) {
	if value.Set && checkText(bad, field, value.Value, maxTextRunes) {
		*to = value.Value
	}
}

// patchKeys sets the handles. The user name is the only field that must not be
// empty.
func patchKeys(bad *violations, u *User, p *UserPatch) {
	if p.UserName.Set && p.UserName.Value == "" {
		bad.add(FieldUserName, ReasonFieldRequired, "user_name is required.")
	} else {
		patchKey(bad, FieldUserName, SpaceLogin, p.UserName, &u.UserName)
	}
	patchKey(bad, FieldEmployeeNumber, SpaceEmployee, p.EmployeeNumber, &u.EmployeeNumber)
	patchKey(bad, FieldOpenID, SpaceOpenID, p.OpenID, &u.OpenID)
	patchKey(bad, FieldWebMDN, SpaceWebMDN, p.WebMDN, &u.WebMDN)
	patchKey(bad, FieldStorageLocation, SpaceStorage, p.StorageLocation, &u.Profile.StorageLocation)
}

func patchKey(bad *violations, field Field, space Space, value Opt[string], to *string) {
	if !value.Set {
		return
	}
	if value.Value != "" {
		if utf8.RuneCountInString(value.Value) > MaxHandle {
			bad.add(field, ReasonFieldLength, "%s must be at most %d characters.", field, MaxHandle)
			return
		}
		if _, err := FoldKey(space, value.Value); err != nil {
			bad.add(field, ReasonFieldFormat, "%s: %s", field, AsError(err).Message)
			return
		}
	}
	*to = value.Value
}

func patchEmail(bad *violations, u *User, value Opt[string]) {
	if !value.Set {
		return
	}
	if value.Value != "" {
		if len(value.Value) > maxEmailBytes {
			bad.add(FieldEmail, ReasonFieldLength, "email must be at most %d bytes.", maxEmailBytes)
			return
		}
		parsed, err := mail.ParseAddress(value.Value)
		_, foldErr := FoldKey(SpaceLogin, value.Value)
		if err != nil || foldErr != nil || parsed.Address != value.Value {
			bad.add(FieldEmail, ReasonFieldFormat, "email is not an e-mail address.")
			return
		}
	}
	u.Email = value.Value
}

func patchPhones(bad *violations, u *User, value Opt[[]Phone], without bool) {
	if !value.Set {
		return
	}
	held := u.Phones
	if len(value.Value) > maxPhones {
		bad.add(FieldPhones, ReasonFieldLength, "phones must be at most %d.", maxPhones)
		return
	}
	for _, phone := range value.Value {
		for _, text := range []string{phone.Number, phone.Extension, phone.Type} {
			if !checkText(bad, FieldPhones, text, 64) {
				return
			}
		}
	}
	u.Phones = value.Value
	if without {
		u.Phones = withExtensions(value.Value, held)
	}
}

func patchAddress(bad *violations, u *User, value Opt[Address]) {
	if !value.Set {
		return
	}
	a := value.Value
	for _, text := range []string{a.Line1, a.Line2, a.City, a.Region, a.Country, a.Zip} {
		if !checkText(bad, FieldAddress, text, maxTextRunes) {
			return
		}
	}
	u.Address = a
}

func patchLanguage(bad *violations, u *User, value Opt[string]) {
	if !value.Set {
		return
	}
	if value.Value != "" {
		if !ValidLanguage(value.Value) {
			bad.add(FieldLanguage, ReasonFieldFormat, "language is not a BCP 47 tag.")
			return
		}
	}
	u.Profile.Language = value.Value
}

// ValidLanguage reports whether a text is a language tag (BCP 47) that the
// directory keeps.
func ValidLanguage(tag string) bool {
	// A tag of hundreds of kilobytes would take a second to parse.
	if len(tag) > 64 {
		return false
	}
	_, err := language.Parse(tag)
	return err == nil
}

// patchProfile sets what the profile keeps as JSON. Maps are copied, never
// changed: the caller's and the stored user may share them.
func patchProfile(bad *violations, call *Call, u *User, p *UserPatch) {
	if p.Picture.Set && checkJSON(bad, FieldPicture, p.Picture.Value) {
		u.Profile.Picture = p.Picture.Value
	}
	patchAttributes(bad, u, p.Attributes)
	u.Profile.MobileOnly = p.MobileOnly.or(u.Profile.MobileOnly)
	if p.Extras.Set && checkJSON(bad, FieldExtras, p.Extras.Value) {
		u.Profile.Extras = with(u.Profile.Extras, call.Door.String(), p.Extras.Value, len(p.Extras.Value) == 0)
	}
	if len(p.ExtraFields) > 0 {
		patchExtraFields(bad, call.Door.String(), u, p.ExtraFields)
	}
	if p.ExternalID.Set {
		if p.ExternalID.Value != "" {
			if call.Actor.User != 0 {
				bad.add(FieldExternalID, ReasonFieldRights, "external_id is what a provisioning credential calls the user; a person calls nobody anything.")
				return
			}
			if _, err := FoldKey(ExternalSpace(call.Actor.Credential), p.ExternalID.Value); err != nil {
				bad.add(FieldExternalID, ReasonFieldFormat, "external_id: %s", AsError(err).Message)
				return
			}
		}
		u.Profile.ExternalIDs = with(u.Profile.ExternalIDs, call.Actor.Credential, p.ExternalID.Value, p.ExternalID.Value == "")
	}
}

func patchAttributes(bad *violations, u *User, value Opt[map[string]json.RawMessage]) {
	if !value.Set {
		return
	}
	total := 0
	for key, raw := range value.Value {
		if !checkText(bad, FieldAttributes, key, maxTextRunes) || !checkJSON(bad, FieldAttributes, raw) {
			return
		}
		total += len(key) + len(raw)
	}
	if total > maxJSONBytes {
		bad.add(FieldAttributes, ReasonFieldLength, "attributes must be at most %d bytes of JSON.", maxJSONBytes)
		return
	}
	u.Profile.Attributes = value.Value
}

// patchExtraFields sets single members of a door's extras, an object; null
// removes one.
func patchExtraFields(bad *violations, door string, u *User, fields map[string]json.RawMessage) {
	members := map[string]json.RawMessage{}
	if old := u.Profile.Extras[door]; len(old) > 0 && json.Unmarshal(old, &members) != nil {
		bad.add(FieldExtras, ReasonFieldFormat, "extras of this door are not an object.")
		return
	}
	for name, value := range fields {
		if !checkText(bad, FieldExtras, name, maxTextRunes) || !checkJSON(bad, FieldExtras, value) {
			return
		}
		if len(value) == 0 || string(value) == "null" {
			delete(members, name)
		} else {
			members[name] = value
		}
	}
	whole := json.RawMessage(asJSON(members))
	if checkJSON(bad, FieldExtras, whole) {
		u.Profile.Extras = with(u.Profile.Extras, door, whole, len(members) == 0)
	}
}

func checkJSON(bad *violations, field Field, raw json.RawMessage) bool {
	if len(raw) > maxJSONBytes {
		bad.add(field, ReasonFieldLength, "%s must be at most %d bytes of JSON.", field, maxJSONBytes)
		return false
	}
	if len(raw) > 0 && !keepableJSON(raw) {
		bad.add(field, ReasonFieldFormat, "%s is not valid JSON, or is nested more than %d deep.", field, maxJSONNesting)
		return false
	}
	return true
}

// with is a copy of a map with one key set or removed.
func with[V any](m map[string]V, key string, value V, remove bool) map[string]V {
	out := make(map[string]V, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	if remove {
		delete(out, key)
	} else {
		out[key] = value
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// presetID checks an id that a client brought: any UUID, in lower case.
func presetID(id string) (string, error) {
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", Invalid(FieldID.String(), ReasonFieldFormat, "id is not a UUID.")
	}
	return parsed.String(), nil
}

// checkName validates the name of a company, location, role or lock reason.
func checkName(field, name string) error {
	if strings.TrimSpace(name) == "" {
		return Invalid(field, ReasonFieldRequired, "%s is required.", field)
	}
	return CleanText(field, name, maxTextRunes)
}

// checkNamed validates the name and the preset number of what has both.
func checkNamed(name string, number int64) error {
	if err := checkName("name", name); err != nil {
		return err
	}
	return checkNumber(FieldNumber.String(), number)
}

// checkNumber validates a preset number.
func checkNumber(field string, number int64) error {
	if number < 0 || number > MaxNumber {
		return Invalid(field, ReasonFieldValue, "%s must be from 1 to %d.", field, int64(MaxNumber))
	}
	return nil
}

// companyField is an unknown company that a body names.
func companyField(number int64) error {
	message := fmt.Sprintf("Company %d does not exist.", number)
	return &Error{Code: CodeInvalid, Reason: ReasonCompanyNotFound, Message: message,
		Fields: []FieldError{{Field: FieldCompany.String(), Reason: ReasonCompanyNotFound, Message: message}}}
}
