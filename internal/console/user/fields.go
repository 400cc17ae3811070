package user

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// field is a field of a user as pages show it and forms change it: as a text.
type field struct {
	Name, Label string
	Kind        string // of its control: "" a line, "email", "select", "moment", "lines", "json", "flag"
	Part        string // heading under which the form has it
	Hint        string
	get         func(*directory.User) string
	// set puts a text into a patch; nil for what the form does not change. text is what
	// get would return.
	set func(p *directory.UserPatch, text string) error
}

// The parts of the form.
const (
	partPerson   = "Person"
	partWork     = "Work"
	partContact  = "Contact"
	partValidity = "Validity"
	partHandles  = "Other handles"
	partMore     = "More"
)

// momentLayout is that of a control for date and time, in UTC.
const momentLayout = "2006-01-02T15:04:05"

// fields are all fields, in the order of forms and pages.
var fields = []field{
	{Name: "given_name", Label: "Given name", Part: partPerson, get: func(u *directory.User) string { return u.GivenName }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.GivenName })},
	{Name: "family_name", Label: "Family name", Part: partPerson, get: func(u *directory.User) string { return u.FamilyName }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.FamilyName })},
	{Name: "display_name", Label: "Display name", Part: partPerson, get: func(u *directory.User) string { return u.DisplayName }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.DisplayName })},
	{Name: "user_name", Label: "User name", Part: partPerson, get: func(u *directory.User) string { return u.UserName }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.UserName })},
	{Name: "email", Label: "E-mail", Kind: "email", Part: partPerson, get: func(u *directory.User) string { return u.Email }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.Email })},
	{Name: "language", Label: "Language", Part: partPerson, Hint: "As in en-GB.", get: func(u *directory.User) string { return u.Profile.Language }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.Language })},
	{Name: "time_zone", Label: "Time zone", Part: partPerson, Hint: "As in Europe/Berlin.", get: func(u *directory.User) string { return u.Profile.TimeZone }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.TimeZone })},

	{Name: "title", Label: "Title", Part: partWork, get: func(u *directory.User) string { return u.Title }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.Title })},
	{Name: "company", Label: "Company", Kind: "company", Part: partWork, get: func(u *directory.User) string { return number(u.Company) }, set: setCompany},
	{Name: "employee_number", Label: "Employee number", Part: partWork, get: func(u *directory.User) string { return u.EmployeeNumber }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.EmployeeNumber })},
	{Name: "licence_type", Label: "Licence type", Kind: "licence", Part: partWork, Hint: "An active user takes a seat of it.", get: func(u *directory.User) string { return u.LicenceType }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.LicenceType })},
	{Name: "mobile_only", Label: "Mobile only: kept out of web applications", Kind: "flag", Part: partWork, get: func(u *directory.User) string { return flag(u.Profile.MobileOnly) }, set: setMobileOnly},

	{Name: "phones", Label: "Phones", Kind: "lines", Part: partContact, Hint: "One a line, as in Work: 613 555 0127 x5532.", get: func(u *directory.User) string { return phoneLines(u.Phones) }, set: setPhones},
	address("line1", "Address", func(a *directory.Address) *string { return &a.Line1 }),
	address("line2", "Address, second line", func(a *directory.Address) *string { return &a.Line2 }),
	address("city", "City", func(a *directory.Address) *string { return &a.City }),
	address("zip", "Postal code", func(a *directory.Address) *string { return &a.Zip }),
	address("region", "Region", func(a *directory.Address) *string { return &a.Region }),
	address("country", "Country", func(a *directory.Address) *string { return &a.Country }),

	{Name: "valid_from", Label: "Valid from", Kind: "moment", Part: partValidity, Hint: "UTC; empty for at once.", get: func(u *directory.User) string { return moment(u.ValidFrom) }, set: momentTo(func(p *directory.UserPatch) *directory.Opt[time.Time] { return &p.ValidFrom })},
	{Name: "expires_at", Label: "Expires", Kind: "moment", Part: partValidity, Hint: "UTC; empty for never.", get: func(u *directory.User) string { return moment(u.ExpiresAt) }, set: momentTo(func(p *directory.UserPatch) *directory.Opt[time.Time] { return &p.ExpiresAt })},

	{Name: "open_id", Label: "OpenID", Part: partHandles, get: func(u *directory.User) string { return u.OpenID }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.OpenID })},
	{Name: "web_mdn", Label: "Web MDN", Part: partHandles, get: func(u *directory.User) string { return u.WebMDN }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.WebMDN })},
	{Name: "client_user_id", Label: "Client user id", Part: partHandles, get: func(u *directory.User) string { return u.ClientUserID }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.ClientUserID })},
	{Name: "storage_location", Label: "Storage location", Part: partHandles, get: func(u *directory.User) string { return u.Profile.StorageLocation }, set: textTo(func(p *directory.UserPatch) *directory.Opt[string] { return &p.StorageLocation })},

	{Name: "attributes", Label: "Attributes", Kind: "json", Part: partMore, Hint: "Free keys, as a JSON object.", get: func(u *directory.User) string { return attributes(u.Profile.Attributes) }, set: setAttributes},
	{Name: "picture", Label: "Picture", Part: partMore, get: func(u *directory.User) string { return string(u.Profile.Picture) }},
}

// fixed are fields that no form changes, for comparing a user with what it was.
var fixed = []field{
	{Name: "status", Label: "State", get: func(u *directory.User) string { return string(u.State) }},
	{Name: "locked", Label: "Locked", get: func(u *directory.User) string { return flag(u.Locked) }},
	{Name: "lock_reason", Label: "Lock reason", get: func(u *directory.User) string { return number(u.LockReason) }},
	{Name: "must_change_password", Label: "Must change the password", get: func(u *directory.User) string { return flag(u.MustChangePassword) }},
	{Name: "rank", Label: "Rank", get: func(u *directory.User) string { return u.Rank.String() }},
}

// textTo sets a text of a patch.
func textTo(of func(*directory.UserPatch) *directory.Opt[string]) func(*directory.UserPatch, string) error {
	return func(p *directory.UserPatch, text string) error {
		*of(p) = directory.Some(text)
		return nil
	}
}

func momentTo(of func(*directory.UserPatch) *directory.Opt[time.Time]) func(*directory.UserPatch, string) error {
	return func(p *directory.UserPatch, text string) error {
		if text == "" {
			*of(p) = directory.Some(time.Time{})
			return nil
		}
		for _, layout := range []string{momentLayout, "2006-01-02T15:04", "2006-01-02T15:04:05.999999", time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				*of(p) = directory.Some(at)
				return nil
			}
		}
		return wrong("Give date and time as 2026-01-31T08:00.")
	}
}

func wrong(text string) error {
	return directory.Wrong(directory.CodeInvalid, directory.ReasonFieldValue, "%s", text)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func flag(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// moment is a time as a control holds it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if t.Nanosecond() != 0 {
		return t.UTC().Format(momentLayout + ".999999")
	}
	return t.UTC().Format(momentLayout)
}

func setCompany(p *directory.UserPatch, text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > directory.MaxNumber {
		return wrong("This is no number of a company.")
	}
	p.Company = directory.Some(n)
	return nil
}

func setMobileOnly(p *directory.UserPatch, text string) error {
	p.MobileOnly = directory.Some(text != "")
	return nil
}

// phoneLines are telephone numbers, one a line.
func phoneLines(phones []directory.Phone) string {
	lines := make([]string, len(phones))
	for i, p := range phones {
		if p.Type != "" {
			lines[i] = p.Type + ": "
		}
		lines[i] += p.Number
		if p.Extension != "" {
			lines[i] += " x" + p.Extension
		}
	}
	return strings.Join(lines, "\n")
}

func setPhones(p *directory.UserPatch, text string) error {
	phones := []directory.Phone{}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n") {
		var phone directory.Phone
		kind, rest, typed := strings.Cut(line, ":")
		if typed {
			phone.Type = strings.TrimSpace(kind)
		} else {
			rest = line
		}
		if at := strings.LastIndex(rest, " x"); at >= 0 {
			rest, phone.Extension = rest[:at], strings.TrimSpace(rest[at+2:])
		}
		if phone.Number = strings.TrimSpace(rest); phone.Number != "" {
			phones = append(phones, phone)
		}
	}
	p.Phones = directory.Some(phones)
	return nil
}

// address is a part of the address. The patch has the whole one, so that a form sets
// every part when one is changed (patch).
func address(name, label string, of func(*directory.Address) *string) field {
	return field{Name: "address." + name, Label: label, Part: partContact, get: func(u *directory.User) string { return *of(&u.Address) },
		set: func(p *directory.UserPatch, text string) error {
			p.Address.Set = true
			*of(&p.Address.Value) = text
			p.Address.Value.Set = p.Address.Value.Set || text != ""
			return nil
		}}
}

// attributes are free keys as JSON for people, in order.
func attributes(members map[string]json.RawMessage) string {
	if len(members) == 0 {
		return ""
	}
	text, err := json.MarshalIndent(members, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

func setAttributes(p *directory.UserPatch, text string) error {
	members := map[string]json.RawMessage{}
	if strings.TrimSpace(text) != "" && json.Unmarshal([]byte(text), &members) != nil {
		return wrong("This is no JSON object, as in {\"shift\": \"late\"}.")
	}
	p.Attributes = directory.Some(members)
	return nil
}

// shown is a field with its value.
type shown struct{ Name, Label, Kind, Text string }

// facts are the fields of a user that are set.
func facts(u *directory.User) (list []shown) {
	for i := range fields {
		f := &fields[i]
		if text := f.get(u); text != "" && f.Name != "attributes" && f.Name != "picture" {
			list = append(list, shown{f.Name, f.Label, f.Kind, text})
		}
	}
	return list
}

// extras are what the doors keep of a user by themselves, by name of the door.
func extras(u *directory.User) (list []extra) {
	for _, name := range slices.Sorted(maps.Keys(u.Profile.Extras)) {
		list = append(list, extra{name, indent(u.Profile.Extras[name])})
	}
	return list
}

// indent writes JSON for people; what is none stays as it is.
func indent(raw []byte) string {
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return string(raw)
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return string(raw)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// difference is a field with two values.
type difference struct {
	Label         string
	Before, After string
	Unknown       bool // the value before is not kept
}

// differences are the fields in which two users differ.
func differences(before, after *directory.User, unknown directory.FieldSet) (list []difference) {
	for _, f := range slices.Concat(fixed, fields) {
		a, b := f.get(before), f.get(after)
		name, _, _ := strings.Cut(f.Name, ".")
		gone := slices.ContainsFunc(unknownNames(unknown), func(n string) bool { return n == name })
		if a != b || gone {
			list = append(list, difference{f.Label, a, b, gone})
		}
	}
	return list
}

// unknownNames are the names of a set of fields.
func unknownNames(set directory.FieldSet) (names []string) {
	for f := directory.FieldID; f.String() != ""; f++ {
		if set.Has(f) {
			names = append(names, f.String())
		}
	}
	return names
}
