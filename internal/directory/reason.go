package directory

// Reason is the fine cause of an error: an open set, dotted, stable once
// published. A door may map a reason to an answer of its own; what it does not
// map follows its code.
type Reason string

// ReasonInfo describes a reason for docs/errors.md and the API documents.
type ReasonInfo struct {
	Reason  Reason
	Code    Code
	Meaning string // what happened
	Remedy  string // what the caller can do
}

// The reasons in use. Reasons() documents each.
const (
	ReasonInternal Reason = "internal"

	ReasonUserNotFound       Reason = "user.not_found"
	ReasonUserDeleted        Reason = "user.deleted"
	ReasonCompanyNotFound    Reason = "company.not_found"
	ReasonLocationNotFound   Reason = "location.not_found"
	ReasonLockReasonNotFound Reason = "lock_reason.not_found"
	ReasonRoleNotFound       Reason = "role.not_found"
	ReasonGroupNotFound      Reason = "group.not_found"
	ReasonTenantNotFound     Reason = "tenant.not_found"
	ReasonCredentialNotFound Reason = "credential.not_found"
	ReasonRouteNotFound      Reason = "route.not_found"
	ReasonSessionNotFound    Reason = "session.not_found"
	ReasonPoolNotFound       Reason = "licence_pool.not_found"

	ReasonUserNameTaken       Reason = "user.user_name_taken"
	ReasonEmailTaken          Reason = "user.email_taken"
	ReasonEmployeeNumberTaken Reason = "user.employee_number_taken"
	ReasonOpenIDTaken         Reason = "user.open_id_taken"
	ReasonWebMDNTaken         Reason = "user.web_mdn_taken"
	ReasonExternalIDTaken     Reason = "user.external_id_taken"
	ReasonStorageTaken        Reason = "user.storage_location_taken"
	ReasonNumberTaken         Reason = "number.taken"
	ReasonIDTaken             Reason = "user.id_taken"
	ReasonLockReasonTaken     Reason = "lock_reason.name_taken"
	ReasonRoleTaken           Reason = "role.name_taken"
	ReasonGroupTaken          Reason = "group.name_taken"
	ReasonCompanyTaken        Reason = "company.name_taken"
	ReasonLocationTaken       Reason = "location.name_taken"
	ReasonTenantTaken         Reason = "tenant.name_taken"
	ReasonHostTaken           Reason = "tenant.host_taken"
	ReasonCredentialTaken     Reason = "credential.taken"
	ReasonWriteConflict       Reason = "write.conflict"

	ReasonStateNotAllowed Reason = "state.not_allowed"
	ReasonSeatExhausted   Reason = "seat.exhausted"
	ReasonSeatNotEntitled Reason = "seat.not_entitled"
	ReasonOwnerProtected  Reason = "owner.protected"
	ReasonCompanyDepth    Reason = "company.depth"
	ReasonUserHeld        Reason = "user.held"
	ReasonSelfLock        Reason = "user.locks_itself"
	ReasonLicenceRequired Reason = "licence.required"
	ReasonLicenceMobile   Reason = "licence.web_only_mobile_only"
	ReasonOwnerMobile     Reason = "owner.mobile_only"
	ReasonGroupNested     Reason = "group.parent_below"
	ReasonRoleHeld        Reason = "role.held"
	ReasonJobLost         Reason = "job.lost"
	ReasonJobNotFound     Reason = "job.not_found"
	ReasonJobClosed       Reason = "job.closed"
	ReasonJobRunning      Reason = "job.running"
	ReasonJobPermanent    Reason = "job.permanent"
	ReasonNoAddress       Reason = "user.no_email"
	ReasonOperatorOnly    Reason = "tenant.operator_only"
	ReasonCompanyInUse    Reason = "company.in_use"
	ReasonLocationInUse   Reason = "location.in_use"

	ReasonIdempotencyReused     Reason = "idempotency.reused"
	ReasonIdempotencyInProgress Reason = "idempotency.in_progress"

	ReasonRankTooLow   Reason = "rank.too_low"
	ReasonScopeMissing Reason = "scope.missing"
	ReasonFormForeign  Reason = "form.foreign"
	ReasonDoorClosed   Reason = "door.closed"
	ReasonSelfOnly     Reason = "rights.self_only"
	ReasonFieldRights  Reason = "rights.field"
	ReasonProvisioning Reason = "rights.provisioning"

	ReasonCredentialMissing Reason = "credential.missing"
	ReasonCredentialInvalid Reason = "credential.invalid"
	ReasonCredentialExpired Reason = "credential.expired"
	ReasonClientInvalid     Reason = "client.invalid"
	ReasonGrantInvalid      Reason = "grant.invalid"
	ReasonResetInvalid      Reason = "reset.invalid"
	ReasonImpersonating     Reason = "impersonation.not_allowed"
	ReasonSecretKey         Reason = "secret_key.missing"
	ReasonLoginFailed       Reason = "login.failed"
	ReasonLoginLocked       Reason = "login.locked"
	ReasonLoginInactive     Reason = "login.inactive"
	ReasonLoginDates        Reason = "login.outside_dates"
	ReasonLoginTemporary    Reason = "login.temporary_password"

	ReasonSignInExpired   Reason = "sign_in.expired"
	ReasonFactorRequired  Reason = "second_factor.required"
	ReasonFactorMissing   Reason = "second_factor.missing"
	ReasonFactorWrong     Reason = "second_factor.wrong_code"
	ReasonFactorThere     Reason = "second_factor.present"
	ReasonFactorNotFound  Reason = "second_factor.not_found"
	ReasonFactorEnrolment Reason = "second_factor.enrolment"
	ReasonPasswordWrong   Reason = "password.wrong"

	ReasonVersionMismatch Reason = "version.mismatch"

	ReasonFieldRequired Reason = "field.required"
	ReasonFieldFormat   Reason = "field.format"
	ReasonFieldLength   Reason = "field.length"
	ReasonFieldValue    Reason = "field.value"
	ReasonFieldMismatch Reason = "field.mismatch"
	ReasonBodySyntax    Reason = "body.syntax"
	ReasonQuerySyntax   Reason = "query.syntax"
	ReasonFilterSyntax  Reason = "filter.syntax"
	ReasonCursorInvalid Reason = "cursor.invalid"
	ReasonCursorExpired Reason = "cursor.expired"

	ReasonFeedReset      Reason = "feed.reset"
	ReasonFeedBusy       Reason = "feed.busy"
	ReasonHistoryGone    Reason = "history.gone"
	ReasonHistoryTooLong Reason = "history.too_long"
	ReasonAuditNoKey     Reason = "audit.no_key"
	ReasonAuditTooLong   Reason = "audit.too_long"

	ReasonWebhookNotFound       Reason = "webhook.not_found"
	ReasonWebhookTooMany        Reason = "webhook.too_many"
	ReasonWebhookURL            Reason = "webhook.url"
	ReasonWebhookSecretNotFound Reason = "webhook.secret_not_found"
	ReasonWebhookTooManySecrets Reason = "webhook.too_many_secrets"
	ReasonWebhookLastSecret     Reason = "webhook.last_secret"
	ReasonWebhookReplaying      Reason = "webhook.replaying"
	ReasonWebhookTesting        Reason = "webhook.testing"
	ReasonWebhookOff            Reason = "webhook.off"
	ReasonDeliveryNotFound      Reason = "delivery.not_found"
	ReasonListTooLarge          Reason = "list.too_large"
	ReasonFieldUnknown          Reason = "field.unknown"
	ReasonFieldReadOnly         Reason = "field.read_only"
	ReasonHeaderSyntax          Reason = "header.syntax"
	ReasonBodyMedia             Reason = "body.media_type"
	ReasonMethod                Reason = "method.not_allowed"

	ReasonBulkNotFound Reason = "bulk.not_found"
	ReasonBulkState    Reason = "bulk.state"
	ReasonBulkPart     Reason = "bulk.part"
	ReasonBulkTooLarge Reason = "bulk.too_large"
	ReasonBulkTooMany  Reason = "bulk.too_many"
	ReasonBulkAsker    Reason = "bulk.asker"

	ReasonPasswordTooShort Reason = "password.too_short"
	ReasonPasswordTooLong  Reason = "password.too_long"
	ReasonPasswordBlocked  Reason = "password.blocked"
	ReasonPasswordContext  Reason = "password.contains_identity"
	ReasonHashUnsupported  Reason = "password.hash_unsupported"
	ReasonHashTooCostly    Reason = "password.hash_too_costly"

	ReasonTooManyRequests Reason = "limit.requests"
	ReasonTooManyLogins   Reason = "limit.logins"
	// ReasonTooManyStrangers is for an address that has presented too many
	// credentials that nobody has.
	ReasonTooManyStrangers Reason = "limit.credentials"
	ReasonBodyTooLarge     Reason = "body.too_large"
	ReasonBusy             Reason = "store.busy"
	// ReasonQueryTooCostly is for a list, search or filter that takes too long.
	ReasonQueryTooCostly Reason = "query.too_costly"
	ReasonOutcomeUnknown Reason = "store.outcome_unknown"
	ReasonHashQueue      Reason = "password.queue_full"
)
