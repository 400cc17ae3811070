package directory

// Reasons describes every reason, in the order of docs/errors.md, which is
// made from it. Code is the usual one; an error always says its own.
func Reasons() []ReasonInfo {
	groups := [][]ReasonInfo{
		notFoundReasons(), takenReasons(), stateReasons(), rightsReasons(), credentialReasons(), loginReasons(), factorReasons(),
		inputReasons(), passwordReasons(), capacityReasons(), feedReasons(), webhookReasons(), bulkReasons(),
	}
	var all []ReasonInfo
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}

func notFoundReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonUserNotFound, CodeNotFound, "No user has this number, id or key, or the caller may not see that user.",
			"Check the identifier, and that the credential belongs to the right tenant and company."},
		{ReasonUserDeleted, CodeNotFound, "The user is in the recycle bin.",
			"Restore the user first, or create another one."},
		{ReasonCompanyNotFound, CodeNotFound, "No company has this number, id or name, or the caller may not see it. In a request body it is an invalid field.",
			"Use the number of a company of this tenant that lies within the credential's reach."},
		{ReasonLocationNotFound, CodeNotFound, "No location has this number or id, or the caller may not see it.",
			"Use a location of this tenant."},
		{ReasonLockReasonNotFound, CodeNotFound, "There is no such lock reason, or it does not serve this company.",
			"Use a reason of the user's company or of one above it; list a company's own reasons to find them."},
		{ReasonRoleNotFound, CodeNotFound, "There is no such role for this company, or the user does not hold it.",
			"List the company's roles, or the roles that the user holds."},
		{ReasonGroupNotFound, CodeNotFound, "No group of this kind has this key or id.",
			"Create the group first, or correct the key or id."},
		{ReasonTenantNotFound, CodeNotFound, "There is no such tenant.",
			"Check the tenant's name."},
		{ReasonCredentialNotFound, CodeNotFound, "The tenant has no API key or client with this id; it may have been revoked.",
			"List the tenant's credentials."},
		{ReasonRouteNotFound, CodeNotFound, "No door serves this path.",
			"Check the base URL and the path, and that the door is switched on in this process."},
		{ReasonSessionNotFound, CodeNotFound, "The user has no such sign-in, it has ended, or the caller came without one.",
			"List the user's sessions."},
		{ReasonPoolNotFound, CodeNotFound, "The tenant has no pool for this licence type.",
			"List the licence pools; a type without one is not limited."},
	}
}

func takenReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonUserNameTaken, CodeConflict, "Another user of the tenant has this user name, or has it as e-mail address. Inactive users keep theirs.",
			"Choose another name, or rename or delete the other user."},
		{ReasonEmailTaken, CodeConflict, "Another user of the tenant signs in with this e-mail address, or has it as user name.",
			"Use another address, or change the other user's."},
		{ReasonEmployeeNumberTaken, CodeConflict, "Another user of the tenant has this employee number.",
			"Use another number, or change the other user's."},
		{ReasonOpenIDTaken, CodeConflict, "Another user of the tenant has this openId.",
			"Use another openId, or change the other user's."},
		{ReasonWebMDNTaken, CodeConflict, "Another user of the tenant has this web MDN.",
			"Use another web MDN, or change the other user's."},
		{ReasonExternalIDTaken, CodeConflict, "This credential has given the external id to another user already.",
			"Find that user by its external id and update it instead of creating one."},
		{ReasonStorageTaken, CodeConflict, "Another user of the tenant has this storage location: it has one technician at most.",
			"Use another storage location, or take it from the other user."},
		{ReasonNumberTaken, CodeConflict, "The preset number belongs to something else. With the code exhausted: no number is left.",
			"Leave the number out to have one drawn, or choose another."},
		{ReasonIDTaken, CodeConflict, "The preset id belongs to another user.",
			"Leave the id out to have one made, or choose another."},
		{ReasonLockReasonTaken, CodeConflict, "The company has a lock reason of this name.",
			"Choose another name, or update the existing reason."},
		{ReasonRoleTaken, CodeConflict, "There is a role of this name already.",
			"Choose another name, or use the existing role."},
		{ReasonGroupTaken, CodeConflict, "There is a group of this kind and key already.",
			"Choose another key, or use the existing group."},
		{ReasonCompanyTaken, CodeConflict, "The tenant has a company of this name.",
			"Choose another name, or use the existing company."},
		{ReasonLocationTaken, CodeConflict, "The company has a location of this name.",
			"Choose another name, or use the existing location."},
		{ReasonTenantTaken, CodeConflict, "The installation has a tenant of this name.",
			"Choose another name."},
		{ReasonHostTaken, CodeConflict, "The host name leads to another tenant.",
			"Choose another host name, or take it from the other tenant."},
		{ReasonCredentialTaken, CodeConflict, "The chosen secret or client id cannot be used.",
			"Leave it out to have one drawn, or choose another."},
		{ReasonWriteConflict, CodeConflict, "Another write took a unique key at the same moment, twice in a row.",
			"Read the state again and repeat the request."},
		{ReasonVersionMismatch, CodeStale, "The record was changed since the version that the request names.",
			"Read it again, apply the change to what it is now, and repeat."},
		{ReasonIdempotencyReused, CodeInvalid, "The idempotency key came with another request before.",
			"Send a new key with a new request, and an old one only with the request that it was made for."},
		{ReasonIdempotencyInProgress, CodeConflict, "Another request with this idempotency key is being worked on.",
			"Wait a moment and repeat the request: it is answered as that one was."},
	}
}

func stateReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonStateNotAllowed, CodeConflict, "The user's state has no such transition.",
			"Move the user to a state that has it; docs/architecture.md shows all transitions."},
		{ReasonSeatExhausted, CodeExhausted, "Every seat of the licence type is taken.",
			"Deactivate somebody who holds one, change the licence type, or raise the pool's total."},
		{ReasonSeatNotEntitled, CodeExhausted, "The tenant's pool for this licence type has a total of 0.",
			"Use another licence type, or give the pool a total."},
		{ReasonOwnerProtected, CodeForbidden, "The account owner cannot be deactivated or deleted.",
			"Make somebody else the account owner first."},
		{ReasonCompanyDepth, CodeInvalid, "The company would be deeper in the tree than is allowed.",
			"Choose a parent nearer to the root."},
		{ReasonUserHeld, CodeConflict, "Another system holds the user: open orders, an assigned vehicle, a legal hold. The message names the hold.",
			"Have the hold released by who put it, then repeat the request."},
		{ReasonSelfLock, CodeConflict, "The caller would lock itself out: its own account, its own key, or the door through which it came.",
			"Have another administrator lock the account, revoke a key with another one, or have who runs the server close the door."},
		{ReasonLicenceRequired, CodeInvalid, "The door wants a licence type, and the user would have none.",
			"Send a licence type."},
		{ReasonLicenceMobile, CodeInvalid, "A user whose licence is for the web alone cannot be mobile only.",
			"Change the licence type, or let the user into web applications."},
		{ReasonOwnerMobile, CodeInvalid, "The account owner cannot be mobile only.",
			"Make somebody else the account owner first."},
		{ReasonGroupNested, CodeInvalid, "The group's new parent is the group itself or lies below it, or the tree of groups would be too deep.",
			"Choose a parent outside of the group, nearer to the root."},
		{ReasonRoleHeld, CodeConflict, "The role cannot be deleted while somebody holds it.",
			"Take the role from its holders first."},
		{ReasonCompanyInUse, CodeConflict, "Something still belongs to the company: users, those in the recycle bin too, companies below it, locations, roles, lock reasons or credentials. Or it is the tenant's default company.",
			"Move or delete what belongs to it first; make another company the default."},
		{ReasonLocationInUse, CodeConflict, "Somebody is assigned to the location; users in the recycle bin count.",
			"Take the location from its users first."},
		{ReasonNoAddress, CodeConflict, "The user has no e-mail address, so nothing can be mailed.",
			"Give the user an address, or set a password instead."},
		{ReasonOperatorOnly, CodeConflict, "Tenants are made and taken away by who runs the server, not through a door.",
			"Use the command usher tenant on the server."},
		{ReasonJobLost, CodeConflict, "The work is done, or another process has taken it over.",
			"Nothing: whoever has it finishes it."},
		{ReasonJobNotFound, CodeNotFound, "The tenant has no job with this id; closed ones are removed after 30 days.",
			"List the jobs."},
		{ReasonJobClosed, CodeConflict, "The job is done, was cancelled, or what it needs is erased.",
			"Ask for the change again that made it."},
		{ReasonJobRunning, CodeConflict, "A process is doing the job at this moment.",
			"Wait until it has ended, a few minutes at most."},
		{ReasonJobPermanent, CodeConflict, "The job is one that every tenant has, and that comes again by itself.",
			"Change the tenant's settings recycle_bin_days or event_days instead."},
	}
}

func rightsReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonRankTooLow, CodeForbidden, "The caller's rank does not allow this, in general or for this target.",
			"Use a credential of a higher rank."},
		{ReasonScopeMissing, CodeForbidden, "The credential was made without the scope that this needs.",
			"Use a credential that has the scope."},
		{ReasonFormForeign, CodeForbidden, "A form of the console was sent from elsewhere, or its session has ended.",
			"Open the page again and send the form from there."},
		{ReasonSelfOnly, CodeForbidden, "An ordinary user's session may use only that user's own record.",
			"Ask for one's own record, or use a credential of a higher rank."},
		{ReasonFieldRights, CodeForbidden, "An ordinary user may not change these fields of its own record.",
			"Leave them as they are, or ask an administrator."},
		{ReasonProvisioning, CodeForbidden, "Administrators and the account owner cannot be changed through the scim door, and nobody can be made one there, whatever the credential's rank.",
			"Use another door for them, with a credential of a sufficient rank."},
		{ReasonImpersonating, CodeForbidden, "Who acts in another person's name may not change passwords, credentials, roles or the tenant, nor open sessions.",
			"Sign in with one's own account."},
	}
}

func credentialReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonCredentialMissing, CodeUnauthenticated, "The request carries no credential.",
			"Send an API key or a token the way the door expects it."},
		{ReasonCredentialInvalid, CodeUnauthenticated, "The credential is not known, was revoked, or its user may no longer act.",
			"Sign in again, or use another key."},
		{ReasonCredentialExpired, CodeUnauthenticated, "The key or token is past its end.",
			"Refresh the token or sign in again; have a new key made."},
		{ReasonDoorClosed, CodeUnauthenticated, "The credential or its tenant has this door switched off, or the tenant is disabled.",
			"Use a credential that opens the door, or have the door switched on."},
		{ReasonClientInvalid, CodeUnauthenticated, "The OAuth client is not known, its secret is wrong, or it may not use this door.",
			"Check client id and client secret."},
		{ReasonGrantInvalid, CodeUnauthenticated, "The refresh token was used before, has expired or was revoked. The token service also says so of a malformed request.",
			"Sign in again with the password grant; send every parameter once, in the body."},
	}
}

func loginReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonLoginFailed, CodeUnauthenticated, "The user name or the password is wrong, or the user has no password.",
			"Check both; have a password set."},
		{ReasonLoginLocked, CodeUnauthenticated, "The password is right, but the user is locked. The message is the lock reason's description.",
			"Do what the message says; an administrator or the helpdesk can unlock the user."},
		{ReasonLoginInactive, CodeUnauthenticated, "The password is right, but the user is not active.",
			"Have the user activated."},
		{ReasonLoginDates, CodeUnauthenticated, "The password is right, but the user is not valid yet or not valid any more.",
			"Have the validity dates changed."},
		{ReasonLoginTemporary, CodeUnauthenticated, "The password is right but temporary: it is good for nothing but being replaced.",
			"Replace the password, then sign in with the new one."},
		{ReasonResetInvalid, CodeUnauthenticated, "The reset token was used, has expired, or ended with a change of the account; or its user may not sign in.",
			"Ask for a new link."},
	}
}

func inputReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonFieldRequired, CodeInvalid, "A field that must be there is absent or empty.",
			"Send the field."},
		{ReasonFieldFormat, CodeInvalid, "A field has the wrong type or form, or characters that are not allowed.",
			"Correct the field; the message says what is wrong."},
		{ReasonFieldLength, CodeInvalid, "A field is too long or too short, or holds too many items.",
			"Correct the field; the message names the limit."},
		{ReasonFieldValue, CodeInvalid, "A field has a value that is not among the allowed ones.",
			"Use one of the values that the message names."},
		{ReasonFieldMismatch, CodeInvalid, "Two places of the request contradict each other, for instance the path and the body.",
			"Send the same value in both, or leave out the one in the body."},
		{ReasonFieldUnknown, CodeInvalid, "The body has a member that the operation does not know.",
			"Leave it out, or correct its name; the API's description lists the members."},
		{ReasonFieldReadOnly, CodeInvalid, "The member is set by the server, or changed by an operation of its own.",
			"Leave it out, or use the operation that the message names."},
		{ReasonHeaderSyntax, CodeInvalid, "A header of the request cannot be read.",
			"Correct the header that the message names."},
		{ReasonBodyMedia, CodeUnsupported, "The body has a media type that the operation does not take.",
			"Send the media type that the message names."},
		{ReasonMethod, CodeUnsupported, "The resource does not have this method.",
			"Use one of the methods that the header Allow names."},
		{ReasonBodySyntax, CodeInvalid, "The body is not in the door's format.",
			"Send a well-formed body."},
		{ReasonQuerySyntax, CodeInvalid, "A query parameter cannot be read.",
			"Correct the parameter that the message names."},
		{ReasonFilterSyntax, CodeInvalid, "The filter cannot be read.",
			"Use the form that the message shows."},
		{ReasonCursorInvalid, CodeInvalid, "The cursor was not given for this list, query and caller.",
			"Send next_cursor as it came, with the query that it came for, or begin the list again."},
		{ReasonCursorExpired, CodeInvalid, "The cursor was given more than an hour ago.",
			"Begin the list again."},
		{ReasonListTooLarge, CodeInvalid, "The page would hold more than the server puts into one answer, for instance all members of large groups.",
			"Ask for fewer items at a time, or leave out what is large."},
		{ReasonBodyTooLarge, CodeTooLarge, "The body is larger than the server accepts.",
			"Send less, or raise the setting max_body."},
	}
}

func passwordReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonPasswordTooShort, CodeInvalid, "The password has fewer characters than the tenant's policy or the door demands.",
			"Use a longer password."},
		{ReasonPasswordTooLong, CodeInvalid, "The password has more bytes than the server hashes.",
			"Use a shorter password."},
		{ReasonPasswordBlocked, CodeInvalid, "The password is a common word, a sequence or a repetition.",
			"Choose several unrelated words."},
		{ReasonPasswordContext, CodeInvalid, "The password contains the user's own name or address, or the name of this service.",
			"Use a password without them."},
		{ReasonHashUnsupported, CodeInvalid, "The imported password hash is in no format that the server can verify.",
			"Use one of the formats that the message names, or import the user without a password."},
		{ReasonHashTooCostly, CodeInvalid, "Verifying the imported password hash would cost too much memory or time.",
			"Import the user without a password and have a new one set."},
	}
}

func capacityReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonTooManyRequests, CodeRateLimited, "The tenant has used up its requests of this minute for this door.",
			"Wait as long as the answer says, or raise the tenant's limit."},
		{ReasonTooManyLogins, CodeRateLimited, "Too many sign-in attempts for this account or from this address.",
			"Wait as long as the answer says."},
		{ReasonTooManyStrangers, CodeRateLimited, "Too many keys, tokens or client secrets that nobody has came from this address.",
			"Correct the credential, and wait as long as the answer says."},
		{ReasonHashQueue, CodeUnavailable, "Too many passwords are being checked at this moment.",
			"Repeat the request after a few seconds."},
		{ReasonBusy, CodeUnavailable, "The database has more to write than it can take at this moment, or cannot be reached, or the server has no memory left for large bodies. Nothing was changed.",
			"Repeat the request after a moment."},
		{ReasonQueryTooCostly, CodeUnavailable, "A list, search or filter took longer than the server allows: no index answers it, or the place is far down in a large list.",
			"Ask by user name, e-mail address, external id or company, page by cursor, or leave out the sort. The operator's setting is query_timeout."},
		{ReasonOutcomeUnknown, CodeUnavailable, "The connection to the database broke while the change was being committed. It may or may not have happened.",
			"Read the state before repeating the request."},
		{ReasonSecretKey, CodeUnavailable, "The server has no secret key, without which it can neither sign tokens nor keep messages.",
			"Set secret_key or secret_key_file (docs/config.md)."},
		{ReasonInternal, CodeInternal, "The server failed. The answer carries an error id; the cause is in the log under that id.",
			"Report the error id to whoever runs the server."},
	}
}

func feedReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonFeedReset, CodeNotFound, "The history is not the one that the cursor knows, since a backup was restored, or what followed the cursor has been removed by retention.",
			"Read the directory anew, then begin the feed without a cursor."},
		{ReasonFeedBusy, CodeUnavailable, "As many requests as the server allows are waiting for events, or for their turn to search them.",
			"Try again in a moment, or ask without waiting."},
		{ReasonHistoryGone, CodeNotFound, "What the user was then is not kept any more: it was purged, or retention has removed the events since.",
			"Nothing: it cannot be known."},
		{ReasonHistoryTooLong, CodeUnsupported, "The user has changed too often since that moment.",
			"Ask for a later moment, or read the user's events."},
		{ReasonAuditNoKey, CodeUnavailable, "The server has no key to sign checkpoints with.",
			"Its operator sets audit_key_file."},
		{ReasonAuditTooLong, CodeConflict, "The tenant's history has more events than a request verifies.",
			"The server's operator runs usher audit verify."},
	}
}

func webhookReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonWebhookNotFound, CodeNotFound, "The tenant has no endpoint with this id.",
			"List the webhooks."},
		{ReasonWebhookTooMany, CodeExhausted, "The tenant has as many endpoints as it can have.",
			"Delete one that is not used."},
		{ReasonWebhookURL, CodeInvalid, "Nothing may be sent to this URL: it is no https URL, or leads into a private network.",
			"Use a public https URL, or have the operator allow the network (webhook_networks)."},
		{ReasonWebhookSecretNotFound, CodeNotFound, "The endpoint has no secret with this id.",
			"Read the endpoint: it lists the ids of its secrets."},
		{ReasonWebhookTooManySecrets, CodeExhausted, "The endpoint has as many secrets as it can have.",
			"Remove one that no receiver uses any more."},
		{ReasonWebhookLastSecret, CodeConflict, "The last secret of an endpoint cannot be removed.",
			"Add another one first."},
		{ReasonWebhookReplaying, CodeConflict, "An earlier replay has not ended.",
			"Wait until replay of the endpoint is null."},
		{ReasonWebhookTesting, CodeConflict, "A test message is on its way to the endpoint.",
			"Wait for its outcome."},
		{ReasonWebhookOff, CodeUnavailable, "The server sends no webhooks.",
			"Ask whoever runs the server."},
		{ReasonDeliveryNotFound, CodeNotFound, "The event does not wait for this endpoint: it was delivered, dropped, or not asked for.",
			"List the deliveries."},
	}
}
