// Package pull reads the users of a directory elsewhere, page by page, into a file of
// records, and compares such a file with the directory here.
//
// What a vendor's API looks like is known to the doors: each has a reader (remote.go)
// that makes requests and converts answers with the same tables by which the door
// itself reads and writes. This package has what all readers need: a client that keeps
// to limits and tries again (Client), a file that a cut or a kill leaves whole, with a
// note of the next page (Read), and the comparison (Index).
//
// A server that is read is not trusted: pages that repeat, that do not end, that are
// too large or are no JSON end the reading with an error that names the request.
package pull
