package directory

import "time"

// Include says what a UserDetail holds besides the user.
type Include uint8

// What a detail can include.
const (
	IncludeCompany Include = 1 << iota
	IncludeLocations
	IncludeGroups
	IncludeRoles
	// IncludeReset makes a reset token for each user, which takes the right to
	// set passwords (docs/dialects/edubrite.md 3.2, pwToken).
	IncludeReset
	IncludeHolds
	// IncludeManager is the user whose id the calling door keeps as "manager"
	// (RFC 7643 section 4.3).
	IncludeManager
)

// UserDetail is a user with what belongs to it.
type UserDetail struct {
	User      User
	Company   Company
	Locations []Location   // by number
	Groups    []Membership // by kind, then position
	Roles     []HeldRole   // by number of the assignment
	Holds     []Hold       // the oldest first
	Manager   UserSummary  // zero without one that the caller can see
	Reset     ResetToken   // zero unless included
	Owner     UserSummary  // the account owner, with IncludeCompany; zero while there is none
}

// HeldRole is a role that a user holds, and for which company.
type HeldRole struct {
	Assignment RoleAssignment
	Role       Role
}

// UserSummary is how other objects refer to a user.
type UserSummary struct {
	Number      int64
	ID          string
	UserName    string
	Email       string
	GivenName   string
	FamilyName  string
	DisplayName string
}

// DetailPage is one page of a list of details; Total, More and Next as in
// UserPage.
type DetailPage struct {
	Users []UserDetail
	Total int64
	More  bool
	Next  string
}

// ResetToken lets its holder set a new password, once. It is shown only here.
type ResetToken struct {
	Token     string
	ExpiresAt time.Time
}
