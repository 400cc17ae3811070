package directory

import "time"

// Rank orders what people and credentials may do (docs/architecture.md, Rights).
type Rank uint8

// The ranks, lowest first. Their values are stored.
const (
	RankSelf          Rank = 0  // its own record only
	RankReader        Rank = 10 // reads everything
	RankHelpdesk      Rank = 20 // resets passwords and unlocks, of users below it
	RankAdministrator Rank = 30 // everything but the owner
	RankOwner         Rank = 40 // the account owner
)

var rankNames = map[Rank]string{RankSelf: "self", RankReader: "reader", RankHelpdesk: "helpdesk",
	RankAdministrator: "administrator", RankOwner: "owner"}

// String is the rank's name in settings and events.
func (r Rank) String() string { return rankNames[r] }

// ParseRank reads a rank's name.
func ParseRank(name string) (Rank, error) {
	for r, n := range rankNames {
		if n == name {
			return r, nil
		}
	}
	return 0, Invalid(FieldRank.String(), ReasonFieldValue, "Unknown rank %q: use self, reader, helpdesk, administrator or owner.", name)
}

// ScopeSet is what a credential was made for, within its rank.
type ScopeSet uint32

// The scopes. Their bits are stored.
const (
	ScopeUsersRead ScopeSet = 1 << iota
	ScopeUsersWrite
	ScopePasswords
	ScopeCompanies // companies, locations, lock reasons, roles, licence pools
	ScopeCredentials
	ScopeTenant
	ScopeEvents
	AllScopes ScopeSet = 1<<iota - 1
)

// Action is what a use case wants to do: the unit of policy.
type Action uint8

// The actions. actionRules says what each needs.
const (
	ActReadUser Action = iota + 1
	ActListUsers
	ActCreateUser
	ActUpdateUser
	ActActivate
	ActDeactivate
	ActDelete
	ActRestore
	ActLock
	ActUnlock
	ActSetPassword
	ActReplaceOwnPassword
	ActSignOut
	ActAssign // locations and groups
	ActGrantRole
	ActReadCompany
	ActWriteCompany
	ActReadEvents
	ActCredentials
	ActTenant
	ActAdmit       // nothing but a valid credential
	ActHold        // holds of other systems
	ActGroup       // make, change and erase groups
	ActReset       // make reset tokens and generated passwords
	ActImpersonate // checked once the administrator is known
	ActSession     // one's own sessions
	ActReadEntity
	ActWebhooks // endpoints that are sent what happens
	ActReadJobs
	ActJobs         // retry and cancel
	ActSecondFactor // set up, replace and remove second factors
	ActReadBulk
	ActBulk   // actions on many users
	ActImport // files of users: they bring passwords
)

// actionRule is what an action needs.
type actionRule struct {
	rank  Rank
	scope ScopeSet
	self  bool // an ordinary user may do it to its own record
}

var actionRules = map[Action]actionRule{
	ActReadUser:           {RankReader, ScopeUsersRead, true},
	ActListUsers:          {RankReader, ScopeUsersRead, false},
	ActCreateUser:         {RankAdministrator, ScopeUsersWrite, false},
	ActUpdateUser:         {RankAdministrator, ScopeUsersWrite, true},
	ActActivate:           {RankAdministrator, ScopeUsersWrite, false},
	ActDeactivate:         {RankAdministrator, ScopeUsersWrite, false},
	ActDelete:             {RankAdministrator, ScopeUsersWrite, false},
	ActRestore:            {RankAdministrator, ScopeUsersWrite, false},
	ActLock:               {RankAdministrator, ScopeUsersWrite, false},
	ActUnlock:             {RankHelpdesk, ScopeUsersWrite, false},
	ActSetPassword:        {RankHelpdesk, ScopePasswords, false},
	ActReplaceOwnPassword: {RankSelf, ScopePasswords, true},
	ActSignOut:            {RankHelpdesk, ScopeUsersWrite, true},
	ActAssign:             {RankAdministrator, ScopeUsersWrite, false},
	ActGrantRole:          {RankAdministrator, ScopeUsersWrite, false},
	ActReadCompany:        {RankReader, ScopeUsersRead, false},
	ActWriteCompany:       {RankAdministrator, ScopeCompanies, false},
	ActReadEvents:         {RankReader, ScopeEvents, false},
	ActCredentials:        {RankAdministrator, ScopeCredentials, false},
	ActTenant:             {RankAdministrator, ScopeTenant, false},
	ActAdmit:              {RankSelf, 0, true},
	ActHold:               {RankAdministrator, ScopeUsersWrite, false},
	ActGroup:              {RankAdministrator, ScopeCompanies, false},
	ActReset:              {RankHelpdesk, ScopePasswords, false},
	ActImpersonate:        {RankAdministrator, AllScopes, false},
	ActSession:            {RankSelf, 0, true},
	ActReadEntity:         {RankReader, ScopeUsersRead, true},
	ActWebhooks:           {RankAdministrator, ScopeEvents | ScopeTenant, false},
	ActReadJobs:           {RankReader, ScopeTenant, false},
	ActJobs:               {RankAdministrator, ScopeTenant, false},
	ActSecondFactor:       {RankAdministrator, ScopePasswords, true},
	ActReadBulk:           {RankReader, ScopeUsersRead, false},
	ActBulk:               {RankAdministrator, ScopeUsersWrite, false},
	ActImport:             {RankAdministrator, ScopeUsersWrite | ScopePasswords, false},
}

// selfFields are the fields that an ordinary user may change in its own
// record; the rest says who it is and what it may do.
var selfFields = Fields(FieldEmail, FieldGivenName, FieldFamilyName, FieldDisplayName, FieldPhones,
	FieldAddress, FieldPicture, FieldLanguage, FieldTimeZone)

// Actor is who asks, once the credential has been verified.
type Actor struct {
	Tenant     TenantNo
	Credential string // id of the API key or customer; "" for a person
	User       int64  // number of the signed-in user; 0 for a key
	Name       string // "key:<name>", "customer:<name>", "user:<number>", "system:<what>": for events and logs
	OnBehalfOf string // through whom a person acts: "credential:<name>" of an API user, "user:<number>" of an impersonator
	Rank       Rank
	Scopes     ScopeSet
	Root       int64     // company whose subtree is all it can see; 0: the tenant
	doors      DoorSet   // of a credential; 0 for whoever is not limited to doors
	until      time.Time // when a credential expires; zero for whoever is not limited in time
	through    string    // id of the credential that stands behind the call: what is made ends with it
	signed     bool      // came with a signed token
	ends       time.Time // when that token expires
	epoch      int64     // of a person, as of the call's look-up
	selfOnly   bool      // may touch nothing but its own record in this use case
	renewal    bool      // signed in with a temporary password: may do nothing but replace it
	acted      bool      // somebody else acts as this user (Impersonate)
	leave      string    // id of the leave to do so
	provisions bool      // came through the scim door
}

// barredActing are the actions that nobody may do in another's name: they
// would make the hour of an impersonation last, or give away what is the
// person's own.
var barredActing = map[Action]bool{ActSetPassword: true, ActReplaceOwnPassword: true, ActReset: true, ActCredentials: true,
	ActImpersonate: true, ActSession: true, ActTenant: true, ActGrantRole: true, ActWebhooks: true, ActSecondFactor: true, ActBulk: true, ActImport: true}

// bar refuses what the way of signing in does not allow, whatever the rank.
func (a Actor) bar(action Action) error {
	if a.acted && barredActing[action] {
		return Wrong(CodeForbidden, ReasonImpersonating, "This cannot be done in another person's name.")
	}
	if a.renewal && action != ActAdmit && action != ActReplaceOwnPassword {
		return Wrong(CodeForbidden, ReasonLoginTemporary, "The password is temporary: nothing can be done but to replace it.")
	}
	return nil
}

// mayTouch decides whether the actor may do the action to a user of a rank.
// Nobody changes a user above its own rank; the helpdesk only users below it.
// A rank holds for the whole tenant, so that who is bound to a company is below
// every user that has one: with a new password of an administrator it would
// have the tenant.
func (a Actor) mayTouch(action Action, target *User) error {
	if err := a.bar(action); err != nil {
		return err
	}
	if target.Rank == RankOwner && (action == ActDeactivate || action == ActDelete) {
		return Wrong(CodeForbidden, ReasonOwnerProtected, "The account owner cannot be deactivated or deleted.")
	}
	if a.provisions && target.Rank >= RankAdministrator {
		return errProvisioning()
	}
	if a.owns(action, target) {
		return nil
	}
	if target.Rank > a.Rank || (a.Rank == RankHelpdesk && target.Rank >= RankHelpdesk) || (a.Root != 0 && target.Rank > RankSelf) {
		return Wrong(CodeForbidden, ReasonRankTooLow, "The caller's rank is too low to change this user.")
	}
	if givesPassword[action] && target.Rank > RankSelf && a.narrow() {
		return Wrong(CodeForbidden, ReasonScopeMissing, "A credential with limited scopes or doors cannot set the password of this user.")
	}
	return nil
}

// errProvisioning is the rule of the scim door: whoever provisions never
// touches administrators and the owner, nor makes anybody one, whatever its own
// rank. An identity provider that was taken over must not have the directory.
func errProvisioning() error {
	return Wrong(CodeForbidden, ReasonProvisioning, "Administrators and the account owner cannot be changed or made by provisioning.")
}

// givesPassword are the actions after which somebody may know a user's password, or
// after which it is all that it takes.
var givesPassword = map[Action]bool{ActSetPassword: true, ActReplaceOwnPassword: true, ActReset: true, ActSecondFactor: true}

// owns reports whether the target is the actor's own record, with which it may
// do what its rank says nothing about. Through a credential the record of a
// higher rank is not the actor's own, and nobody's password is: whoever has
// the credential would get the person's whole rank at every door.
func (a Actor) owns(action Action, target *User) bool {
	if a.User != target.Number || a.User == 0 {
		return false
	}
	return a.through == "" || target.Rank <= a.Rank && !givesPassword[action]
}

// narrow reports whether a credential was made for less than its rank allows. With
// the password of somebody who has a rank it would have the rest as well: that
// person's session is good for every scope, at every door.
func (a Actor) narrow() bool { return a.Scopes != AllScopes || a.doors != 0 && a.doors != AllDoors }
