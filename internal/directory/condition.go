package directory

import "slices"

// Condition is what a client asks of the version of the thing that a call
// changes (RFC 9110 section 13.1). The zero value asks nothing. The version is
// User.Version for users, that of the group, company and so on for others.
type Condition struct {
	// Match is the versions of which it must have one; nil asks nothing, a set
	// but empty list matches none (If-Match of tags that nobody gave).
	Match []int64
	// NoneMatch is the versions of which it must have none.
	NoneMatch []int64
	// MustExist is If-Match: *, which whatever is found meets.
	MustExist bool
	// MustNotExist is If-None-Match: *, which nothing that is found meets.
	MustNotExist bool
}

// unversioned is the version of what has none: a condition that names one is not
// met.
const unversioned int64 = 0

// check is the condition's answer for something that is there. Errors:
// version.mismatch.
func (c *Condition) check(version int64) error {
	if c.MustNotExist || c.Match != nil && !slices.Contains(c.Match, version) || slices.Contains(c.NoneMatch, version) {
		return Wrong(CodeStale, ReasonVersionMismatch, "It has another version than the request says: somebody else changed it.")
	}
	return nil
}

// checkAbsent is the condition's answer where nothing is there yet: whatever asks
// for a version, or for any, is not met. Errors: version.mismatch.
func (c *Condition) checkAbsent() error {
	if c.MustExist || c.Match != nil {
		return Wrong(CodeStale, ReasonVersionMismatch, "There is none yet, and the request asks for one.")
	}
	return nil
}
