package encore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which API is read and how.
type RemoteOptions struct {
	BaseURL  string // in front of /users/v1
	Key      string // the subscription key
	Page     int    // users of a page; 0: 100
	Parallel int    // requests at a time; 0: 1
	// ListOnly reads lists alone, which have neither UserName nor GroupName (dossier
	// 4.1), instead of every user by itself.
	ListOnly bool
}

// Remote reads the users of an API that is served elsewhere, with the tables by which
// this door reads requests.
type Remote struct {
	opts   RemoteOptions
	header http.Header
}

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 {
		o.Page = 100 // each user is a request: little is lost when the page is
	}
	return &Remote{opts: o, header: http.Header{keyHeader: {o.Key}}}
}

// SignIn has nothing to do: the key goes with every request (dossier 2).
func (r *Remote) SignIn(context.Context, web.Ask) error { return nil }

// Complete reports that the list has all users.
func (r *Remote) Complete() bool { return true }

// Lists reports whether the list would have a user: all but deleted ones (dossier E4).
func (r *Remote) Lists(u *directory.UserDetail) bool { return u.User.State != directory.StateDeleted }

// Page reads a page of users: the list, and every user of it. The first page is at "".
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	number := 1
	if at != "" {
		n, err := strconv.Atoi(at)
		if err != nil {
			return directory.RecordPage{}, fmt.Errorf("%q is no page", at)
		}
		number = n
	}
	q := web.Get(r.opts.BaseURL, fmt.Sprintf("/users/v1/users?pageNumber=%d&pageSize=%d", number, r.opts.Page), r.header)
	a, err := ask(ctx, q)
	if err != nil || a.Status == http.StatusNoContent {
		return directory.RecordPage{}, err
	}
	list, err := q.Array(a, maxDepth)
	if err != nil || len(list) == 0 {
		return directory.RecordPage{}, err
	}
	users := make([]web.Object, len(list))
	for i := range list {
		var state web.State
		if users[i], state = web.ObjectOf(list[i]); state != web.Present {
			return directory.RecordPage{}, q.Unusable(a, "element %d of the answer is no object", i)
		}
	}
	if !r.opts.ListOnly {
		if err := r.whole(ctx, ask, q, a, users); err != nil {
			return directory.RecordPage{}, err
		}
	}
	page := directory.RecordPage{Next: strconv.Itoa(number + 1)}
	for i := range users {
		if users[i].Len() > 0 {
			page.Records = append(page.Records, record(&page, users[i]))
		}
	}
	return page, nil
}

// whole reads every user of a list by itself. One who is gone meanwhile is left empty.
func (r *Remote) whole(ctx context.Context, ask web.Ask, list *web.RemoteRequest, listed *web.RemoteAnswer, users []web.Object) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, r.opts.Parallel))
	for i := range users {
		id, state := users[i].Int("UserId")
		if state != web.Present {
			return list.Unusable(listed, "element %d of the answer has no UserId", i)
		}
		group.Go(func() error {
			q := web.Get(r.opts.BaseURL, fmt.Sprintf("/users/v1/users/%d?use-external-id=false", id), r.header)
			a, err := ask(ctx, q)
			if err != nil {
				return err
			}
			users[i] = web.Object{}
			if a.Status != http.StatusNotFound {
				users[i], err = q.Object(a, maxDepth)
			}
			return err
		})
	}
	return group.Wait()
}

// record converts a ReadUser, or an item of a list, by the table of properties.
func record(page *directory.RecordPage, o web.Object) directory.Record {
	in := input{limits: anyLength()}
	in.replace(o)
	p := &in.patch
	out := directory.Record{
		GivenName: p.GivenName.Pointer(), FamilyName: p.FamilyName.Pointer(), EmployeeNumber: p.EmployeeNumber.Pointer(),
		Email: p.Email.Pointer(), WebMDN: p.WebMDN.Pointer(), MobileOnly: p.MobileOnly.Pointer(),
		LicenceType: p.LicenceType.Pointer(), Status: p.State.Pointer(),
	}
	if n, state := o.Int("UserId"); state == web.Present {
		out.Number = &n
	}
	if _, listed := o.Get("UserName"); listed {
		out.UserName = p.UserName.Pointer()
	}
	if name, state := o.String("GroupName"); state != web.Absent {
		groups := []directory.RecordGroup{}
		if name != "" {
			groups = append(groups, directory.RecordGroup{Kind: directory.GroupPlain, Key: directory.NameKey(name), Name: name})
		}
		out.Groups = &groups
	}
	phones := []directory.Phone{}
	if p.FirstPhone.Value != "" {
		phones = append(phones, directory.Phone{Number: p.FirstPhone.Value})
	}
	out.Phones = &phones
	rank := directory.RankSelf.String()
	if p.Administrator.Value { // any other role says nothing of roles that this API does not show
		rank = directory.RankAdministrator.String()
		out.Roles = &[]string{rank}
	}
	out.Rank = &rank
	extras, err := directory.OwnFields(directory.DoorEncore, p.ExtraFields)
	out.Extras = extras
	if in.malformed || in.badLicence || err != nil {
		page.Leave("values of a wrong type")
	}
	return out
}

// anyLength are limits that no text exceeds: the directory judges what is read.
func anyLength() Limits {
	limits := DefaultLimits()
	for name := range limits {
		limits[name] = Length{Most: 1 << 20}
	}
	return limits
}

// Shown is what this API shows of a user, as Page would read it.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	var body []byte
	if r.opts.ListOnly {
		body = append(append(appendUserID(nil, `{"UserId":`, &d.User), ','), appendRest(nil, &d.User)...)
		body = append(body, '}')
	} else {
		body = appendReadUser(nil, d)
	}
	o, err := web.DecodeObject(json.RawMessage(body), maxDepth)
	if err != nil {
		return directory.Record{}, err
	}
	return record(&directory.RecordPage{}, o), nil
}
