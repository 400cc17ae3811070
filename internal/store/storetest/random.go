package storetest

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// seedFlag repeats a random test that failed.
var seedFlag = flag.Uint64("storetest.seed", 0, "seed of the random tests of the store; 0 draws one")

// chance makes random users and questions about them. Texts come from a small
// stock, so that they meet often.
type chance struct{ *rand.Rand }

// newChance starts from a seed that is logged, so that a failure can be had
// again.
func newChance(t *testing.T) chance {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("random users and questions: repeat with -storetest.seed=%d", seed)
	return chance{newRand(seed)}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// words are the stock of texts: case, width, composition, blanks, signs of
// patterns and of search languages, scripts without blanks, and beginnings of
// each other.
var words = []string{
	"", "", "a", "b", "ab", "Ab", "abc", "ABC", "abcabd", "ada", "Ada", "adam", "Lovelace", "lovelace-king", "King Lovelace",
	"é", "e\u0301", "É", "rené", "Rene\u0301", "ß", "ss", "Straße", "STRASSE", "ſtreet", "ﬁn", "fin", "ＡＢＣ", "İi", "ıi", "Σίσυφος", "ς",
	"%", "_", "a%", "a_c", `\`, `a\b`, "'", "o'neil", `"`, `"ada"`, "*", "ada*", "-", "NOT", "ada OR b", "(", "a(b)c", "^a", ":", "{x}",
	"日本語", "日本", "日", "한국", "\U0001f600", "\U0001f600\U0001f601x", "x\U0010ffff", "\u200b", "\u00ad", "\u200bada", "ad\u00ada", " ada", "ada ", "a  b", "a b c",
	"1", "12", "0012", "a1", "١٢", "ada@example.com", "ADA@EXAMPLE.COM", "a.b+c@x.example", "tab\tada", "\u2028",
}

// text is one to three words of the stock.
func (c chance) text() string {
	text := words[c.IntN(len(words))]
	for c.IntN(3) == 0 {
		text += []string{"", " ", "-", "."}[c.IntN(4)] + words[c.IntN(len(words))]
	}
	return text
}

// part is a piece of a text: its beginning, end or middle, in runes.
func (c chance) part(text string) string {
	runes := []rune(text)
	if len(runes) == 0 {
		return ""
	}
	from := c.IntN(len(runes))
	to := from + 1 + c.IntN(len(runes)-from)
	switch c.IntN(3) {
	case 0:
		return string(runes[:to])
	case 1:
		return string(runes[from:])
	}
	return string(runes[from:to])
}

// moment is no time, a time around noon, or a far one.
func (c chance) moment() time.Time {
	switch c.IntN(8) {
	case 0, 1, 2:
		return time.Time{}
	case 3:
		return time.Unix(0, 0).UTC()
	case 4:
		return time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	case 5:
		return time.Time{}.Add(time.Duration(1+c.IntN(2)) * time.Microsecond)
	}
	return noon.Add(time.Duration(c.IntN(5)-2) * time.Microsecond)
}

func (c chance) state() directory.State { return directory.States[c.IntN(len(directory.States))] }

func (c chance) company() int64 { return int64(c.IntN(6)) + 1 }

// user fills the fields that filters and searches ask about.
func (c chance) user(s *sample, number int64) directory.User {
	u := s.user(number)
	u.ID = uuid.NewString()
	u.State, u.Company, u.Locked, u.MustChangePassword = c.state(), c.company(), c.IntN(2) == 0, c.IntN(2) == 0
	u.LockReason, u.Version = int64(c.IntN(4)), int64(c.IntN(5))
	u.UserName, u.Email, u.GivenName, u.FamilyName, u.DisplayName = c.text(), c.text(), c.text(), c.text(), c.text()
	u.Title, u.EmployeeNumber, u.OpenID, u.WebMDN, u.ClientUserID, u.LicenceType = c.text(), c.text(), c.text(), c.text(), c.text(), c.text()
	u.ValidFrom, u.ExpiresAt, u.CreatedAt, u.UpdatedAt = c.moment(), c.moment(), c.moment(), c.moment()
	u.Rank, u.Profile = directory.Rank(c.IntN(5)), c.profile()
	u.Phones, u.Profile.ExternalIDs = c.phones(), c.externalIDs(number)
	return u
}

// phoneTypes are the stock of kinds of telephones.
var phoneTypes = []string{"", "Work", "work", `"`, "é", `\"number`}

// phones has none for one user in two. Numbers are of the stock of names too:
// they hold the signs of JSON.
func (c chance) phones() (list []directory.Phone) {
	if c.IntN(2) == 0 {
		return nil
	}
	for range 1 + c.IntN(3) {
		p := directory.Phone{Number: c.name(), Type: phoneTypes[c.IntN(len(phoneTypes))]}
		if c.IntN(2) == 0 {
			p.Number = fmt.Sprint("+1 555", c.IntN(30))
		}
		if c.IntN(3) == 0 {
			p.Extension = c.name()
		}
		list = append(list, p)
	}
	return list
}

// provisioners are the credentials that give external ids; the last gives none.
var provisioners = []string{"c1", "c2", "c\"3", ""}

// externalIDs are ids that nobody else has: the number is in each.
func (c chance) externalIDs(number int64) map[string]string {
	ids := map[string]string{}
	for _, credential := range provisioners[:3] {
		if c.IntN(3) == 0 {
			ids[credential] = c.name() + fmt.Sprint("#", number)
		}
	}
	return ids
}

// phone asks for a number that a user has, or nearly.
func (c chance) phone(u *directory.User) directory.AnyPhone {
	f := directory.AnyPhone{AnyType: c.IntN(2) == 0, Type: phoneTypes[c.IntN(len(phoneTypes))], Op: directory.Operator(c.IntN(4)), Value: c.name()}
	if len(u.Phones) > 0 && c.IntN(5) > 0 {
		p := u.Phones[c.IntN(len(u.Phones))]
		f.Value = p.Number
		if c.IntN(2) == 0 {
			f.Type = p.Type
		}
		if f.Op != directory.OpEqual && c.IntN(2) == 0 {
			f.Value = c.part(f.Value)
		}
	}
	return f
}

// external asks for an id that a user has, or nearly.
func (c chance) external(u *directory.User) directory.External {
	f := directory.External{Credential: provisioners[c.IntN(len(provisioners))], Op: directory.Operator(c.IntN(4)), Value: c.name()}
	if id := u.Profile.ExternalIDs[f.Credential]; id != "" {
		f.Value = id
		if f.Op != directory.OpEqual {
			f.Value = c.part(id)
		}
	}
	return f
}

// names are the stock of members of the doors' own fields: signs of paths, and
// names that begin each other.
var names = []string{"encore", "Encore", "a", "b", "a.b", "$", "$.a", `"`, `a"b`, `\\`, "[0]", "0", "", "é", "extras", "'", "a b", "%"}

func (c chance) name() string { return names[c.IntN(len(names))] }

// profile has own fields of doors for one user in two.
func (c chance) profile() (p directory.Profile) {
	if c.IntN(2) == 0 {
		return p
	}
	p.Extras = map[string]json.RawMessage{}
	for range 1 + c.IntN(3) {
		p.Extras[c.name()] = json.RawMessage(c.json(3))
	}
	if c.IntN(3) == 0 {
		p.Attributes = map[string]json.RawMessage{c.name(): json.RawMessage(c.json(2))}
	}
	return p
}

// json is a random JSON text; members may come twice and texts be escaped.
func (c chance) json(depth int) string {
	if depth > 0 && c.IntN(3) > 0 {
		var members []string
		for range c.IntN(4) {
			members = append(members, c.quoted(c.name())+":"+c.json(depth-1))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	switch c.IntN(8) {
	case 0:
		return []string{"null", "true", "1", "-0.5e400", "1e400000", "[]", `["a",{"a":"b"}]`}[c.IntN(7)]
	case 1:
		return c.quoted(`{"a":"b"}`)
	}
	return c.quoted(c.name())
}

// quoted is a text in JSON, in one of its spellings.
func (c chance) quoted(text string) string {
	if c.IntN(3) > 0 {
		quoted, _ := json.Marshal(text)
		return string(quoted)
	}
	quoted := `"`
	for _, unit := range utf16.Encode([]rune(text)) {
		quoted += fmt.Sprintf(`\u%04x`, unit)
	}
	return quoted + `"`
}

// extra asks for what a user has, or nearly.
func (c chance) extra(u *directory.User) directory.Extra {
	var path []string
	members := u.Profile.Extras
	for range 1 + c.IntN(4) {
		name := c.name()
		if known := slices.Sorted(maps.Keys(members)); len(known) > 0 && c.IntN(6) > 0 {
			name = known[c.IntN(len(known))]
		}
		path = append(path, name)
		raw := members[name]
		members = nil
		var text string
		if json.Unmarshal(raw, &text) == nil && c.IntN(5) > 0 {
			if c.IntN(2) == 0 {
				text = c.part(text)
			}
			return directory.Extra{Path: path, Op: directory.Operator(c.IntN(4)), Value: text}
		}
		if json.Unmarshal(raw, &members) != nil && c.IntN(2) == 0 {
			break
		}
	}
	return directory.Extra{Path: path, Op: directory.Operator(c.IntN(4)), Value: c.name()}
}

// textFields are asked by text filters; the last ones are no texts, and a
// filter on them means the same for every user.
var textFields = []directory.Field{
	directory.FieldID, directory.FieldUserName, directory.FieldEmail, directory.FieldGivenName, directory.FieldFamilyName,
	directory.FieldDisplayName, directory.FieldTitle, directory.FieldEmployeeNumber, directory.FieldOpenID,
	directory.FieldWebMDN, directory.FieldClientUserID, directory.FieldLicenceType, directory.FieldPhones, directory.FieldNumber,
}

var timeFields = []directory.Field{
	directory.FieldCreatedAt, directory.FieldUpdatedAt, directory.FieldValidFrom, directory.FieldExpiresAt, directory.FieldTitle,
}

var intFields = []directory.Field{
	directory.FieldNumber, directory.FieldCompany, directory.FieldLockReason, directory.FieldVersion, directory.FieldRank, directory.FieldTitle,
}

// filter is a random tree over the users.
func (c chance) filter(users []directory.User, depth int) directory.Filter {
	if depth > 0 && c.IntN(2) == 0 {
		switch c.IntN(3) {
		case 0:
			return directory.Not{Filter: c.filter(users, depth-1)}
		case 1:
			return directory.And(c.filters(users, depth-1))
		default:
			return directory.Or(c.filters(users, depth-1))
		}
	}
	return c.leaf(users)
}

func (c chance) filters(users []directory.User, depth int) []directory.Filter {
	members := make([]directory.Filter, c.IntN(4))
	for i := range members {
		members[i] = c.filter(users, depth)
	}
	return members
}

func (c chance) leaf(users []directory.User) directory.Filter {
	u := &users[c.IntN(len(users))]
	order := directory.Order(c.IntN(5))
	switch c.IntN(13) {
	case 12:
		return directory.HasExtras{Door: directory.Door(1) << c.IntN(8)}
	case 8, 9:
		return c.extra(u)
	case 10:
		return c.phone(u)
	case 11:
		return c.external(u)
	case 0:
		field := append(append([]directory.Field(nil), textFields...), timeFields...)
		return directory.Present{Field: field[c.IntN(len(field))]}
	case 1:
		field := intFields[c.IntN(len(intFields))]
		return directory.Compare{Field: field, Order: order, Value: directory.IntField(u, field) + int64(c.IntN(3)) - 1}
	case 2:
		field := timeFields[c.IntN(len(timeFields))]
		value, _ := directory.TimeField(u, field)
		return directory.When{Field: field, Order: order, Value: value.Add(time.Duration(c.IntN(5)-2) * 500)}
	case 3:
		return directory.Is{Field: []directory.Field{directory.FieldLocked, directory.FieldMustChangePassword}[c.IntN(2)], Value: c.IntN(2) == 0}
	case 4:
		return directory.InState{States: directory.StateSet(c.IntN(16))}
	}
	field := textFields[c.IntN(len(textFields))]
	value := directory.TextField(u, field)
	switch c.IntN(4) {
	case 0:
		value = c.text()
	case 1, 2:
		value = c.part(value)
	}
	return directory.Text{Field: field, Op: directory.Operator(c.IntN(4)), Value: value}
}

// terms are up to three folded words, most of them of a user.
func (c chance) terms(users []directory.User) []string {
	var terms []string
	u := &users[c.IntN(len(users))]
	for range c.IntN(4) {
		text := c.text()
		if c.IntN(3) > 0 {
			text = []string{u.GivenName, u.FamilyName, u.UserName, u.Email}[c.IntN(4)]
		}
		terms = append(terms, directory.FoldSearch(c.part(text)))
	}
	return terms
}

// query is a random question about users with a random page.
func (c chance) query(users []directory.User) directory.UserQuery {
	q := directory.UserQuery{Limit: 1 + c.IntN(12), States: directory.StateSet(c.IntN(16)), WantTotal: c.IntN(2) == 0}
	if c.IntN(3) == 0 {
		q.Limit = directory.MaxLimit
	}
	if c.IntN(2) == 0 {
		q.Company = int64(c.IntN(8))
	}
	if c.IntN(2) == 0 {
		q.After = int64(c.IntN(len(users) + 2))
	}
	if c.IntN(3) == 0 {
		q.Skip = c.IntN(6)
	}
	q.Descending = c.IntN(3) == 0
	if c.IntN(2) == 0 {
		c.sort(&q, users)
	}
	if c.IntN(4) == 0 {
		for range 1 + c.IntN(3) {
			q.GroupNumbers = append(q.GroupNumbers, 1+c.Int64N(6))
		}
	}
	return q
}

// sortFields are all of directory.SortFields.
var sortFields = []directory.Field{directory.FieldNone, directory.FieldNumber, directory.FieldUserName, directory.FieldEmail, directory.FieldGivenName,
	directory.FieldFamilyName, directory.FieldDisplayName, directory.FieldCreatedAt, directory.FieldUpdatedAt}

// sort asks for an order, from the beginning or from a user on, whose value may
// have changed since.
func (c chance) sort(q *directory.UserQuery, users []directory.User) {
	q.Sort, q.AfterValue = sortFields[c.IntN(len(sortFields))], ""
	if q.After == 0 {
		return
	}
	u := &users[c.IntN(len(users))]
	q.After = u.Number
	if c.IntN(4) == 0 {
		u = &users[c.IntN(len(users))]
	}
	q.AfterValue = directory.SortValue(u, q.Sort)
}
