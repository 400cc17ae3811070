// Package crossdoor holds the tests of what no door can prove alone: one user
// has one life, whichever door it is seen through. It has no code but tests.
//
// Each door has a small client that speaks its wire to a running server, and
// all clients have the same verbs; a verb that a door has no word for is done
// through the core. So the vendors' doors and usher's own, canonical and scim, are
// held to the same; scim alone never touches an administrator. With them the tests prove, on both engines, that
//
//   - the same story told through each door leaves the same state in the core
//     (scenario_test.go);
//   - what one door does every other door shows with its next answer
//     (pairs_test.go);
//   - a full replace through one door resets what that door shows and leaves
//     alone all that other doors show, a partial update changes nothing that it
//     does not name, and what a door shows can be sent back and changes nothing
//     (replace_test.go);
//   - a deactivation, a lock, a deletion and a new password end every token,
//     session and link before they are answered, in every process
//     (revoke_test.go);
//   - what the core forbids no door allows, and names, seats and groups are one
//     for all (rules_test.go);
//   - links and passwords that a door has mailed work at every door where people
//     sign in (mail_test.go);
//   - no door finds anything of another tenant (tenants_test.go).
package crossdoor
