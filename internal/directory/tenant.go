package directory

import "time"

// Tenant is what one set of credentials can see: an Encore account, a Smartapp
// AppZone, an EduBrite site, a ServiceMobility customer.
type Tenant struct {
	No             TenantNo
	ID             string // UUID
	Name           string // short name, unique per installation, a-z 0-9 -
	Doors          DoorSet
	Hosts          []string // host names that lead to this tenant
	DefaultCompany int64
	Owner          int64 // number of the account owner; 0 while there is none
	Settings       Settings
	// Entity is the tenant's own name, addresses and contacts as JSON of the
	// doors (docs/dialects/servicemobility.md 4.4). "" for none.
	Entity    string
	Version   int64 // rises on every change; settings are parsed once per version
	Disabled  bool
	CreatedAt time.Time
}

// Company is a node of a tenant's company tree.
type Company struct {
	Tenant  TenantNo
	Number  int64
	ID      string
	Parent  int64 // 0 for a root
	Path    []int64
	Name    string
	Website string
	// Metadata is free JSON of the doors that have it (Smartapp).
	Metadata  string
	Version   int64
	CreatedAt time.Time
}

// MaxDepth is the greatest depth of a company tree (docs/architecture.md, The store).
const MaxDepth = 8

// Location belongs to a company; users are assigned to locations.
type Location struct {
	Tenant       TenantNo
	Number       int64
	ID           string
	Company      int64
	Name         string
	Headquarters bool
	Address      Address
	Phone        string
	Fax          string
	Version      int64
	CreatedAt    time.Time
}

// LockReason is a text that a locked-out user is shown. It belongs to a
// company and serves the users of that company and of all below it.
type LockReason struct {
	Tenant      TenantNo
	Number      int64
	Company     int64
	Name        string
	Description string
	Version     int64 // rises on every change
}

// Role is a named set of rights. Its rank is what it grants in usher; the
// rest is data of the doors.
type Role struct {
	Tenant      TenantNo
	Number      int64
	Key         string // the role's own key: Smartapp name, ServiceMobility RoleID
	Name        string
	Description string
	Company     int64 // company that owns the role; 0: the tenant
	Rank        Rank
	Permissions []string
	// Extras is free JSON of the doors: names and descriptions by language
	// (docs/dialects/servicemobility.md 4.5). "" for none.
	Extras  string
	Version int64 // rises on every change
}

// RoleAssignment is a role that a user holds for a company (iQmetrix calls the
// company the entity, docs/dialects/iqmetrix.md 3.2).
type RoleAssignment struct {
	Number  int64 // id of the assignment, drawn per tenant
	User    int64
	Role    int64
	Company int64
}

// Pool is a licence pool: how many active users of a type there may be.
type Pool struct {
	Type  string
	Total int64 // 0: the tenant is not entitled to the type
	Used  int64
	// Version rises on every change of the total, not with the seats in use.
	Version int64
}
