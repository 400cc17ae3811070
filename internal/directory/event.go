package directory

import "time"

// EventType names what happened, as "noun.verb_in_past". Types are stored and
// never renamed.
type EventType string

// The types of events.
const (
	EventTenantCreated     EventType = "tenant.created"
	EventTenantUpdated     EventType = "tenant.updated"
	EventCompanyCreated    EventType = "company.created"
	EventCompanyUpdated    EventType = "company.updated"
	EventCompanyDeleted    EventType = "company.deleted"
	EventLocationCreated   EventType = "location.created"
	EventLocationDeleted   EventType = "location.deleted"
	EventUserCreated       EventType = "user.created"
	EventUserUpdated       EventType = "user.updated"
	EventUserActivated     EventType = "user.activated"
	EventUserDeactivated   EventType = "user.deactivated"
	EventUserDeleted       EventType = "user.deleted"
	EventUserRestored      EventType = "user.restored"
	EventUserPurged        EventType = "user.purged"
	EventUserLocked        EventType = "user.locked"
	EventUserUnlocked      EventType = "user.unlocked"
	EventPasswordSet       EventType = "user.password_set"
	EventSignedOut         EventType = "user.signed_out_everywhere"
	EventSignedIn          EventType = "user.signed_in"
	EventSessionEnded      EventType = "user.session_ended"
	EventImpersonated      EventType = "user.impersonated"
	EventResetMade         EventType = "user.password_reset_made"
	EventLocationAssigned  EventType = "user.location_assigned"
	EventLocationRemoved   EventType = "user.location_removed"
	EventRoleAssigned      EventType = "user.role_assigned"
	EventRoleRemoved       EventType = "user.role_removed"
	EventRoleCreated       EventType = "role.created"
	EventLockReasonCreated EventType = "lock_reason.created"
	EventLockReasonUpdated EventType = "lock_reason.updated"
	EventLockReasonDeleted EventType = "lock_reason.deleted"
	EventPoolSet           EventType = "licence_pool.set"
	EventCredentialCreated EventType = "credential.created"
	EventCredentialRevoked EventType = "credential.revoked"
	EventGroupCreated      EventType = "group.created"
	EventGroupUpdated      EventType = "group.updated"
	EventGroupDeleted      EventType = "group.deleted"
	EventGroupsChanged     EventType = "user.groups_changed"
	EventRolesChanged      EventType = "user.roles_changed"
	EventRoleUpdated       EventType = "role.updated"
	EventRoleDeleted       EventType = "role.deleted"
	EventLocationUpdated   EventType = "location.updated"
	EventHoldPlaced        EventType = "user.hold_placed"
	EventHoldReleased      EventType = "user.hold_released"
)

// Event is the record of one change, written with it. The envelope is what a
// hash chain covers later; Payload (before and after of the fields that
// changed, never a secret) and Salt can be erased without it.
type Event struct {
	Seq        int64 // drawn by the insert
	Tenant     TenantNo
	ID         string // UUID v7
	Type       EventType
	User       int64  // number of the user it is about; 0 for none
	Subject    string // what else it is about: "company:14146", "credential:<id>"
	Door       Door
	Actor      string // Actor.Name
	OnBehalfOf string // of an impersonation
	Reason     string
	RequestID  string
	Time       time.Time
	Salt       []byte
	Payload    []byte // JSON object: {"changes": {"field": [before, after]}}
}
