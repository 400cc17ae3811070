package servicemobility

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which API is read and how. There is no list of users in any
// version of the vendor's API, so that it is said who is read: those of service teams,
// those who hold roles, and single ones.
type RemoteOptions struct {
	BaseURL             string
	Teams, Roles, Users []string // ids
	// Token is a credential; else one is made for a user (dossier 2.1), or else a
	// customer's id and code go with every request (dossier 2.3).
	Token                      string
	User, Password             string
	CustomerID, CustomerSecret string
	Page                       int // users of a page; 0: 100
	Parallel                   int // requests at a time; 0: 1
	NoRoles                    bool
}

// Remote reads the users of an API that is served elsewhere, with the functions by
// which this door reads requests.
type Remote struct {
	opts   RemoteOptions
	header http.Header
	secret url.Values
	users  []string            // whom to read, in order; nil before it is known
	teams  map[string][]string // of a user: teams that were asked for
	names  map[string]string   // of teams
}

// The paths of this door that are read (dossier 3.1, 3.3).
const (
	remoteUser = "/seiapi/v3/trans/User/"
	remoteRole = "/seiapi/v3/trans/role/"
	remoteTeam = "/seiapi/v3/ServiceTeam/"
)

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 {
		o.Page = 100
	}
	r := &Remote{opts: o, names: map[string]string{}}
	switch {
	case o.Token != "":
		r.header = token(o.Token)
	case o.CustomerID != "":
		r.secret = url.Values{"customerid": {o.CustomerID}, "customercode": {o.CustomerSecret}}
	}
	return r
}

func token(text string) http.Header { return http.Header{"X-Access-Token": {text}} }

// SignIn makes a token for a user, unless another credential was named.
func (r *Remote) SignIn(ctx context.Context, ask web.Ask) error {
	if r.opts.Token != "" || r.opts.CustomerID != "" {
		return nil
	}
	body := appendText(appendText(nil, `{"username":`, r.opts.User), `,"password":`, r.opts.Password)
	q := &web.RemoteRequest{Method: http.MethodPost, URL: strings.TrimRight(r.opts.BaseURL, "/") + "/createjwt", Body: append(body, '}'),
		Header: http.Header{"Content-Type": {contentJSON}}}
	a, err := ask(ctx, q)
	if err != nil {
		return err
	}
	o, err := q.Object(a, maxDepth)
	if err != nil {
		return err
	}
	text, _ := o.String("token")
	if text == "" {
		return q.Unusable(a, "the answer has no token")
	}
	r.header = token(text)
	return nil
}

// Complete reports that nobody can say whether all users were read.
func (r *Remote) Complete() bool { return false }

// Lists reports whether a user would be read: who is here and not there cannot be told.
func (r *Remote) Lists(*directory.UserDetail) bool { return false }

// get reads an object; ok is false for what does not exist.
func (r *Remote) get(ctx context.Context, ask web.Ask, path string) (o web.Object, q *web.RemoteRequest, ok bool, err error) {
	q = web.Get(r.opts.BaseURL, path, r.header)
	q.Secret = r.secret
	a, err := ask(ctx, q)
	if err != nil || a.Status == http.StatusGone {
		return o, q, false, err
	}
	o, err = q.Object(a, maxDepth)
	return o, q, err == nil, err
}

// list reads a list of ids that must exist.
func (r *Remote) list(ctx context.Context, ask web.Ask, path, name string) ([]string, error) {
	o, q, ok, err := r.get(ctx, ask, path)
	if err == nil && !ok {
		err = &web.RemoteError{Request: q.String(), Status: http.StatusGone, Message: "there is none of this id"}
	}
	if err != nil {
		return nil, err
	}
	var f faults
	ids := f.texts(o, name)
	if len(f.list) > 0 {
		return nil, &web.RemoteError{Request: q.String(), Status: http.StatusOK, Message: f.list[0].Message}
	}
	return ids, nil
}

// find reads whom to read, once.
func (r *Remote) find(ctx context.Context, ask web.Ask) error {
	if r.users != nil {
		return nil
	}
	users, teams := slices.Clone(r.opts.Users), map[string][]string{}
	for _, id := range r.opts.Teams {
		members, err := r.list(ctx, ask, remoteTeam+url.PathEscape(id)+"/Users", "Users")
		if err != nil {
			return err
		}
		for _, user := range members {
			users, teams[user] = append(users, user), append(teams[user], id)
		}
	}
	for _, id := range r.opts.Roles {
		holders, err := r.list(ctx, ask, remoteRole+url.PathEscape(id)+"/users", "Users")
		if err != nil {
			return err
		}
		users = append(users, holders...)
	}
	slices.Sort(users)
	r.users, r.teams = append([]string{}, slices.Compact(users)...), teams
	return nil
}

// Page reads a page of users. at is the id of the last user of the page before: the
// order holds when somebody joins or leaves meanwhile.
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	if err := r.find(ctx, ask); err != nil {
		return directory.RecordPage{}, err
	}
	from, found := slices.BinarySearch(r.users, at)
	if found {
		from++
	}
	ids := r.users[from:min(from+r.opts.Page, len(r.users))]
	users := make([]web.Object, len(ids))
	roles := make([][]string, len(ids))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(max(1, r.opts.Parallel))
	for i := range ids {
		group.Go(func() (err error) {
			path := remoteUser + url.PathEscape(ids[i])
			if users[i], _, _, err = r.get(inner, ask, path); err != nil || r.opts.NoRoles || users[i].Len() == 0 {
				return err
			}
			roles[i], err = r.list(inner, ask, path+"/roles", "Roles")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return directory.RecordPage{}, err
	}
	page := directory.RecordPage{Total: int64(len(r.users))}
	for i, o := range users {
		if o.Len() == 0 {
			page.Leave("users who are gone")
			continue
		}
		out := record(&page, o)
		if !r.opts.NoRoles {
			out.Roles = new(append([]string{}, roles[i]...))
		}
		if err := r.addTeams(ctx, ask, o, ids[i], &out); err != nil {
			return directory.RecordPage{}, err
		}
		page.Records = append(page.Records, out)
	}
	if from+len(ids) < len(r.users) {
		page.Next = ids[len(ids)-1]
	}
	return page, nil
}

// addTeams gives a record its teams: the one that the user shows first, and those that
// were asked for.
func (r *Remote) addTeams(ctx context.Context, ask web.Ask, o web.Object, id string, out *directory.Record) error {
	first, _ := o.String("ServiceTeamID")
	ids := append([]string{}, first)
	for _, of := range r.teams[id] {
		if of != first {
			ids = append(ids, of)
		}
	}
	groups := []directory.RecordGroup{}
	for _, key := range ids {
		if key == "" {
			continue
		}
		if _, known := r.names[key]; !known {
			team, _, _, err := r.get(ctx, ask, remoteTeam+url.PathEscape(key))
			if err != nil {
				return err
			}
			r.names[key], _ = team.String("Name")
		}
		groups = append(groups, directory.RecordGroup{Kind: directory.GroupServiceTeam, Key: key, Name: r.names[key]})
	}
	out.Groups = &groups
	return nil
}

// record converts a User by the function that reads a PUT.
func record(page *directory.RecordPage, o web.Object) directory.Record {
	id, _ := o.String("UserID")
	x := &exchange{ids: []string{id}}
	r := userReplacement(x, o)
	p := &r.fields
	out := directory.Record{UserName: &id, Email: p.Email.Pointer(), GivenName: p.GivenName.Pointer(), FamilyName: p.FamilyName.Pointer(),
		Locked: p.Locked.Pointer(), Phones: p.Phones.Pointer(), StorageLocation: p.StorageLocation.Pointer(), Status: p.State.Pointer(),
		Language: p.Language.Pointer()}
	if *out.Phones == nil {
		*out.Phones = []directory.Phone{}
	}
	if own := p.Extras.Value; len(own) > 0 {
		out.Extras = map[string]json.RawMessage{directory.DoorServiceMobility.String(): own}
	}
	for range x.faults.list {
		page.Leave("values that a User cannot have")
	}
	return out
}

// Shown is what this API shows of a user, as Page would read it.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	o, err := web.DecodeObject(appendUser(nil, d), maxDepth)
	if err != nil {
		return directory.Record{}, err
	}
	out := record(&directory.RecordPage{}, o)
	if !r.opts.NoRoles {
		keys := roleIDs(d.Roles)
		out.Roles = &keys
	}
	groups := []directory.RecordGroup{}
	for i := range d.Groups {
		g := &d.Groups[i].Group
		if g.Kind == directory.GroupServiceTeam && (len(groups) == 0 || slices.Contains(r.opts.Teams, g.Key)) {
			groups = append(groups, directory.RecordGroup{Kind: g.Kind, Key: g.Key, Name: g.Name})
		}
	}
	out.Groups = &groups
	return out, nil
}
