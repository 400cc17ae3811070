package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

var searchChecks = []check{
	{"Every term must be contained in a search field", searchTerms},
	{"Short terms match beginnings of words", searchShort},
	{"Terms that mean something to a search language match themselves", searchHostile},
	{"A change is found right after Update returned", searchChange},
	{"A deleted user is not found right after Update returned", searchDelete},
	{"A search in a transaction sees its changes and no others after a roll-back", searchInside},
	{"Search pages like any list", searchPages},
	{"MatchTerms agrees with the SQL on random data", searchRandom},
	{"MatchTerms agrees with the SQL on terms of every length", searchLengths},
	{"MatchTerms agrees with the SQL on long texts", searchLong},
	{"A page that wants a total is the same page", searchWantTotal},
	{"MatchTerms agrees with the SQL on all of Unicode", searchUnicode},
}

// found are the numbers of the users that terms find.
func (s *sample) search(terms ...string) []int64 {
	s.t.Helper()
	return numbersOf(s.list(directory.UserQuery{Terms: terms, Limit: directory.MaxLimit}))
}

// wantSearch compares a search for folded terms with the model.
func (s *sample) wantSearch(users []directory.User, terms ...string) {
	s.t.Helper()
	s.wantPage(directory.UserQuery{Terms: terms, States: allStates, Limit: directory.MaxLimit}, users)
}

func searchTerms(t *testing.T, s *sample) {
	s.addUser(1, func(u *directory.User) {
		u.GivenName, u.FamilyName, u.UserName, u.Email = "Ada", "Lovelace", "alovelace", "ada@example.com"
	})
	s.addUser(2, func(u *directory.User) {
		u.GivenName, u.FamilyName, u.UserName, u.Email = "Grace", "Hopper", "ghopper", "grace@example.com"
	})
	for _, c := range []struct {
		terms []string
		want  []int64
	}{
		{[]string{"lovelace"}, []int64{1}},
		{[]string{"ovelac"}, []int64{1}},
		{[]string{"example"}, []int64{1, 2}},
		{[]string{"example", "grace"}, []int64{2}},
		{[]string{"lovelace", "grace"}, nil},
		{[]string{"adalovelace"}, nil},
		{[]string{"ada lovelace"}, nil},
		{[]string{"ada\nlovelace"}, nil},
		{[]string{"lovelacf"}, nil},
		{[]string{""}, []int64{1, 2}},
		{[]string{"", "hopper"}, []int64{2}},
		{[]string{"hopper", "hopper"}, []int64{2}},
		{nil, []int64{1, 2}},
	} {
		wantSame(t, fmt.Sprintf("search for %q", c.terms), s.search(c.terms...), c.want)
		s.wantSearch(s.all(), c.terms...)
	}
}

func searchShort(t *testing.T, s *sample) {
	s.addUser(1, func(u *directory.User) { u.GivenName, u.FamilyName = "Jo", "O'Neil-Äther" })
	s.addUser(2, func(u *directory.User) { u.GivenName, u.FamilyName = "Major", "日本語" })
	s.addUser(3, func(u *directory.User) { u.GivenName, u.FamilyName = "J", "X" })
	for term, want := range map[string][]int64{
		"j": {1, 3}, "jo": {1}, "o": {1}, "ne": {1}, "ei": nil, "ät": {1}, "ma": {2}, "aj": nil, "日": {2}, "日本": {2},
		"本語": nil, "x": {3}, "us": {1, 2, 3}, "u": {1, 2, 3}, "q": nil, "'": nil, "@": nil,
	} {
		wantSame(t, fmt.Sprintf("search for %q", term), s.search(term), want)
		s.wantSearch(s.all(), term)
	}
}

func searchHostile(_ *testing.T, s *sample) {
	texts := []string{`"`, `""`, `"ada"`, "ada*", "*", "***", "^ada", "-ada", "+ada", "NOT", "not ada", "ada or b", "near(a b)", "(ada)", "a:b", "document : x",
		"%%%", "a%c", "___", "a_c", `\\\`, `a\%b`, "';--", "{a b}", "[abc]", "<->", "&|!", ":*", "a&b", "\x01\x01a", "\x00\x00\x00", "a\x00b", "\xff\xfe\xfd", "\ufffd\ufffd\ufffd"}
	for i, text := range texts {
		u := s.user(int64(i) + 1)
		u.GivenName = "ada " + text + " abc"
		if strings.ContainsAny(text, "\x00\ufffd") || !utf8.ValidString(text) { // no text of a user
			continue
		}
		s.addUsers(u)
	}
	users := s.all()
	for _, text := range texts {
		s.wantSearch(users, directory.FoldSearch(text))
		s.wantSearch(users, text)
		s.wantSearch(users, "ada", text)
	}
}

func searchChange(t *testing.T, s *sample) {
	s.addUser(1)
	for i := range 20 {
		name := fmt.Sprintf("unique%04d", i)
		s.change(1, func(u *directory.User) { u.FamilyName = name })
		wantSame(t, "search for the new name", s.search(name), []int64{1})
		if i > 0 {
			wantSame(t, "search for the former name", s.search(fmt.Sprintf("unique%04d", i-1)), nil)
		}
		wantSame(t, "search for a short beginning", s.search("un"), []int64{1})
	}
	s.change(1, func(u *directory.User) { u.State = directory.StateDeleted })
	wantSame(t, "search for living users", s.search("unique"), nil)
	s.wantSearch(s.all(), "unique")
}

func searchDelete(t *testing.T, s *sample) {
	s.addUser(1, func(u *directory.User) { u.FamilyName = "Vanishing" })
	s.addUser(2, func(u *directory.User) { u.FamilyName = "Vanishing" })
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	wantSame(t, "search after one was erased", s.search("vanish"), []int64{2})
	s.addUser(1, func(u *directory.User) { u.FamilyName = "Returning" })
	wantSame(t, "search for the erased name", s.search("vanish"), []int64{2})
	wantSame(t, "search for the new name", s.search("returning"), []int64{1})
}

func searchInside(t *testing.T, s *sample) {
	s.addUser(1, func(u *directory.User) { u.FamilyName = "Stays" })
	inside := func(tx directory.Tx) error {
		if err := tx.InsertUser(s.ctx, s.user(2)); err != nil {
			return err
		}
		if err := s.changeIn(tx, 1, func(u *directory.User) { u.FamilyName = "Goes" }); err != nil {
			return err
		}
		for term, want := range map[string][]int64{"goes": {1}, "stays": nil, "user2": {2}} {
			got, err := tx.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{term}, Limit: 9})
			if err != nil {
				return err
			}
			wantSame(t, "search in the transaction for "+term, numbersOf(got), want)
		}
		return nil
	}
	err := s.try(func(tx directory.Tx) error { return errors.Join(inside(tx), errRefused) })
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	wantSame(t, "search after the roll-back", s.search("stays"), []int64{1})
	wantSame(t, "search for what was rolled back", s.search("goes"), nil)
	wantSame(t, "search for who was rolled back", s.search("user2"), nil)
	s.update(inside)
	wantSame(t, "search after the change", s.search("goes"), []int64{1})
	wantSame(t, "search for the former name", s.search("stays"), nil)
	s.wantSearch(s.all(), "user2")
}

func searchPages(_ *testing.T, s *sample) {
	users := s.addForest(60)
	for _, terms := range [][]string{{"user"}, {"us"}, {"user1"}, {"user", "example"}, {"fa", "given"}} {
		for _, after := range []int64{0, 50, 400} {
			for _, skip := range []int{0, 3} {
				for _, company := range []int64{0, 2} {
					s.wantPage(directory.UserQuery{Terms: terms, After: after, Skip: skip, Company: company, Limit: 8}, users)
				}
			}
		}
	}
}

// addRandom stores random users in the company tree.
func (s *sample) addRandom(c chance, count int64) []directory.User {
	s.t.Helper()
	s.addTree()
	var users []directory.User
	for number := int64(1); number <= count; number++ {
		users = append(users, c.user(s, number))
	}
	s.addUsers(users...)
	s.update(func(tx directory.Tx) error {
		for i := range users {
			if err := s.moveExternal(tx, &directory.User{}, &users[i]); err != nil {
				return err
			}
		}
		return nil
	})
	s.joinGroups(c, users)
	return users
}

// churn changes, erases and adds users, and returns all that are there.
func (s *sample) churn(c chance, users []directory.User) []directory.User {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for range 20 {
			number := users[c.IntN(len(users))].Number
			fresh := c.user(s, number)
			before, err := tx.LockUser(s.ctx, s.tenant, number)
			switch {
			case isNotFound(err):
				err = errors.Join(tx.InsertUser(s.ctx, fresh), s.moveExternal(tx, &before, &fresh))
			case err != nil:
			case c.IntN(4) == 0:
				err = tx.DeleteUser(s.ctx, before)
			default:
				fresh.ID = before.ID
				err = errors.Join(tx.UpdateUser(s.ctx, before, fresh), s.moveExternal(tx, &before, &fresh))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	users = s.all()
	s.readGroups(users)
	return users
}

// joinGroups makes the groups 1 to 5 and puts users into some of them; the last
// one stays empty.
func (s *sample) joinGroups(c chance, users []directory.User) {
	s.t.Helper()
	for number := int64(1); number <= 5; number++ {
		s.addGroup(number)
	}
	s.update(func(tx directory.Tx) error {
		for _, u := range users {
			for range c.IntN(4) {
				if _, err := tx.SetGroupMember(s.ctx, s.tenant, 1+c.Int64N(4), u.Number, "", 0); err != nil {
					return err
				}
			}
		}
		return nil
	})
	s.readGroups(users)
}

// readGroups asks of each user for its groups: lists by group find them from
// the other side.
func (s *sample) readGroups(users []directory.User) {
	s.t.Helper()
	s.groups = map[int64][]int64{}
	for _, u := range users {
		s.groups[u.Number] = s.userGroups(u.Number)
	}
}

func searchRandom(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 80)
	for range 5 {
		for range 80 {
			q := c.query(users)
			q.Terms = c.terms(users)
			s.wantPage(q, users)
			if t.Failed() {
				return
			}
		}
		users = s.churn(c, users)
	}
	s.wantTotals()
}

// searchLengths asks for every piece of up to twelve runes of fields with signs,
// wide letters, marks and repetitions, as it is and with one rune changed, as
// terms and by filters.
func searchLengths(t *testing.T, s *sample) {
	texts := [][4]string{
		{"Anna-Maria", "O'Neil", "anna.oneil@kentel.test", "anna.oneil@mail.kentel.test"},
		{"Annabel", "Änderung", "anna+tag_1@kentel.test", "a.b@c.de"},
		{"日本語日本語", "한국어 이름", "ＡＢＣＤ１２３", "\U0001f600\U0001f601\U0001f602\U0001f603\U0001f604\U0001f605x@y.z"},
		{"e\u0301e\u0301e\u0301 नमस्ते", "bananananas", "\U0010ffff\ue041\ue041x\ue040", "tab\tada  ada"},
		{`"quoted" (x)*`, "NEAR^a:b", "-not-AND-or", `back\slash%_';`},
	}
	for i, text := range texts {
		s.addUser(int64(i)+1, func(u *directory.User) {
			u.GivenName, u.FamilyName, u.UserName, u.Email = text[0], text[1], text[2], text[3]
		})
	}
	users := s.all()
	const longest = 12
	for _, text := range texts {
		for field, value := range text {
			runes := []rune(directory.FoldSearch(value))
			for from := range runes {
				for n := 1; n <= longest && from+n <= len(runes) && !t.Failed(); n++ {
					term := runes[from : from+n]
					s.wantSearch(users, string(term))
					s.wantFilter(users, directory.Text{Field: searchFields[field], Op: directory.Operator((from + n) % 4), Value: string(term)})
					other := append([]rune(nil), term...)
					other[(from*7+n)%n] = []rune("ax@.é語\ue041")[(from+n)%7]
					s.wantSearch(users, string(other))
				}
			}
		}
	}
}

// searchFields are the fields of a search document, in its order.
var searchFields = [...]directory.Field{directory.FieldGivenName, directory.FieldFamilyName, directory.FieldUserName, directory.FieldEmail}

// searchWantTotal asks, in one view, for pages and totals of several searches
// by turns, some of which begin like many users and match few of them.
func searchWantTotal(t *testing.T, s *sample) {
	s.addTree()
	var users []directory.User
	for n := int64(1); n <= 600; n++ {
		u := s.user(n)
		u.Company, u.State = n%4+1, directory.States[n%5*n%int64(len(directory.States))]
		u.FamilyName = []string{"Annabelle", "Annabelle", "Annabeth", "Bernhardine"}[n%7%4]
		users = append(users, u)
	}
	s.addUsers(users...)
	var queries []directory.UserQuery
	for _, terms := range [][]string{{"annabelle"}, {"annabeth"}, {"annabeth", "given"}, {"bernhard"}, {"anna"}, {"an"}, {"annabeths"}, {"user1", "annabel"}, {""}} {
		for _, company := range []int64{0, 2} {
			for _, skip := range []int{0, 7, 300, 1 << 30} {
				queries = append(queries, directory.UserQuery{Terms: terms, Company: company, Skip: skip, Limit: 30, WantTotal: true})
			}
		}
	}
	s.view(func(r directory.Reader) error {
		for i, q := range queries {
			numbers, count := s.page(q, users)
			got, err := r.Users(s.ctx, s.tenant, q)
			wantSame(t, fmt.Sprintf("Users(%+v)", q), numbersOf(got), numbers)
			other := queries[(i*7+3)%len(queries)]
			_, otherCount := s.page(other, users)
			n, countErr := r.CountUsers(s.ctx, s.tenant, q, directory.CountLimit)
			few, fewErr := r.CountUsers(s.ctx, s.tenant, q, 5)
			m, otherErr := r.CountUsers(s.ctx, s.tenant, other, directory.CountLimit)
			if err := errors.Join(err, countErr, fewErr, otherErr); err != nil {
				return err
			}
			if n != count || few != min(count, 5) || m != otherCount {
				t.Errorf("CountUsers(%+v) = %d and %d up to 5, want %d; of %+v %d, want %d", q, n, few, count, other, m, otherCount)
			}
		}
		return nil
	})
}

func searchLong(_ *testing.T, s *sample) {
	long := strings.Repeat("na", 120) + "batman" + strings.Repeat("é", 50)
	s.addUser(1, func(u *directory.User) { u.GivenName = long })
	s.addUser(2, func(u *directory.User) { u.FamilyName = long + "!" })
	s.addUser(3, func(u *directory.User) { u.UserName = strings.Repeat("word ", 60) })
	users := s.all()
	for _, term := range []string{long, long[1:], long + "!", long + "?", strings.Repeat("na", 121), strings.Repeat("a", 3000), "batman" + strings.Repeat("é", 50),
		strings.Repeat("é", 50), strings.Repeat("é", 51), strings.Repeat("word ", 60), strings.Repeat("word ", 61)} {
		s.wantSearch(users, directory.FoldSearch(term))
	}
}

// searchUnicode asks for runes of all planes in use beside two letters, and
// alone: a search index that folds once more, or drops a rune, shows here. Each
// run asks for others.
func searchUnicode(t *testing.T, s *sample) {
	const stride = 61
	first := newChance(t).IntN(stride)
	var users []directory.User
	var names []string
	for i, chunk := range unicodeChunks() {
		if i%12 != 0 && i > 40 {
			continue
		}
		for _, r := range chunk {
			names = append(names, "q"+string(r)+"z")
		}
	}
	const each = 200
	for i := 0; i < len(names); i += each {
		u := s.user(int64(i/each) + 1)
		u.GivenName = strings.Join(names[i:min(i+each, len(names))], " ")
		users = append(users, u)
	}
	s.addUsers(users...)
	documents := make([]string, len(users))
	for i := range users {
		documents[i] = users[i].SearchDocument()
	}
	s.view(func(r directory.Reader) error {
		for i := first; i < len(names) && !t.Failed(); i += stride {
			runes := []rune(directory.FoldSearch(names[i]))
			for _, term := range []string{string(runes), string(runes[1 : len(runes)-1])} {
				got, err := r.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{term}, Limit: directory.MaxLimit})
				if err != nil {
					return err
				}
				wantSame(t, fmt.Sprintf("search for %+q of %+q", term, names[i]), numbersOf(got), containing(documents, term))
			}
		}
		return nil
	})
}

// containing is MatchTerms over search documents that were made before; the
// document at i is that of user i+1.
func containing(documents []string, term string) []int64 {
	phrase, ok := directory.SearchPhrase(term)
	var numbers []int64
	for i, document := range documents {
		if ok && strings.Contains(document, phrase) {
			numbers = append(numbers, int64(i)+1)
		}
	}
	return numbers
}
