package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sort"
)

// handlesOf are the identifier rows that a user is due: none when deleted.
// Its texts have been validated, so folding cannot fail; a text that does not
// fold (an old row under newer rules) claims nothing.
func handlesOf(u *User) []Handle {
	if u.State == StateDeleted {
		return nil
	}
	var handles []Handle
	add := func(space Space, text string, kind HandleKind) {
		key, err := FoldKey(space, text)
		if text == "" || err != nil {
			return
		}
		for i := range handles {
			if handles[i].Space == space && handles[i].Key == key {
				handles[i].Kinds |= kind
				return
			}
		}
		handles = append(handles, Handle{Space: space, Key: key, Kinds: kind, User: u.Number})
	}
	add(SpaceLogin, u.UserName, HandleUserName)
	if u.EmailClaimed {
		add(SpaceLogin, u.Email, HandleEmail)
	}
	add(SpaceEmployee, u.EmployeeNumber, HandleKey)
	add(SpaceOpenID, u.OpenID, HandleKey)
	add(SpaceWebMDN, u.WebMDN, HandleKey)
	add(SpaceStorage, u.Profile.StorageLocation, HandleKey)
	for credential, id := range u.Profile.ExternalIDs {
		add(ExternalSpace(credential), id, HandleKey)
	}
	sort.Slice(handles, func(i, j int) bool {
		a, b := handles[i], handles[j]
		return a.Space < b.Space || a.Space == b.Space && a.Key < b.Key
	})
	return handles
}

// keepsHandles reports whether two versions of a user, neither of them deleted,
// are due the same rows; folding the texts to find out would cost more.
func keepsHandles(a, b *User) bool {
	return a.UserName == b.UserName && a.Email == b.Email && a.EmailClaimed == b.EmailClaimed &&
		a.EmployeeNumber == b.EmployeeNumber && a.OpenID == b.OpenID && a.WebMDN == b.WebMDN &&
		a.Profile.StorageLocation == b.Profile.StorageLocation && maps.Equal(a.Profile.ExternalIDs, b.Profile.ExternalIDs)
}

// takenReason names what is taken, by space and kind.
func takenReason(space Space, kind HandleKind) *Error {
	switch {
	case space == SpaceLogin && kind&HandleUserName != 0:
		return taken(FieldUserName, ReasonUserNameTaken, "The user name is taken.")
	case space == SpaceLogin:
		return taken(FieldEmail, ReasonEmailTaken, "The e-mail address is taken.")
	case space == SpaceEmployee:
		return taken(FieldEmployeeNumber, ReasonEmployeeNumberTaken, "The employee number is taken.")
	case space == SpaceOpenID:
		return taken(FieldOpenID, ReasonOpenIDTaken, "The openId is taken.")
	case space == SpaceWebMDN:
		return taken(FieldWebMDN, ReasonWebMDNTaken, "The web MDN is taken.")
	case space == SpaceStorage:
		return taken(FieldStorageLocation, ReasonStorageTaken, "The storage location is somebody else's.")
	}
	return taken(FieldExternalID, ReasonExternalIDTaken, "The external id is taken.")
}

// takenOrder is the order in which what is taken is reported, whatever the
// texts: the first names the error.
var takenOrder = []Reason{ReasonUserNameTaken, ReasonEmailTaken, ReasonEmployeeNumberTaken, ReasonOpenIDTaken,
	ReasonWebMDNTaken, ReasonExternalIDTaken, ReasonStorageTaken}

// conflict is one error of everything that is taken.
func conflict(fields violations) *Error {
	slices.SortStableFunc(fields, func(a, b FieldError) int {
		return slices.Index(takenOrder, a.Reason) - slices.Index(takenOrder, b.Reason)
	})
	return &Error{Code: CodeConflict, Reason: fields[0].Reason, Message: fields[0].Message, Fields: fields}
}

func taken(field Field, reason Reason, message string) *Error {
	return &Error{Code: CodeConflict, Reason: reason, Message: message,
		Fields: []FieldError{{Field: field.String(), Reason: reason, Message: message}}}
}

// claimEmail decides whether a user's address becomes its sign-in handle. Where
// a taken address is no error (claim false), the address is kept unclaimed;
// else moveHandles refuses it, together with whatever else is taken.
func claimEmail(ctx context.Context, tx Tx, u *User, claim bool) error {
	u.EmailClaimed = false
	if u.Email == "" {
		return nil
	}
	key, err := FoldKey(SpaceLogin, u.Email)
	if err != nil {
		return Invalid(FieldEmail.String(), ReasonFieldFormat, "The e-mail address has characters that are not allowed.")
	}
	held, err := tx.HandleByKey(ctx, u.Tenant, SpaceLogin, key)
	free := errors.Is(err, ErrNotFound)
	if err != nil && !free {
		return err
	}
	u.EmailClaimed = free || held.User == u.Number || claim
	return nil
}

// moveHandles makes the identifier rows follow a change of a user. Every new
// key is looked up first, so that the reason can be named; several taken ones
// are all reported. A key that another writer takes in between fails as
// ErrDuplicate, and the second run of the closure finds it here.
func moveHandles(ctx context.Context, tx Tx, before, after []Handle, t TenantNo) error {
	fresh, kinds, err := sortHandles(ctx, tx, before, after, t)
	if err != nil {
		return err
	}
	return writeHandles(ctx, tx, t, before, after, fresh, kinds)
}

// sortHandles finds the keys that a user gets and those that it holds in
// another way than before. What somebody else holds is one error.
func sortHandles(ctx context.Context, tx Tx, before, after []Handle, t TenantNo) (fresh, kinds []Handle, err error) {
	var conflicts violations
	for _, h := range after {
		old, had := findHandle(before, h)
		if had && old.Kinds == h.Kinds {
			continue
		}
		if had {
			kinds = append(kinds, h)
			continue
		}
		held, err := tx.HandleByKey(ctx, t, h.Space, h.Key)
		switch {
		case err == nil && held.User != h.User:
			conflicts = append(conflicts, takenReason(h.Space, h.Kinds).Fields...)
		case err == nil:
			kinds = append(kinds, h)
		case errors.Is(err, ErrNotFound):
			fresh = append(fresh, h)
		default:
			return nil, nil, err
		}
	}
	if len(conflicts) > 0 {
		return nil, nil, conflict(conflicts)
	}
	return fresh, kinds, nil
}

func writeHandles(ctx context.Context, tx Tx, t TenantNo, before, after, fresh, kinds []Handle) error {
	for _, h := range before {
		if _, stays := findHandle(after, h); !stays {
			if err := tx.DeleteHandle(ctx, t, h.Space, h.Key, h.User); err != nil {
				return err
			}
		}
	}
	for _, h := range kinds {
		if err := tx.SetHandleKinds(ctx, t, h); err != nil {
			return err
		}
	}
	for _, h := range fresh {
		if err := tx.InsertHandle(ctx, t, h); err != nil {
			return err
		}
	}
	return nil
}

func findHandle(list []Handle, h Handle) (Handle, bool) {
	for _, have := range list {
		if have.Space == h.Space && have.Key == h.Key {
			return have, true
		}
	}
	return Handle{}, false
}
