//go:build usher_without_events

package directory

// eventsAreKept is false in this build, for the benchmark of the feed's cost.
const eventsAreKept = false
