package user

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// belongsView is what a user belongs to: groups, locations, roles and holds.
type belongsView struct {
	*sheet
	AddGroups, AddRoles, AddPlaces []choice
	MoreGroups, MoreRoles          bool
	HoldKinds                      []choice
	Faults                         page.Faults
	Typed                          url.Values
}

// holdKinds are the kinds of holds, with what they block.
var holdKinds = []choice{{string(directory.HoldOpenOrders), "Open orders: not deactivated or deleted"}, {string(directory.HoldAssignedVehicle), "Assigned vehicle: not deactivated or deleted"},
	{string(directory.HoldVehicleRemoved), "Vehicle removed: not activated"}, {string(directory.HoldLegal), "Legal: not deleted or erased"}}

func (p *pages) showMemberships(r *page.Request) (web.Response, error) {
	return p.memberships(r, belongsView{})
}

func (p *pages) memberships(r *page.Request, v belongsView) (web.Response, error) {
	var err error
	if v.sheet, err = read(r, "memberships"); err != nil {
		return web.Response{}, err
	}
	c, err := r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown)
	if err != nil {
		return web.Response{}, err
	}
	v.HoldKinds, v.MoreGroups, v.MoreRoles = holdKinds, c.MoreGroups, c.MoreRoles
	for i := range c.Groups {
		g := &c.Groups[i]
		if !slices.ContainsFunc(v.Groups, func(m directory.Membership) bool { return m.Group.Number == g.Number }) {
			v.AddGroups = append(v.AddGroups, choice{strconv.FormatInt(g.Number, 10), g.Name + kindText(g.Kind)})
		}
	}
	for i := range c.Roles {
		role := &c.Roles[i]
		if !slices.ContainsFunc(v.Roles, func(h directory.HeldRole) bool { return h.Role.Number == role.Number }) {
			v.AddRoles = append(v.AddRoles, choice{strconv.FormatInt(role.Number, 10), role.Name})
		}
	}
	for i := range v.Places {
		l := &v.Places[i]
		if !slices.ContainsFunc(v.Locations, func(have directory.Location) bool { return have.Number == l.Number }) {
			v.AddPlaces = append(v.AddPlaces, choice{strconv.FormatInt(l.Number, 10), l.Name})
		}
	}
	view := v.view("Memberships", &v)
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.belongs, view)
}

func kindText(k directory.GroupKind) string {
	switch k {
	case directory.GroupDashboard:
		return " (dashboard)"
	case directory.GroupServiceTeam:
		return " (service team)"
	}
	return ""
}

// changes are what the forms of the page do, by the value of their buttons.
var changes = map[string]struct {
	done string
	run  func(*page.Request, directory.UserRef, url.Values) error
}{
	"add_group":       {"Added to the group.", changeGroup(directory.GroupsAdd)},
	"remove_group":    {"Removed from the group.", changeGroup(directory.GroupsRemove)},
	"give_role":       {"The role was given.", giveRole},
	"take_role":       {"The role was taken.", takeRole},
	"add_location":    {"The location was added.", changePlace((*directory.Service).AssignLocation)},
	"remove_location": {"The location was taken away.", changePlace((*directory.Service).UnassignLocation)},
	"place_hold":      {"The hold was placed.", changeHold((*directory.Service).PlaceHold)},
	"release_hold":    {"The hold was released.", changeHold((*directory.Service).ReleaseHold)},
}

func (p *pages) changeMemberships(r *page.Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	change, known := changes[form.Get("change")]
	if !known {
		return web.Response{}, directory.Invalid("change", directory.ReasonFieldValue, "There is no such change.")
	}
	number := r.Number("number")
	if err := change.run(r, directory.ByNumber(number), form); err != nil {
		v := belongsView{Typed: form}
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, map[string]string{"groups": "", "roles": "", "locations": ""}); !ok {
			return web.Response{}, err
		}
		return p.memberships(r, v)
	}
	return r.Done("/users/"+strconv.FormatInt(number, 10)+"/memberships", change.done), nil
}

// chosen reads a number of a form.
func chosen(form url.Values, name, what string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(form.Get(name)), 10, 64)
	if err != nil || n < 1 || n > directory.MaxNumber {
		return 0, directory.Invalid(name, directory.ReasonFieldValue, "Choose %s.", what)
	}
	return n, nil
}

// why is a call with the reason of a form.
func why(r *page.Request, form url.Values) *directory.Call {
	call := r.Call()
	call.Reason = strings.TrimSpace(form.Get("reason"))
	return call
}

func changeGroup(mode directory.GroupMode) func(*page.Request, directory.UserRef, url.Values) error {
	return func(r *page.Request, ref directory.UserRef, form url.Values) error {
		n, err := chosen(form, "group", "a group")
		if err != nil {
			return err
		}
		_, err = r.Kit.Service.ChangeGroups(r.Context(), why(r, form), ref, 0, directory.GroupChange{Mode: mode, Groups: []directory.GroupRef{{Number: n}}})
		return err
	}
}

func giveRole(r *page.Request, ref directory.UserRef, form url.Values) error {
	n, err := chosen(form, "role", "a role")
	if err != nil {
		return err
	}
	_, _, err = r.Kit.Service.AssignRole(r.Context(), why(r, form), ref, n, 0)
	return err
}

func takeRole(r *page.Request, ref directory.UserRef, form url.Values) error {
	n, err := chosen(form, "role", "a role")
	if err != nil {
		return err
	}
	return r.Kit.Service.UnassignRole(r.Context(), why(r, form), ref, n)
}

func changePlace(use func(*directory.Service, context.Context, *directory.Call, directory.UserRef, int64) error) func(*page.Request, directory.UserRef, url.Values) error {
	return func(r *page.Request, ref directory.UserRef, form url.Values) error {
		n, err := chosen(form, "location", "a location")
		if err != nil {
			return err
		}
		return use(r.Kit.Service, r.Context(), why(r, form), ref, n)
	}
}

func changeHold(use func(*directory.Service, context.Context, *directory.Call, directory.UserRef, directory.Hold) error) func(*page.Request, directory.UserRef, url.Values) error {
	return func(r *page.Request, ref directory.UserRef, form url.Values) error {
		return use(r.Kit.Service, r.Context(), why(r, form), ref, directory.Hold{Kind: directory.HoldKind(form.Get("kind")), Source: strings.TrimSpace(form.Get("source")), Ref: strings.TrimSpace(form.Get("ref"))})
	}
}
