// Package web is the HTTP kit below every door: it turns a Handler, a function
// from a request to a response or an error, into an http.Handler, and around
// it keeps one Event per request from which one log line and one metric are
// made.
//
// It knows HTTP, not users, and imports nothing else of this project. Four
// things hold for all that it serves:
//
//  1. A handler never holds the ResponseWriter, so it cannot write twice or go
//     on after an answer. One that answers bit by bit returns the function that
//     does (Response.Stream).
//  2. A panic becomes an error, and an error becomes the door's own wire
//     error: the stack and the cause go to the log, the client gets an error
//     id.
//  3. The raw query and the body are never logged.
//  4. A client is believed about its address only when a trusted proxy says so.
package web
