package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var filterChecks = []check{
	{"The SQL of a filter agrees with Match on random users", filterRandom},
	{"The SQL of a filter with terms agrees with Match on random users", filterRandomTerms},
	{"An empty And holds and an empty Or does not", filterEmpty},
	{"A time that is not set matches nothing", filterTimeUnset},
	{"A time between two microseconds is between them", filterTimeBetween},
	{"Values that no column can hold are compared all the same", filterExtremes},
	{"Wide and deep filters are answered", filterWide},
	{"A filter on a field without a column means the same for all", filterConstant},
	{"A filter on a door's own field follows its path exactly", filterExtra},
	{"JSON that an engine cannot read fails no filter on a door's own field", filterUnreadable},
}

func filterRandom(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 80)
	for range 5 {
		for range 120 {
			q := c.query(users)
			q.Filter = c.filter(users, 4)
			s.wantPage(q, users)
			if t.Failed() {
				return
			}
		}
		users = s.churn(c, users)
	}
}

func filterRandomTerms(t *testing.T, s *sample) {
	c := newChance(t)
	users := s.addRandom(c, 80)
	for range 200 {
		q := c.query(users)
		q.Filter, q.Terms = c.filter(users, 2), c.terms(users)
		s.wantPage(q, users)
		if t.Failed() {
			return
		}
	}
}

// wantFilter compares a filter over all users with its meaning.
func (s *sample) wantFilter(users []directory.User, f directory.Filter) {
	s.t.Helper()
	s.wantPage(directory.UserQuery{Filter: f, States: allStates, Limit: directory.MaxLimit}, users)
	s.wantPage(directory.UserQuery{Filter: directory.Not{Filter: f}, States: allStates, Limit: directory.MaxLimit}, users)
}

func filterEmpty(_ *testing.T, s *sample) {
	s.addUser(1)
	for _, f := range []directory.Filter{directory.And{}, directory.Or{}, directory.And(nil), directory.Or(nil),
		directory.And{directory.Or{}}, directory.Or{directory.And{}}, directory.Not{Filter: directory.And{}}} {
		s.wantFilter(s.all(), f)
	}
}

// orders are all comparisons.
var orders = []directory.Order{directory.Less, directory.LessOrEqual, directory.Equal, directory.GreaterOrEqual, directory.Greater}

func filterTimeUnset(_ *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2, func(u *directory.User) { u.ValidFrom, u.ExpiresAt = noon, time.Unix(0, 0).UTC() })
	s.addUser(3, func(u *directory.User) { u.ExpiresAt = time.Time{}.Add(time.Microsecond) })
	users := s.all()
	for _, field := range timeFields {
		s.wantFilter(users, directory.Present{Field: field})
		for _, order := range orders {
			for _, value := range []time.Time{{}, noon, time.Unix(0, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
				s.wantFilter(users, directory.When{Field: field, Order: order, Value: value})
			}
		}
	}
}

func filterTimeBetween(_ *testing.T, s *sample) {
	for i := range 4 {
		s.addUser(int64(i)+1, func(u *directory.User) { u.ValidFrom = noon.Add(time.Duration(i) * time.Microsecond) })
	}
	before := time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	s.addUser(9, func(u *directory.User) { u.ValidFrom = before })
	users := s.all()
	for _, base := range []time.Time{noon, before} {
		for nanos := time.Duration(-1500); nanos <= 1500; nanos += 500 {
			for _, order := range orders {
				s.wantFilter(users, directory.When{Field: directory.FieldValidFrom, Order: order, Value: base.Add(nanos)})
				s.wantFilter(users, directory.When{Field: directory.FieldValidFrom, Order: order, Value: base.Add(nanos).In(time.FixedZone("", 3600))})
			}
		}
	}
}

func filterExtremes(_ *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2, func(u *directory.User) { u.Version, u.Company, u.LockReason = 1<<62, 1, directory.MaxNumber })
	users := s.all()
	for _, field := range intFields {
		for _, order := range orders {
			for _, value := range []int64{-1 << 63, -1, 0, 1, 1 << 31, 1 << 62, 1<<63 - 1} {
				s.wantFilter(users, directory.Compare{Field: field, Order: order, Value: value})
			}
		}
	}
	for _, value := range []string{"\x00", "user1\x00", "\xff", "user1\xff", "\xed\xa0\x80"} {
		for _, field := range textFields {
			for op := directory.OpEqual; op <= directory.OpContains; op++ {
				s.wantFilter(users, directory.Text{Field: field, Op: op, Value: value})
			}
		}
	}
	for _, number := range []int64{-1, 0, 1, 2, directory.MaxNumber, directory.MaxNumber + 1, 1 << 40, 1<<63 - 1} {
		s.wantPage(directory.UserQuery{After: number, Limit: 5}, users)
		s.wantPage(directory.UserQuery{After: number, Limit: 5, Terms: []string{"user"}}, users)
		s.wantPage(directory.UserQuery{Company: number, Limit: 5, Filter: directory.And{}}, users)
	}
}

// filterWide: a client that asks for hundreds of users by name in one filter.
func filterWide(_ *testing.T, s *sample) {
	users := s.addForest(40)
	var wide directory.Or
	var both directory.And
	for i := range 300 {
		wide = append(wide, directory.Text{Field: directory.FieldUserName, Value: fmt.Sprint("USER", i*2)})
		both = append(both, directory.Not{Filter: directory.Text{Field: directory.FieldEmail, Value: fmt.Sprint("user", i*3, "@example.com")}})
	}
	s.wantFilter(users, wide)
	s.wantFilter(users, both)
	deep := directory.Filter(directory.Text{Field: directory.FieldUserName, Op: directory.OpSuffix, Value: "1"})
	for i := range 60 {
		if i%2 == 0 {
			deep = directory.Not{Filter: directory.And{deep, directory.Present{Field: directory.FieldUserName}}}
		} else {
			deep = directory.Or{deep, directory.Is{Field: directory.FieldLocked, Value: true}}
		}
	}
	s.wantFilter(users, deep)
}

func filterConstant(_ *testing.T, s *sample) {
	users := s.addForest(6)
	for _, field := range []directory.Field{directory.FieldNone, directory.FieldPassword, directory.FieldPhones, directory.FieldState, directory.FieldGroups, 200} {
		for op := directory.OpEqual; op <= directory.OpContains; op++ {
			for _, value := range []string{"", "x"} {
				s.wantFilter(users, directory.Text{Field: field, Op: op, Value: value})
			}
		}
		for _, order := range orders {
			s.wantFilter(users, directory.Compare{Field: field, Order: order, Value: 0})
			s.wantFilter(users, directory.When{Field: field, Order: order, Value: noon})
		}
		s.wantFilter(users, directory.Present{Field: field})
	}
}

// filterExtra: names with the signs of every path language, members that come
// twice, texts that look like objects, and users without a profile.
func filterExtra(_ *testing.T, s *sample) {
	for i, extras := range []string{``, `"x"`, `null`, `{"k":"x"}`, `{"k":"x","k":"y"}`, `{"k":"y","\u006b":"x"}`, `{"k":{"k":"x"},"k":{"z":"x"}}`,
		`{"k":{"k":"x"}}`, `{"k":"{\"k\":\"x\"}"}`, `{"k":["x"]}`, `{"k":null}`, `{"k":1}`, `{"a.b":{"\"":{"[0]":{"":"x"}}}}`, `{"k":"X"}`, `{"k":"x "}`,
		`{"k":"\u0078"}`, `{"K":"x"}`, `{"k":true,"n":1e400000}`, `{"k":{"k":{"k":{"k":{"k":{"k":{"k":"x"}}}}}}}`, `{"k":""}`, `{"k":"\ud83d\ude00"}`} {
		s.addUser(int64(i)+1, func(u *directory.User) {
			if extras != "" {
				u.Profile.Extras = map[string]json.RawMessage{"encore": json.RawMessage(extras), `a"b\`: json.RawMessage(extras)}
			}
		})
	}
	users := s.all()
	deep := []string{"encore", "k", "k", "k", "k", "k", "k", "k"}
	for _, path := range [][]string{nil, {"encore"}, {"encore", "k"}, {"encore", "k", "k"}, {"encore", "a.b", `"`, "[0]", ""}, {"encore", "k", "0"},
		{"Encore", "k"}, {`a"b\`, "k"}, {"encore.k"}, {"extras", "encore", "k"}, {"encore", "k\x00"}, {"encore\xff"}, deep} {
		for _, value := range []string{"x", "y", "", "X", `{"k":"x"}`, "1", "null", "true", "\U0001f600", "\x00", "\xff"} {
			s.wantFilter(users, directory.Extra{Path: path, Value: value})
		}
	}
	if got := s.list(directory.UserQuery{Filter: directory.Extra{Path: deep, Value: "x"}, Limit: 10}); len(got) != 1 {
		s.t.Errorf("the deepest path finds %v", numbersOf(got))
	}
}

// filterUnreadable: one user's JSON must never fail the list of all others.
func filterUnreadable(t *testing.T, s *sample) {
	nested := func(deep int) string { return strings.Repeat("[", deep) + strings.Repeat("]", deep) }
	for i, value := range []string{`"\u0000"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dx\ude00"`, `"\uD83D\uD83D\uDE00"`, `"\ud83d\\\ude00"`, nested(900), nested(5000), `1e999999999`} {
		s.addUser(int64(i)+1, func(u *directory.User) {
			u.Profile.Extras = map[string]json.RawMessage{"encore": json.RawMessage(`{"k":"x","odd":` + value + `}`)}
		})
	}
	for i, value := range []string{`"\ud83d\ude00"`, `"\uD83D\uDE00 \ud83d\ude00"`, `"\\u0000"`, `""`, `"\\\\ud83d"`} {
		s.addUser(int64(i)+101, func(u *directory.User) {
			u.Profile.Extras = map[string]json.RawMessage{"encore": json.RawMessage(`{"k":"x","odd":` + value + `}`)}
		})
	}
	q := directory.UserQuery{Filter: directory.Extra{Path: []string{"encore", "k"}, Value: "x"}, After: 100, Limit: 10}
	wantSame(t, "users with ordinary texts", numbersOf(s.list(q)), []int64{101, 102, 103, 104, 105})
	q.After = 0
	s.list(q)
	q.Filter = directory.Not{Filter: q.Filter}
	s.list(q)
}
