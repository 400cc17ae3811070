package smartapp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which API is read and how.
type RemoteOptions struct {
	BaseURL    string
	Key        string
	Credential Credential // where the key goes; "": CredentialBearer
	Path       string     // of the list of users; "": as this door has it (dossier 3.3)
	Page       int        // users of a page; 0: 500
}

// Remote reads the users of an API that is served elsewhere, with the functions by
// which this door reads requests.
type Remote struct {
	opts   RemoteOptions
	header http.Header
	secret url.Values
}

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 {
		o.Page = 500
	}
	o.Path = cmp.Or(o.Path, pathOfList())
	r := &Remote{opts: o, header: http.Header{}}
	switch o.Credential {
	case CredentialXAPIKey:
		r.header.Set("X-API-Key", o.Key)
	case CredentialAPIKeyHeader:
		r.header.Set("apiKey", o.Key)
	case CredentialAPIKeyQuery:
		r.secret = url.Values{"apiKey": {o.Key}}
	default:
		r.header.Set("Authorization", "Bearer "+o.Key)
	}
	return r
}

// pathOfList is the first path of the operation list_users.
func pathOfList() string {
	for i := range operations {
		if operations[i].name == "list_users" {
			return operations[i].paths[0]
		}
	}
	return ""
}

// SignIn has nothing to do: the key goes with every request (dossier 2).
func (r *Remote) SignIn(context.Context, web.Ask) error { return nil }

// Complete reports that the list has all users.
func (r *Remote) Complete() bool { return true }

// Lists reports whether the list would have a user: all but deleted ones (dossier 3.3).
func (r *Remote) Lists(d *directory.UserDetail) bool { return d.User.State != directory.StateDeleted }

// Page reads a page of users. The first page is at "".
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	skip := 0
	if at != "" {
		n, err := strconv.Atoi(at)
		if err != nil {
			return directory.RecordPage{}, fmt.Errorf("%q is no page", at)
		}
		skip = n
	}
	q := web.Get(r.opts.BaseURL, fmt.Sprintf("%s?skip=%d&take=%d", r.opts.Path, skip, r.opts.Page), r.header)
	q.Secret = r.secret
	a, err := ask(ctx, q)
	if err != nil {
		return directory.RecordPage{}, err
	}
	body, err := q.Object(a, 2*maxDepth)
	if err != nil {
		return directory.RecordPage{}, err
	}
	users, state := body.Array("users")
	if state != web.Present {
		return directory.RecordPage{}, q.Unusable(a, "the answer has no users")
	}
	page := directory.RecordPage{}
	page.Total, _ = body.Int("totalCount")
	for i := range users {
		o, state := web.ObjectOf(users[i])
		if state != web.Present {
			return directory.RecordPage{}, q.Unusable(a, "users[%d] is no object", i)
		}
		out, err := record(&page, o)
		if err != nil {
			return directory.RecordPage{}, q.Unusable(a, "users[%d]: %v", i, err)
		}
		page.Records = append(page.Records, out)
	}
	if skip += len(users); len(users) > 0 && (page.Total == 0 || int64(skip) < page.Total) {
		page.Next = strconv.Itoa(skip)
	}
	return page, nil
}

// record converts a User by the functions that read requests; what answers alone have
// is read beside them (dossier 4.2).
func record(page *directory.RecordPage, o web.Object) (directory.Record, error) {
	in := &input{values: &values{body: o}}
	p := in.userPatch()
	out := directory.Record{
		GivenName: p.GivenName.Pointer(), FamilyName: p.FamilyName.Pointer(), Email: p.Email.Pointer(),
		LicenceType: p.LicenceType.Pointer(), Roles: p.Roles.Pointer(),
	}
	text := func(name string) *string {
		value, state := o.String(name)
		if state != web.Present {
			return nil
		}
		return &value
	}
	out.ID, out.UserName, out.DisplayName = text("uniqueID"), text("userName"), text("displayName")
	if out.DisplayName != nil && out.UserName != nil && *out.DisplayName == *out.UserName {
		*out.DisplayName = "" // what is shown where there is none
	}
	if status := text("status"); status != nil {
		state := directory.StateInactive
		if *status == statusOf(directory.StateActive) {
			state = directory.StateActive
		}
		out.Status = &state
	}
	phones := []directory.Phone{}
	for _, phone := range p.TypedPhones {
		if phone.Number != "" {
			phones = append(phones, phone)
		}
	}
	out.Phones = &phones
	place, _ := o.Object("company")
	company, _ := place.Object("company")
	if name, _ := company.String("name"); name != "" {
		out.CompanyName = &name
	}
	if location, state := place.Object("companyLocation"); state == web.Present && location.Len() > 0 {
		page.Leave("locations, which this API does not number")
	}
	out.Groups = recordGroups(p.Groups)
	for i := range in.faults {
		page.Leave(in.faults[i].Message)
	}
	if id := text("globalUserID"); id != nil && *id != "" && out.ID != nil && *id != *out.ID {
		if p.ExtraFields == nil {
			p.ExtraFields = map[string]json.RawMessage{}
		}
		p.ExtraFields["globalUserID"] = web.AppendString(nil, *id)
	}
	var err error
	out.Extras, err = directory.OwnFields(directory.DoorSmartapp, p.ExtraFields)
	return out, err
}

// recordGroups are the groups that changes name; nil where none is named.
func recordGroups(changes []directory.GroupChange) *[]directory.RecordGroup {
	if len(changes) == 0 {
		return nil
	}
	groups := []directory.RecordGroup{}
	for _, change := range changes {
		for _, g := range change.Groups {
			groups = append(groups, directory.RecordGroup{Kind: g.Kind, Key: directory.NameKey(g.Name), Name: g.Name})
		}
	}
	return &groups
}

// Shown is what this API shows of a user, as Page would read it.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	o, err := web.DecodeObject(appendUser(nil, d), 2*maxDepth)
	if err != nil {
		return directory.Record{}, err
	}
	return record(&directory.RecordPage{}, o)
}
