// Package scaleout tests what several machines are made of: servers behind a
// balancer on a PostgreSQL with a standby, servers behind PgBouncer, servers of
// two versions on one database, and the files in deploy that start them. All of it
// is real, and started by the tests.
package scaleout
