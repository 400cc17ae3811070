package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var amongChecks = []check{
	{"HandleHolders finds the holders of many keys of several spaces", holdersFound},
	{"UsersByNumbers and UsersByIDs read many users of the tenant", usersFound},
	{"UsersByClientIDs finds all who have one", clientsFound},
	{"PurgedAmong finds the erased users of numbers and ids", purgedFound},
	{"Look-ups of many take keys of every character", hostileKeys},
	{"NextNumbers draws numbers that follow each other and none twice", numbersDrawn},
	{"TakeSeats takes as many seats as there are, and FreeSeat gives back each", seatsTaken},
	{"Seats taken in a transaction that fails are free again", seatsRolledBack},
}

func holdersFound(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	var keys []directory.HandleKeyOf
	var want []directory.Handle
	s.update(func(tx directory.Tx) error {
		for n := int64(1); n <= 300; n++ {
			for _, space := range []directory.Space{directory.SpaceLogin, directory.SpaceEmployee, directory.ExternalSpace("k")} {
				h := directory.Handle{Space: space, Key: fmt.Sprint("key", n), Kinds: directory.HandleUserName, User: n}
				keys = append(keys, directory.HandleKeyOf{Space: space, Key: h.Key})
				if (n+int64(len(space)))%3 == 0 {
					continue // nobody's
				}
				if err := tx.InsertHandle(s.ctx, s.tenant, h); err != nil {
					return err
				}
			}
		}
		return nil
	})
	other.update(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, other.tenant, other.handle("key3", 7)) })
	for _, k := range keys {
		h, err := tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Handle, error) {
			return r.HandleByKey(ctx, s.tenant, k.Space, k.Key)
		})
		if err == nil {
			want = append(want, h)
		}
	}
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Handle, error) {
		return r.HandleHolders(ctx, s.tenant, keys)
	})
	order := func(a, b directory.Handle) int { return compareTexts(string(a.Space)+a.Key, string(b.Space)+b.Key) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	wantSame(t, "holders", got, want)
	none := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Handle, error) {
		return r.HandleHolders(ctx, s.tenant, nil)
	})
	wantSame(t, "holders of no keys", none, nil)
}

func compareTexts(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// several reads users and puts them in order of number.
func (s *sample) several(read func(ctx context.Context, r directory.Reader) ([]directory.User, error)) []directory.User {
	s.t.Helper()
	users := look(s.t, s, read)
	slices.SortFunc(users, func(a, b directory.User) int { return int(a.Number - b.Number) })
	return users
}

func usersFound(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	foreign := other.addUser(1)
	var users []directory.User
	numbers, ids := []int64{0, -1, 1 << 50, 99_999}, []string{"", "none", foreign.ID}
	for n := int64(1); n <= 200; n++ {
		u := s.user(n)
		u.State = directory.States[n%4]
		users = append(users, u)
		numbers, ids = append(numbers, n), append(ids, u.ID)
	}
	full := s.fullUser(201)
	users, numbers, ids = append(users, full), append(numbers, 201, 201), append(ids, full.ID)
	s.addUsers(users...)
	byNumber := s.several(func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
		return r.UsersByNumbers(ctx, s.tenant, numbers)
	})
	wantSame(t, "UsersByNumbers", byNumber, users)
	byID := s.several(func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
		return r.UsersByIDs(ctx, s.tenant, ids)
	})
	wantSame(t, "UsersByIDs", byID, users)
	s.view(func(r directory.Reader) error {
		none, err := r.UsersByNumbers(s.ctx, s.tenant, nil)
		none2, err2 := r.UsersByIDs(s.ctx, s.tenant, nil)
		wantSame(t, "users of no keys", append(none, none2...), nil)
		return errors.Join(err, err2)
	})
}

func clientsFound(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addUser(1, func(u *directory.User) { u.ClientUserID = "crm-1" })
	for n := int64(1); n <= 9; n++ {
		s.addUser(n, func(u *directory.User) {
			if n < 7 {
				u.ClientUserID = fmt.Sprint("crm-", n/2)
			}
		})
	}
	got := s.several(func(ctx context.Context, r directory.Reader) ([]directory.User, error) {
		return r.UsersByClientIDs(ctx, s.tenant, []string{"crm-1", "", "crm-3", "crm-9", "CRM-2"})
	})
	wantSame(t, "users of client ids", numbersOf(got), []int64{2, 3, 6})
}

func purgedFound(t *testing.T, s *sample) {
	var want []directory.PurgedUser
	for n := int64(1); n <= 6; n++ {
		u := s.addUser(n)
		if n%2 == 0 {
			s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, u) })
			want = append(want, directory.PurgedUser{Number: n, ID: u.ID})
		}
	}
	got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.PurgedUser, error) {
		return r.PurgedAmong(ctx, s.tenant, []int64{1, 2, 7}, []string{want[1].ID, want[2].ID, "none"})
	})
	slices.SortFunc(got, func(a, b directory.PurgedUser) int { return int(a.Number - b.Number) })
	wantSame(t, "erased users", got, want)
	none := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.PurgedUser, error) {
		return r.PurgedAmong(ctx, s.tenant, nil, nil)
	})
	wantSame(t, "erased users of nothing", none, nil)
}

// hostileKeys: keys are sent in the text of an array, whose signs they may hold.
func hostileKeys(t *testing.T, s *sample) {
	texts := []string{`a"b`, `a\b`, `{a,b}`, "a,b", "NULL", "null", " a ", "é\u00a0ß", "a'b", "a\tb\nc\rd", `\`, `"`, `\"`, "<&>", "\u2028", "𝒳", "\x01", `\N`, `\.`}
	var keys []directory.HandleKeyOf
	var numbers []int64
	for i, text := range texts {
		number := int64(i) + 1
		s.addUser(number, func(u *directory.User) { u.ClientUserID = text })
		s.update(func(tx directory.Tx) error { return tx.InsertHandle(s.ctx, s.tenant, s.handle(text, number)) })
		keys, numbers = append(keys, directory.HandleKeyOf{Space: directory.SpaceLogin, Key: text}), append(numbers, number)
	}
	s.view(func(r directory.Reader) error {
		users, err := r.UsersByClientIDs(s.ctx, s.tenant, texts)
		found := numbersOf(users)
		slices.Sort(found)
		wantSame(t, "users", found, numbers)
		holders, err2 := r.HandleHolders(s.ctx, s.tenant, keys)
		var held []int64
		for _, h := range holders {
			held = append(held, h.User)
			if h.Key != texts[h.User-1] {
				t.Errorf("the key %q comes back as %q", texts[h.User-1], h.Key)
			}
		}
		slices.Sort(held)
		wantSame(t, "holders", held, numbers)
		return errors.Join(err, err2)
	})
}

func numbersDrawn(t *testing.T, s *sample) {
	seen := map[int64]bool{}
	note := func(first, count int64) {
		for n := first; n < first+count; n++ {
			if n < 1 || seen[n] {
				t.Fatalf("number %d of %d from %d is none or was drawn before", n, count, first)
			}
			seen[n] = true
		}
	}
	for _, count := range []int64{1, 500, 64, 3, 1000} {
		note(s.draw(directory.NumberUser), 1)
		s.update(func(tx directory.Tx) error {
			first, err := tx.NextNumbers(s.ctx, s.tenant, directory.NumberUser, count)
			if err == nil {
				note(first, count)
			}
			return err
		})
	}
	for range 100 {
		note(s.draw(directory.NumberUser), 1)
	}
	if n := s.draw(directory.NumberCompany); n > 1000 {
		t.Errorf("company %d was drawn after users only", n)
	}
}

// takeMany takes seats in a transaction of its own.
func (s *sample) takeMany(kind string, count int) (seats []int) {
	s.t.Helper()
	s.update(func(tx directory.Tx) (err error) {
		seats, err = tx.TakeSeats(s.ctx, s.tenant, kind, count)
		return err
	})
	return seats
}

func seatsTaken(t *testing.T, s *sample) {
	wantSame(t, "seats without a pool", s.takeMany("None", 5), nil)
	for _, total := range []int{0, 1, 5, 63, 64, 100, 1000} {
		kind := fmt.Sprint("Pool of ", total)
		s.setPool(kind, int64(total))
		if got := s.takeMany(kind, 0); len(got) != 0 {
			t.Errorf("%d seats where none were asked for", len(got))
		}
		seats := s.takeMany(kind, total/2)
		if len(seats) != total/2 {
			t.Errorf("%d seats of half a pool of %d", len(seats), total)
		}
		seats = append(seats, s.takeMany(kind, total+20)...)
		if len(seats) != total || slices.Contains(seats, 0) {
			t.Fatalf("a pool of %d gave out %d seats: %v", total, len(seats), seats)
		}
		wantSame(t, "pool", s.pool(kind), directory.Pool{Type: kind, Total: int64(total), Used: int64(total), Version: 1})
		for i, seat := range seats {
			if i%3 == 0 {
				s.freeSeat(kind, seat)
			}
		}
		if got := len(s.takeMany(kind, total)); got != (total+2)/3 {
			t.Errorf("%d seats of a pool of %d of which a third was freed", got, total)
		}
		s.setPool(kind, int64(total/2))
		if got := s.takeMany(kind, 3); len(got) != 0 {
			t.Errorf("%d seats of a pool that has more used than it may", len(got))
		}
	}
}

func seatsRolledBack(t *testing.T, s *sample) {
	s.setPool("Full", 70)
	err := s.try(func(tx directory.Tx) error {
		if seats, err := tx.TakeSeats(s.ctx, s.tenant, "Full", 50); err != nil || len(seats) != 50 {
			return fmt.Errorf("%d seats: %w", len(seats), err)
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	wantSame(t, "pool", s.pool("Full"), directory.Pool{Type: "Full", Total: 70, Version: 1})
	if got := len(s.takeMany("Full", 100)); got != 70 {
		t.Errorf("took %d of 70", got)
	}
}
