package directory

import "time"

// EventType names what happened, as "noun.verb_in_past". Types are stored and
// never renamed.
type EventType string

// The types of events.
const (
	EventTenantCreated      EventType = "tenant.created"
	EventTenantUpdated      EventType = "tenant.updated"
	EventCompanyCreated     EventType = "company.created"
	EventCompanyUpdated     EventType = "company.updated"
	EventCompanyDeleted     EventType = "company.deleted"
	EventLocationCreated    EventType = "location.created"
	EventLocationDeleted    EventType = "location.deleted"
	EventUserCreated        EventType = "user.created"
	EventUserUpdated        EventType = "user.updated"
	EventUserActivated      EventType = "user.activated"
	EventUserDeactivated    EventType = "user.deactivated"
	EventUserDeleted        EventType = "user.deleted"
	EventUserRestored       EventType = "user.restored"
	EventUserPurged         EventType = "user.purged"
	EventUserLocked         EventType = "user.locked"
	EventUserUnlocked       EventType = "user.unlocked"
	EventPasswordSet        EventType = "user.password_set"
	EventSignedOut          EventType = "user.signed_out_everywhere"
	EventSignedIn           EventType = "user.signed_in"
	EventSessionEnded       EventType = "user.session_ended"
	EventImpersonated       EventType = "user.impersonated"
	EventImpersonationEnded EventType = "user.impersonation_ended" // before its hour was over
	EventFactorEnabled      EventType = "user.second_factor_enabled"
	EventFactorRemoved      EventType = "user.second_factor_removed"
	EventRecoveryMade       EventType = "user.recovery_codes_made"
	EventRecoveryUsed       EventType = "user.recovery_code_used"
	EventResetMade          EventType = "user.password_reset_made"
	EventLocationAssigned   EventType = "user.location_assigned"
	EventLocationRemoved    EventType = "user.location_removed"
	EventRoleAssigned       EventType = "user.role_assigned"
	EventRoleRemoved        EventType = "user.role_removed"
	EventRoleCreated        EventType = "role.created"
	EventLockReasonCreated  EventType = "lock_reason.created"
	EventLockReasonUpdated  EventType = "lock_reason.updated"
	EventLockReasonDeleted  EventType = "lock_reason.deleted"
	EventPoolSet            EventType = "licence_pool.set"
	EventCredentialCreated  EventType = "credential.created"
	EventCredentialRevoked  EventType = "credential.revoked"
	EventGroupCreated       EventType = "group.created"
	EventGroupUpdated       EventType = "group.updated"
	EventGroupDeleted       EventType = "group.deleted"
	EventGroupsChanged      EventType = "user.groups_changed"
	EventRolesChanged       EventType = "user.roles_changed"
	EventRoleUpdated        EventType = "role.updated"
	EventRoleDeleted        EventType = "role.deleted"
	EventLocationUpdated    EventType = "location.updated"
	EventHoldPlaced         EventType = "user.hold_placed"
	EventHoldReleased       EventType = "user.hold_released"
	EventWebhookCreated     EventType = "webhook.created"
	EventWebhookUpdated     EventType = "webhook.updated" // a pause by the server too
	EventWebhookDeleted     EventType = "webhook.deleted"
	EventWebhookReplayed    EventType = "webhook.replay_asked"
	EventJobReopened        EventType = "job.retried"
	EventJobCancelled       EventType = "job.cancelled"
	EventBulkStarted        EventType = "bulk.started" // an import or an action on many users
	EventBulkEnded          EventType = "bulk.ended"
	EventFeedTrimmed        EventType = "feed.trimmed"   // retention removed the oldest events
	EventFeedRestarted      EventType = "feed.restarted" // the history goes on from another point than it was known
	// EventWebhookTest is never stored: it is what TestWebhook sends.
	EventWebhookTest EventType = "webhook.test"
)

// Event is the record of one change, written with it. The envelope is what the
// hash chain covers by itself (chain.go). The contents, Reason and Payload, it
// covers through a salted hash, so that they can be erased without it.
type Event struct {
	// Seq is drawn when the event is written, Position when its chain takes it in,
	// which is after the commit: positions have no gaps and stay in the order in
	// which readers see them. 0 until then.
	Seq        int64
	Position   int64
	Tenant     TenantNo
	ID         string // UUID v7
	Type       EventType
	User       int64  // number of the user it is about; 0 for none
	UserID     string // that user's UUID; "" for none, and of events written before they had it
	Company    int64  // number of the company of what it is about, afterwards; 0 for none
	Subject    string // what else it is about: "company:14146", "credential:<id>"
	Door       Door
	Actor      string // Actor.Name
	Origin     string // who asked, by what nobody else is ever given: "credential:<id>" (of the API user for whoever acts through one), "user:<number>", "system:<what>"
	OnBehalfOf string // of an impersonation
	Reason     string // why; "" also once it is erased
	RequestID  string
	Time       time.Time
	Salt       []byte // of PayloadHash; nil once the contents are erased
	// Payload is a JSON object: {"version": 7, "changes": {"field": [before, after]}},
	// with the version of the user afterwards where it rose; nil once erased.
	Payload []byte

	PayloadHash []byte // SHA-256 over salt, reason and payload; nil until Position is set
	Hash        []byte // SHA-256 over the hash before it and the envelope
}

// eventSaltBytes is the length of a salt: enough that nobody finds the contents
// of an erased event by trying.
const eventSaltBytes = 16

// Erased reports whether the contents are gone, because the user was purged.
func (e *Event) Erased() bool { return len(e.Salt) == 0 }
