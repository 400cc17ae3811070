// Package storetest is the conformance suite of directory.Store: what the core
// may rely on, whichever engine keeps the directory. A sentence of a comment in
// directory/store.go is a promise, and each has a test here that is named after
// it.
//
// Run checks one caller at a time; its groups list, search and filter compare
// the store's answers with the same question asked of a slice in memory, over
// random users whose seed a failure names. RunConcurrency races goroutines.
// Neither looks below the interface, and neither waits for time to pass.
//
// The store compares texts byte by byte: folding is the core's work, so that
// both engines agree on who is who.
package storetest
