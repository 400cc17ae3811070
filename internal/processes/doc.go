// Package processes tests what only whole processes can show: servers that are
// killed in the middle of their work and started again, several of them on one
// database, and what their clients see of it. Its tests build the program as a
// release is built.
package processes
