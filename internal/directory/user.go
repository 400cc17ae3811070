package directory

import (
	"encoding/json"
	"time"
)

// TenantNo is a tenant's internal number: 1 to 2^22-1, drawn by the store.
type TenantNo int64

// MaxNumber is the largest number of a user, company, location, lock reason
// or role (docs/architecture.md, Numbers and ids: 1 to 2^31-1).
const MaxNumber = 1<<31 - 1

// User is one person or account, with every field that any door can show.
// Memberships (locations, roles, groups) are rows of their own.
type User struct {
	Tenant TenantNo
	Number int64  // per tenant, 1 to MaxNumber: iQmetrix Id, Encore UserId
	ID     string // UUID in lower case; an imported one of any version is kept

	State              State
	Locked             bool
	LockReason         int64 // number of the lock reason; 0 for none
	MustChangePassword bool
	ValidFrom          time.Time // zero: no lower bound
	ExpiresAt          time.Time // zero: never

	UserName       string
	Email          string
	EmailClaimed   bool // the address is this user's sign-in handle too
	GivenName      string
	FamilyName     string
	DisplayName    string
	Title          string
	Company        int64 // number of the company
	EmployeeNumber string
	OpenID         string
	WebMDN         string // Encore EPTTWebMDN
	ClientUserID   string
	LicenceType    string // "" holds no seat
	Seat           int    // shard of the held seat + 1; 0 holds none
	Rank           Rank   // the highest of the user's roles; RankOwner for the account owner

	Phones  []Phone
	Address Address
	Profile Profile

	AuthEpoch   int64
	Version     int64 // rises on every change of the canonical view
	DoorVersion int64 // rises when a field of doorVersionFields changes
	CreatedAt   time.Time
	UpdatedAt   time.Time
	DeletedAt   time.Time // zero unless deleted
}

// Phone is one telephone number as the client wrote it.
type Phone struct {
	Number    string `json:"number"`
	Extension string `json:"extension,omitempty"`
	Type      string `json:"type,omitempty"`
}

// Address is a postal address. Codes are ISO 3166 (docs/dialects/iqmetrix.md 4.1);
// other doors fill what they have. Set tells an address of empty texts from
// none at all.
type Address struct {
	Set     bool   `json:"set,omitempty"`
	Line1   string `json:"line1,omitempty"`
	Line2   string `json:"line2,omitempty"`
	City    string `json:"city,omitempty"`
	Region  string `json:"region,omitempty"`
	Country string `json:"country,omitempty"`
	Zip     string `json:"zip,omitempty"`
}

// Profile holds the fields that are neither searched nor shown by the hot
// paths; the store keeps it as one text. A zero Profile is stored as "".
type Profile struct {
	Language    string                     `json:"language,omitempty"` // BCP 47
	TimeZone    string                     `json:"time_zone,omitempty"`
	Picture     json.RawMessage            `json:"picture,omitempty"`
	Attributes  map[string]json.RawMessage `json:"attributes,omitempty"`
	Extras      map[string]json.RawMessage `json:"extras,omitempty"`       // door name -> that door's own fields
	ExternalIDs map[string]string          `json:"external_ids,omitempty"` // credential id -> SCIM externalId
	// MobileOnly keeps a person out of web applications; the account owner
	// cannot be it (docs/dialects/encore.md 5.7).
	MobileOnly bool `json:"mobile_only,omitempty"`
	// StorageLocation is where a technician keeps parts; a handle, since a
	// storage location has one technician (docs/dialects/servicemobility.md 3.2).
	StorageLocation string `json:"storage_location,omitempty"`
}

// IsZero reports whether nothing is set.
func (p Profile) IsZero() bool {
	return p.Language == "" && p.TimeZone == "" && len(p.Picture) == 0 && len(p.Attributes) == 0 &&
		len(p.Extras) == 0 && len(p.ExternalIDs) == 0 && !p.MobileOnly && p.StorageLocation == ""
}

// Usable reports whether the user may sign in and hold tokens at a moment:
// active, not locked, inside its validity dates.
func (u *User) Usable(now time.Time) bool {
	return u.State == StateActive && !u.Locked &&
		(u.ValidFrom.IsZero() || !now.Before(u.ValidFrom)) &&
		(u.ExpiresAt.IsZero() || now.Before(u.ExpiresAt))
}

// SearchText is the folded text that search looks in: given name, family name,
// user name and e-mail, a line each, so that no word matches across fields
// (docs/dialects/iqmetrix.md 5.21).
func (u *User) SearchText() string {
	return FoldSearch(u.GivenName) + "\n" + FoldSearch(u.FamilyName) + "\n" + FoldSearch(u.UserName) + "\n" + FoldSearch(u.Email)
}

// UserRef says which user is meant: by exactly one of number, id, or a handle
// in a space.
type UserRef struct {
	Number int64
	ID     string
	Space  Space
	Key    string // as the client wrote it; the core folds it
	// Kind, if set, is as what the user must hold the key: HandleUserName
	// where a door finds people by user name but not by address.
	Kind HandleKind
	// Exact wants the stored user name to equal Key to the letter
	// (docs/dialects/servicemobility.md 5.12).
	Exact bool
	// Self is the person who asks; a credential is nobody.
	Self bool
}

// ByNumber refers to a user by number.
func ByNumber(n int64) UserRef { return UserRef{Number: n} }

// ByID refers to a user by UUID.
func ByID(id string) UserRef { return UserRef{ID: id} }

// ByHandle refers to a user by user name, e-mail, employee number and so on.
func ByHandle(space Space, key string) UserRef { return UserRef{Space: space, Key: key} }

// ByUserName refers to a user by user name, and not by address.
func ByUserName(name string) UserRef {
	return UserRef{Space: SpaceLogin, Key: name, Kind: HandleUserName}
}

// ByExactUserName refers to a user by user name with every letter's case.
func ByExactUserName(name string) UserRef {
	return UserRef{Space: SpaceLogin, Key: name, Kind: HandleUserName, Exact: true}
}

// Myself refers to the person who asks (RFC 7644 section 3.11).
func Myself() UserRef { return UserRef{Self: true} }

// Opt is a field of a patch: absent, or set to a value (which may be zero).
type Opt[T any] struct {
	Set   bool
	Value T
}

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// or returns the value if set, else the fallback.
func (o Opt[T]) or(fallback T) T {
	if o.Set {
		return o.Value
	}
	return fallback
}

// NewUser is the input of CreateUser. The zero value of every field but
// UserName is allowed.
type NewUser struct {
	Number   int64  // 0: drawn; a preset one must be free
	ID       string // "": made; a preset UUID must be free
	State    State  // "": active
	Password string // "": the user cannot sign in until one is set
	// PasswordHash is an imported hash, kept as it is until the next login.
	PasswordHash string
	// Temporary marks the password as one that its owner must replace.
	Temporary bool
	// ClaimEmail says what a taken e-mail means: an error (true; iqmetrix,
	// smartapp, canonical) or an address that is kept but not claimed.
	ClaimEmail bool
	// MinPassword is the door's own least length, on top of the policy.
	MinPassword int
	// NameBase draws a user name when the patch sets none: the first free of
	// base1, base2 and so on (docs/dialects/smartapp.md 5).
	NameBase string
	// InactiveWithoutSeat reports whether the user becomes inactive when no seat
	// is free, where it would otherwise be refused; nil never does. It is asked
	// with the tenant's settings, which a door learns only by the call.
	InactiveWithoutSeat func(*Settings) bool
	// GeneratePassword makes a temporary password when Password is empty.
	GeneratePassword bool
	// Notify mails the new user its user name, and the password if the call
	// set or made one.
	Notify bool
	// Rules are the door's own conditions.
	Rules  DoorRules
	Fields UserPatch
}

// DoorRules are what a door asks of a user on top of the core's own rules,
// decided with them in one place, so that one answer can name every violation.
type DoorRules struct {
	// Faults are what the door itself found wrong with the input: they are
	// reported after the look-up of the user, together with the core's.
	Faults []FieldError
	// All reports every violation at once, what is taken, missing or
	// exhausted included. Without it the first group is reported alone.
	All bool
	// RequireLicence refuses an empty licence type; on update only where the
	// stored one is not empty. Licences are the types that the door has a word
	// for, nil for all: the others it shows as none, and an update that sends none
	// keeps them (docs/dialects/encore.md 6, code 133).
	RequireLicence bool
	Licences       []string
	// HiddenStaged is for doors that show staged users as inactive: an update
	// that sends inactive keeps them staged.
	HiddenStaged bool
	// RefuseOwner refuses any change of the account owner with
	// owner.protected (docs/dialects/encore.md 5.7).
	RefuseOwner bool
}

// UserPatch names the fields to change; absent ones keep their value. A door
// that replaces a whole user sets every field that it can see and no other.
type UserPatch struct {
	UserName       Opt[string]
	Email          Opt[string]
	GivenName      Opt[string]
	FamilyName     Opt[string]
	DisplayName    Opt[string]
	Title          Opt[string]
	Company        Opt[int64]
	EmployeeNumber Opt[string]
	OpenID         Opt[string]
	WebMDN         Opt[string]
	ClientUserID   Opt[string]
	LicenceType    Opt[string]
	Phones         Opt[[]Phone]
	NoExtensions   bool        // the door of Phones shows no extensions: a number that stays keeps its own
	FirstPhone     Opt[string] // the number of the first phone, "" takes it away; the others stay
	TypedPhones    []Phone     // the number of the first phone of each of these types, "" takes it away; the others stay
	Address        Opt[Address]
	Picture        Opt[json.RawMessage]
	Language       Opt[string]
	TimeZone       Opt[string]
	Attributes     Opt[map[string]json.RawMessage]
	Extras         Opt[json.RawMessage] // of the calling door
	ExternalID     Opt[string]          // of the calling credential
	ValidFrom      Opt[time.Time]
	ExpiresAt      Opt[time.Time]

	// The rest is for doors that put several things into one call.

	State           Opt[State] // active or inactive; NewUser.State on creation
	Locked          Opt[bool]  // without a reason
	Password        Opt[string]
	NoPassword      bool // takes the password away: the user cannot sign in until one is set
	MobileOnly      Opt[bool]
	StorageLocation Opt[string]
	// ExtraFields sets single members of the calling door's extras and keeps
	// the others; null removes one. Extras replaces them all.
	ExtraFields map[string]json.RawMessage
	// CompanyName names the company; LocationName a location of the user's
	// company that takes the place of the first one it has there, "" for none.
	CompanyName  Opt[string]
	LocationName Opt[string]
	Groups       []GroupChange
	// Roles are the keys of all roles of the tenant itself that the user shall
	// have; roles that belong to a company stay.
	Roles Opt[[]string]
	// PlainRoles are, in place of Roles, those without rank; the others stay.
	PlainRoles Opt[PlainRoles]
	// Administrator gives the tenant's role "administrator" (made when it is
	// missing), or takes every role of that rank or above.
	Administrator Opt[bool]
}

// PlainRoles are the keys of all roles without rank, of the tenant itself, that a
// user shall have. A role with a rank that is named is rights.provisioning or
// rank.too_low unless the user has it. What the tenant has no role for grants
// nothing and is kept, as an array of texts, in the member Unknown of the calling
// door's extras: identity providers send roles of their own.
type PlainRoles struct {
	Keys    []string
	Unknown string
}

// UpdateOptions are the conditions of an update.
type UpdateOptions struct {
	IfVersion     Opt[int64] // refuse with stale unless Version is this
	IfDoorVersion Opt[int64] // the same for DoorVersion
	ClaimEmail    bool       // as in NewUser, of an address that the user did not have before
	MinPassword   int        // as in NewUser
	Temporary     bool       // as in NewUser, of the patch's password
	Rules         DoorRules
	// From makes the patch of the user as it is when it is changed, with what
	// FromWith includes, so that nothing is lost of what others change meanwhile.
	// Of the patch that the call itself brings only the password counts then. It
	// may be called twice. Its errors are the call's.
	From     func(current *UserDetail) (UserPatch, error)
	FromWith Include
}
