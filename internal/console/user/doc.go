// Package user is the console's pages about one user.
//
// All of them have the same head (templates/parts.html): who it is, in what state, and
// what the viewer may do, each with a page of its own that asks (do.go) and that
// explains in place what stands in the way. What a form shows of a user, what two
// people changed at once and what was different at another time are told field by
// field, from one table (fields.go).
package user
