// Package directory is the core of usher: every rule about tenants, companies,
// users, licence seats, credentials and events lives here, and nowhere else.
//
// It imports nothing else of this project. Doors (wire formats) translate a
// request into one call of a Service method; the store keeps what the Service
// decides. These invariants hold whichever door a change comes through:
//
//  1. Every use case starts with the policy check (Service.enter) on the
//     credential that came with the call; nothing is decided by a door.
//  2. A tenant's rows are invisible to every other tenant: in results, totals,
//     errors and timing.
//  3. A user's state moves only along the transition table (lifecycle.go).
//  4. Leaving the active state, a lock and a password change raise the user's
//     auth epoch, which ends every session and token in every process at once.
//  5. An active user with a licence type that has a pool holds exactly one
//     seat; nobody else holds one; no pool is ever oversold.
//  6. User names and e-mail addresses share one folded name space per tenant.
//  7. Ids and numbers are never reused.
//  8. Every change writes its event in the transaction of the change, and no
//     event holds a secret.
//  9. Time and ids come from Options; times are UTC with microseconds.
package directory
