// Package bench measures usher against a bare net/http handler that writes a
// constant user, both as processes of their own on this machine, in alternate
// slices of one run. Machines differ and are noisy: only the ratios mean
// anything. The load generator speaks HTTP/1.1 on keep-alive connections with
// as little work as it can, so that the servers and not the client are what is
// measured. `make bench` runs it.
package bench
