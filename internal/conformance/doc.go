// Package conformance holds only tests: tools that others wrote judge a running
// server.
//
//	schemathesis   each door's OpenAPI description against what the door answers:
//	               no failure of the server, no status, content type or body that
//	               the description does not know
//	scim2-tester   /scim/v2 against RFC 7643 and RFC 7644
//	scim-sanity    the same, by somebody else's reading
//
// Each run has a server of its own, on a fresh SQLite file, with the tenant that
// `usher tenant create --throw-away` makes, so that no run depends on the one
// before. The tools are Python programs in the versions of
// tools/python/requirements.txt; `make setup` installs them.
// docs/decisions/0026-judged-by-others.md says what they are asked and where one
// of them is wrong.
package conformance
