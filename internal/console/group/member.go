package group

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// oneView is a group with a page of its members.
type oneView struct {
	Group   directory.Group
	Members directory.MemberPage
	Next    string
	Typed   string
	Faults  page.Faults
}

func (p *pages) showOne(r *page.Request) (web.Response, error) { return p.oneWith(r, "", nil) }

// oneWith shows a group, and what was wrong with a member who was to be added.
func (p *pages) oneWith(r *page.Request, typed string, faults page.Faults) (web.Response, error) {
	people, err := r.Kit.Service.ListMembers(r.Context(), r.Call(), directory.GroupRef{ID: r.PathValue("id")}, 100, r.URL.Query().Get("cursor"))
	if err != nil {
		return web.Response{}, err
	}
	v := oneView{Group: people.Group, Members: people, Typed: typed, Faults: faults}
	if people.Next != "" {
		v.Next = page.Link("/groups/"+people.Group.ID, "cursor", people.Next)
	}
	view := page.View{Title: people.Group.Name, Section: "groups", Data: v, Crumbs: []page.Crumb{{Text: "Groups", Path: "/groups?kind=" + string(people.Group.Kind)}}}
	if faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.one, view)
}

// refer names a user by number, or by user name or address.
func refer(text string) directory.UserRef {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return directory.ByNumber(n)
	}
	return directory.ByHandle(directory.SpaceLogin, text)
}

func (p *pages) add(r *page.Request) (web.Response, error) {
	typed := r.Value("user")
	if strings.TrimSpace(typed) == "" {
		return p.oneWith(r, typed, page.Faults{"user": "Give a user name, an e-mail address or a number."})
	}
	_, err := r.Kit.Service.EditGroup(r.Context(), r.Call(), directory.GroupRef{ID: r.PathValue("id")}, directory.GroupEdit{Add: []directory.UserRef{refer(typed)}})
	if directory.AsError(err).Reason == directory.ReasonUserNotFound {
		return p.oneWith(r, typed, page.Faults{"user": "There is no such user."})
	}
	if err != nil {
		return web.Response{}, err
	}
	return r.Done("/groups/"+r.PathValue("id"), "Added."), nil
}

func (p *pages) remove(r *page.Request) (web.Response, error) {
	_, err := r.Kit.Service.EditGroup(r.Context(), r.Call(), directory.GroupRef{ID: r.PathValue("id")}, directory.GroupEdit{Remove: []directory.UserRef{refer(r.Value("user"))}})
	if err != nil {
		return web.Response{}, err
	}
	return r.Done("/groups/"+r.PathValue("id"), "Removed."), nil
}
