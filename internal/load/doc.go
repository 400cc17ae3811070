// Package load puts load on servers and measures them: usher, through every
// door, beside a bare net/http handler that writes a constant user, each a
// process of its own, in alternate short slices. Machines differ and are noisy:
// of what is measured the ratios to the bare handler and the processor time of
// a request mean something elsewhere.
//
// The generator speaks HTTP/1.1 on keep-alive connections with as little work
// as it can, so that the servers and not the client are what is measured. It
// works in a closed loop, where every connection sends its next request when it
// has the answer to the one before, or in an open one, where requests are due
// at a rate whatever the server does.
//
// `usher bench` is its command; docs/benchmarks.md has the figures.
package load
