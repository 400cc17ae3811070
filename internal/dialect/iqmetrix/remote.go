package iqmetrix

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which API is read and how.
type RemoteOptions struct {
	BaseURL string // with /v1
	Company int64  // whose users are listed, with those of the companies below it
	// First and Last, if Last is set, are ids that are read one by one instead of the
	// list, which has active users alone (dossier 3.1).
	First, Last int64
	// Token is a credential; else one is got at TokenURL ("": below BaseURL) for a user
	// and a client (dossier 2.2).
	Token                       string
	TokenURL                    string
	User, Password              string
	ClientID, ClientSecret      string
	Page                        int // users of a page; 0: 100, the most there are
	Parallel                    int // requests at a time; 0: 1
	NoLocations, NoLock, NoRole bool
}

// Remote reads the users of an API that is served elsewhere, with the functions by
// which this door reads requests.
type Remote struct {
	opts   RemoteOptions
	header http.Header
	roles  map[int64]string // keys of roles by number; nil before they are read
}

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 || o.Page > maxTop {
		o.Page = maxTop
	}
	return &Remote{opts: o, header: bearer(o.Token)}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// SignIn gets an access token, unless there is a credential that needs none.
func (r *Remote) SignIn(ctx context.Context, ask web.Ask) error {
	if r.opts.Token != "" {
		return nil
	}
	form := url.Values{"grant_type": {"password"}, "username": {r.opts.User}, "password": {r.opts.Password},
		"client_id": {r.opts.ClientID}, "client_secret": {r.opts.ClientSecret}}
	q := &web.RemoteRequest{Method: http.MethodPost, Body: []byte(form.Encode()),
		URL:    cmp.Or(r.opts.TokenURL, strings.TrimRight(r.opts.BaseURL, "/")+"/oauth2/token"),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	a, err := ask(ctx, q)
	if err != nil {
		return err
	}
	o, err := q.Object(a, maxDepth)
	if err != nil {
		return err
	}
	token, _ := o.String("access_token")
	if token == "" {
		return q.Unusable(a, "the answer has no access_token")
	}
	r.header = bearer(token)
	return nil
}

// Complete reports that the list, or the ids, are all there is to see.
func (r *Remote) Complete() bool { return true }

// Lists reports whether the list would have a user: it has active ones alone, and the
// ids have all but deleted ones.
func (r *Remote) Lists(d *directory.UserDetail) bool {
	if r.opts.Last > 0 {
		return d.User.State != directory.StateDeleted && d.User.Number >= r.opts.First && d.User.Number <= r.opts.Last
	}
	return d.User.State == directory.StateActive
}

// Page reads a page of users. The first page is at "".
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	if err := r.readRoles(ctx, ask); err != nil {
		return directory.RecordPage{}, err
	}
	from := max(1, r.opts.First)
	if r.opts.Last == 0 {
		from = 0
	}
	if at != "" {
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return directory.RecordPage{}, fmt.Errorf("%q is no page", at)
		}
		from = n
	}
	if r.opts.Last > 0 {
		return r.pageOfIDs(ctx, ask, from)
	}
	return r.pageOfList(ctx, ask, from)
}

// pageOfList reads a page of the users of the company.
func (r *Remote) pageOfList(ctx context.Context, ask web.Ask, skip int64) (directory.RecordPage, error) {
	q := web.Get(r.opts.BaseURL, fmt.Sprintf("/Entities(%d)/Users?$skip=%d&$top=%d", r.opts.Company, skip, r.opts.Page), r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return directory.RecordPage{}, err
	}
	body, err := q.Object(a, maxDepth)
	if err != nil {
		return directory.RecordPage{}, err
	}
	items, state := body.Array("items")
	if state != web.Present {
		return directory.RecordPage{}, q.Unusable(a, "the answer has no items")
	}
	users := make([]web.Object, len(items))
	for i := range items {
		if users[i], state = web.ObjectOf(items[i]); state != web.Present {
			return directory.RecordPage{}, q.Unusable(a, "items[%d] is no object", i)
		}
		if _, state := users[i].Int("Id"); state != web.Present {
			return directory.RecordPage{}, q.Unusable(a, "items[%d] has no Id", i)
		}
	}
	page := directory.RecordPage{}
	metadata, _ := body.Object("_metadata")
	page.Total, _ = metadata.Int("count")
	links, _ := body.Object("_links")
	if next, _ := links.String("next"); next != "" && len(items) > 0 {
		page.Next = strconv.FormatInt(skip+int64(len(items)), 10)
	}
	err = r.complete(ctx, ask, &page, users)
	return page, err
}

// pageOfIDs reads the users of some ids; many may be nobody's.
func (r *Remote) pageOfIDs(ctx context.Context, ask web.Ask, first int64) (directory.RecordPage, error) {
	last := min(first+int64(r.opts.Page)-1, r.opts.Last)
	users := make([]web.Object, max(0, last-first+1))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(max(1, r.opts.Parallel))
	for i := range users {
		group.Go(func() error {
			q := web.Get(r.opts.BaseURL, fmt.Sprintf("/Users(%d)", first+int64(i)), r.header)
			a, err := ask(inner, q)
			if err != nil || a.Status == http.StatusNotFound {
				return err
			}
			users[i], err = q.Object(a, maxDepth)
			return err
		})
	}
	page := directory.RecordPage{}
	if last < r.opts.Last {
		page.Next = strconv.FormatInt(last+1, 10)
	}
	err := group.Wait()
	if err == nil {
		err = r.complete(ctx, ask, &page, users)
	}
	return page, err
}

// complete adds to the page the records of users, each with what takes a request of
// its own.
func (r *Remote) complete(ctx context.Context, ask web.Ask, page *directory.RecordPage, users []web.Object) error {
	records := make([]directory.Record, 0, len(users))
	for _, o := range users {
		if o.Len() > 0 {
			records = append(records, record(page, o))
		}
	}
	others := make([]int64, len(records)) // roles that hold for other companies
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, r.opts.Parallel))
	for i := range records {
		group.Go(func() (err error) {
			others[i], err = r.belongings(ctx, ask, &records[i])
			return err
		})
	}
	err := group.Wait()
	for _, n := range others {
		for range n {
			page.Leave("roles for another company than the one that is read")
		}
	}
	page.Records = records
	return err
}

// belongings reads locations, lock and roles of a user.
func (r *Remote) belongings(ctx context.Context, ask web.Ask, out *directory.Record) (others int64, err error) {
	at := fmt.Sprintf("/Users(%d)", *out.Number)
	if !r.opts.NoLocations {
		if out.Locations, err = r.locations(ctx, ask, at); err != nil {
			return 0, err
		}
	}
	if !r.opts.NoLock {
		q := web.Get(r.opts.BaseURL, at+"/Unlock", r.header)
		a, err := ask(ctx, q)
		if err != nil {
			return 0, err
		}
		o, err := q.Object(a, maxDepth)
		if err != nil {
			return 0, err
		}
		locked, _ := o.Bool("CanUnlockUser")
		reason, _ := o.Int("LockReasonId")
		out.Locked, out.LockReason = &locked, &reason
	}
	if !r.opts.NoRole {
		out.Roles, others, err = r.assigned(ctx, ask, at)
	}
	return others, err
}

// locations reads the numbers of a user's locations.
func (r *Remote) locations(ctx context.Context, ask web.Ask, at string) (*[]int64, error) {
	q := web.Get(r.opts.BaseURL, at+"/Locations", r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return nil, err
	}
	o, err := q.Object(a, maxDepth)
	if err != nil {
		return nil, err
	}
	list, _ := o.Array("LocationIDs")
	numbers := make([]int64, len(list))
	for i := range list {
		var state web.State
		if numbers[i], state = web.IntOf(list[i]); state != web.Present {
			return nil, q.Unusable(a, "LocationIDs[%d] is no number", i)
		}
	}
	return &numbers, nil
}

// assigned reads the keys of a user's roles, as far as they hold for the company that
// is read: a role that somebody has for one company below it would be more here.
func (r *Remote) assigned(ctx context.Context, ask web.Ask, at string) (*[]string, int64, error) {
	q := web.Get(r.opts.BaseURL, at+"/AssignedRoles", r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	list, err := q.Array(a, maxDepth)
	if err != nil {
		return nil, 0, err
	}
	keys, others := []string{}, int64(0)
	for _, raw := range list {
		o, _ := web.ObjectOf(raw)
		company, _ := o.Int("EntityId")
		role, _ := o.Int("SecurityRoleId")
		if key := r.roles[role]; key != "" && company == r.opts.Company {
			keys = append(keys, key)
		} else {
			others++
		}
	}
	return &keys, others, nil
}

// readRoles reads the names of the roles of the company, once.
func (r *Remote) readRoles(ctx context.Context, ask web.Ask) error {
	if r.roles != nil || r.opts.NoRole {
		return nil
	}
	q := web.Get(r.opts.BaseURL, fmt.Sprintf("/Entities(%d)/SecurityRoles", r.opts.Company), r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return err
	}
	list, err := q.Array(a, maxDepth)
	if err != nil {
		return err
	}
	roles := make(map[int64]string, len(list))
	for _, raw := range list {
		o, _ := web.ObjectOf(raw)
		number, _ := o.Int("Id")
		name, _ := o.String("Name")
		roles[number] = directory.NameKey(name)
	}
	r.roles = roles
	return nil
}

// record converts a User by the functions that read requests.
func record(page *directory.RecordPage, o web.Object) directory.Record {
	var f faults
	p := userPatch(&f, o)
	active, _ := o.Bool("IsActive")
	status := directory.StateInactive
	if active {
		status = directory.StateActive
	}
	out := directory.Record{
		UserName: p.UserName.Pointer(), GivenName: p.GivenName.Pointer(), FamilyName: p.FamilyName.Pointer(), Email: p.Email.Pointer(),
		Title: p.Title.Pointer(), ClientUserID: p.ClientUserID.Pointer(), Company: p.Company.Pointer(), Address: p.Address.Pointer(),
		Phones: p.Phones.Pointer(), Attributes: p.Attributes.Pointer(), Status: &status,
	}
	number, _ := o.Int("Id")
	out.Number = &number
	if *out.Phones == nil {
		*out.Phones = []directory.Phone{}
	}
	if *out.Attributes == nil {
		*out.Attributes = map[string]json.RawMessage{}
	}
	picture := p.Picture.Value
	if picture == nil {
		picture = json.RawMessage("{}") // what is shown where there is none
	}
	out.Picture = &picture
	for _, fault := range f {
		if fault.Reason == directory.ReasonFieldFormat {
			page.Leave("values of a wrong type")
		}
	}
	return out
}

// Shown is what this API shows of a user, as Page would read it. Roles are known by
// name there, and here by key.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	o, err := decode(appendUser(nil, &d.User, false))
	if err != nil {
		return directory.Record{}, err
	}
	out := record(&directory.RecordPage{}, o)
	if !r.opts.NoLocations {
		numbers := make([]int64, len(d.Locations))
		for i := range d.Locations {
			numbers[i] = d.Locations[i].Number
		}
		out.Locations = &numbers
	}
	if !r.opts.NoLock {
		out.Locked, out.LockReason = &d.User.Locked, &d.User.LockReason
	}
	if !r.opts.NoRole {
		keys := make([]string, len(d.Roles))
		for i := range d.Roles {
			keys[i] = d.Roles[i].Role.Key
		}
		out.Roles = &keys
	}
	return out, nil
}
