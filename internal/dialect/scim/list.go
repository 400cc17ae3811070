package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// urnSearch is the message of a search (RFC 7644 section 3.4.3).
const urnSearch = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// listRequest is which resources a list has and what it shows of them: the
// parameters of a query or of a search message, which have the same names (RFC
// 7644 sections 3.4.2 and 3.4.3, RFC 9865 section 2).
type listRequest struct {
	text                 string      // of the filter
	filter               filter.Expr // nil for none
	sortBy               string      // "" for none
	descending           bool
	start, count         int    // start from 1
	cursor               string // "" for the first page
	byCursor             bool   // pages are asked for by cursor and not by index
	attributes, excluded []string
}

// queryList reads the parameters of a query. Those that the RFCs do not know are
// ignored.
func (x *exchange) queryList() (listRequest, error) {
	query := x.req.Query()
	return readList(func(name string) (string, bool) { return query.Get(name) }, query.All("attributes"), query.All("excludedAttributes"))
}

// searchList reads a search message.
func (x *exchange) searchList() (listRequest, error) {
	body, err := x.object()
	if err != nil {
		return listRequest{}, err
	}
	if err := checkMessage(body, urnSearch); err != nil {
		return listRequest{}, err
	}
	attributes, err := textList(body, "attributes")
	if err != nil {
		return listRequest{}, err
	}
	excluded, err := textList(body, "excludedAttributes")
	if err != nil {
		return listRequest{}, err
	}
	var bad error
	l, err := readList(func(name string) (string, bool) {
		raw, _ := body.Get(name)
		text, state := web.StringOf(raw)
		if state == web.Mistyped && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') {
			text, state = string(raw), web.Present
		}
		if state == web.Mistyped {
			bad = refuse(invalidValue, "%s must be a text or a number.", name)
		}
		return text, state == web.Present
	}, attributes, excluded)
	if bad != nil {
		err = bad
	}
	return l, err
}

// textList reads a member that is an array of texts, or one text.
func textList(body web.Object, name string) ([]string, error) {
	raw, _ := body.Get(name)
	list, state := web.ArrayOf(raw)
	if state == web.Mistyped {
		list = []json.RawMessage{raw}
	}
	texts := make([]string, len(list))
	for i, raw := range list {
		text, state := web.StringOf(raw)
		if state != web.Present {
			return nil, refuse(invalidValue, "%s must be an array of names.", name)
		}
		texts[i] = text
	}
	return texts, nil
}

// readList reads the parameters that get finds.
func readList(get func(name string) (string, bool), attributes, excluded []string) (listRequest, error) {
	l := listRequest{start: 1, count: defaultPageSize, attributes: attributes, excluded: excluded}
	var err error
	if text, ok := get("startIndex"); ok {
		if l.start, err = wholeNumber("startIndex", text); err != nil {
			return l, err
		}
	}
	if text, ok := get("count"); ok {
		if l.count, err = wholeNumber("count", text); err != nil {
			return l, err
		}
	}
	asked := l.count
	// Less than the least means the least (RFC 7644 section 3.4.2.4).
	l.start, l.count = max(l.start, 1), min(max(l.count, 0), maxPageSize)
	switch l.cursor, l.byCursor = get("cursor"); {
	case l.byCursor && l.start > 1:
		return l, refuse(invalidValue, "cursor and startIndex exclude each other.")
	case l.byCursor && (asked < 1 || asked > maxPageSize):
		return l, refuse(invalidCount, "count must be from 1 to %d with a cursor.", maxPageSize) // RFC 9865 section 2.1
	}
	if text, ok := get("filter"); ok {
		l.text = text
		if l.filter, err = filter.Parse(text, filter.Limits{}); err != nil {
			return l, err
		}
	}
	l.sortBy, _ = get("sortBy")
	order, _ := get("sortOrder")
	switch l.descending = strings.EqualFold(order, "descending"); {
	case order != "" && !l.descending && !strings.EqualFold(order, "ascending"):
		return l, refuse(invalidValue, "sortOrder must be ascending or descending.")
	case l.sortBy == "":
		l.descending = false // there is nothing to order by
	}
	return l, nil
}

// wholeNumber reads a parameter. What is too large for a page or an index is as
// good as the largest.
func wholeNumber(name, text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, refuse(invalidValue, "%s must be a whole number.", name)
	}
	return int(min(max(n, -1), 1<<40)), nil
}

// listPage is what a list answers beside its resources.
type listPage struct {
	total   int64
	shown   int
	next    string // cursor of the next page
	request *listRequest
}

// appendListHead appends a list response up to its resources (RFC 7644 section
// 3.4.2, RFC 9865 section 2); appendListTail ends it. An empty page has an empty
// array of them.
func (p *listPage) appendListHead(b []byte) []byte {
	b = append(b, `{"schemas":["`+urnListResponse+`"],"totalResults":`...)
	b = strconv.AppendInt(b, p.total, 10)
	b = strconv.AppendInt(append(b, `,"itemsPerPage":`...), int64(p.shown), 10)
	if p.request.byCursor {
		if p.next != "" {
			b = web.AppendString(append(b, `,"nextCursor":`...), p.next)
		}
	} else {
		b = strconv.AppendInt(append(b, `,"startIndex":`...), int64(p.request.start), 10)
	}
	return append(b, `,"Resources":[`...)
}

// appendListTail ends a list response; each resource has a comma behind it.
func appendListTail(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, `]}`...)
}

// listResponseOf is an answer with a list.
func listResponseOf(body []byte) web.Response {
	return web.Response{Status: http.StatusOK, ContentType: contentSCIM, Body: body}
}

// unsortable is the refusal of an attribute that nothing is sorted by.
func unsortable(name string) error {
	return refuse(invalidPath, "Resources cannot be sorted by %q.", cut(name))
}
