package servicemobility

import (
	"net/url"
	"strings"
)

// maxSegments is the most segments that a path of this door has.
const maxSegments = 7

// path is a path cut into its segments, each percent-decoded once.
type path struct {
	segments [maxSegments]string
	count    int
}

// parse cuts a path that is still escaped, so that an id may hold a slash as
// %2F (dossier 5.13), and reports whether it can be one of ours. One trailing
// slash is ignored.
func (p *path) parse(escaped string) bool {
	rest, rooted := strings.CutPrefix(escaped, "/")
	if !rooted {
		return false
	}
	rest = strings.TrimSuffix(rest, "/")
	for more := true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "" || p.count == maxSegments {
			return false
		}
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return false
		}
		p.segments[p.count] = plain
		p.count++
	}
	return true
}

// fits reports whether the path is one of a pattern's: words equal without
// regard to the case of ASCII letters, anything in the place of an id.
func (p *path) fits(parts []string) bool {
	if p.count != len(parts) {
		return false
	}
	for i, part := range parts {
		if !isID(part) && !sameWord(part, p.segments[i]) {
			return false
		}
	}
	return true
}

// isID tells the place of an id in a pattern from a word.
func isID(part string) bool { return part[0] == '{' }

// sameWord compares without regard to the case of ASCII letters only: a foreign
// letter that folds to an ASCII one is no word of the vendor's.
func sameWord(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
