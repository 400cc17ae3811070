package iqmetrix

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The paging rules (seed, PAGINATION, and the ERRORS table; dossier 5.1 for
// the contradiction between them).
const (
	defaultTop = 30
	maxTop     = 100
	maxSkip    = directory.MaxNumber
)

// page is the $skip and $top of a list request.
type page struct {
	skip, top int
}

// parsePage reads $skip and $top. An empty value counts as absent, because the
// shell turns the printed "$skip=1&$top=10" into "=1&=10" (dossier 5.10). The
// texts are those of the seed's ERRORS table; the value is the client's own.
func parsePage(q web.Query) (page, error) {
	p := page{top: defaultTop}
	if text, _ := q.Get("$top"); text != "" {
		n, ok := parseInteger(text)
		if !ok {
			return p, notInteger("$top")
		}
		if n < 1 || n > maxTop {
			return p, say(directory.ReasonFieldValue, textTopPrefix+text)
		}
		p.top = int(n)
	}
	if text, _ := q.Get("$skip"); text != "" {
		n, ok := parseInteger(text)
		switch {
		case !ok || n > maxSkip:
			return p, notInteger("$skip")
		case n < 0:
			return p, say(directory.ReasonFieldValue, textSkipPrefix+text)
		}
		p.skip = int(n)
	}
	return p, nil
}

func notInteger(name string) error {
	return directory.Wrong(directory.CodeInvalid, directory.ReasonQuerySyntax, "Query string parameter '%s' must be an integer up to %d", name, maxSkip)
}

// parseTerms splits the search words (seed, Searching for Users: joined by +,
// which is an encoded space). Without one the answer is the seed's text.
func parseTerms(q web.Query) ([]string, error) {
	text, _ := q.Get("terms")
	// Folding drops what cannot be seen; if nothing is left there is nothing
	// to look for, and an empty search would match everybody. A longer text the
	// core refuses: folding 32 KiB takes longer than anything else that a caller
	// without a credential can ask for.
	if len(text) <= directory.MaxSearch && strings.TrimSpace(directory.FoldSearch(text)) == "" {
		return nil, say(directory.ReasonFieldRequired, textNoTerms)
	}
	return strings.Fields(text), nil
}

// parseInteger reads an optional minus and decimal digits. An integer beyond
// 64 bits comes back as the nearest that fits: it is out of every range.
func parseInteger(text string) (int64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(text) > 100 || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n, true
}

// filterClientUserID is the one property that $filter knows.
const filterClientUserID = "ClientUserId"

// parseFilter reads "ClientUserId eq 'value'" (seed, GET Users by
// ClientUserId; dossier 5.8): names without regard to case, two quotes inside
// for one, compared exactly. An empty value would list everybody who has none
// and is refused.
func parseFilter(text string) (directory.Filter, error) {
	rest, ok := cutWord(strings.Trim(text, " "), filterClientUserID)
	if ok {
		rest, ok = cutWord(rest, "eq")
	}
	var value string
	if ok {
		value, ok = unquote(rest)
	}
	if !ok || value == "" || strings.IndexByte(value, 0) >= 0 {
		return nil, directory.Wrong(directory.CodeInvalid, directory.ReasonFilterSyntax,
			"Query string parameter '$filter' must be ClientUserId eq '{ClientUserId}'")
	}
	return directory.Text{Field: directory.FieldClientUserID, Op: directory.OpEqual, Value: value}, nil
}

// cutWord takes a word and the spaces behind it off the front.
func cutWord(text, word string) (string, bool) {
	if len(text) <= len(word) || !strings.EqualFold(text[:len(word)], word) || text[len(word)] != ' ' {
		return "", false
	}
	return strings.TrimLeft(text[len(word):], " "), true
}

// unquote reads a text in single quotes, in which two stand for one.
func unquote(text string) (string, bool) {
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return "", false
	}
	inner := text[1 : len(text)-1]
	plain := strings.ReplaceAll(inner, "''", "'")
	// Every quote must be half of a pair.
	if strings.Count(inner, "'") != 2*strings.Count(inner, "''") {
		return "", false
	}
	return plain, true
}

// Links of a page: lower case, $ not escaped, both parameters always there
// (dossier 5.4 and 5.6).

// linkBase is the part of a page's links before the values of $skip and $top.
func linkBase(company int64, terms []string) string {
	b := make([]byte, 0, 80)
	b = append(b, "/v1/entities("...)
	b = strconv.AppendInt(b, company, 10)
	b = append(b, ")/users"...)
	for i, term := range terms {
		if i == 0 {
			b = append(b, "/search?terms="...)
		} else {
			b = append(b, '+')
		}
		b = append(b, url.QueryEscape(term)...)
	}
	if len(terms) == 0 {
		b = append(b, '?')
	} else {
		b = append(b, '&')
	}
	return string(b)
}

// appendLink appends one link as a JSON text.
func appendLink(b []byte, base string, skip, top int) []byte {
	b = append(b, '"')
	b = append(b, base...)
	b = append(b, "$skip="...)
	b = strconv.AppendInt(b, int64(skip), 10)
	b = append(b, "&$top="...)
	b = strconv.AppendInt(b, int64(top), 10)
	return append(b, '"')
}
