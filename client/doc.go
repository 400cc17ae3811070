// Package client is a typed Go client of usher's canonical API, /api/v1. It needs
// nothing but the standard library.
//
//	c, err := client.New("https://users.example.com", os.Getenv("USHER_KEY"))
//	...
//	user, err := c.Users.Create(ctx, client.NewUser{UserFields: client.UserFields{UserName: "ada"}})
//	user, err = c.Users.Update(ctx, user.ID, client.UserPatch{Title: client.Set("Director")}, client.IfMatch(user.ETag))
//	for user, err := range c.Users.All(ctx, client.UserQuery{Status: []string{"active"}}) { ... }
//
// # Errors
//
// What the server refuses is an *Error, found with errors.As, with the stable
// code and reason that docs/errors.md lists. IsNotFound, IsConflict and IsReason
// ask for the commonest. No error and no value of this package shows the key or a
// password when it is printed.
//
// # Repetition
//
// A call that fails since the server is busy (429, 503) or the connection breaks is
// repeated, with growing pauses or those that Retry-After asks for, if it can be
// repeated without harm: reads, PUT and DELETE without a condition, and whatever
// creates, which always carries an Idempotency-Key that stays the same. Actions
// (activate, lock), merge patches, and writes with IfMatch are sent once: nobody
// could tell a repetition from a second change.
//
// # Following
//
// Events.Follow waits for what happens, over connections that break, and goes on
// behind the last event: none is missing, and none comes twice. Who keeps the Cursor
// of an event with what it did about it can go on there after a restart.
package client
