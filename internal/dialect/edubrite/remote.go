package edubrite

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// RemoteOptions say which API is read and how.
type RemoteOptions struct {
	BaseURL        string // in front of /oltpublish
	User, Password string // of the API user (dossier 2.2)
	ActAs          string // user name of the person whose rights count (dossier 2.3)
	Page           int    // users of a page; 0: 500
	NoGroups       bool   // groups are not read
}

// Remote reads the users of an API that is served elsewhere.
type Remote struct {
	opts   RemoteOptions
	header http.Header
	groups []directory.RecordGroup
	member map[uint64][]int32 // indexes of groups, by the hash of a user's id; nil before they are read
}

// NewRemote makes a reader.
func NewRemote(o RemoteOptions) *Remote {
	if o.Page <= 0 || o.Page > maxPageSize {
		o.Page = 500
	}
	return &Remote{opts: o}
}

// SignIn opens a session in the two steps of dossier 2.2.
func (r *Remote) SignIn(ctx context.Context, ask web.Ask) error {
	q := web.Get(r.opts.BaseURL, sitePath+"home.do", nil)
	id, err := r.cookie(ctx, ask, q, cookieID)
	if err != nil {
		return err
	}
	form := url.Values{"username": {r.opts.User}, "password": {r.opts.Password}, "dispatch": {"connect"}}
	q = &web.RemoteRequest{Method: http.MethodPost, URL: strings.TrimRight(r.opts.BaseURL, "/") + sitePath + "connect.do", Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {cookieID + "=" + id}}}
	info, err := r.cookie(ctx, ask, q, cookieInfo)
	if err != nil {
		return err
	}
	r.header = http.Header{"Cookie": {cookieID + "=" + id + "; " + cookieInfo + "=" + info}, actAsHeader: {r.opts.ActAs}}
	return nil
}

// The header of the acting user, in the letters in which clients send it, and where
// actions are (dossier 2.1, 2.3).
const (
	actAsHeader = "REAL_UNAME"
	sitePath    = "/oltpublish/site/"
)

// cookie sends a request and reads a cookie of its answer.
func (r *Remote) cookie(ctx context.Context, ask web.Ask, q *web.RemoteRequest, name string) (string, error) {
	a, err := ask(ctx, q)
	if err != nil {
		return "", err
	}
	if _, err := readEnvelope(q, a); err != nil {
		return "", err
	}
	for _, cookie := range (&http.Response{Header: a.Header}).Cookies() {
		if cookie.Name == name && sessionText(cookie.Value) {
			return cookie.Value, nil
		}
	}
	return "", q.Unusable(a, "the answer sets no cookie %s", name)
}

// Complete reports that the list has all users.
func (r *Remote) Complete() bool { return true }

// Lists reports whether the list would have a user: all but deleted ones.
func (r *Remote) Lists(d *directory.UserDetail) bool { return d.User.State != directory.StateDeleted }

// list reads a page of a list.
func (r *Remote) list(ctx context.Context, ask web.Ask, action string, page int, parameters url.Values) (*answerXML, *web.RemoteRequest, *web.RemoteAnswer, error) {
	q := web.Get(r.opts.BaseURL, sitePath+action+"&"+parameters.Encode()+fmt.Sprintf("&currPage=%d&pageSize=%d", page, r.opts.Page), r.header)
	a, err := ask(ctx, q)
	if err != nil {
		return nil, q, nil, err
	}
	e, err := readEnvelope(q, a)
	return e, q, a, err
}

// Page reads a page of users. The first page is at "".
func (r *Remote) Page(ctx context.Context, ask web.Ask, at string) (directory.RecordPage, error) {
	if err := r.readGroups(ctx, ask); err != nil {
		return directory.RecordPage{}, err
	}
	number := 0
	if at != "" {
		n, err := strconv.Atoi(at)
		if err != nil {
			return directory.RecordPage{}, fmt.Errorf("%q is no page", at)
		}
		number = n
	}
	e, q, a, err := r.list(ctx, ask, "userService.do?dispatch=list", number, url.Values{"sortAsc": {"true"}})
	if err != nil {
		return directory.RecordPage{}, err
	}
	if e.Users == nil {
		return directory.RecordPage{}, q.Unusable(a, "the answer has no users")
	}
	page := directory.RecordPage{Total: e.Users.Items}
	for i := range e.Users.List {
		out, err := r.record(&page, &e.Users.List[i])
		if err != nil {
			return directory.RecordPage{}, q.Unusable(a, "user %d of the page: %v", i+1, err)
		}
		page.Records = append(page.Records, out)
	}
	if more(&e.Users.listXML, number, len(e.Users.List), r.opts.Page) {
		page.Next = strconv.Itoa(number + 1)
	}
	return page, nil
}

// more reports whether a page follows: pages are as long as the answer says, and
// shorter than asked for where the server bounds them (dossier 5.22).
func more(list *listXML, page, have, asked int) bool {
	size := list.Size
	if size <= 0 {
		size = int64(asked)
	}
	return have > 0 && (list.Items == 0 || (int64(page)+1)*size < list.Items)
}

// readGroups reads who is in which group, once: users do not show their groups
// (dossier 4.3), so that each group's users are listed.
func (r *Remote) readGroups(ctx context.Context, ask web.Ask) error {
	if r.member != nil || r.opts.NoGroups {
		return nil
	}
	var groups []directory.RecordGroup
	var ids []string
	for page := 0; ; page++ {
		e, q, a, err := r.list(ctx, ask, "groupService.do?dispatch=listSiteGroups", page, nil)
		if err != nil {
			return err
		}
		if e.Groups == nil {
			return q.Unusable(a, "the answer has no groups")
		}
		for _, g := range e.Groups.List {
			if len(ids) > 0 && ids[len(ids)-1] == g.ID || len(ids) > maxGroups {
				return q.Unusable(a, "the groups do not end")
			}
			groups = append(groups, directory.RecordGroup{Kind: directory.GroupPlain, Key: directory.NameKey(g.Name), Name: g.Name})
			ids = append(ids, g.ID)
		}
		if !more(&e.Groups.listXML, page, len(e.Groups.List), r.opts.Page) {
			break
		}
	}
	member := map[uint64][]int32{}
	for i := range ids {
		if err := r.readMembers(ctx, ask, ids[i], int32(i), member); err != nil {
			return err
		}
	}
	r.groups, r.member = groups, member
	return nil
}

// maxGroups bounds the groups of a site.
const maxGroups = 100_000

// readMembers notes who is in a group.
func (r *Remote) readMembers(ctx context.Context, ask web.Ask, id string, index int32, member map[uint64][]int32) error {
	for page := 0; ; page++ {
		e, q, a, err := r.list(ctx, ask, "userService.do?dispatch=list", page, url.Values{"groupId": {id}})
		if err != nil {
			return err
		}
		if e.Users == nil {
			return q.Unusable(a, "the answer has no users")
		}
		fresh := false
		for i := range e.Users.List {
			key := hashOf(e.Users.List[i].ID)
			if of := member[key]; len(of) == 0 || of[len(of)-1] != index {
				member[key], fresh = append(of, index), true
			}
		}
		if !fresh || !more(&e.Users.listXML, page, len(e.Users.List), r.opts.Page) {
			return nil
		}
	}
}

func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // cannot fail
	return h.Sum64()
}

// record converts a user (dossier 4.3).
func (r *Remote) record(page *directory.RecordPage, u *userXML) (directory.Record, error) {
	state := directory.StateInactive
	if u.Status == status(&directory.User{State: directory.StateActive}) {
		state = directory.StateActive
	}
	out := directory.Record{UserName: &u.UserName, GivenName: &u.FirstName, FamilyName: &u.LastName, Email: &u.Email, Status: &state}
	if _, err := uuid.Parse(u.ID); err == nil {
		out.ID = &u.ID
	} else {
		page.Leave("ids that are no UUIDs")
	}
	rank := directory.RankSelf.String()
	if u.SiteRole == roleAdmin { // the other roles say nothing of those that this API does not show
		rank = directory.RankAdministrator.String()
		out.Roles = &[]string{rank}
	}
	out.Rank = &rank
	if r.member != nil {
		groups := []directory.RecordGroup{}
		for _, index := range r.member[hashOf(u.ID)] {
			groups = append(groups, r.groups[index])
		}
		out.Groups = &groups
	}
	own := u.properties()
	if u.SiteRole == roleInstructor {
		own[memberSiteRole] = jsonText(roleInstructor)
	}
	var err error
	out.Extras, err = directory.OwnFields(directory.DoorEduBrite, own)
	return out, err
}

// Shown is what this API shows of a user, as Page would read it.
func (r *Remote) Shown(d *directory.UserDetail) (directory.Record, error) {
	body, err := success(codeSuccess, textSuccess, appendUsers(nil, &directory.DetailPage{Users: []directory.UserDetail{*d}, Total: 1}, page{size: 1}, ""))
	if err != nil {
		return directory.Record{}, err
	}
	e, err := readXML(body.Body)
	if err != nil {
		return directory.Record{}, err
	}
	out, err := r.record(&directory.RecordPage{}, &e.Users.List[0])
	if err != nil || r.opts.NoGroups {
		return out, err
	}
	groups := []directory.RecordGroup{}
	for i := range d.Groups {
		if g := &d.Groups[i].Group; g.Kind == directory.GroupPlain {
			groups = append(groups, directory.RecordGroup{Kind: g.Kind, Key: directory.NameKey(g.Name), Name: g.Name})
		}
	}
	out.Groups = &groups
	return out, nil
}
