//go:build !race

package web

// maxKitAllocs is what the kit may cost a request in allocations, one spare.
const maxKitAllocs = 5
