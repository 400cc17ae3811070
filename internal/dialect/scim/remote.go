package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which service is read and how.
type RemoteOptions struct {
	BaseURL string // as in https://example.com/scim/v2
	Token   string
	Page    int  // users of a page; 0: 100
	Cursor  bool // pages are named by cursors (RFC 9865) and not by index
}

// Remote reads the users of a service elsewhere, with the functions by which this door
// reads requests.
type Remote struct {
	opts   RemoteOptions
	header http.Header
}

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 {
		o.Page = 100
	}
	return &Remote{opts: o, header: http.Header{"Authorization": {"Bearer " + o.Token}, "Accept": {"application/scim+json, application/json"}}}
}

// SignIn has nothing to do: the token goes with every request.
func (r *Remote) SignIn(context.Context, web.Ask) error { return nil }

// Complete reports that the list has all users.
func (r *Remote) Complete() bool { return true }

// Lists reports whether the list would have a user: all but deleted ones.
func (r *Remote) Lists(d *directory.UserDetail) bool { return d.User.State != directory.StateDeleted }

// The two ways to say where a page is.
const (
	pageByIndex  = "index:"
	pageByCursor = "cursor:"
)

// Page reads a page of users. The first page is at "".
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	start, place := 1, fmt.Sprintf("startIndex=1&count=%d", r.opts.Page)
	cursor, byCursor := strings.CutPrefix(at, pageByCursor)
	switch {
	case byCursor || at == "" && r.opts.Cursor:
		place, byCursor = fmt.Sprintf("cursor=%s&count=%d", url.QueryEscape(cursor), r.opts.Page), true
	case at != "":
		n, err := strconv.Atoi(strings.TrimPrefix(at, pageByIndex))
		if err != nil {
			return directory.RecordPage{}, fmt.Errorf("%q is no page", at)
		}
		start, place = n, fmt.Sprintf("startIndex=%d&count=%d", n, r.opts.Page)
	}
	q := web.Get(r.opts.BaseURL, "/Users?"+place, r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return directory.RecordPage{}, err
	}
	body, err := q.Object(a, 0)
	if err != nil {
		return directory.RecordPage{}, err
	}
	users, state := body.Array("Resources")
	if state == web.Mistyped {
		return directory.RecordPage{}, q.Unusable(a, "Resources is no array")
	}
	page := directory.RecordPage{}
	page.Total, _ = body.Int("totalResults")
	for i := range users {
		o, state := web.ObjectOf(users[i])
		if state != web.Present {
			return directory.RecordPage{}, q.Unusable(a, "Resources[%d] is no object", i)
		}
		out, err := record(&page, o)
		if err != nil {
			return directory.RecordPage{}, q.Unusable(a, "Resources[%d]: %v", i, err)
		}
		page.Records = append(page.Records, out)
	}
	next, _ := body.String("nextCursor")
	switch {
	case byCursor && next != "":
		page.Next = pageByCursor + next
	case byCursor || len(users) == 0:
	case int64(start+len(users)) <= page.Total:
		page.Next = pageByIndex + strconv.Itoa(start+len(users))
	}
	return page, nil
}

// record converts a User by the setters that read requests. What is wrong with it is
// left out and counted.
func record(page *directory.RecordPage, o web.Object) (directory.Record, error) {
	c, err := convertUser(o, func(a *attribute, present bool) bool {
		return a.id != atPassword && (present || !keptByReplace[a.id])
	})
	if err != nil {
		if len(c.bad) == 0 {
			return directory.Record{}, err
		}
		page.Leave("values of a wrong type")
	}
	p := &c.patch
	status := p.State
	if !status.Set {
		status = directory.Some(directory.StateActive) // dossier 5.5
	}
	out := directory.Record{
		UserName: p.UserName.Pointer(), GivenName: p.GivenName.Pointer(), FamilyName: p.FamilyName.Pointer(),
		DisplayName: p.DisplayName.Pointer(), Title: p.Title.Pointer(), Language: p.Language.Pointer(), TimeZone: p.TimeZone.Pointer(),
		Email: p.Email.Pointer(), Phones: p.Phones.Pointer(), Address: p.Address.Pointer(), EmployeeNumber: p.EmployeeNumber.Pointer(),
		LicenceType: p.LicenceType.Pointer(), Status: status.Pointer(),
	}
	if id, _ := o.String("id"); id != "" {
		if _, err := uuid.Parse(id); err == nil {
			out.ID = &id
		} else {
			page.Leave("ids that are no UUIDs")
		}
	}
	if id, _ := o.String("externalId"); id != "" {
		page.Leave("external ids, which belong to a credential")
	}
	if p.PlainRoles.Set {
		out.Roles = new(append([]string{}, p.PlainRoles.Value.Keys...))
	}
	out.Groups = groupsOf(o)
	if err := leaveShown(o, &out, p.ExtraFields); err != nil {
		return out, err
	}
	out.Extras, err = directory.OwnFields(directory.DoorSCIM, p.ExtraFields)
	return out, err
}

// groupsOf are the groups of a User (RFC 7643 section 4.1.2); without the attribute
// there are none.
func groupsOf(o web.Object) *[]directory.RecordGroup {
	groups := []directory.RecordGroup{}
	list, _ := o.Array("groups")
	for _, raw := range list {
		group, _ := web.ObjectOf(raw)
		name, _ := group.String("display")
		if kind, _ := group.String("type"); name != "" && kind != "indirect" {
			groups = append(groups, directory.RecordGroup{Kind: directory.GroupPlain, Key: directory.NameKey(name), Name: name})
		}
	}
	return &groups
}

// leaveShown takes out of the door's own fields what would be shown without them, as
// replacementOf does: kept, it would be there still when that of which it is put
// together has changed.
func leaveShown(o web.Object, out *directory.Record, own map[string]json.RawMessage) error {
	detail := out.Detail(nil)
	var v userView
	shown, err := web.DecodeObject(v.appendUser(nil, &detail), 0)
	if err != nil {
		return err
	}
	for _, id := range putTogether {
		name := userAttributeOf[id].name
		sent, _ := o.Get(name)
		have, _ := shown.Get(name)
		if len(sent) == 0 || len(have) == 0 || !sameValue(sent, have) {
			continue
		}
		for _, member := range keptOf[id] {
			delete(own, member)
		}
	}
	return nil
}

// keptOf are the members of the door's own fields in which the rest of an attribute is
// kept.
var keptOf = map[attributeID][]string{atName: {"name"}, atEmails: {"email", "emails"}, atPhoneNumbers: {"phones"},
	atAddresses: {"address", "addresses"}, atRoles: {"roles"}}

// Shown is what this API shows of a user, as Page would read it.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	var v userView
	o, err := web.DecodeObject(v.appendUser(nil, d), 0)
	if err != nil {
		return directory.Record{}, err
	}
	return record(&directory.RecordPage{}, o)
}
