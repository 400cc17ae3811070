//go:build !usher_without_events

package directory

// eventsAreKept is false only in the build against which the benchmark of the
// feed's cost compares (internal/bench, BenchmarkEventCost). Such a program
// keeps no history and must not be used.
const eventsAreKept = true
