package bulk

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// writtenMember is a member as it is written.
type writtenMember struct {
	name, key string // key has its quotes and colon
	// append appends nothing for a member of which the record says nothing.
	append func([]byte, *directory.Record) []byte
}

// written are the members in their order; passwords are never among them.
var written = func() []writtenMember {
	var list []writtenMember
	add := func(name string, write func([]byte, *directory.Record) []byte) {
		list = append(list, writtenMember{name, `"` + name + `":`, write})
	}
	for _, name := range []string{"id", "number", "user_name", "email", "given_name", "family_name", "display_name", "title", "company",
		"company_name", "employee_number", "open_id", "web_mdn", "client_user_id", "licence_type", "status", "locked", "lock_reason",
		"must_change_password", "valid_from", "expires_at", "phones", "address", "picture", "language", "time_zone", "attributes", "extras",
		"mobile_only", "storage_location", "groups", "roles", "locations", "rank", "created_at", "updated_at", "version", "undo"} {
		if write := plainMember(name); write != nil {
			add(name, write)
		} else {
			add(name, nestedMembers[name])
		}
	}
	return list
}()

// plainMember is how a member is written that holds one value; nil for any other.
func plainMember(name string) func([]byte, *directory.Record) []byte {
	if at := textMembers[name]; at != nil {
		return func(b []byte, r *directory.Record) []byte {
			if v := *at(r); v != nil {
				b = appendString(b, *v)
			}
			return b
		}
	}
	if at := numberMembers[name]; at != nil {
		return func(b []byte, r *directory.Record) []byte {
			if v := *at(r); v != nil {
				b = strconv.AppendInt(b, *v, 10)
			}
			return b
		}
	}
	if at := flagMembers[name]; at != nil {
		return func(b []byte, r *directory.Record) []byte {
			if v := *at(r); v != nil {
				b = strconv.AppendBool(b, *v)
			}
			return b
		}
	}
	if at := timeMembers[name]; at != nil {
		return func(b []byte, r *directory.Record) []byte {
			if v := *at(r); v != nil {
				b = append(v.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
			}
			return b
		}
	}
	return nil
}

// nestedMembers are how the others are written.
var nestedMembers = map[string]func([]byte, *directory.Record) []byte{
	"status": func(b []byte, r *directory.Record) []byte {
		if r.Status == nil {
			return b
		}
		return appendString(b, string(*r.Status))
	},
	"undo": func(b []byte, r *directory.Record) []byte {
		if r.Undo == "" {
			return b
		}
		return appendString(b, r.Undo)
	},
	"phones": func(b []byte, r *directory.Record) []byte { return appendArray(b, r.Phones, appendPhone) },
	"address": func(b []byte, r *directory.Record) []byte {
		if r.Address == nil {
			return b
		}
		return appendAddress(b, r.Address)
	},
	"picture": func(b []byte, r *directory.Record) []byte {
		if r.Picture == nil {
			return b
		}
		return appendRaw(b, *r.Picture)
	},
	"attributes": func(b []byte, r *directory.Record) []byte {
		if r.Attributes == nil {
			return b
		}
		return appendObject(b, *r.Attributes)
	},
	"extras": func(b []byte, r *directory.Record) []byte {
		if r.Extras == nil {
			return b
		}
		return appendObject(b, r.Extras)
	},
	"groups": func(b []byte, r *directory.Record) []byte { return appendArray(b, r.Groups, appendGroup) },
	"roles": func(b []byte, r *directory.Record) []byte {
		return appendArray(b, r.Roles, func(b []byte, key *string) []byte { return appendString(b, *key) })
	},
	"locations": func(b []byte, r *directory.Record) []byte {
		return appendArray(b, r.Locations, func(b []byte, n *int64) []byte { return strconv.AppendInt(b, *n, 10) })
	},
}

func appendArray[T any](b []byte, list *[]T, one func([]byte, *T) []byte) []byte {
	if list == nil {
		return b
	}
	b = append(b, '[')
	for i := range *list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, &(*list)[i])
	}
	return append(b, ']')
}

func appendPhone(b []byte, p *directory.Phone) []byte {
	b = appendString(append(b, `{"number":`...), p.Number)
	b = appendText(b, `,"extension":`, p.Extension)
	return append(appendText(b, `,"type":`, p.Type), '}')
}

// appendText appends a member that is not empty.
func appendText(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, key...), value)
}

func appendAddress(b []byte, a *directory.Address) []byte {
	b = strconv.AppendBool(append(b, `{"set":`...), a.Set)
	for _, part := range addressParts {
		b = appendText(b, part.key, *part.at(a))
	}
	return append(b, '}')
}

// addressParts are the parts of an address.
var addressParts = []struct {
	name, key string
	at        func(*directory.Address) *string
}{
	{"line1", `,"line1":`, func(a *directory.Address) *string { return &a.Line1 }},
	{"line2", `,"line2":`, func(a *directory.Address) *string { return &a.Line2 }},
	{"city", `,"city":`, func(a *directory.Address) *string { return &a.City }},
	{"region", `,"region":`, func(a *directory.Address) *string { return &a.Region }},
	{"country", `,"country":`, func(a *directory.Address) *string { return &a.Country }},
	{"zip", `,"zip":`, func(a *directory.Address) *string { return &a.Zip }},
}

func appendGroup(b []byte, g *directory.RecordGroup) []byte {
	b = appendString(append(b, `{"kind":`...), string(g.Kind))
	b = appendString(append(b, `,"key":`...), g.Key)
	b = appendText(b, `,"name":`, g.Name)
	return append(appendText(b, `,"role":`, g.Role), '}')
}

// appendObject appends an object of free JSON, in order of its names, so that the same
// user is the same line.
func appendObject(b []byte, object map[string]json.RawMessage) []byte {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRaw(append(appendString(b, name), ':'), object[name])
	}
	return append(b, '}')
}

// appendRaw appends free JSON in one line.
func appendRaw(b []byte, raw json.RawMessage) []byte {
	switch {
	case len(raw) == 0:
		return append(b, "null"...)
	case bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0:
		return append(b, raw...)
	}
	out := bytes.NewBuffer(b)
	if json.Compact(out, raw) != nil { // what is kept was checked
		return append(b, "null"...)
	}
	return out.Bytes()
}

// appendString appends a JSON string (RFC 8259 section 7).
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		if c >= utf8.RuneSelf {
			r, width := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && width == 1 {
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += width - 1
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
}
