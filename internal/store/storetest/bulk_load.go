package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var loadChecks = []check{
	{"Loaded users are as those that are inserted one by one", loadedAsInserted},
	{"A transaction sees the users that it has loaded", loadedInside},
	{"Users of any text are loaded", loadedTexts},
	{"A key that is taken is ErrDuplicate for all", loadDuplicate},
	{"A key that two of one load have is ErrDuplicate for all", loadTwins},
	{"A load in a part that fails leaves nothing", loadInPart},
	{"A company that is gone is ErrDuplicate", loadNoCompany},
	{"At most MaxLoad are loaded at a time, of one tenant", loadBounds},
	{"Loaded users are changed and erased as any others", loadChurn},
	{"Events of a load are chained with those of others", loadEvents},
}

// load is a user with handles, a password and an event.
func (s *sample) load(u directory.User) directory.UserLoad {
	e := newEvent(s.tenant, directory.EventUserCreated)
	e.User, e.UserID = u.Number, u.ID
	l := directory.UserLoad{User: u, Event: e, Handles: []directory.Handle{s.handle(directory.FoldSearch(u.UserName), u.Number)}}
	if u.EmployeeNumber != "" {
		l.Handles = append(l.Handles, directory.Handle{Space: directory.SpaceEmployee, Key: fmt.Sprintf("%d %s", u.Number, u.EmployeeNumber), Kinds: directory.HandleKey, User: u.Number})
	}
	for credential, id := range u.Profile.ExternalIDs {
		l.Handles = append(l.Handles, directory.Handle{Space: directory.ExternalSpace(credential), Key: id, Kinds: directory.HandleKey, User: u.Number})
	}
	if u.Number%2 == 0 {
		l.Password = directory.Password{User: u.Number, Hash: "$argon2id$" + u.ID, SetAt: noon, Failures: 2, LastLogin: noon}
	}
	return l
}

// addLoads loads users in one transaction.
func (s *sample) addLoads(loads ...directory.UserLoad) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error { return tx.LoadUsers(s.ctx, s.tenant, loads) })
}

// insertLoads does one by one what LoadUsers does.
func (s *sample) insertLoads(tx directory.Tx, loads []directory.UserLoad) error {
	for _, l := range loads {
		err := tx.InsertUser(s.ctx, l.User)
		for _, h := range l.Handles {
			err = errors.Join(err, tx.InsertHandle(s.ctx, s.tenant, h))
		}
		if l.Password.Hash != "" {
			err = errors.Join(err, tx.SetPassword(s.ctx, s.tenant, l.Password))
		}
		if err = errors.Join(err, tx.InsertEvent(s.ctx, l.Event)); err != nil {
			return err
		}
	}
	return nil
}

// plainLoads are users first to last of the root company.
func (s *sample) plainLoads(first, last int64) (loads []directory.UserLoad) {
	for n := first; n <= last; n++ {
		loads = append(loads, s.load(s.user(n)))
	}
	return loads
}

// loadedAsInserted compares two tenants, one of each way, by every look-up.
func loadedAsInserted(t *testing.T, s *sample) {
	const count = 300
	c, other := newChance(t), newSample(t, s.store)
	s.addTree()
	other.addTree()
	var loads, inserts []directory.UserLoad
	for n := int64(1); n <= count; n++ {
		u := c.user(s, n)
		u.UserName = fmt.Sprintf("%d %s", n, u.UserName)
		loads = append(loads, s.load(u))
		u.Tenant = other.tenant
		l := other.load(u)
		l.Event.ID = loads[n-1].Event.ID
		inserts = append(inserts, l)
	}
	s.addLoads(loads...)
	other.update(func(tx directory.Tx) error { return other.insertLoads(tx, inserts) })
	for i := range loads {
		s.wantLoaded(loads[i])
	}
	users := s.all()
	wantSame(t, "numbers", numbersOf(users), numbersOf(other.all()))
	s.wantLists()
	for range 60 {
		terms := c.terms(users)
		s.wantSearch(users, terms...)
		wantSame(t, fmt.Sprint("users that a search finds for ", terms), s.search(terms...), other.search(terms...))
	}
	for company := range int64(7) {
		for _, state := range directory.States {
			set := directory.StatesOf(state)
			wantSame(t, "total", s.total(company, set), other.total(company, set))
		}
	}
}

// wantLoaded looks for a user with all that came with it.
func (s *sample) wantLoaded(l directory.UserLoad) {
	s.t.Helper()
	s.wantUser(l.User)
	for _, h := range l.Handles {
		s.wantHandle(h)
	}
	s.view(func(r directory.Reader) error {
		p, err := r.Password(s.ctx, s.tenant, l.User.Number)
		if l.Password.Hash == "" && isNotFound(err) {
			return nil
		}
		wantSame(s.t, "password", p, l.Password)
		return err
	})
}

func loadedInside(t *testing.T, s *sample) {
	s.addUser(1)
	s.update(func(tx directory.Tx) error {
		if err := tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(2, 40)); err != nil {
			return err
		}
		u, err := tx.UserByNumber(s.ctx, s.tenant, 40)
		wantSame(t, "a loaded user", u.UserName, "user40")
		h, err2 := tx.HandleByKey(s.ctx, s.tenant, directory.SpaceLogin, "user7")
		wantSame(t, "its handle", h.User, 7)
		found, err3 := tx.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"user4"}, Limit: 9})
		wantSame(t, "found", numbersOf(found), []int64{4, 40})
		total, err4 := tx.UserTotal(s.ctx, s.tenant, 1, directory.LivingStates)
		wantSame(t, "total", total, 40)
		err5 := s.changeIn(tx, 4, func(u *directory.User) { u.UserName, u.Email, u.State = "renamed", "", directory.StateInactive })
		found, err6 := tx.Users(s.ctx, s.tenant, directory.UserQuery{Terms: []string{"user4"}, Limit: 9})
		wantSame(t, "found after a change", numbersOf(found), []int64{40})
		return errors.Join(err, err2, err3, err4, err5, err6, tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(41, 50)))
	})
	wantSame(t, "found in the end", s.search("user4"), []int64{40, 41, 42, 43, 44, 45, 46, 47, 48, 49})
	wantSame(t, "found by the new name", s.search("renamed"), []int64{4})
	s.wantLists()
}

func loadedTexts(t *testing.T, s *sample) {
	texts := []string{`\`, `\N`, `\.`, "a\tb", "a\nb\r\nc", `"`, "{}", "NULL", "é\u00a0ß", "𝒳𝒴𝒵", "\x01\x7f", `\x41`, "a\\", "", strings.Repeat("long ", 5000)}
	var loads []directory.UserLoad
	for i, text := range texts {
		u := s.fullUser(int64(i) + 1)
		u.ID, u.UserName, u.Email, u.GivenName, u.FamilyName, u.Title, u.ClientUserID = uuid.NewString(), fmt.Sprint(text, i), text, text, text, text, text
		u.EmployeeNumber, u.Profile.ExternalIDs = text, nil
		l := s.load(u)
		l.Event.Reason, l.Event.Payload, l.Event.Salt = text, []byte(text), nil
		loads = append(loads, l)
	}
	s.addLoads(loads...)
	for _, l := range loads {
		s.wantLoaded(l)
	}
	for i, e := range s.events(0, 100) {
		if e.Reason != texts[i] || string(e.Payload) != texts[i] {
			t.Errorf("event %d of a load has not the text that was loaded", i)
		}
	}
}

// wantUntouched proves that of a load nothing is there.
func (s *sample) wantUntouched(total int64) {
	s.t.Helper()
	wantSame(s.t, "total", s.total(1, allStates), total)
	wantSame(s.t, "found", s.search("user5"), nil)
	wantSame(s.t, "events", len(s.events(0, 10)), 0)
	for _, n := range []int64{5, 9} {
		if s.exists(n) {
			s.t.Errorf("user %d of a load that failed is there", n)
		}
		s.wantNoHandle(directory.SpaceLogin, fmt.Sprint("user", n))
	}
	s.wantLists()
}

func loadDuplicate(t *testing.T, s *sample) {
	there := s.addUser(100)
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertHandle(s.ctx, s.tenant, s.handle("taken", 100)),
			tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 9, Hash: "of nobody"}))
	})
	for name, change := range map[string]func(l *directory.UserLoad){
		"number":   func(l *directory.UserLoad) { l.User.Number = 100 },
		"id":       func(l *directory.UserLoad) { l.User.ID = there.ID },
		"handle":   func(l *directory.UserLoad) { l.Handles = append(l.Handles, s.handle("taken", l.User.Number)) },
		"password": func(l *directory.UserLoad) { l.Password = directory.Password{User: 9, Hash: "x"} },
	} {
		loads := s.plainLoads(1, 9)
		change(&loads[6])
		runs := 0
		err := s.try(func(tx directory.Tx) error {
			runs++
			err := tx.LoadUsers(s.ctx, s.tenant, loads)
			if !errors.Is(err, directory.ErrDuplicate) {
				t.Errorf("a %s that is taken: %v, want directory.ErrDuplicate", name, err)
			}
			return err
		})
		wantConflict(t, name, err)
		wantSame(t, "runs", runs, 2)
		s.wantUntouched(1)
	}
}

func loadTwins(t *testing.T, s *sample) {
	loads := s.plainLoads(1, 9)
	loads[8].Handles = append(loads[8].Handles, loads[2].Handles...)
	wantConflict(t, "a handle of two", s.try(func(tx directory.Tx) error { return tx.LoadUsers(s.ctx, s.tenant, loads) }))
	s.wantUntouched(0)
}

func loadInPart(t *testing.T, s *sample) {
	s.update(func(tx directory.Tx) error {
		loads := s.plainLoads(1, 9)
		loads[8].User.ID = loads[0].User.ID
		err := tx.Try(s.ctx, func() error { return tx.LoadUsers(s.ctx, s.tenant, loads) })
		if !errors.Is(err, directory.ErrDuplicate) {
			t.Errorf("a part with an id twice: %v, want directory.ErrDuplicate", err)
		}
		err = tx.Try(s.ctx, func() error { return errors.Join(tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(1, 9)), errRefused) })
		if !errors.Is(err, errRefused) {
			t.Errorf("a part that is refused: %v", err)
		}
		return tx.Try(s.ctx, func() error { return tx.LoadUsers(s.ctx, s.tenant, s.plainLoads(20, 21)) })
	})
	wantSame(t, "users", numbersOf(s.all()), []int64{20, 21})
	wantSame(t, "found", s.search("user"), []int64{20, 21})
	wantSame(t, "events", len(s.events(0, 10)), 2)
	s.wantLists()
}

func loadNoCompany(t *testing.T, s *sample) {
	loads := s.plainLoads(1, 9)
	loads[3].User.Company = 77
	runs := 0
	wantConflict(t, "a company that is not there", s.try(func(tx directory.Tx) error {
		runs++
		return tx.LoadUsers(s.ctx, s.tenant, loads)
	}))
	wantSame(t, "runs", runs, 2)
	s.wantUntouched(0)
	loads[3].User.Company = 0 // of the tenant alone
	s.addLoads(loads...)
	wantSame(t, "total of the company", s.total(1, allStates), 8)
	wantSame(t, "total of the tenant", s.total(0, allStates), 9)
}

func loadBounds(t *testing.T, s *sample) {
	s.addLoads()
	s.addLoads(s.plainLoads(1, directory.MaxLoad)...)
	wantSame(t, "total", s.total(1, allStates), directory.MaxLoad)
	other := newSample(t, s.store)
	for name, loads := range map[string][]directory.UserLoad{
		"too many":           s.plainLoads(2000, 2000+directory.MaxLoad),
		"of another tenant":  other.plainLoads(2000, 2001),
		"a number below one": s.plainLoads(0, 0),
	} {
		if err := s.try(func(tx directory.Tx) error { return tx.LoadUsers(s.ctx, s.tenant, loads) }); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
	wantSame(t, "total in the end", s.total(0, allStates), directory.MaxLoad)
	wantSame(t, "total of the other tenant", other.total(0, allStates), 0)
}

func loadChurn(t *testing.T, s *sample) {
	c := newChance(t)
	s.addTree()
	var loads []directory.UserLoad
	for n := int64(1); n <= 120; n++ {
		u := c.user(s, n)
		u.UserName, u.Profile.ExternalIDs = fmt.Sprintf("%d %s", n, u.UserName), nil
		loads = append(loads, s.load(u))
	}
	s.addLoads(loads...)
	users := s.all()
	for range 6 {
		users = s.churn(c, users)
		s.wantLists()
		for range 10 {
			s.wantSearch(users, c.terms(users)...)
		}
	}
}

func loadEvents(t *testing.T, s *sample) {
	written := map[string]directory.Event{}
	for n := range int64(6) {
		before := newEvent(s.tenant, directory.EventUserUpdated)
		loads := s.plainLoads(100*n+1, 100*n+40*(n%3)+1)
		after := newEvent(s.tenant, directory.EventUserUpdated)
		s.update(func(tx directory.Tx) error {
			return errors.Join(tx.InsertEvent(s.ctx, before), tx.LoadUsers(s.ctx, s.tenant, loads), tx.InsertEvent(s.ctx, after))
		})
		written[before.ID], written[after.ID] = before, after
		for _, l := range loads {
			written[l.Event.ID] = l.Event
		}
	}
	all := s.wantWholeChain(written)
	wantSame(t, "events", len(all), len(written))
	created := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Event, error) {
		return r.Events(ctx, s.tenant, 1, 1)
	})
	wantSame(t, "the second event's user", created[0].User, 1)
}
