// Package audit is the console's pages about what has happened: the events of the
// tenant, and the proof that nobody has changed them.
package audit

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ list, verified *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), verified: k.Templates(files, "templates/verified.html")}
	k.Get("/audit", p.showList)
	k.Post("/audit/verify", p.verify)
	k.Get("/audit/checkpoint", p.checkpoint)
}

// verifying is how much longer than other answers a verification may take.
const verifying = 2 * time.Minute

// change is a field of an event that changed.
type change struct {
	Field         string
	Before, After string
}

// row is an event of the list.
type row struct {
	directory.Event
	Changes []change
	Erased  bool
}

type listView struct {
	Types, Doors                    []string
	Type, Door, User, Actor, Reason string
	Origin, From, To                string
	Rows                            []row
	Next                            string
	Filtered                        bool
	Faults                          page.Faults
	Empty                           bool // the page has nothing though more follows
}

// read reads the filters of the page's address.
func read(r *page.Request) (listView, directory.EventQuery) {
	q := r.URL.Query()
	v := listView{Type: q.Get("type"), Door: q.Get("door"), User: strings.TrimSpace(q.Get("user")), Actor: strings.TrimSpace(q.Get("actor")), Reason: strings.TrimSpace(q.Get("reason")),
		Origin: strings.TrimSpace(q.Get("origin")), From: q.Get("from"), To: q.Get("to"), Faults: page.Faults{}}
	for _, t := range directory.EventTypes() {
		v.Types = append(v.Types, string(t))
	}
	slices.Sort(v.Types)
	v.Doors = append(directory.AllDoors.Names(), directory.DoorCLI.String(), directory.DoorServer.String())
	in := directory.EventQuery{Actor: v.Actor, Reason: v.Reason, Origin: v.Origin, Newest: true, Cursor: q.Get("cursor"), Limit: 50}
	if v.Type != "" {
		in.Types = []directory.EventType{directory.EventType(v.Type)}
	}
	if v.User != "" {
		in.User = directory.ByHandle(directory.SpaceLogin, v.User)
		if n, err := strconv.ParseInt(v.User, 10, 64); err == nil && n > 0 {
			in.User = directory.ByNumber(n)
		}
	}
	in.Door = doorOf(v.Door)
	in.From, in.To = v.day("from", v.From, 0), v.day("to", v.To, 1)
	v.Filtered = v.Type+v.Door+v.User+v.Actor+v.Reason+v.Origin+v.From+v.To != ""
	return v, in
}

// day reads a date of the form; days are added to it.
func (v *listView) day(field, text string, days int) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02", text)
	if err != nil {
		v.Faults[field] = "Give a date as in 2026-01-31."
		return time.Time{}
	}
	return t.AddDate(0, 0, days)
}

// doorOf is a door by name; 0 for none.
func doorOf(name string) directory.Door {
	for d := directory.Door(1); d <= directory.DoorServer; d <<= 1 {
		if name != "" && d.String() == name {
			return d
		}
	}
	return 0
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	v, in := read(r)
	if !v.Faults.Any() {
		found, err := r.Kit.Service.ListEvents(r.Context(), r.Call(), in)
		if directory.CodeOf(err) == directory.CodeInvalid || directory.AsError(err).Reason == directory.ReasonUserNotFound {
			v.Faults, _ = page.FaultsOf(err, map[string]string{"types": "type"})
			err = nil
		}
		if err != nil {
			return web.Response{}, err
		}
		for i := range found.Events {
			v.Rows = append(v.Rows, rowOf(&found.Events[i]))
		}
		if found.More {
			v.Next = page.Link("/audit", "type", v.Type, "door", v.Door, "user", v.User, "actor", v.Actor, "reason", v.Reason, "origin", v.Origin, "from", v.From, "to", v.To, "cursor", found.Next)
			v.Empty = len(v.Rows) == 0
		}
	}
	view := page.View{Title: "Audit", Section: "audit", Data: v}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.list, view)
}

// rowOf takes an event's changes out of its payload.
func rowOf(e *directory.Event) row {
	one := row{Event: *e, Erased: e.Erased()}
	var payload struct {
		Changes map[string][2]json.RawMessage `json:"changes"`
	}
	if json.Unmarshal(e.Payload, &payload) != nil {
		return one // an erased one has none
	}
	for field, pair := range payload.Changes {
		one.Changes = append(one.Changes, change{Field: field, Before: short(pair[0]), After: short(pair[1])})
	}
	slices.SortFunc(one.Changes, func(a, b change) int { return strings.Compare(a.Field, b.Field) })
	return one
}

// short is a value of an event as a list shows it.
func short(raw json.RawMessage) string {
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		text = s
	}
	if text == "null" {
		return ""
	}
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}

func (p *pages) verify(r *page.Request) (web.Response, error) {
	r.HoldFor(verifying)
	start := time.Now()
	report, err := r.Kit.Service.VerifyOwnChain(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.verified, page.View{Title: "The history has been verified", Section: "audit", Crumbs: []page.Crumb{{Text: "Audit", Path: "/audit"}}, Data: struct {
		directory.AuditReport
		Elapsed time.Duration
	}{report, time.Since(start).Round(time.Millisecond)}})
}

// checkpoint hands out the newest signed checkpoint, to be kept elsewhere.
func (p *pages) checkpoint(r *page.Request) (web.Response, error) {
	c, err := r.Kit.Service.LatestCheckpoint(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	line, err := json.Marshal(&c)
	if err != nil {
		return web.Response{}, err
	}
	return web.Response{ContentType: "application/json", Body: append(line, '\n'), Header: [][2]string{{"Cache-Control", "no-store"},
		{"Content-Disposition", `attachment; filename="checkpoint-` + strconv.FormatInt(c.Position, 10) + `.json"`}, {"X-Content-Type-Options", "nosniff"}}}, nil
}
