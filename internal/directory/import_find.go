package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// importFinds is what a page of rows may be about, read with a few statements for the
// whole page.
type importFinds struct {
	handles map[HandleKeyOf]Handle
	clients map[string][]int64 // the users of a client user id
	ids     map[string]int64
	users   map[int64]*User // every user that is named by anything
	// erased are the numbers and ids of users that are no more.
	erasedNumbers map[int64]bool
	erasedIDs     map[string]bool
}

// findImported reads what the rows of a page may be about.
func findImported(ctx context.Context, r Reader, t TenantNo, rows []*importRow) (*importFinds, error) {
	f := &importFinds{handles: map[HandleKeyOf]Handle{}, clients: map[string][]int64{}, ids: map[string]int64{}, users: map[int64]*User{},
		erasedNumbers: map[int64]bool{}, erasedIDs: map[string]bool{}}
	w := wantedKeys(rows)
	handles, err := r.HandleHolders(ctx, t, w.handles)
	if err != nil {
		return nil, err
	}
	for _, h := range handles {
		f.handles[HandleKeyOf{h.Space, h.Key}] = h
		w.addNumber(h.User)
	}
	for _, read := range []func() ([]User, error){
		func() ([]User, error) { return r.UsersByIDs(ctx, t, w.ids) },
		func() ([]User, error) { return r.UsersByClientIDs(ctx, t, w.clients) },
		func() ([]User, error) { return r.UsersByNumbers(ctx, t, slices.Clone(w.numbers)) },
	} {
		users, err := read()
		if err != nil {
			return nil, err
		}
		for i := range users {
			f.add(&users[i])
		}
	}
	return f, f.findErased(ctx, r, t, w)
}

func (f *importFinds) add(u *User) {
	if f.users[u.Number] != nil {
		return
	}
	f.users[u.Number], f.ids[u.ID] = u, u.Number
	if u.ClientUserID != "" && u.State != StateDeleted {
		f.clients[u.ClientUserID] = append(f.clients[u.ClientUserID], u.Number)
	}
}

// findErased finds which of the numbers and ids belonged to users who were erased.
func (f *importFinds) findErased(ctx context.Context, r Reader, t TenantNo, w *wantedOfPage) error {
	numbers := slices.DeleteFunc(w.numbers, func(n int64) bool { return f.users[n] != nil })
	ids := slices.DeleteFunc(w.ids, func(id string) bool { return f.ids[id] != 0 })
	erased, err := r.PurgedAmong(ctx, t, numbers, ids)
	for _, gone := range erased {
		f.erasedNumbers[gone.Number], f.erasedIDs[gone.ID] = true, true
	}
	return err
}

// wantedOfPage are the keys that a page of rows names.
type wantedOfPage struct {
	handles      []HandleKeyOf
	ids, clients []string
	numbers      []int64
	seen         map[int64]bool
}

func (w *wantedOfPage) addNumber(n int64) {
	if !w.seen[n] {
		w.seen[n] = true
		w.numbers = append(w.numbers, n)
	}
}

func wantedKeys(rows []*importRow) *wantedOfPage {
	w := &wantedOfPage{seen: map[int64]bool{}}
	named := make(map[HandleKeyOf]bool, 2*len(rows))
	texts := map[string]bool{} // ids and client user ids
	addHandle := func(h HandleKeyOf) {
		if !named[h] {
			named[h] = true
			w.handles = append(w.handles, h)
		}
	}
	add := func(key *rowKey) {
		switch {
		case key.number != 0:
			w.addNumber(key.number)
		case key.handle.Key != "":
			addHandle(key.handle)
		case key.member == memberID && !texts["i"+key.text]:
			texts["i"+key.text] = true
			w.ids = append(w.ids, key.text)
		case key.member == memberClientID && !texts["c"+key.text]:
			texts["c"+key.text] = true
			w.clients = append(w.clients, key.text)
		}
	}
	for _, row := range rows {
		for i := range row.keys {
			add(&row.keys[i])
		}
		for i := range row.own {
			add(&row.own[i])
		}
		if key, ok := row.record.key("email"); ok {
			addHandle(key.handle) // of a run whose rows may share one: who signs in with it?
		}
	}
	return w
}

// holder is the user that a key of a row names, 0 for none or for several.
func (f *importFinds) holder(key *rowKey) int64 {
	switch key.member {
	case memberID:
		return f.ids[key.text]
	case memberNumber:
		if f.users[key.number] != nil {
			return key.number
		}
		return 0
	case memberClientID:
		if users := f.clients[key.text]; len(users) == 1 {
			return users[0]
		}
		return 0
	}
	if h, held := f.handles[key.handle]; held && h.Kinds&key.kind != 0 {
		return h.User
	}
	return 0
}

// match finds the user that a row is about, as its keys say in their order: 0 for
// nobody. by is the member that decided. A later member that names another user is a
// fault, unless the user has that value too: several may have one address.
func (f *importFinds) match(row *importRow) (number int64, by string, faults violations) {
	for i := range row.keys {
		key := &row.keys[i]
		holder := f.holder(key)
		switch {
		case holder == 0 || holder == number:
		case number == 0:
			number, by = holder, key.member
		case !row.says(key, f.users[number]):
			for _, member := range [...]string{by, key.member} {
				faults = append(faults, FieldError{Field: member, Reason: ReasonImportAmbiguous,
					Message: fmt.Sprintf("%s and %s belong to different users: number %d and number %d.", by, key.member, number, holder)})
			}
			return number, by, faults
		}
	}
	return number, by, nil
}

// says reports whether a user has the value that a key of a row says already.
func (row *importRow) says(key *rowKey, u *User) bool {
	switch key.member {
	case "email":
		folded, err := FoldKey(SpaceLogin, u.Email)
		return err == nil && folded == key.handle.Key
	case memberClientID:
		return u.ClientUserID == key.text
	}
	return false
}

// claims reports whether nobody but the row's user may have a key of the row: an
// address that the user has already may be one that is somebody else's handle.
func (row *importRow) claims(key *rowKey, u *User) bool {
	return u == nil || key.member != "email" || !row.says(key, u)
}

// mentioned are all users that a row names by anything.
func (f *importFinds) mentioned(row *importRow) []int64 {
	var list []int64
	for i := range row.keys {
		if n := f.holder(&row.keys[i]); n != 0 && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// erased reports whether a row's id or number belonged to a user who was erased.
func (f *importFinds) erased(row *importRow) bool {
	for i := range row.own {
		key := &row.own[i]
		if key.member == memberID && f.erasedIDs[key.text] || key.number != 0 && f.erasedNumbers[key.number] {
			return true
		}
	}
	return false
}

// held reports whether a key that a new user of the row would hold is somebody's.
func (f *importFinds) held(row *importRow) bool {
	return slices.ContainsFunc(row.own, func(key rowKey) bool {
		if key.handle.Key != "" {
			_, held := f.handles[key.handle]
			return held
		}
		return f.holder(&key) != 0
	})
}

// importLookUps reads what rows name beside users, each once.
type importLookUps struct {
	r         Reader
	call      *Call
	companies map[string]int64 // by folded name; 0 for none
	paths     map[int64]bool   // whether there is a company of a number
}

func newImportLookUps(r Reader, call *Call) *importLookUps {
	return &importLookUps{r: r, call: call, companies: map[string]int64{}, paths: map[int64]bool{}}
}

// company is the number of a company of a name, 0 for none.
func (l *importLookUps) company(ctx context.Context, name string) (int64, error) {
	key := NameKey(name)
	if number, known := l.companies[key]; known {
		return number, nil
	}
	c, err := companyOf(ctx, l.r, l.call.Actor, CompanyRef{Name: name})
	if err != nil && !IsReason(err, ReasonCompanyNotFound) {
		return 0, err
	}
	l.companies[key] = c.Number
	return c.Number, nil
}

// exists reports whether there is a company of a number.
func (l *importLookUps) exists(ctx context.Context, number int64) (bool, error) {
	if there, known := l.paths[number]; known {
		return there, nil
	}
	_, err := l.r.Company(ctx, l.call.Actor.Tenant, number)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	l.paths[number] = err == nil
	return err == nil, nil
}
