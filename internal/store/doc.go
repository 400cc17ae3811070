// Package store is the one implementation of directory.Store. It has two
// engines, SQLite and PostgreSQL, which run the same SQL; what differs is in
// one engine value. It keeps rows and knows no rules: those are in package
// directory.
//
// The files user_*.go, member.go, company.go, credential.go, tenant.go,
// licence.go, number.go and event.go hold the statements, each beside its
// method. sqlite*.go and postgres*.go open a database and run transactions.
// Placeholders are $1, $2, … in both engines: the SQLite driver binds them by
// their number.
package store
