package canonical

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The append functions write the answers that are asked for most often.

// shown is a user as this caller sees it.
type shown struct {
	u      *directory.User
	caller string // id of the calling credential, whose external id is shown
	detail *directory.UserDetail
	expand directory.Include
	past   *directory.PastUser // nil: the user as it is
}

// userMember is one member of a User.
type userMember struct {
	key    string // with quotes and colon
	append func([]byte, *shown) []byte
}

// userMembers are the members of a User in their order. The schema is User; a test
// holds both together.
var userMembers = []userMember{
	text("id", func(u *directory.User) string { return u.ID }),
	integer("number", func(u *directory.User) int64 { return u.Number }),
	text("user_name", func(u *directory.User) string { return u.UserName }),
	text("email", func(u *directory.User) string { return u.Email }),
	text("given_name", func(u *directory.User) string { return u.GivenName }),
	text("family_name", func(u *directory.User) string { return u.FamilyName }),
	text("display_name", func(u *directory.User) string { return u.DisplayName }),
	text("title", func(u *directory.User) string { return u.Title }),
	text("status", func(u *directory.User) string { return string(u.State) }),
	flag("locked", func(u *directory.User) bool { return u.Locked }),
	member("lock_reason", func(b []byte, s *shown) []byte { return appendNumber(b, s.u.LockReason) }),
	flag("must_change_password", func(u *directory.User) bool { return u.MustChangePassword }),
	moment("valid_from", func(u *directory.User) time.Time { return u.ValidFrom }),
	moment("expires_at", func(u *directory.User) time.Time { return u.ExpiresAt }),
	integer("company", func(u *directory.User) int64 { return u.Company }),
	text("employee_number", func(u *directory.User) string { return u.EmployeeNumber }),
	text("open_id", func(u *directory.User) string { return u.OpenID }),
	text("web_mdn", func(u *directory.User) string { return u.WebMDN }),
	text("client_user_id", func(u *directory.User) string { return u.ClientUserID }),
	member("external_id", func(b []byte, s *shown) []byte {
		if s.caller == "" {
			return append(b, `""`...)
		}
		return web.AppendString(b, s.u.Profile.ExternalIDs[s.caller])
	}),
	text("licence_type", func(u *directory.User) string { return u.LicenceType }),
	member("phones", func(b []byte, s *shown) []byte { return appendPhones(b, s.u.Phones) }),
	member("address", func(b []byte, s *shown) []byte { return appendAddress(b, &s.u.Address) }),
	member("picture", func(b []byte, s *shown) []byte { return appendRaw(b, s.u.Profile.Picture) }),
	text("language", func(u *directory.User) string { return u.Profile.Language }),
	text("time_zone", func(u *directory.User) string { return u.Profile.TimeZone }),
	member("attributes", func(b []byte, s *shown) []byte { return appendObject(b, s.u.Profile.Attributes) }),
	flag("mobile_only", func(u *directory.User) bool { return u.Profile.MobileOnly }),
	text("storage_location", func(u *directory.User) string { return u.Profile.StorageLocation }),
	text("rank", func(u *directory.User) string { return u.Rank.String() }),
	integer("version", func(u *directory.User) int64 { return u.Version }),
	moment("created_at", func(u *directory.User) time.Time { return u.CreatedAt }),
	moment("updated_at", func(u *directory.User) time.Time { return u.UpdatedAt }),
	moment("deleted_at", func(u *directory.User) time.Time { return u.DeletedAt }),
}

func member(name string, write func([]byte, *shown) []byte) userMember {
	return userMember{key: `"` + name + `":`, append: write}
}

func text(name string, of func(*directory.User) string) userMember {
	return member(name, func(b []byte, s *shown) []byte { return web.AppendString(b, of(s.u)) })
}

func integer(name string, of func(*directory.User) int64) userMember {
	return member(name, func(b []byte, s *shown) []byte { return strconv.AppendInt(b, of(s.u), 10) })
}

func flag(name string, of func(*directory.User) bool) userMember {
	return member(name, func(b []byte, s *shown) []byte { return strconv.AppendBool(b, of(s.u)) })
}

func moment(name string, of func(*directory.User) time.Time) userMember {
	return member(name, func(b []byte, s *shown) []byte { return appendTime(b, of(s.u)) })
}

// name is the member's name.
func (m *userMember) name() string { return m.key[1 : len(m.key)-2] }

// memberSet is a set of userMembers as bits of their places; 0 is all.
type memberSet uint64

// appendUser appends a User, all members or those of a set; id is always there.
func appendUser(b []byte, s *shown, only memberSet) []byte {
	for i := range userMembers {
		if only != 0 && i > 0 && only&(1<<i) == 0 {
			continue
		}
		if i == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(b, userMembers[i].key...)
		b = userMembers[i].append(b, s)
	}
	if s.expand != 0 {
		b = append(b, `,"expanded":`...)
		b = appendExpanded(b, s)
	}
	if s.past != nil {
		b = append(b, `,"as_of":`...)
		b = appendJSON(b, asOfOf(s.past))
	}
	return append(b, '}')
}

// appendJSON appends a value that can always be written.
func appendJSON(b []byte, v any) []byte {
	text, err := encode(v)
	if err != nil {
		panic(err) // a struct of texts and numbers can be written
	}
	return append(b, text...)
}

// appendExpanded appends what ?expand= asks for.
func appendExpanded(b []byte, s *shown) []byte {
	return appendJSON(b, expandedOf(s.detail, s.expand))
}

// appendNumber appends a number, null for 0, which means none.
func appendNumber(b []byte, n int64) []byte {
	if n == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, n, 10)
}

// timeLayout is RFC 3339 in UTC, microseconds where there are any.
const timeLayout = "2006-01-02T15:04:05.999999Z"

// appendTime appends a time, null for one that is not set.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"')
}

// timeOf is a time for an answer that huma writes.
func timeOf(t time.Time) nullable[time.Time] {
	if t.IsZero() {
		return nullable[time.Time]{}
	}
	return some(t.UTC().Truncate(time.Microsecond))
}

// numberOf is a number for an answer that huma writes, null for 0.
func numberOf(n int64) nullable[int64] {
	if n == 0 {
		return nullable[int64]{}
	}
	return some(n)
}

func appendPhones(b []byte, phones []directory.Phone) []byte {
	b = append(b, '[')
	for i := range phones {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"number":`...)
		b = web.AppendString(b, phones[i].Number)
		b = append(b, `,"extension":`...)
		b = web.AppendString(b, phones[i].Extension)
		b = append(b, `,"type":`...)
		b = web.AppendString(b, phones[i].Type)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendAddress appends an address, null for none.
func appendAddress(b []byte, a *directory.Address) []byte {
	if *a == (directory.Address{}) {
		return append(b, "null"...)
	}
	for _, part := range [...]struct{ key, value string }{{`{"line1":`, a.Line1}, {`,"line2":`, a.Line2}, {`,"city":`, a.City},
		{`,"region":`, a.Region}, {`,"country":`, a.Country}, {`,"zip":`, a.Zip}} {
		b = append(b, part.key...)
		b = web.AppendString(b, part.value)
	}
	return append(b, '}')
}

// appendRaw appends kept JSON, null for none.
func appendRaw(b []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(b, "null"...)
	}
	return append(b, raw...)
}

// appendObject appends a JSON object with its keys in alphabetical order.
func appendObject(b []byte, members map[string]json.RawMessage) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = web.AppendString(b, key)
		b = append(b, ':')
		b = append(b, members[key]...)
	}
	return append(b, '}')
}
