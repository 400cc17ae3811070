package canonical

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
)

// User is the schema of a user. Answers are written by appendUser: all members, or
// with ?fields= those that were asked for.
type User struct {
	ID                 string                     `json:"id" format:"uuid" doc:"Never changes and is never given again." example:"77e0ba5c-a6ea-4a0c-b1c1-d1ab86a03a3e"`
	Number             int64                      `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"The user's number in the tenant, by which other doors know it." example:"2576"`
	UserName           string                     `json:"user_name,omitempty" example:"johns" doc:"What the user signs in with; unique in the tenant, without regard to case, together with e-mail addresses."`
	Email              string                     `json:"email,omitempty" doc:"Empty for none." example:"johns@example.com"`
	GivenName          string                     `json:"given_name,omitempty"`
	FamilyName         string                     `json:"family_name,omitempty"`
	DisplayName        string                     `json:"display_name,omitempty"`
	Title              string                     `json:"title,omitempty" doc:"Job title."`
	Status             string                     `json:"status,omitempty" enum:"staged,active,inactive,deleted" doc:"Where the user stands in its life. Changed by the actions activate, deactivate, delete and restore, or written."`
	Locked             bool                       `json:"locked,omitempty" doc:"Locked out, whatever the status."`
	LockReason         nullable[int64]            `json:"lock_reason,omitempty" readOnly:"true" doc:"Number of the lock reason."`
	MustChangePassword bool                       `json:"must_change_password,omitempty" readOnly:"true" doc:"The password is temporary: its owner can do nothing but replace it."`
	ValidFrom          nullable[time.Time]        `json:"valid_from,omitempty" doc:"Before this moment nobody can sign in."`
	ExpiresAt          nullable[time.Time]        `json:"expires_at,omitempty" doc:"From this moment on nobody can sign in."`
	Company            int64                      `json:"company,omitempty" doc:"Number of the company."`
	EmployeeNumber     string                     `json:"employee_number,omitempty" doc:"Unique in the tenant, without regard to case."`
	OpenID             string                     `json:"open_id,omitempty" doc:"Unique in the tenant."`
	WebMDN             string                     `json:"web_mdn,omitempty" doc:"Unique in the tenant."`
	ClientUserID       string                     `json:"client_user_id,omitempty" doc:"What a client calls the user; not unique."`
	ExternalID         string                     `json:"external_id,omitempty" doc:"What the calling credential calls the user: every credential has its own, each unique."`
	LicenceType        string                     `json:"licence_type,omitempty" doc:"An active user with a licence type holds a seat of its pool."`
	Phones             []Phone                    `json:"phones,omitempty"`
	Address            nullable[Address]          `json:"address,omitempty"`
	Picture            json.RawMessage            `json:"picture,omitempty" doc:"Any JSON, as it was written; null for none."`
	Language           string                     `json:"language,omitempty" doc:"BCP 47." example:"en-GB"`
	TimeZone           string                     `json:"time_zone,omitempty" example:"Europe/Madrid"`
	Attributes         map[string]json.RawMessage `json:"attributes,omitempty" doc:"Free keys with any JSON."`
	MobileOnly         bool                       `json:"mobile_only,omitempty" doc:"Kept out of web applications."`
	StorageLocation    string                     `json:"storage_location,omitempty" doc:"Where a technician keeps parts; unique in the tenant."`
	Rank               string                     `json:"rank,omitempty" readOnly:"true" enum:"self,reader,helpdesk,administrator,owner" doc:"The highest rank of the user's roles."`
	Version            int64                      `json:"version,omitempty" readOnly:"true" minimum:"1" doc:"Rises with every change; the ETag."`
	CreatedAt          nullable[time.Time]        `json:"created_at,omitempty" readOnly:"true"`
	UpdatedAt          nullable[time.Time]        `json:"updated_at,omitempty" readOnly:"true"`
	DeletedAt          nullable[time.Time]        `json:"deleted_at,omitempty" readOnly:"true" doc:"Since when the user is in the recycle bin."`
	Expanded           *expanded                  `json:"expanded,omitempty" readOnly:"true" doc:"What ?expand= asked for."`
	AsOf               *asOf                      `json:"as_of,omitempty" readOnly:"true" doc:"With ?at=: as of when the user is shown."`
}

// TransformSchema implements huma.SchemaTransformer.
func (User) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Description = "A user. Every member is there, unless ?fields= names some: then those and id."
	return s
}

// Phone is a telephone number as it was written.
type Phone struct {
	Number    string `json:"number" maxLength:"64" example:"5555555555"`
	Extension string `json:"extension,omitempty" maxLength:"64"`
	Type      string `json:"type,omitempty" maxLength:"64" example:"Work"`
}

// Address is a postal address.
type Address struct {
	Line1   string `json:"line1,omitempty" maxLength:"256"`
	Line2   string `json:"line2,omitempty" maxLength:"256"`
	City    string `json:"city,omitempty" maxLength:"256"`
	Region  string `json:"region,omitempty" maxLength:"256" doc:"State or province, ISO 3166-2 without the country."`
	Country string `json:"country,omitempty" maxLength:"256" doc:"ISO 3166-1 alpha-2."`
	Zip     string `json:"zip,omitempty" maxLength:"256"`

	raw json.RawMessage // as it was sent: a merge patch must know what was left out
}

// UnmarshalJSON keeps the text too.
func (a *Address) UnmarshalJSON(text []byte) error {
	type plain Address
	a.raw = bytes.Clone(text)
	return json.Unmarshal(text, (*plain)(a))
}

// userBody is a user in an answer that huma writes.
type userBody struct{ shown }

// MarshalJSON implements json.Marshaler.
func (b userBody) MarshalJSON() ([]byte, error) {
	return appendUser(make([]byte, 0, 1024), &b.shown, 0), nil
}

// Schema implements huma.SchemaProvider.
func (userBody) Schema(r huma.Registry) *huma.Schema { return schemaOf[User](r) }

// userOutput is the answer of operations that answer with a user.
type userOutput struct{ Body userBody }

// show is a user as the caller of an exchange sees it.
func (x *exchange) show(u *directory.User) shown {
	return shown{u: u, caller: x.call.Actor.Credential}
}

// userAnswer answers with a user and its version.
func (x *exchange) userAnswer(u *directory.User) *userOutput {
	x.setVersion(u.Version)
	return &userOutput{Body: userBody{x.show(u)}}
}

// UserFields are the members of a user that a client can write.
type UserFields struct {
	UserName        opt[string]                     `json:"user_name,omitempty" maxLength:"256"`
	Email           opt[string]                     `json:"email,omitempty" maxLength:"254"`
	GivenName       opt[string]                     `json:"given_name,omitempty" maxLength:"256"`
	FamilyName      opt[string]                     `json:"family_name,omitempty" maxLength:"256"`
	DisplayName     opt[string]                     `json:"display_name,omitempty" maxLength:"256"`
	Title           opt[string]                     `json:"title,omitempty" maxLength:"256"`
	ValidFrom       opt[time.Time]                  `json:"valid_from,omitempty"`
	ExpiresAt       opt[time.Time]                  `json:"expires_at,omitempty"`
	EmployeeNumber  opt[string]                     `json:"employee_number,omitempty" maxLength:"256"`
	OpenID          opt[string]                     `json:"open_id,omitempty" maxLength:"256"`
	WebMDN          opt[string]                     `json:"web_mdn,omitempty" maxLength:"256"`
	ClientUserID    opt[string]                     `json:"client_user_id,omitempty" maxLength:"256"`
	ExternalID      opt[string]                     `json:"external_id,omitempty" maxLength:"256" doc:"Needs an API key: a person has none."`
	LicenceType     opt[string]                     `json:"licence_type,omitempty" maxLength:"256"`
	Phones          opt[[]Phone]                    `json:"phones,omitempty" maxItems:"100"`
	Picture         opt[json.RawMessage]            `json:"picture,omitempty" doc:"Any JSON, at most 64 KiB; null for none."`
	Language        opt[string]                     `json:"language,omitempty" maxLength:"64" doc:"BCP 47."`
	TimeZone        opt[string]                     `json:"time_zone,omitempty" maxLength:"256"`
	MobileOnly      opt[bool]                       `json:"mobile_only,omitempty"`
	StorageLocation opt[string]                     `json:"storage_location,omitempty" maxLength:"256"`
	Company         opt[int64]                      `json:"company,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of the company. Left out or null: as it is; of a new user, the tenant's default company."`
	Locked          opt[bool]                       `json:"locked,omitempty" doc:"Left out or null: as it is. The action lock gives a reason too."`
	Address         opt[Address]                    `json:"address,omitempty"`
	Attributes      opt[map[string]json.RawMessage] `json:"attributes,omitempty" doc:"Free keys with any JSON, at most 64 KiB together."`
}

// userCreation is the body of POST /users.
type userCreation struct {
	UserFields
	ID        opt[string] `json:"id,omitempty" doc:"A UUID, to keep the one that the user has elsewhere; drawn if left out."`
	Number    opt[int64]  `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"To keep the one that the user has elsewhere; drawn if left out."`
	Status    opt[string] `json:"status,omitempty" enum:"staged,active,inactive" doc:"active if left out."`
	Password  opt[string] `json:"password,omitempty" writeOnly:"true" doc:"Without one nobody can sign in."`
	Temporary opt[bool]   `json:"temporary,omitempty" writeOnly:"true" doc:"The password is one that its owner must replace."`
}

// UserChange is the body of PATCH /users/{id}.
type UserChange struct {
	UserFields
	Status opt[string] `json:"status,omitempty" enum:"staged,active,inactive,deleted" doc:"active or inactive; the others only where they are the user's own."`
}

// userReplacement is the body of PUT /users/{id}: what GET answers can be sent
// back as it is.
type userReplacement struct {
	UserChange
	ID                 ignored `json:"id,omitempty" readOnly:"true"`
	Number             ignored `json:"number,omitempty" readOnly:"true"`
	LockReason         ignored `json:"lock_reason,omitempty" readOnly:"true"`
	MustChangePassword ignored `json:"must_change_password,omitempty" readOnly:"true"`
	Rank               ignored `json:"rank,omitempty" readOnly:"true"`
	Version            ignored `json:"version,omitempty" readOnly:"true"`
	CreatedAt          ignored `json:"created_at,omitempty" readOnly:"true"`
	UpdatedAt          ignored `json:"updated_at,omitempty" readOnly:"true"`
	DeletedAt          ignored `json:"deleted_at,omitempty" readOnly:"true"`
	Expanded           ignored `json:"expanded,omitempty" readOnly:"true"`
	AsOf               ignored `json:"as_of,omitempty" readOnly:"true"`
}

// ignored is a member that may be sent and is not read.
type ignored struct{}

// UnmarshalJSON takes any value.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// Schema implements huma.SchemaProvider.
func (ignored) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Set by the server; ignored."}
}
