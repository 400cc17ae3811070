package directory

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Filter is a condition on users. Every query language of a door parses into
// it; Match is its meaning, and the store's SQL must agree with Match (proved
// by a differential test).
type Filter interface{ Match(u *User) bool }

// And holds when every member holds; an empty And always does.
type And []Filter

// Or holds when any member holds; an empty Or never does.
type Or []Filter

// Not holds when its member does not.
type Not struct{ Filter Filter }

// Operator compares a text field.
type Operator uint8

// The operators on texts. Fields that fold (user name, e-mail, names, employee
// number) are compared folded, all others exactly.
const (
	OpEqual Operator = iota
	OpPrefix
	OpSuffix
	OpContains
)

// Text compares a text field with a value.
type Text struct {
	Field Field
	Op    Operator
	Value string
}

// Present holds when a text field is not empty or a time is set.
type Present struct{ Field Field }

// Order compares times and numbers.
type Order uint8

// The orders.
const (
	Less Order = iota
	LessOrEqual
	Equal
	GreaterOrEqual
	Greater
)

// Compare compares an integer field (number, company, version, lock reason,
// rank).
type Compare struct {
	Field Field
	Order Order
	Value int64
}

// When compares a time field; a time that is not set matches nothing.
type When struct {
	Field Field
	Order Order
	Value time.Time
}

// Is compares a flag (locked, must_change_password).
type Is struct {
	Field Field
	Value bool
}

// Extra holds when one of a door's own fields is a text that compares with
// Value, exactly. Path leads to it: the door's name in Profile.Extras, then the
// names of members, each in the object that the one before it names. OpContains
// "" holds for every text.
type Extra struct {
	Path  []string
	Op    Operator
	Value string
}

// AnyPhone holds when a user has a telephone number that compares with Value,
// exactly as it was written, of the type Type unless AnyType.
type AnyPhone struct {
	AnyType bool
	Type    string
	Op      Operator
	Value   string
}

// External compares the external id that a credential gave the user, exactly. A
// user without one, and a deleted user, never matches. The core fills in the
// caller's Credential; a person has none.
type External struct {
	Credential string
	Op         Operator
	Value      string
}

// HasExtras holds when a user carries own fields of a door: that door has said
// something about the user which only it shows.
type HasExtras struct{ Door Door }

// InState holds in any of the states.
type InState struct{ States StateSet }

// Limits of a filter: what a person or a provisioning client writes is far
// below, and what is above costs the database more than it can be worth.
const (
	maxFilterDepth = 32
	maxFilterNodes = 200
	maxExtraPath   = 8
)

// checkFilter refuses filters that are too large and values that no user can
// have: PostgreSQL takes no NUL and no broken UTF-8.
func checkFilter(f Filter, depth int, nodes *int) error {
	if *nodes++; depth > maxFilterDepth || *nodes > maxFilterNodes {
		return Invalid("filter", ReasonFilterSyntax, "The filter has more than %d conditions or is nested more than %d deep.", maxFilterNodes, maxFilterDepth)
	}
	var members []Filter
	switch f := f.(type) {
	case And:
		members = f
	case Or:
		members = f
	case Not:
		members = []Filter{f.Filter}
	case Text:
		if err := checkFilterText(f.Value); err != nil {
			return err
		}
	case AnyPhone:
		for _, text := range []string{f.Type, f.Value} {
			if err := checkFilterText(text); err != nil {
				return err
			}
		}
	case External:
		if err := checkFilterText(f.Value); err != nil {
			return err
		}
	case Extra:
		if len(f.Path) == 0 || len(f.Path) > maxExtraPath {
			return Invalid("filter", ReasonFilterSyntax, "A path of the filter must have 1 to %d names.", maxExtraPath)
		}
		for _, text := range append([]string{f.Value}, f.Path...) {
			if err := checkFilterText(text); err != nil {
				return err
			}
		}
	}
	for _, member := range members {
		if err := checkFilter(member, depth+1, nodes); err != nil {
			return err
		}
	}
	return nil
}

func checkFilterText(text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Invalid("filter", ReasonFilterSyntax, "A value of the filter is not valid text.")
	}
	return nil
}

// Match implements Filter.
func (f And) Match(u *User) bool {
	for _, m := range f {
		if !m.Match(u) {
			return false
		}
	}
	return true
}

// Match implements Filter.
func (f Or) Match(u *User) bool {
	for _, m := range f {
		if m.Match(u) {
			return true
		}
	}
	return false
}

// Match implements Filter.
func (f Not) Match(u *User) bool { return !f.Filter.Match(u) }

// Match implements Filter.
func (f Text) Match(u *User) bool {
	have, want := TextField(u, f.Field), f.Value
	if FoldedField(f.Field) {
		have, want = FoldSearch(have), FoldSearch(want)
	}
	return f.Op.holds(have, want)
}

// holds compares two texts as they are.
func (op Operator) holds(have, want string) bool {
	switch op {
	case OpEqual:
		return have == want
	case OpPrefix:
		return strings.HasPrefix(have, want)
	case OpSuffix:
		return strings.HasSuffix(have, want)
	default:
		return strings.Contains(have, want)
	}
}

// Match implements Filter.
func (f AnyPhone) Match(u *User) bool {
	return slices.ContainsFunc(u.Phones, func(p Phone) bool {
		return (f.AnyType || p.Type == f.Type) && f.Op.holds(p.Number, f.Value)
	})
}

// Match implements Filter.
func (f External) Match(u *User) bool {
	id := u.Profile.ExternalIDs[f.Credential]
	return id != "" && u.State != StateDeleted && f.Op.holds(id, f.Value)
}

// Match implements Filter.
func (f Present) Match(u *User) bool {
	if when, ok := TimeField(u, f.Field); ok {
		return !when.IsZero()
	}
	return TextField(u, f.Field) != ""
}

// Match implements Filter.
func (f Compare) Match(u *User) bool {
	return f.Order.holds(cmp.Compare(IntField(u, f.Field), f.Value))
}

// Match implements Filter.
func (f When) Match(u *User) bool {
	when, ok := TimeField(u, f.Field)
	return ok && !when.IsZero() && f.Order.holds(when.Compare(f.Value))
}

// Match implements Filter.
func (f Is) Match(u *User) bool {
	if f.Field == FieldLocked {
		return u.Locked == f.Value
	}
	return u.MustChangePassword == f.Value
}

// Match implements Filter.
func (f Extra) Match(u *User) bool {
	members := u.Profile.Extras
	for i, name := range f.Path {
		raw, ok := members[name]
		if !ok {
			return false
		}
		if i == len(f.Path)-1 {
			var text *string // nil for null, which is no text
			return json.Unmarshal(raw, &text) == nil && text != nil && f.Op.holds(*text, f.Value)
		}
		members = nil
		if json.Unmarshal(raw, &members) != nil {
			return false
		}
	}
	return false
}

// Match implements Filter.
func (f HasExtras) Match(u *User) bool {
	return !isEmptyJSON(u.Profile.Extras[f.Door.String()])
}

// Match implements Filter.
func (f InState) Match(u *User) bool { return f.States.Has(u.State) }

func (o Order) holds(c int) bool {
	switch o {
	case Less:
		return c < 0
	case LessOrEqual:
		return c <= 0
	case Equal:
		return c == 0
	case GreaterOrEqual:
		return c >= 0
	}
	return c > 0
}

// TextField is a user's value of a text field, "" for any other field.
func TextField(u *User, f Field) string {
	switch f {
	case FieldID:
		return u.ID
	case FieldUserName:
		return u.UserName
	case FieldEmail:
		return u.Email
	case FieldGivenName:
		return u.GivenName
	case FieldFamilyName:
		return u.FamilyName
	case FieldDisplayName:
		return u.DisplayName
	case FieldTitle:
		return u.Title
	case FieldEmployeeNumber:
		return u.EmployeeNumber
	case FieldOpenID:
		return u.OpenID
	case FieldWebMDN:
		return u.WebMDN
	case FieldClientUserID:
		return u.ClientUserID
	case FieldLicenceType:
		return u.LicenceType
	}
	return ""
}

// FoldedField reports whether a text field is compared folded. The store keeps
// a folded column of each.
func FoldedField(f Field) bool {
	switch f {
	case FieldUserName, FieldEmail, FieldGivenName, FieldFamilyName, FieldDisplayName, FieldEmployeeNumber:
		return true
	}
	return false
}

// IntField is a user's value of an integer field.
func IntField(u *User, f Field) int64 {
	switch f {
	case FieldNumber:
		return u.Number
	case FieldCompany:
		return u.Company
	case FieldLockReason:
		return u.LockReason
	case FieldVersion:
		return u.Version
	case FieldRank:
		return int64(u.Rank)
	}
	return 0
}

// TimeField is a user's value of a time field, and whether the field is one.
func TimeField(u *User, f Field) (time.Time, bool) {
	switch f {
	case FieldCreatedAt:
		return u.CreatedAt, true
	case FieldUpdatedAt:
		return u.UpdatedAt, true
	case FieldValidFrom:
		return u.ValidFrom, true
	case FieldExpiresAt:
		return u.ExpiresAt, true
	}
	return time.Time{}, false
}

// ofCaller is a filter with the caller's credential filled in.
func ofCaller(f Filter, credential string) Filter {
	each := func(list []Filter) []Filter {
		out := make([]Filter, len(list))
		for i, m := range list {
			out[i] = ofCaller(m, credential)
		}
		return out
	}
	switch f := f.(type) {
	case And:
		return And(each(f))
	case Or:
		return Or(each(f))
	case Not:
		return Not{ofCaller(f.Filter, credential)}
	case External:
		f.Credential = credential
		return f
	}
	return f
}
