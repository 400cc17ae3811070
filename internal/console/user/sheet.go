package user

import (
	"strconv"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// tab is a page about a user.
type tab struct{ Key, Text, Path string }

// sheet is what the head of every page about a user shows.
type sheet struct {
	*directory.UserSheet
	Name  string
	Path  string // of the user's pages, below page.Path
	Tab   string
	Tabs  []tab
	Deeds []deed // that are offered in the head
}

// read reads the user of the request.
func read(r *page.Request, tabKey string) (*sheet, error) {
	number := r.Number("number")
	if number == 0 {
		return nil, directory.Wrong(directory.CodeNotFound, directory.ReasonUserNotFound, "User not found.")
	}
	u, err := r.Kit.Service.UserSheet(r.Context(), r.Call(), directory.ByNumber(number))
	if err != nil {
		return nil, err
	}
	return sheetOf(&u, tabKey), nil
}

func sheetOf(u *directory.UserSheet, tabKey string) *sheet {
	s := &sheet{UserSheet: u, Name: page.FullName(&u.User), Path: "/users/" + strconv.FormatInt(u.User.Number, 10), Tab: tabKey}
	s.Tabs = []tab{{"", "Overview", s.Path}, {"memberships", "Memberships", s.Path + "/memberships"}, {"access", "Access", s.Path + "/access"}, {"seen", "As seen by", s.Path + "/seen"}}
	if u.May(directory.ActReadEvents) {
		s.Tabs = append(s.Tabs, tab{"history", "History", s.Path + "/history"})
	}
	s.Tabs = append(s.Tabs, tab{"past", "As of", s.Path + "/past"})
	for _, d := range deeds {
		if d.head && u.May(d.action) && d.fits(&u.User) {
			s.Deeds = append(s.Deeds, d)
		}
	}
	return s
}

// MayEdit reports whether the viewer is offered the form.
func (s *sheet) MayEdit() bool {
	return s.May(directory.ActUpdateUser) && s.User.State != directory.StateDeleted
}

// Asks reports whether what asks before something is done opens as a dialogue: not
// beside another form with fields of the same names.
func (s *sheet) Asks() bool { return s.Tab != "edit" && s.Tab != "do" }

// MayHistory reports whether the viewer can see what happened.
func (s *sheet) MayHistory() bool { return s.May(directory.ActReadEvents) }

// PoolTotal is how many seats there are of the user's licence type; -1 for no limit.
func (s *sheet) PoolTotal() int64 {
	if s.Pool.Value.Total >= directory.Unlimited {
		return -1
	}
	return s.Pool.Value.Total
}

// MayAssign, MayGrant and MayHold report what of the memberships the viewer can
// change.
func (s *sheet) MayAssign() bool { return s.living() && s.May(directory.ActAssign) }

// MayGrant is MayAssign for roles.
func (s *sheet) MayGrant() bool { return s.living() && s.May(directory.ActGrantRole) }

// MayHold is MayAssign for holds, which can be released of a deleted user too.
func (s *sheet) MayHold() bool { return s.May(directory.ActHold) }

// MaySignOut reports whether the viewer can end the user's sessions.
func (s *sheet) MaySignOut() bool { return s.living() && s.May(directory.ActSignOut) }

func (s *sheet) living() bool { return s.User.State != directory.StateDeleted }

// view is a page about a user.
func (s *sheet) view(title string, data any) page.View {
	v := page.View{Title: s.Name, Section: "users", Data: data, Scripts: []string{"user.js"}, Crumbs: []page.Crumb{{Text: "Users", Path: "/users"}}}
	if title != "" {
		v.Title = title + " · " + s.Name
		v.Crumbs = append(v.Crumbs, page.Crumb{Text: s.Name, Path: s.Path})
	}
	return v
}

// showView is the first page about a user.
type showView struct {
	*sheet
	Facts  []shown
	Extras []extra
}

// extra is what a door keeps of a user by itself.
type extra struct{ Name, Text string }

func (p *pages) showOne(r *page.Request) (web.Response, error) {
	s, err := read(r, "")
	if err != nil {
		return web.Response{}, err
	}
	v := showView{sheet: s, Facts: facts(&s.User), Extras: extras(&s.User)}
	return r.Page(p.show, s.view("", &v))
}

// accessView is with what a user signs in.
type accessView struct {
	*sheet
	Offered []deed
}

func (p *pages) showAccess(r *page.Request) (web.Response, error) {
	s, err := read(r, "access")
	if err != nil {
		return web.Response{}, err
	}
	v := accessView{sheet: s}
	for _, d := range deeds {
		if !d.head && s.May(d.action) && d.fits(&s.User) && (d.Key != "factor" || !s.Factor.IsZero()) {
			v.Offered = append(v.Offered, d)
		}
	}
	return r.Page(p.access, s.view("Access", &v))
}

// endSession ends one sign-in.
func (p *pages) endSession(r *page.Request) (web.Response, error) {
	number := r.Number("number")
	err := r.Kit.Service.EndSession(r.Context(), r.Call(), directory.ByNumber(number), r.PathValue("session"))
	if err != nil && !directory.IsReason(err, directory.ReasonSessionNotFound) {
		return web.Response{}, err
	}
	return r.Done("/users/"+strconv.FormatInt(number, 10)+"/access", "The session has ended."), nil
}
