// Package filter reads the filter and path grammar of SCIM (RFC 7644 sections
// 3.4.2.2 and 3.5.2) and makes conditions of the core from it. It serves every
// door that has `?filter=`: SCIM and the canonical API.
//
//   - Parse makes an expression (Expr) of a text, ParsePath a Path of the path
//     of a PATCH operation. Both keep to Limits and say at which byte a text is
//     wrong.
//   - Compile makes a directory.Filter of an expression. What an attribute is,
//     a door says with a Table.
//   - Match evaluates an expression on a JSON object in memory, for the value
//     filters of PATCH.
//
// Where the grammar and what provisioning clients send differ, the clients are
// understood: keywords and literals in any letter case, and a sub-attribute
// behind a value filter (`emails[type eq "work"].value eq "a@b.c"`).
package filter
