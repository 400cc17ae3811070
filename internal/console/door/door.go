// Package door is the console's pages about doors: which are open, at which hosts, how
// many requests they take, and a panel in which a request can be tried.
package door

import (
	"embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ list, one *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), one: k.Templates(files, "templates/one.html")}
	k.Get("/doors", p.showList)
	k.Post("/doors", p.save)
	k.Get("/doors/{name}", p.showOne)
	k.Post("/doors/{name}/try", p.try)
}

// known says what people call a door and what a first request to it is.
type known struct {
	Door          directory.Door
	Title         string
	Method, Path  string
	Header, Value string // how a key is sent; $KEY stands for it
}

var doors = []known{
	{directory.DoorCanonical, "The canonical API", "GET", "/api/v1/users?limit=2", "Authorization", "Bearer $KEY"},
	{directory.DoorSCIM, "SCIM 2.0", "GET", "/scim/v2/Users?count=2", "Authorization", "Bearer $KEY"},
	{directory.DoorIQmetrix, "iQmetrix User Manager", "GET", "/v1/Users?$top=2", "Authorization", "Bearer $KEY"},
	{directory.DoorEncore, "Actsoft Encore", "GET", "/users/v1/users", "Ocp-Apim-Subscription-Key", "$KEY"},
	{directory.DoorSmartapp, "Smartapp", "GET", "/user/list", "Authorization", "Bearer $KEY"},
	{directory.DoorEduBrite, "EduBrite", "GET", "/oltpublish/site/signinService.do", "", ""},
	{directory.DoorServiceMobility, "ServicePower ServiceMobility", "GET", "/seiapi/v3/users", "x-access-token", "$KEY"},
	{directory.DoorConsole, "This console", "", "", "", ""},
}

// row is a door of the list.
type row struct {
	known
	Name   string
	On     bool
	Served bool // by this process
	Limit  int  // requests a minute
}

type listView struct {
	Rows    []row
	Hosts   string // a line each
	Version int64
	Faults  page.Faults
}

// fields gives what the core calls fields their names in the form.
var fields = map[string]string{"hosts": "hosts", "doors": "doors"}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	t, err := r.Kit.Service.OwnTenant(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Hosts: strings.Join(t.Hosts, "\n"), Version: t.Version}
	for _, k := range doors {
		v.Rows = append(v.Rows, rowOf(r, k, t.Doors, &t.Settings))
	}
	return p.show(r, v)
}

func (p *pages) show(r *page.Request, v listView) (web.Response, error) {
	view := page.View{Title: "Doors", Section: "doors", Data: v}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.list, view)
}

func rowOf(r *page.Request, k known, on directory.DoorSet, s *directory.Settings) row {
	limit, set := s.RequestsPerMinute[k.Door.String()]
	if !set {
		limit = directory.DefaultRequestsPerMinute
	}
	return row{known: k, Name: k.Door.String(), On: on.Has(k.Door), Served: r.Kit.Options.Serves(k.Door), Limit: limit}
}

// save changes which doors are open, their limits and the hosts.
func (p *pages) save(r *page.Request) (web.Response, error) {
	values, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Hosts: values.Get("hosts"), Faults: page.Faults{}}
	v.Version, _ = strconv.ParseInt(values.Get("version"), 10, 64)
	limits := map[string]int{}
	var on directory.DoorSet
	for _, k := range doors {
		name := k.Door.String()
		if slices.Contains(values["doors"], name) {
			on |= directory.DoorSet(k.Door)
		}
		limit, err := strconv.Atoi(strings.TrimSpace(values.Get("limit-" + name)))
		if err != nil {
			v.Faults["limit-"+name] = "Give a number of requests a minute."
		}
		if limits[name] = limit; limit == directory.DefaultRequestsPerMinute {
			delete(limits, name)
		}
		shown := rowOf(r, k, on, &directory.Settings{RequestsPerMinute: map[string]int{name: limit}})
		v.Rows = append(v.Rows, shown)
	}
	if !v.Faults.Any() {
		err = p.write(r, v.Version, on, hosts(v.Hosts), limits)
		if err == nil {
			return r.Done("/doors", "Saved. It holds from the next request on."), nil
		}
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, limitFields()); !ok {
			return web.Response{}, err
		}
	}
	return p.show(r, v)
}

// limitFields gives the settings of limits the names of their fields in the form.
func limitFields() map[string]string {
	names := maps.Clone(fields)
	for _, k := range doors {
		names["requests_per_minute."+k.Door.String()] = "limit-" + k.Door.String()
	}
	return names
}

// hosts are the lines of the field.
func hosts(text string) []string { return strings.Fields(strings.ReplaceAll(text, ",", " ")) }

func (p *pages) write(r *page.Request, version int64, on directory.DoorSet, hosts []string, limits map[string]int) error {
	call := r.Call()
	call.If = page.IfVersion(version)
	_, err := r.Kit.Service.EditTenant(r.Context(), call, directory.TenantPatch{Doors: directory.Some(on), Hosts: directory.Some(hosts),
		Settings: func(now directory.Settings) (directory.Settings, error) {
			now.RequestsPerMinute = limits
			return now, nil
		}})
	return err
}
