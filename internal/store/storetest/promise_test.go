package storetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// promises says which check proves a sentence of the comments in
// directory/store*.go, each as group/check; "" is a sentence that introduces a
// type and promises nothing.
var promises = map[string][]string{
	"ErrNotFound is what a store's look-up answers when there is no such row.": {"lookup/Look-ups answer ErrNotFound"},
	"The core turns it into an Error that names the thing.":                    nil,
	"ErrDuplicate is what an insert answers when a unique key is taken.":       {"duplicate/ErrDuplicate is what an insert answers when a unique key is taken"},
	"Update handles it: the closure runs once more, finds the row by look-up and names the reason; only a second duplicate reaches the caller as write.conflict.": {
		"duplicate/The closure runs once more, finds the row by look-up and names the reason",
		"duplicate/Only a second duplicate reaches the caller as write conflict",
		"names/Of many that race for a name one wins and the others are told its reason"},
	"Store keeps the directory.": nil,
	"There is one implementation with two engines, SQLite and PostgreSQL, and one suite that both pass (store/storetest).": nil,

	"Read runs fn outside of any transaction.":                                        {"transaction/Read runs fn outside of any transaction"},
	"fn may call one method of the Reader once; each Reader method is one statement.": {"users/A View sees one moment while users move"},
	"View runs fn over one snapshot.":                                                 {"transaction/View runs fn over one snapshot", "users/A View sees one moment while users move"},
	"Update runs fn in a transaction and answers only when its outcome is durable.":   {"transaction/Update answers only when its outcome is durable"},
	"An error of fn rolls back.":                                                      {"transaction/An error of fn rolls back", "batches/Failures of every kind beside successes lose and keep nothing else"},
	"Ping reports whether the store can answer now, on the primary.":                  {"transaction/Ping reports whether the store can answer now"},
	"Close waits for what is running and closes the database.":                        {"close"},
	"fn may run twice: it must have no effect but through the Tx, must assign results and never append to them, and must not hash, sleep, use the network or call the store again.": {
		"duplicate/An fn that runs twice has no effect of its first run", "total/UserTotal counts a change only once when fn runs twice"},
	"A ctx that is done before fn starts is answered without running it; a started fn is not cancelled on SQLite.": {
		"context/A ctx that is done before fn starts is answered without running it", "context/A ctx cancelled in a started fn keeps all or nothing"},

	"Reader is every look-up.":                                  {"lookup/Every look-up answers the same in Read, View and Update"},
	"Tx is every look-up and every change, in one transaction.": {"transaction/Update sees its own changes"},
	"UserReader looks users up.":                                nil,
	"Look-ups answer ErrNotFound; they return deleted users too, and the core decides who may see them.": {
		"lookup/Look-ups answer ErrNotFound", "user/Look-ups return deleted users too"},
	"UserByHandle finds the holder of a folded key.": {"handle/UserByHandle finds the holder of a folded key"},
	"HandleByKey is the identifiers row alone.":      {"handle/HandleByKey is the identifiers row alone"},
	"Users lists in order of q.Sort and number, both falling if q.Descending.": {"list/Users lists in order of number over every set of states",
		"list/Users lists in order of every field over every set of states", "list/Texts are sorted byte by byte",
		"list/Users lists in falling order and After is then an upper bound"},
	"Terms are folded already and q.GroupNumbers resolved.": {"search/MatchTerms agrees with the SQL on random data",
		"list/Users of groups are the members of any of them", "list/An unknown group has no members"},
	"At most q.Limit rows; WantTotal, Cursor and WantCursor change no row.": {"list/After, Skip and Limit cut the same list", "list/WantTotal changes no row", "search/A page that wants a total is the same page"},
	"CountUsers counts the matches of q (After, Skip and Limit aside) and stops at limit.": {
		"list/CountUsers counts the matches, After, Skip and Limit aside, and stops at limit"},
	"UserTotal is the exact number of users in the states of a company's subtree (0: the tenant), from counters.": {
		"total/UserTotal is the exact number after every kind of change", "total/UserTotal of the tenant is that of company 0",
		"totals/Totals and lists are exact after concurrent changes"},
	"Purged is the number of the erased user to whom a number or an id belonged; 0 when neither belonged to one.": {"user/Purged reports whether a number or an id belonged to an erased user"},
	"Its number and id are remembered as Purged.":                                                                 {"user/Purged reports whether a number or an id belonged to an erased user"},
	"InSubtree reports whether a user belongs to a company's subtree.":                                            {"user/InSubtree reports whether a user belongs to a company's subtree"},

	"MembershipReader reads what users belong to, in order of number.": {
		"membership/UserLocations are in order of number", "role/UserRoles are in order of number"},
	"Roles lists the roles of a company; 0 lists those of the tenant itself.": {"role/Roles lists the roles of a company; 0 lists those of the tenant itself"},
	"RoleMembers lists the numbers of the users that hold a role, deleted ones too, each once, greater than after.": {
		"role/RoleMembers lists the users that hold a role, each once"},
	"RoleMemberRefs lists the living users of a company's subtree (0: the tenant) that hold a role, each once, greater than after.": {
		"role/RoleMemberRefs lists the living of a company that hold a role, each once"},
	"Holds lists the holds on a user, oldest first.":                 {"hold/Holds lists the holds on a user, oldest first"},
	"GroupReader reads groups and who is in them.":                   nil,
	"Groups lists one page of a selection in order of number.":       {"group/Groups lists one page of a selection in order of number"},
	"GroupSelection is a GroupQuery whose names have been resolved.": nil,
	"0: groups without one":                                          {"group/Groups lists one page of a selection in order of number"},
	"part of NameKey of the name; \"\": all":                         {"group/Groups lists one page of a selection in order of number"},
	"only groups of this user; 0: all":                               {"group/Groups lists one page of a selection in order of number"},
	"CountGroups counts all that Groups would list without Skip and Limit.": {
		"group/CountGroups counts all that Groups would list without Skip and Limit"},
	"UserGroups lists a user's memberships by kind, position and number.": {"group/UserGroups are by kind, position and number"},
	"GroupMembers lists the living members' numbers in order, greater than after.": {
		"group/GroupMembers lists and GroupSize counts the living members"},
	"GroupSize counts the living members.":                   {"group/GroupMembers lists and GroupSize counts the living members"},
	"CompanyReader reads the company tree and lock reasons.": nil,
	"LocationReader reads locations.":                        nil,
	"Locations lists a company's own locations, by number.":  {"location/Locations lists a company's own locations by number"},
	"LockReasons lists a company's own reasons.":             {"company/LockReasons lists a company's own reasons"},
	"CredentialReader looks up what callers present.":        nil,
	"AuthenticateKey finds an API key by the SHA-256 of its secret, of any tenant, with the tenant's switches.": {
		"credential/AuthenticateKey finds an API key by the SHA-256 of its secret, of any tenant, with the tenant's switches"},
	"KeyAndUser is AuthenticateKey together with the user of a number of the key's tenant, in one statement.": {
		"credential/KeyAndUser is AuthenticateKey together with the user of a number of the key's tenant"},
	"ErrNotFound when either is missing.": {"credential/KeyAndUser is AuthenticateKey together with the user of a number of the key's tenant",
		"session/AuthenticateSigned finds a signing key by its id together with a user of its tenant"},
	"A token whose client is gone is not found.": {"token/A token whose client is gone is not found"},
	"AuthenticateToken finds a token by the SHA-256 of it, with its user's state, lock, dates, epoch and rank and the tenant's switches.": {
		"token/AuthenticateToken finds a token by the SHA-256 of it with its user and the tenant's switches", "token/AuthenticateToken shows the user as it is now"},
	"AuthenticateClient finds a credential of any kind but keys by client id.": {"credential/AuthenticateClient finds a credential of any kind but keys by client id"},
	"AuthenticateSession finds a cookie session by the SHA-256 of it: of a credential (Credential is set, Token.User is 0) or of a user (as AuthenticateToken).": {
		"session/AuthenticateSession finds a cookie session of a credential", "session/AuthenticateSession finds a cookie session of a user",
		"session/AuthenticateSession shows user, credential and tenant as they are now", "session/A session of nobody is not found"},
	"A session whose credential is gone is not found.": {"session/A session whose credential is gone is not found"},
	"AuthenticateSigned finds a signing key by its id together with a user of its tenant, with what AuthenticateToken reads of them.": {
		"session/AuthenticateSigned finds a signing key by its id together with a user of its tenant"},
	"Credentials lists without their hashes, oldest first.": {"credential/Credentials lists without their hashes, oldest first"},
	"TenantReader looks tenants up.":                        nil,
	"Tenants lists all, in order of number.":                {"tenant/Tenants lists all, in order of number"},
	"TenantsOfDoor lists the first tenants, at most limit, that have a door on and are not disabled.": {
		"tenant/TenantsOfDoor lists the first tenants that have a door on and are not disabled"},
	"SigningKeys lists the tenant's, the newest first.": {"session/SigningKeys lists the tenant's, the newest first"},
	"LicenceReader reads pools.":                        nil,
	"EventReader reads what happened.":                  nil,
	"SessionReader lists sign-ins.":                     nil,
	"UserTokens lists a user's tokens of the kinds access, refresh and session that expire after now, the newest first, without their hashes.": {
		"token/UserTokens lists a user's tokens that live on, the newest first"},
	"SecondFactorReader reads what people prove besides their passwords.":   nil,
	"SecondFactor reads a user's; ErrNotFound when there is none.":          {"lookup/Look-ups answer ErrNotFound", "second factor/SetSecondFactor writes or replaces a user's second factor"},
	"RecoveryCodes counts a user's recovery codes that are left.":           {"second factor/SetSecondFactor writes or replaces a user's second factor"},
	"SecondFactorWriter changes what people prove besides their passwords.": nil,
	"The caller has locked the user.":                                       {"second factors/Of many that spend one recovery code one gets true"},
	"SetSecondFactor writes or replaces a user's second factor.":            {"second factor/SetSecondFactor writes or replaces a user's second factor"},
	"DeleteSecondFactor erases a user's second factor with its recovery codes, and reports whether there was one.": {
		"second factor/DeleteSecondFactor erases it with its recovery codes"},
	"SetRecoveryCodes replaces a user's recovery codes by those with these hashes.": {"second factor/SetSecondFactor writes or replaces a user's second factor"},
	"SpendRecoveryCode removes a user's recovery code and reports whether it was there: of two that spend one code, one gets true.": {
		"second factor/A recovery code is spent once", "second factors/Of many that spend one recovery code one gets true"},
	"DeleteImpersonation ends a leave to act as another and reports whether it was there.": {"second factor/DeleteImpersonation ends a leave to act as another"},
	"OverviewReader reads the figures of a tenant that no other look-up has.":              nil,
	"PoolDays lists the seats of a tenant's pools by type and day, from a day on (days since 1970).": {
		"overview/SamplePools notes the seats of every pool and PoolDays lists them"},
	"EventDays counts a tenant's events by day, from a day on, by the hours that IndexEvents has noted: what is not indexed is not counted.": {
		"overview/EventDays counts the events that are indexed by day"},
	"CountLocked counts the locked users of a company's subtree (0: the tenant) that are not deleted, and stops at limit.": {
		"overview/CountLocked counts the locked users of a company's subtree"},
	"CountFailedJobs counts a tenant's jobs that were given up, and stops at limit.": {"overview/CountFailedJobs counts the jobs that were given up"},
	"OverviewWriter keeps the figures that must be noted while they are true.":       nil,
	"SamplePools notes the seats of every pool of every tenant as those of a day, in the place of what was noted of that day before.": {
		"overview/SamplePools notes the seats of every pool and PoolDays lists them", "second factors/Samples of pools at once wait for each other"},
	"SweepPoolDays removes what was noted of days before that of a time, at most limit rows; it returns how many.": {
		"overview/SweepPoolDays removes what was noted of days before"},
	"AnswerReader finds the answers of idempotency keys.": {"answer/An answer is its tenant's, its caller's and its key's"},
	"AnswerWriter keeps the answers of idempotency keys.": {"answer/An answer's fields round trip"},
	"InsertAnswer keeps an answer, in the place of one that is AnswersKept old or older.": {
		"answer/InsertAnswer takes the place of an answer that is AnswersKept old"},
	"Another that is there is ErrDuplicate.": {"answer/InsertAnswer takes the place of an answer that is AnswersKept old"},
	"Try runs a part of the transaction: what it wrote is undone if it fails, and the rest of the transaction goes on.": {
		"part/A part that fails leaves no trace, and what is before and after it stays", "part/A part that succeeds stays, and goes with a transaction that fails",
		"part/A part that fails takes back changes of what was there before it", "part/Of random parts those that succeed stay"},
	"AllRoles lists those of the tenant and of every company, by number, greater than after.": {
		"tree/AllRoles lists those of the tenant and of every company by number"},
	"AllLockReasons lists those of every company, by number, greater than after.": {"tree/AllLockReasons lists those of every company by number"},
	"AllLocations lists those of every company, by number, greater than after.":   {"tree/AllLocations lists those of every company by number"},
	"LocationInUse reports whether any user, deleted ones too, has a location.":   {"tree/LocationInUse reports whether any user has a location"},
	"CompanyInUse reports whether anything belongs to a company: users, deleted ones too, companies below it, locations, roles, lock reasons, credentials bound to it.": {
		"tree/CompanyInUse reports whether anything belongs to a company"},
	"GroupMemberRefs is GroupMembers with what lists of members show, of users in a company's subtree (0: the tenant).": {
		"group/GroupMemberRefs lists the living members of a company's subtree"},
	"only groups with a greater number":                                        {"group/Groups lists one page of a selection in order of number"},
	"KeyAndUserByID is KeyAndUser with the user of an id, in lower case.":      {"credential/KeyAndUserByID is KeyAndUser with the user of an id"},
	"UpdateCompany replaces the row of c.Number; its place in the tree stays.": {"tree/UpdateCompany replaces the row and leaves its place"},
	"DeleteCompany erases a company to which nothing belongs.": {"tree/DeleteCompany erases a company to which nothing belongs",
		"groups/No user is made in a company that is gone", "groups/No location is given, and none made, where it is gone"},
	"SweepAnswers removes answers of idempotency keys made before a time.": {"answer/SweepAnswers removes answers made before a time"},

	"UserWriter changes users and the index rows that follow from them (list index, totals, search text): those are the store's own business.": {
		"list/A user that moves leaves one list and enters another", "search/A change is found right after Update returned"},
	"LockUser reads a user for change: until the transaction ends nobody else changes it or what belongs to it.": {
		"user/LockUser reads a user for change", "users/Until the transaction ends nobody else changes a locked user"},
	"UpdateUser replaces the row; before is what LockUser returned.": {
		"user/UpdateUser replaces the row field by field", "user/A user that is not as it was read is refused"},
	"DeleteUser erases a user and everything that belongs to it but its events, whose contents EraseEvents erases.": {
		"erasure/EraseEvents erases the contents of all events of a user and no others",
		"user/DeleteUser erases a user and everything that belongs to it but its events", "users/Nothing is added to a user that is being erased",
		"job/Erasing a user ends the jobs about it and no others", "session/An impersonation's fields round trip"},
	"SetHandleKinds changes as what the holder has the key.": {"handle/SetHandleKinds changes as what the holder has the key"},
	"SetPassword writes or replaces a user's password.":      {"password/SetPassword writes or replaces a user's password"},
	"MembershipWriter changes memberships.":                  nil,
	"Adding what is there and removing what is not answer false and change nothing.": {
		"membership/Adding what is there answers false and changes nothing", "membership/Removing what is not answers false and changes nothing"},
	"AddUserRole gives a role.": {"role/UserRoles are in order of number"},
	"One that is gone since fn looked it up is ErrDuplicate, so that fn looks again; so is an assignment that is there.": {
		"role/AddUserRole looks again for a role that is gone", "role/An assignment is unique by user, role and company", "groups/No assignment outlives its role"},
	"DeleteRole erases a role that nobody holds.": {"role/DeleteRole erases a role that nobody holds", "groups/No assignment outlives its role"},
	"One that is held stays, and is ErrNotFound.": {"role/DeleteRole erases a role that nobody holds"},
	"InsertHold reports false, and changes nothing, when it is there.": {"hold/InsertHold reports false and changes nothing when it is there",
		"groups/No hold is placed on a user that is gone"},
	"GroupWriter changes groups and memberships.": nil,
	"UpdateGroup replaces the row of g.Number.":   {"group/UpdateGroup replaces the row"},
	"EmptyGroup removes at most limit memberships of a group and returns how many it removed.": {
		"group/EmptyGroup removes at most limit memberships and returns how many"},
	"DeleteGroup erases a group with its memberships; the groups below it lose their parent.": {
		"group/DeleteGroup erases a group with its memberships and frees the groups below it", "groups/No membership outlives its group"},
	"SetGroupMember adds a user or changes its role and position; it reports whether anything changed.": {
		"group/SetGroupMember adds a user or changes its role and position and says whether", "groups/Of many that set one membership the last one stays"},
	"A group that is gone since fn looked it up is ErrDuplicate, so that fn looks again.": {
		"group/SetGroupMember looks again for a group that is gone", "groups/No membership outlives its group"},
	"UpdateLocation replaces the row of l.Number.":                        {"location/UpdateLocation replaces the row"},
	"CompanyWriter changes the company tree, locations and lock reasons.": nil,
	"DeleteLockReason erases it; locks that name it stay (docs/dialects/iqmetrix.md 5.19), so readers must expect a number without a row.": {
		"company/DeleteLockReason erases it and locks that name it stay"},
	"CredentialWriter changes credentials and tokens.": nil,
	"DeleteToken reports whether it was there: of two that spend one refresh token, one gets true.": {
		"token/DeleteToken reports whether it was there", "tokens/Of two that spend one refresh token one gets true"},
	"DeleteSession removes every token of a sign-in.":                      {"token/DeleteSession removes every token of a sign-in"},
	"DeleteTokens removes a user's tokens of a kind.":                      {"token/DeleteTokens removes a user's tokens of a kind"},
	"DeleteExpiredTokens removes a user's tokens that expired before now.": {"token/DeleteExpiredTokens removes a user's tokens that expired before now"},
	"Number 0 is the sessions of the tenant's credentials.":                {"session/DeleteExpiredTokens of number 0 removes the credentials' sessions"},
	"ExtendToken moves a token's end.":                                     {"session/ExtendToken moves a token's end"},
	"ErrNotFound when it is gone.":                                         {"session/ExtendToken moves a token's end"},
	"TenantWriter changes tenants.":                                        nil,
	"LockTenant reads a tenant for change: rules about who is left and tree changes take this lock first.": {
		"tenant/LockTenant reads a tenant for change", "users/The last administrator stays"},
	"InsertTenant draws and returns the tenant's number.": {"tenant/InsertTenant draws and returns the tenant's number"},
	"LicenceWriter takes and frees seats.":                nil,
	"SetPool creates or resizes a pool.":                  {"licence/SetPool creates or resizes a pool"},
	"A total below what is used is allowed: nobody loses a seat, and nobody gets one until enough are free.": {
		"licence/A total below what is used takes no seat away and gives none until enough are free"},
	"AddPool creates a pool; one that is there stays as it is.": {"licence/AddPool creates a pool and leaves one that is there as it is"},
	"TakeSeat takes a seat by a conditional update and returns its shard + 1.": {
		"licence/A pool of any size gives out exactly its total", "seats/Of many that race for the last seats exactly total succeed"},
	"0 means that every shard refused, or that there is no pool: the core tells which by Pool.": {
		"licence/TakeSeat answers 0 when there is no pool and when every shard refused"},
	"FreeSeat gives back the seat that TakeSeat named.": {"licence/FreeSeat gives back the seat that TakeSeat named"},
	"NumberKind is a counter of numbers.":               {"number/Counters are apart by kind"},
	"The counters of a tenant.":                         nil,
	"NumberWriter draws numbers.":                       {"number/NextNumber draws numbers from 1 up and none twice"},
	"A drawn number may turn out to be taken by a preset one; the core then draws again.": {
		"names/Drawn and preset numbers never meet"},
	"RaiseNumber makes later draws start after number.": {"number/RaiseNumber makes later draws start after number"},
	"Another process may first use up the numbers that it has drawn ahead.": {
		"shared/A process gives out the numbers that it has drawn ahead and then passes a raised counter"},
	"EventWriter records changes.": nil,
	"Seal gives positions to the events of a tenant that are committed and have none, so that whoever changed something reads it in the feed at once.": {
		"events/Whoever changed something finds it in the feed after Seal", "chain/Committed events have positions without gaps and hashes that verify"},
	"An engine whose writer does it has nothing to do.": {"chain/Seal of a tenant without new events changes nothing"},
	"Follow seals what any process commits, until ctx is done, and calls grown when a tenant's chain has grown to a position, by this process or another.": {
		"chain/Follow tells of every chain that grows", "chain/Follow ends when ctx is done", "chain/Follow tells how far chains were when it began"},
	"grown may run on the writer's own goroutine: it must not wait and must not use the store.": nil,
	"Any number of processes may follow at once; one process follows once.": {
		"events/A follower by position misses nothing and sees nothing twice"},
	"ChainHead is the end of a tenant's chain; of a tenant without events one with nothing but the tenant.": {
		"chain/Committed events have positions without gaps and hashes that verify", "chain/ChainHead of a tenant without events has nothing but the tenant"},
	"ChainHeads lists the chains that have an event, by tenant, greater than after.": {
		"chain/ChainHeads lists the chains that have an event, by tenant, greater than after"},
	"Only events that have a position are there.":                {"chain/Only events that have a position are there"},
	"Events lists a tenant's events after a position, in order.": {"event/Events lists a tenant's events after a position, in order"},
	"UnsealedEvents lists a tenant's events that are committed and have no position yet, in order of Seq, with no more than Seq, Tenant, ID, Type, User and Time.": {
		"chain/Only events that have a position are there"},
	"FindEvents lists those that q selects.":                          {"find/FindEvents agrees with a look at every event", "history/FindEvents lists those of one user after a position, oldest first"},
	"Where q has keys they are found as far as IndexEvents has come.": {"find/FindEvents by what events say finds those that are indexed"},
	"EventPeriod is a range of positions outside of which no event has a time from from and before to; 0 and 0 if there is none.": {
		"find/EventPeriod leaves no event of its time outside", "find/EventPeriod is narrow where events are indexed"},
	"It goes by hours, as far as IndexEvents has come: what is not indexed is inside.":    {"find/EventPeriod is narrow where events are indexed"},
	"EventSelection is an EventQuery as the store takes it.":                              nil,
	"Events match that lie in the range of positions and equal every member that is set.": {"find/FindEvents agrees with a look at every event"},
	"From and To bound the time: from From, before To.":                                   {"find/FindEvents agrees with a look at every event"},
	"Zero is no bound.": {"find/FindEvents agrees with a look at every event"},
	"After and Before bound the position: greater than After, less than Before; 0 is no bound.": {"find/FindEvents agrees with a look at every event"},
	"Scan is the most events, or index rows, that are looked at.":                               {"find/FindEvents ends at Limit and at Scan and goes on from Seen"},
	"EventsFound is what a search for events came to.":                                          nil,
	"Seen is the last position that was looked at, or the bound at which the search began, and More says that it ended there because of Limit or Scan.": {
		"find/FindEvents ends at Limit and at Scan and goes on from Seen"},
	"InsertEvent writes an event, without position and hashes: those it gets when it is committed.": {
		"event/An event's fields round trip", "event/An event of a transaction that fails is not kept", "chain/Events of parts that fail leave no gap"},
	"It may be written at the end of the transaction: nothing in it reads events.": {"chain/Events of parts that fail leave no gap"},
	"EraseEvents erases the contents of all events of a user, those of this transaction too, and whatever finds them by what was erased.": {
		"erasure/EraseEvents erases the contents of all events of a user and no others", "erasure/EraseEvents erases events of its own transaction too",
		"erasure/What is erased is not found by its reason", "erasure/EraseEvents of a transaction or part that fails erases nothing",
		"events/What is erased while others seal, index and write is gone"},
	"It looks through what is not indexed: whoever erases has that done first.": {"erasure/EraseEvents erases the contents of all events of a user and no others"},
	"IndexEvents makes at most limit events of a tenant findable by what they say (FindEvents, EventPeriod) and reports how many it did; 0 when all are.": {
		"history/IndexEvents reports how many it did, and 0 when all are", "history/An event of a transaction that fails is in no history",
		"find/FindEvents by what events say finds those that are indexed"},
	"TrimEvents removes at most limit of the oldest events, up to a position, moves the chain's base, and returns how many it removed.": {
		"erasure/TrimEvents removes at most limit of the oldest events and moves the base", "erasure/What is trimmed is not found, and what comes later is",
		"events/What is trimmed while others seal and index is a beginning of the chain"},
	"SetChainEpoch sets the epoch of a tenant's chain.":       {"chain/SetChainEpoch sets the epoch and nothing else"},
	"JobReader looks for work.":                               nil,
	"JobsDue reports whether ClaimJobs would find a job now.": {"job/JobsDue reports whether ClaimJobs would find a job"},
	"Sweeper removes rows of all tenants that nothing needs any more: at most limit of them in a call, and none that another transaction is using.": {
		"sweep/SweepTokens removes tokens of every kind that expired before a time", "sweeps/Sweeps and those who use a token never have the same one"},
	"Each method returns how many it removed.": {"sweeps/Sweeps at once remove each row once"},
	"SweepTokens removes tokens of every kind that expired before a time.": {
		"sweep/SweepTokens removes tokens of every kind that expired before a time"},
	"SweepImpersonations removes those that expired before a time.": {"sweep/SweepImpersonations removes those that expired before a time"},
	"SweepJobs removes jobs that were closed before a time, and SweepPayloads erases the payloads of those that were.": {
		"sweep/SweepJobs removes jobs that were closed before a time", "sweep/SweepPayloads erases the payloads of jobs that were closed before a time"},
	"DeletedUsers lists the users in the recycle bin that were deleted before a time, the longest deleted first (DeletedAt, then Number), after the one of that time and number.": {
		"user/DeletedUsers lists the recycle bin before a time and the longest deleted first"},
	"Job reads one job, with its payload.":  {"job/Job reads one job with its payload in every state"},
	"now tells JobRunning from JobWaiting.": {"job/Job reads one job with its payload in every state"},
	"Jobs lists the jobs of a tenant that q selects, the newest first (CreatedAt, then ID, both falling), without their payloads.": {
		"job/Jobs lists the jobs that are selected and the newest first"},
	"A lease that ends later than MaxLease from now is none, and a job that was tried and is put back for longer than MaxJobPause is due: a clock was wrong.": {
		"job/A lease and a pause that are too long count for nothing"},
	"Without a cause RetryJob counts the attempts from 0.": {"job/RetryJob without a cause counts the attempts from 0"},
	"ReopenJob makes a job due at a time whose state is one of those given, with its attempts counted from 0, and EndJob closes one that waits and is not leased now; each reports whether there was such a job.": {
		"job/ReopenJob makes a job of a state due with its attempts counted from 0", "job/EndJob closes a job that waits and is not leased"},
	"SweepSigningKeys removes keys to which the tenant had a newer one before a time.": {
		"sweep/SweepSigningKeys removes keys to which the tenant had a newer one before a time"},
	"JobWriter keeps jobs.": {"job/A job's fields round trip"},
	"A job that is done keeps its row without a payload, so that a repeat of the insert is refused; one that failed or was cancelled keeps its payload too, so that it can be done all the same, until a sweep.": {
		"job/CloseJob ends a job and a repeat of the insert is refused", "jobs/Of many that insert one job one succeeds",
		"job/CloseJob keeps the payload of a job that is not done"},
	"ClaimJobs leases the jobs of a kind that are due and not leased, oldest first, to an owner until then; each job's Attempts is raised.": {
		"job/ClaimJobs leases the jobs of a kind that are due and not leased, oldest first", "job/A lease that has run out goes to another and the first has lost it"},
	"Two that claim at once never get the same job.": {"jobs/Two that claim at once never get the same job"},
	"CloseJob ends a job in a state (erasing its payload when done) and RetryJob puts it back until then; each notes what went wrong and reports whether the owner still had the lease.": {
		"job/CloseJob ends a job and a repeat of the insert is refused", "job/RetryJob puts a job back until then",
		"job/A lease that has run out goes to another and the first has lost it", "jobs/Of an owner and an heir one ends the job"},
	"WebhookReader reads endpoints and what could not be delivered to them.": {"webhook/An endpoint's fields round trip"},
	"Webhooks lists a tenant's, by time of creation.":                        {"webhook/Webhooks lists a tenant's by time of creation"},
	"WebhooksDue reports whether ClaimWebhooks would find one now.":          {"webhook/ClaimWebhooks leases active endpoints that have something to do"},
	"Deliveries lists those of an endpoint in a state (\"\" for all), by position, greater than after.": {
		"webhook/Deliveries lists those in a state by position"},
	"DeliveriesDue lists those that wait for a time, and not for another one about the same user, by that time.": {
		"webhook/DeliveriesDue lists those that wait for a time by that time"},
	"UsersWaiting counts, by user, the deliveries of an endpoint that wait.":      {"webhook/UsersWaiting counts by user and CountDeliveries stops at limit"},
	"CountDeliveries counts those of an endpoint in a state, and stops at limit.": {"webhook/UsersWaiting counts by user and CountDeliveries stops at limit"},
	"WebhookWriter changes endpoints and their deliveries.":                       {"webhook/A tenant's endpoints and deliveries are its own"},
	"LockWebhook reads an endpoint for change: until the transaction ends nobody else changes it or claims it.": {
		"webhook/LockWebhook reads an endpoint for change", "webhooks/Progress of an endpoint that many change at once is not lost"},
	"UpdateWebhook replaces the row of w.ID.":               {"webhook/UpdateWebhook replaces the row"},
	"DeleteWebhook erases an endpoint with its deliveries.": {"webhook/DeleteWebhook erases an endpoint with its deliveries"},
	"ClaimWebhooks leases active endpoints, of tenants that are not disabled, to an owner until then.": {
		"webhook/ClaimWebhooks leases active endpoints that have something to do", "webhook/ClaimWebhooks passes over tenants that are disabled"},
	"Nobody has them, their NextAt has come, and they have something to do: their chain does not end at Position, there is a range to replay, or the time of a delivery has come.": {
		"webhook/ClaimWebhooks leases active endpoints that have something to do", "webhook/Whose lease ended first is claimed first"},
	"Fence rises with each claim.":                        {"webhook/Fence rises with each claim"},
	"Two that claim at once never get the same endpoint.": {"webhooks/Two that claim at once never get the same endpoint"},
	"A lease of more than MaxWebhookLease from now and a wait of more than MaxWebhookWait are over: a clock was wrong.": {
		"webhook/A lease or a wait that no clock can have meant is over"},
	"PutDelivery writes a delivery or replaces it.": {"webhook/A delivery's fields round trip and PutDelivery replaces it",
		"webhook/Erasing a user leaves its deliveries"},
	"SettleDeliveries lets the first of the deliveries about a user that wait have a time, now if it has none, and all behind it have none.": {
		"webhook/SettleDeliveries lets the first of a user's have a time and no other"},
	"HurryDeliveries makes all due now that wait for a later time.": {"webhook/HurryDeliveries makes all due that wait for a later time"},
}

// storeComments are the comments of the files in which the Store is described.
func storeComments(t *testing.T) (all []*ast.CommentGroup) {
	t.Helper()
	files, err := filepath.Glob("../../directory/store*.go")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file.Comments...)
	}
	return all
}

// TestPromises proves that each sentence of the Store's comments is listed with
// checks that exist: who changes a promise meets the check that holds it.
func TestPromises(t *testing.T) {
	said := map[string]bool{}
	for _, comment := range storeComments(t) {
		text := strings.Join(strings.Fields(comment.Text()), " ")
		for sentence := range strings.SplitAfterSeq(text, ". ") {
			sentence = strings.TrimSpace(sentence)
			said[sentence] = true
			if _, ok := promises[sentence]; !ok {
				t.Errorf("no check is listed for %q", sentence)
			}
		}
	}
	names := []string{"close"}
	for _, g := range slices.Concat(groups, races, shared) {
		for _, c := range g.checks {
			names = append(names, g.name+"/"+c.name)
		}
	}
	for sentence, checks := range promises {
		if !said[sentence] {
			t.Errorf("directory/store*.go no longer says %q", sentence)
		}
		for _, name := range checks {
			if !slices.Contains(names, name) {
				t.Errorf("%q is to be proved by %q, which does not exist", sentence, name)
			}
		}
	}
}

// TestChecksHaveNamesOfTheirOwn keeps a copied line from hiding a check.
func TestChecksHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range slices.Concat(groups, races, shared) {
		for _, c := range g.checks {
			if seen[g.name+"/"+c.name] || c.run == nil {
				t.Errorf("%s/%s is listed twice or empty", g.name, c.name)
			}
			seen[g.name+"/"+c.name] = true
		}
	}
	for _, name := range perProcess {
		if !seen["number/"+name] {
			t.Errorf("no check has the name %q", name)
		}
	}
}
