//go:build race

package web

// maxKitAllocs is wider here: the race detector moves variables to the heap
// and empties pools at random.
const maxKitAllocs = 12
