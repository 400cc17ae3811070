package directory

import (
	"strconv"
	"time"
)

// UserQuery selects a page of users in order of their numbers.
type UserQuery struct {
	Company int64    // the company whose subtree is listed; 0: the tenant
	States  StateSet // zero: LivingStates
	Terms   []string // every term must be contained in a search field; folded by the core
	Filter  Filter   // nil: none
	After   int64    // only users with a greater number
	Skip    int      // how many of the rest to pass over
	Limit   int      // at most this many; 1 to MaxLimit
	// WantTotal asks for UserPage.Total.
	WantTotal bool
	// Descending lists in falling order of number; After is then an upper bound.
	Descending bool
	// Sort is the field in whose order users are listed, one of SortFields; those
	// of one value, and all with FieldNone, by number. AfterValue is the SortValue
	// of the user of After.
	Sort       Field
	AfterValue string
	// Cursor continues a list where the page before ended (UserPage.Next), in place
	// of After and Skip: the rest of the query must be the same. WantCursor asks
	// for UserPage.Next.
	Cursor     string
	WantCursor bool
	// Groups keeps members of any of these groups; the core puts their numbers
	// into GroupNumbers. An unknown group has no members.
	Groups       []GroupRef
	GroupNumbers []int64
	// Role keeps users who hold the role of this number, for whatever company; 0: all.
	Role int64
	// SignedIn keeps users by when they last signed in.
	SignedIn SignInTime
	// Numbers keeps users of these numbers, at most MaxBulkUsers; none: all.
	Numbers []int64
	// Until and UntilValue end a list at a user, itself included, as After and
	// AfterValue begin it behind one; 0: at its end. They are the core's own.
	Until      int64
	UntilValue string
}

// SignInTime bounds when users last signed in with their password. The zero value bounds
// nothing.
type SignInTime struct {
	// Never keeps those who never did; From and Before then count for nothing.
	Never  bool      `json:"never,omitempty"`
	From   time.Time `json:"from,omitzero"`   // then or later
	Before time.Time `json:"before,omitzero"` // earlier than that, but at all
}

// IsZero reports that nothing is bounded.
func (s SignInTime) IsZero() bool { return s == SignInTime{} }

// Plain reports that states and company alone choose the users of a query, so that
// counters know how many there are.
func (q *UserQuery) Plain() bool {
	return len(q.Terms) == 0 && q.Filter == nil && len(q.Groups) == 0 && len(q.GroupNumbers) == 0 && q.Role == 0 && q.SignedIn.IsZero() && len(q.Numbers) == 0
}

// MaxLimit is the largest page that the core hands out.
const MaxLimit = 2000

// CountLimit is how far totals of searches and filters are counted.
const CountLimit = 10_000

// UserPage is one page of a list.
type UserPage struct {
	Users []User
	// Total is the number of all matches. Exact without terms and filter;
	// otherwise counted up to CountLimit, and beyond that at least what is
	// known to exist, so that it is always greater than skip + len(Users)
	// while there is more.
	Total int64
	// More reports whether users follow this page.
	More bool
	// Next is the cursor of the next page, if it was asked for and there is one.
	Next string
}

// SortFields are the fields by which users can be listed.
var SortFields = Fields(FieldNone, FieldNumber, FieldUserName, FieldEmail, FieldGivenName, FieldFamilyName,
	FieldDisplayName, FieldCreatedAt, FieldUpdatedAt)

// SortValue is a user's value of a field of SortFields: texts folded, which are
// compared byte by byte, and times as microseconds since 1970 in decimal, which
// are compared as numbers. "" for FieldNone and FieldNumber.
func SortValue(u *User, f Field) string {
	if when, ok := TimeField(u, f); ok {
		return strconv.FormatInt(when.UnixMicro(), 10)
	}
	if f == FieldNone || f == FieldNumber {
		return ""
	}
	return FoldSearch(TextField(u, f))
}

// Space is a name space of handles. Two users of a tenant never hold the same
// folded key in one space.
type Space string

// The spaces of handles. SCIM external ids have one per provisioning
// credential, ExternalSpace.
const (
	SpaceLogin    Space = "login"    // user names and e-mail addresses together, folded
	SpaceEmployee Space = "employee" // employee numbers, folded (as Encore compares them)
	SpaceOpenID   Space = "openid"   // exact
	SpaceWebMDN   Space = "webmdn"   // folded
	SpaceStorage  Space = "storage"  // storage locations, exact
)

// SpaceExternal is the space of the calling credential's external ids, in a
// UserRef of a door. A person has none.
const SpaceExternal Space = "external"

// ExternalSpace is the space of a provisioning credential's external ids.
func ExternalSpace(credentialID string) Space { return Space("external/" + credentialID) }

// HandleKind says as what a user holds a key of the login space; a user may
// hold one text as both.
type HandleKind uint8

// The kinds of handles.
const (
	HandleUserName HandleKind = 1 << iota
	HandleEmail
	HandleKey // the only kind outside of the login space
)

// Handle is one row of identifiers.
type Handle struct {
	Space Space
	Key   string // folded
	Kinds HandleKind
	User  int64
}
