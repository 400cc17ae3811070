package directory

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// eventFilter says which events somebody wants to hear of. An empty list bounds
// nothing.
type eventFilter struct {
	types []EventType // "user.created", or "user.*" for all of a noun
	// companies are those in whose subtrees something happens. What concerns no
	// company is not in any.
	companies     []int64
	exceptOrigins []string
}

// match reports whether an event passes. path gives a company with all that are
// above it, and nothing for one that is gone.
func (f *eventFilter) match(e *Event, path func(company int64) []int64) bool {
	if len(f.types) > 0 && !slices.ContainsFunc(f.types, e.Type.in) || e.Origin != "" && slices.Contains(f.exceptOrigins, e.Origin) {
		return false
	}
	return len(f.companies) == 0 || f.reaches(e.Company, path) || f.reaches(e.companyBefore(), path)
}

// reaches reports whether a company is in one of the subtrees.
func (f *eventFilter) reaches(company int64, path func(company int64) []int64) bool {
	if company == 0 {
		return false
	}
	if slices.Contains(f.companies, company) {
		return true
	}
	return slices.ContainsFunc(path(company), func(above int64) bool { return slices.Contains(f.companies, above) })
}

// companyBefore is the company that a user was moved out of by an event; 0 for
// none. Whoever hears of a company's people must hear that one left. It is not
// known of an event whose contents are erased.
func (e *Event) companyBefore() int64 {
	if e.User == 0 || !bytes.Contains(e.Payload, []byte(`"company":[`)) {
		return 0
	}
	var payload struct {
		Changes struct {
			Company [2]json.RawMessage `json:"company"`
		} `json:"changes"`
	}
	var before int64
	if json.Unmarshal(e.Payload, &payload) != nil || json.Unmarshal(payload.Changes.Company[0], &before) != nil {
		return 0
	}
	return before
}

// in reports whether a type is the one of a filter, or of its noun.
func (t EventType) in(filter EventType) bool {
	noun, all := strings.CutSuffix(string(filter), "*")
	return t == filter || all && strings.HasPrefix(string(t), noun)
}

// storedTypes are the types that events are kept with.
var storedTypes = []EventType{
	EventTenantCreated, EventTenantUpdated, EventCompanyCreated, EventCompanyUpdated, EventCompanyDeleted,
	EventLocationCreated, EventLocationUpdated, EventLocationDeleted,
	EventUserCreated, EventUserUpdated, EventUserActivated, EventUserDeactivated, EventUserDeleted, EventUserRestored, EventUserPurged,
	EventUserLocked, EventUserUnlocked, EventPasswordSet, EventSignedOut, EventSignedIn, EventSessionEnded, EventImpersonated, EventImpersonationEnded, EventResetMade,
	EventFactorEnabled, EventFactorRemoved, EventRecoveryMade, EventRecoveryUsed,
	EventLocationAssigned, EventLocationRemoved, EventRoleAssigned, EventRoleRemoved, EventGroupsChanged, EventRolesChanged,
	EventHoldPlaced, EventHoldReleased,
	EventRoleCreated, EventRoleUpdated, EventRoleDeleted, EventLockReasonCreated, EventLockReasonUpdated, EventLockReasonDeleted,
	EventPoolSet, EventCredentialCreated, EventCredentialRevoked, EventGroupCreated, EventGroupUpdated, EventGroupDeleted,
	EventWebhookCreated, EventWebhookUpdated, EventWebhookDeleted, EventWebhookReplayed, EventJobReopened, EventJobCancelled,
	EventBulkStarted, EventBulkEnded, EventFeedTrimmed, EventFeedRestarted,
}

// EventTypes are the types that events are kept with.
func EventTypes() []EventType { return slices.Clone(storedTypes) }

// checkEventTypes refuses types that no event has: a name with a slip would
// quietly select nothing.
func checkEventTypes(field string, types []EventType) error {
	if len(types) > MaxWebhookFilters {
		return Invalid(field, ReasonFieldLength, "%s can have %d entries.", field, MaxWebhookFilters)
	}
	for _, t := range types {
		noun, all := strings.CutSuffix(string(t), ".*")
		known := slices.ContainsFunc(storedTypes, func(stored EventType) bool {
			return stored == t || all && strings.HasPrefix(string(stored), noun+".")
		})
		if !known {
			return Invalid(field, ReasonFieldValue, "There are no events of the type %.80q: write one like user.created, or user.* for all of a noun.", t)
		}
	}
	return nil
}
