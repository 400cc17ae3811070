// Package bulk is what files of users are read from and written to, and what works on
// the runs that import them: CSV and NDJSON readers that tell every fault with its
// line, writers that keep a constant amount of memory, and the handler of the jobs of
// bulk runs.
//
// A reader says what a file holds; what becomes of a record is decided by the core
// (directory.Service.ImportPage). Why the formats are read as they are is in
// docs/decisions/0037-bulk-formats.md.
package bulk
