package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// The states of a user.
const (
	StatusStaged   = "staged"   // prepared: cannot sign in yet
	StatusActive   = "active"   // can sign in, holds a licence seat
	StatusInactive = "inactive" // cannot sign in; keeps names, addresses and keys
	StatusDeleted  = "deleted"  // in the recycle bin
)

// User is a user as the server shows it.
type User struct {
	Head
	ID          string `json:"id"`     // UUID; never changes and is never given again
	Number      int64  `json:"number"` // the user's number in the tenant
	UserName    string `json:"user_name"`
	Email       string `json:"email"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
	DisplayName string `json:"display_name"`
	Title       string `json:"title"`
	// Status is one of the Status constants.
	Status             string    `json:"status"`
	Locked             bool      `json:"locked"`      // locked out, whatever the status
	LockReason         int64     `json:"lock_reason"` // number; 0 for none
	MustChangePassword bool      `json:"must_change_password"`
	ValidFrom          time.Time `json:"valid_from,omitzero"` // zero: no bound
	ExpiresAt          time.Time `json:"expires_at,omitzero"` // zero: never
	Company            int64     `json:"company"`             // number
	EmployeeNumber     string    `json:"employee_number"`
	OpenID             string    `json:"open_id"`
	WebMDN             string    `json:"web_mdn"`
	ClientUserID       string    `json:"client_user_id"`
	ExternalID         string    `json:"external_id"` // what this key calls the user
	LicenceType        string    `json:"licence_type"`
	Phones             []Phone   `json:"phones"`
	Address            *Address  `json:"address"` // nil for none
	// Picture is any JSON; null for none.
	Picture         json.RawMessage            `json:"picture"`
	Language        string                     `json:"language"` // BCP 47
	TimeZone        string                     `json:"time_zone"`
	Attributes      map[string]json.RawMessage `json:"attributes"`
	MobileOnly      bool                       `json:"mobile_only"`
	StorageLocation string                     `json:"storage_location"`
	// Rank is the highest rank of the user's roles: "self", "reader", "helpdesk",
	// "administrator" or "owner".
	Rank      string    `json:"rank"`
	Version   int64     `json:"version"` // rises with every change
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	DeletedAt time.Time `json:"deleted_at,omitzero"` // zero: not in the recycle bin
	// Expanded is what Expand asked for.
	Expanded *Expanded `json:"expanded,omitzero"`
	// AsOf says as of when the user is shown; only At sets it.
	AsOf *AsOf `json:"as_of,omitzero"`
}

func (u *User) setVersion() { u.ETag = etag(u.Version) }

// Phone is a telephone number as it was written.
type Phone struct {
	Number    string `json:"number"`
	Extension string `json:"extension,omitzero"`
	Type      string `json:"type,omitzero"`
}

// Address is a postal address.
type Address struct {
	Line1   string `json:"line1,omitzero"`
	Line2   string `json:"line2,omitzero"`
	City    string `json:"city,omitzero"`
	Region  string `json:"region,omitzero"`
	Country string `json:"country,omitzero"` // ISO 3166-1 alpha-2
	Zip     string `json:"zip,omitzero"`
}

// AsOf says as of when a user is shown.
type AsOf struct {
	At      time.Time `json:"at"`
	Event   string    `json:"event"`   // id of the last event before; "" where none is kept
	Unknown []string  `json:"unknown"` // members whose value then is not known
}

// Expanded is what belongs to a user, as far as Expand asked for it.
type Expanded struct {
	Company   *CompanyRef   `json:"company,omitzero"`
	Locations []LocationRef `json:"locations,omitzero"`
	Groups    []GroupRef    `json:"groups,omitzero"`
	Roles     []RoleRef     `json:"roles,omitzero"`
}

// CompanyRef is a company as a user shows it.
type CompanyRef struct {
	Number int64  `json:"number"`
	ID     string `json:"id"`
	Name   string `json:"name"`
}

// LocationRef is a location as a user shows it.
type LocationRef struct {
	Number  int64  `json:"number"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Company int64  `json:"company"`
}

// GroupRef is a group as a user shows it.
type GroupRef struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	Role string `json:"role"` // the user's part in it; "" for an ordinary member
}

// RoleRef is a role as a user shows it.
type RoleRef struct {
	Role    int64  `json:"role"` // number
	Name    string `json:"name"`
	Rank    string `json:"rank"`
	Company int64  `json:"company"` // for which the user holds it; 0: the whole tenant
}

// UserFields are what a caller can write of a user. What is zero is left out: of a
// new user it has its default, and Replace resets it.
type UserFields struct {
	UserName        string                     `json:"user_name,omitzero"`
	Email           string                     `json:"email,omitzero"`
	GivenName       string                     `json:"given_name,omitzero"`
	FamilyName      string                     `json:"family_name,omitzero"`
	DisplayName     string                     `json:"display_name,omitzero"`
	Title           string                     `json:"title,omitzero"`
	ValidFrom       time.Time                  `json:"valid_from,omitzero"`
	ExpiresAt       time.Time                  `json:"expires_at,omitzero"`
	Company         int64                      `json:"company,omitzero"` // 0: as it is; of a new user the tenant's default
	EmployeeNumber  string                     `json:"employee_number,omitzero"`
	OpenID          string                     `json:"open_id,omitzero"`
	WebMDN          string                     `json:"web_mdn,omitzero"`
	ClientUserID    string                     `json:"client_user_id,omitzero"`
	ExternalID      string                     `json:"external_id,omitzero"`
	LicenceType     string                     `json:"licence_type,omitzero"`
	Phones          []Phone                    `json:"phones,omitzero"`
	Address         *Address                   `json:"address,omitzero"`
	Picture         json.RawMessage            `json:"picture,omitzero"`
	Language        string                     `json:"language,omitzero"`
	TimeZone        string                     `json:"time_zone,omitzero"`
	Attributes      map[string]json.RawMessage `json:"attributes,omitzero"`
	MobileOnly      bool                       `json:"mobile_only,omitzero"`
	StorageLocation string                     `json:"storage_location,omitzero"`
	// Locked left out is as it is.
	Locked Opt[bool] `json:"locked,omitzero"`
}

// Fields are what can be written of a user, to be changed and given to Replace. The
// lock is left as it is.
func (u *User) Fields() UserFields {
	f := UserFields{UserName: u.UserName, Email: u.Email, GivenName: u.GivenName, FamilyName: u.FamilyName, DisplayName: u.DisplayName,
		Title: u.Title, ValidFrom: u.ValidFrom, ExpiresAt: u.ExpiresAt, Company: u.Company, EmployeeNumber: u.EmployeeNumber,
		OpenID: u.OpenID, WebMDN: u.WebMDN, ClientUserID: u.ClientUserID, ExternalID: u.ExternalID, LicenceType: u.LicenceType,
		Phones: u.Phones, Address: u.Address, Picture: u.Picture, Language: u.Language, TimeZone: u.TimeZone, Attributes: u.Attributes,
		MobileOnly: u.MobileOnly, StorageLocation: u.StorageLocation}
	return f
}

// NewUser is a user to be created.
type NewUser struct {
	UserFields
	ID        string `json:"id,omitzero"`     // UUID to keep; "" is drawn
	Number    int64  `json:"number,omitzero"` // to keep; 0 is drawn
	Status    string `json:"status,omitzero"` // "" is active
	Password  Secret `json:"password,omitzero"`
	Temporary bool   `json:"temporary,omitzero"` // the password must be replaced by its owner
}

// UserReplacement is a whole user.
type UserReplacement struct {
	UserFields
	Status string `json:"status,omitzero"` // "" is as it is
}

// UserPatch changes some members of a user: what is zero stays, Null resets.
type UserPatch struct {
	UserName       Opt[string]          `json:"user_name,omitzero"`
	Email          Opt[string]          `json:"email,omitzero"`
	GivenName      Opt[string]          `json:"given_name,omitzero"`
	FamilyName     Opt[string]          `json:"family_name,omitzero"`
	DisplayName    Opt[string]          `json:"display_name,omitzero"`
	Title          Opt[string]          `json:"title,omitzero"`
	Status         Opt[string]          `json:"status,omitzero"`
	Locked         Opt[bool]            `json:"locked,omitzero"`
	ValidFrom      Opt[time.Time]       `json:"valid_from,omitzero"`
	ExpiresAt      Opt[time.Time]       `json:"expires_at,omitzero"`
	Company        Opt[int64]           `json:"company,omitzero"`
	EmployeeNumber Opt[string]          `json:"employee_number,omitzero"`
	OpenID         Opt[string]          `json:"open_id,omitzero"`
	WebMDN         Opt[string]          `json:"web_mdn,omitzero"`
	ClientUserID   Opt[string]          `json:"client_user_id,omitzero"`
	ExternalID     Opt[string]          `json:"external_id,omitzero"`
	LicenceType    Opt[string]          `json:"licence_type,omitzero"`
	Phones         Opt[[]Phone]         `json:"phones,omitzero"` // all of them
	Address        Opt[AddressPatch]    `json:"address,omitzero"`
	Picture        Opt[json.RawMessage] `json:"picture,omitzero"`
	Language       Opt[string]          `json:"language,omitzero"`
	TimeZone       Opt[string]          `json:"time_zone,omitzero"`
	// Attributes changes the keys that it has: a value of null removes one.
	Attributes      Opt[map[string]json.RawMessage] `json:"attributes,omitzero"`
	MobileOnly      Opt[bool]                       `json:"mobile_only,omitzero"`
	StorageLocation Opt[string]                     `json:"storage_location,omitzero"`
}

// AddressPatch changes some members of an address.
type AddressPatch struct {
	Line1   Opt[string] `json:"line1,omitzero"`
	Line2   Opt[string] `json:"line2,omitzero"`
	City    Opt[string] `json:"city,omitzero"`
	Region  Opt[string] `json:"region,omitzero"`
	Country Opt[string] `json:"country,omitzero"`
	Zip     Opt[string] `json:"zip,omitzero"`
}

// UserQuery is a list of users. The zero value is all but those in the recycle bin.
type UserQuery struct {
	PageQuery
	Filter  string   // in the grammar of SCIM: family_name sw "Sm" and locked eq false
	Search  string   // words that must all occur in names or address
	Sort    string   // as user_name, or -user_name for falling order; "" is number
	Company int64    // number of a company: its users and those of all below it
	Groups  []string // ids: members of any of them
	Status  []string // the Status constants; nil is all but deleted
	Total   bool     // ask for Page.Total
	Fields  []string // only these members
	Expand  []string // as Expand
}

func (u UserQuery) query() query {
	q := query{}.page(u.PageQuery).text("filter", u.Filter).text("q", u.Search).text("sort", u.Sort).number("company", u.Company).
		words("status", u.Status).flag("total", u.Total).words("fields", u.Fields).words("expand", u.Expand)
	for _, id := range u.Groups {
		url.Values(q).Add("group", id)
	}
	return q
}

// UserService is the users.
type UserService struct{ c *Client }

// List reads one page of users.
func (s *UserService) List(ctx context.Context, q UserQuery, options ...CallOption) (*Page[User], error) {
	return read[Page[User]](ctx, s.c, path("users"), q.query(), options)
}

// All goes over the users of all pages. An error ends it and is its last pair.
func (s *UserService) All(ctx context.Context, q UserQuery, options ...CallOption) iter.Seq2[User, error] {
	return pages(q.Cursor, func(cursor string) (*Page[User], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a user by id. One in the recycle bin is not found, with the reason
// user.deleted. Fields, Expand and IfNoneMatch apply.
func (s *UserService) Get(ctx context.Context, id string, options ...CallOption) (*User, error) {
	return read[User](ctx, s.c, path("users", id), nil, options)
}

// At reads a user as it was at a moment, also one that was deleted since. Fields
// apply. IsReason(err, "history.gone") where it is not known any more.
func (s *UserService) At(ctx context.Context, id string, at time.Time, options ...CallOption) (*User, error) {
	return read[User](ctx, s.c, path("users", id), query{}.moment("at", at), options)
}

// The spaces of keys by which GetBy finds a user.
const (
	ByUserName        = "user_name"
	ByEmail           = "email"
	ByLogin           = "login" // a user name, or an address with which the user signs in
	ByNumber          = "number"
	ByEmployeeNumber  = "employee_number"
	ByOpenID          = "open_id"
	ByWebMDN          = "web_mdn"
	ByExternalID      = "external_id" // what this key calls the user
	ByStorageLocation = "storage_location"
)

// GetBy finds a user by a key of one of the By spaces.
func (s *UserService) GetBy(ctx context.Context, space, key string, options ...CallOption) (*User, error) {
	return read[User](ctx, s.c, path("users", "by", space, key), nil, options)
}

// Create makes a user, who is active unless Status says otherwise.
func (s *UserService) Create(ctx context.Context, u NewUser, options ...CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPost, path: path("users"), body: u, creates: true}, options)
}

// Update changes some members of a user.
func (s *UserService) Update(ctx context.Context, id string, p UserPatch, options ...CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPatch, path: path("users", id), body: p}, options)
}

// Replace writes a whole user: what is zero is reset, but for status, lock and
// company, which stay.
func (s *UserService) Replace(ctx context.Context, id string, u UserReplacement, options ...CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPut, path: path("users", id), body: u}, options)
}

// Delete puts a user into the recycle bin, which frees its names, addresses and
// keys. Restore takes it out again.
func (s *UserService) Delete(ctx context.Context, id string, options ...CallOption) error {
	return s.c.remove(ctx, path("users", id), nil, options)
}
