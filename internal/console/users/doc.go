// Package users is the console's list of users, the form that makes one, and what is
// done to many at a time.
//
// What a list is asked for stands in its address (query.go), so that it can be sent to
// somebody, and so that an action on everybody who matches asks for the very same
// (action.go). Lists are read by directory.Service.People, whose cost does not depend
// on how many users there are.
package users
