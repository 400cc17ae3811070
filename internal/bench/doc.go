// Package bench measures usher, with package load, beside a bare net/http
// handler, both as processes of their own on this machine, in alternate slices of
// one run. Machines differ and are noisy: only the ratios, and the processor time
// of a request, mean anything elsewhere. `make bench` runs BenchmarkSuite, which
// writes docs/benchmarks/results.json and renders docs/benchmarks.md from it; the
// other benchmarks each answer one question about one part of the program.
package bench
