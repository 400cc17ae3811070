// Package company is the console's pages about the organisation: the tree of companies
// and locations, one company, one location.
package company
