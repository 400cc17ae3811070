// Package archtest holds the tests that keep the source in the shape that
// docs/architecture.md describes: who may import whom, which modules end in
// the program, how long files and functions are, that exported symbols are
// documented, and that every use case begins with the policy check. It has no
// code of its own.
package archtest
