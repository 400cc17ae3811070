// Package webhook is the console's pages about endpoints that are sent what happens.
package webhook

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

//go:embed templates
var files embed.FS

type pages struct{ list, form, made, one *template.Template }

// Mount registers the pages.
func Mount(k *page.Kit) {
	p := &pages{list: k.Templates(files, "templates/list.html"), form: k.Templates(files, "templates/form.html"),
		made: k.Templates(files, "templates/made.html"), one: k.Templates(files, "templates/one.html")}
	k.Get("/webhooks", p.showList)
	k.Get("/webhooks/new", p.blank)
	k.Post("/webhooks/new", p.create)
	k.Get("/webhooks/{id}", p.showOne)
	k.Get("/webhooks/{id}/edit", p.edit)
	k.Post("/webhooks/{id}/edit", p.save)
	k.Post("/webhooks/{id}/state", p.state)
	k.Post("/webhooks/{id}/test", p.test)
	k.Post("/webhooks/{id}/secret", p.addSecret)
	k.Post("/webhooks/{id}/secret/remove", p.removeSecret)
	k.Post("/webhooks/{id}/delivery", p.delivery)
	k.Post("/webhooks/{id}/delete", p.erase)
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	list, err := r.Kit.Service.Webhooks(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.list, page.View{Title: "Webhooks", Section: "webhooks", Data: list})
}

// form is the form of an endpoint.
type form struct {
	ID        string // "": a new one
	Name      string
	URL       string
	Types     string // a line each
	Companies string
	Except    string
	FromStart bool
	Version   int64
	Faults    page.Faults
}

// fields gives what the core calls fields their names in the form.
var fields = map[string]string{"except_origins": "except"}

func (p *pages) show(r *page.Request, f form) (web.Response, error) {
	v := page.View{Title: "New webhook", Section: "webhooks", Data: f, Crumbs: []page.Crumb{{Text: "Webhooks", Path: "/webhooks"}}}
	if f.ID != "" {
		v.Title = "Edit " + f.Name
		v.Crumbs = append(v.Crumbs, page.Crumb{Text: f.Name, Path: "/webhooks/" + f.ID})
	}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, v)
}

func (p *pages) blank(r *page.Request) (web.Response, error) { return p.show(r, form{}) }

// read reads the form as it was sent.
func read(r *page.Request) (f form, companies []int64) {
	f = form{ID: r.PathValue("id"), Name: r.Value("name"), URL: strings.TrimSpace(r.Value("url")), Types: r.Value("types"), Companies: r.Value("companies"),
		Except: r.Value("except"), FromStart: r.Value("from_start") != ""}
	f.Version, _ = strconv.ParseInt(r.Value("version"), 10, 64)
	for _, text := range words(f.Companies) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			f.Faults = page.Faults{"companies": "Give numbers of companies: " + strconv.Quote(text) + " is none."}
		}
		companies = append(companies, n)
	}
	return f, companies
}

// words are the parts of a text between blanks, line ends and commas.
func words(text string) []string { return strings.Fields(strings.ReplaceAll(text, ",", " ")) }

func typesOf(text string) []directory.EventType {
	var list []directory.EventType
	for _, word := range words(text) {
		list = append(list, directory.EventType(word))
	}
	return list
}

func (p *pages) refused(r *page.Request, f form, err error) (web.Response, error) {
	var ok bool
	if f.Faults, ok = page.FaultsOf(err, fields); !ok {
		return web.Response{}, err
	}
	return p.show(r, f)
}

// shownSecret is a secret on the only page that shows it.
type shownSecret struct {
	ID, Name, Secret string
}

func (p *pages) create(r *page.Request) (web.Response, error) {
	f, companies := read(r)
	if f.Faults.Any() {
		return p.show(r, f)
	}
	w, secret, err := r.Kit.Service.CreateWebhook(r.Context(), r.Call(), directory.NewWebhook{Name: f.Name, URL: f.URL, Types: typesOf(f.Types),
		Companies: companies, ExceptOrigins: words(f.Except), FromStart: f.FromStart})
	if err != nil {
		return p.refused(r, f, err)
	}
	return p.reveal(r, &w, secret)
}

// reveal shows a new secret; it stands in this answer and nowhere else.
func (p *pages) reveal(r *page.Request, w *directory.WebhookDetail, secret directory.Secret) (web.Response, error) {
	return r.Page(p.made, page.View{Title: "Secret of " + w.Name, Section: "webhooks", Status: http.StatusCreated,
		Data: shownSecret{ID: w.ID, Name: w.Name, Secret: string(secret)}, Crumbs: []page.Crumb{{Text: "Webhooks", Path: "/webhooks"}}})
}

func (p *pages) edit(r *page.Request) (web.Response, error) {
	w, err := r.Kit.Service.Webhook(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	f := form{ID: w.ID, Name: w.Name, URL: w.URL, Except: strings.Join(w.ExceptOrigins, "\n"), Version: w.Version}
	for _, t := range w.Types {
		f.Types += string(t) + "\n"
	}
	for _, c := range w.Companies {
		f.Companies += strconv.FormatInt(c, 10) + " "
	}
	return p.show(r, f)
}

func (p *pages) save(r *page.Request) (web.Response, error) {
	f, companies := read(r)
	if f.Faults.Any() {
		return p.show(r, f)
	}
	call := r.Call()
	call.If = page.IfVersion(f.Version)
	_, err := r.Kit.Service.EditWebhook(r.Context(), call, f.ID, directory.WebhookPatch{Name: directory.Some(f.Name), URL: directory.Some(f.URL),
		Types: directory.Some(typesOf(f.Types)), Companies: directory.Some(companies), ExceptOrigins: directory.Some(words(f.Except))})
	if err != nil {
		return p.refused(r, f, err)
	}
	return r.Done(path(f.ID), "Saved."), nil
}

// path is where an endpoint is shown.
func path(id string) string { return "/webhooks/" + url.PathEscape(id) }

// oneView is an endpoint with a page of what it did not take.
type oneView struct {
	Webhook directory.WebhookDetail
	Page    directory.DeliveryPage
	Next    string
	Receipt *directory.Receipt
}

func (p *pages) showOne(r *page.Request) (web.Response, error) { return p.oneWith(r, nil) }

// oneWith shows an endpoint, after a test with what came of it.
func (p *pages) oneWith(r *page.Request, receipt *directory.Receipt) (web.Response, error) {
	id := r.PathValue("id")
	w, err := r.Kit.Service.Webhook(r.Context(), r.Call(), id)
	if err != nil {
		return web.Response{}, err
	}
	v := oneView{Webhook: w, Receipt: receipt}
	if v.Page, err = r.Kit.Service.Deliveries(r.Context(), r.Call(), id, "", r.URL.Query().Get("cursor"), 50); err != nil {
		return web.Response{}, err
	}
	if v.Page.Next != "" {
		v.Next = page.Link(path(id), "cursor", v.Page.Next)
	}
	return r.Page(p.one, page.View{Title: w.Name, Section: "webhooks", Data: v, Crumbs: []page.Crumb{{Text: "Webhooks", Path: "/webhooks"}}})
}

func (p *pages) state(r *page.Request) (web.Response, error) {
	state := directory.WebhookState(r.Value("state"))
	if _, err := r.Kit.Service.EditWebhook(r.Context(), r.Call(), r.PathValue("id"), directory.WebhookPatch{State: directory.Some(state)}); err != nil {
		return web.Response{}, err
	}
	return r.Done(path(r.PathValue("id")), fmt.Sprintf("The endpoint is %s now.", state)), nil
}

func (p *pages) test(r *page.Request) (web.Response, error) {
	receipt, err := r.Kit.Service.TestWebhook(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return p.oneWith(r, &receipt)
}

func (p *pages) addSecret(r *page.Request) (web.Response, error) {
	id := r.PathValue("id")
	_, secret, err := r.Kit.Service.AddWebhookSecret(r.Context(), r.Call(), id)
	if err != nil {
		return web.Response{}, err
	}
	w, err := r.Kit.Service.Webhook(r.Context(), r.Call(), id)
	if err != nil {
		return web.Response{}, err
	}
	return p.reveal(r, &w, secret)
}

func (p *pages) removeSecret(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.RemoveWebhookSecret(r.Context(), r.Call(), r.PathValue("id"), r.Value("secret")); err != nil {
		return web.Response{}, err
	}
	return r.Done(path(r.PathValue("id")), "The secret signs no more."), nil
}

// delivery retries or drops one delivery.
func (p *pages) delivery(r *page.Request) (web.Response, error) {
	id := r.PathValue("id")
	position, _ := strconv.ParseInt(r.Value("position"), 10, 64)
	if r.Value("do") == "drop" {
		if err := r.Kit.Service.DropDelivery(r.Context(), r.Call(), id, position); err != nil {
			return web.Response{}, err
		}
		return r.Done(path(id), "Dropped."), nil
	}
	if _, err := r.Kit.Service.RetryDelivery(r.Context(), r.Call(), id, position); err != nil {
		return web.Response{}, err
	}
	return r.Done(path(id), "It will be sent again."), nil
}

func (p *pages) erase(r *page.Request) (web.Response, error) {
	if err := r.Kit.Service.DeleteWebhook(r.Context(), r.Call(), r.PathValue("id")); err != nil {
		return web.Response{}, err
	}
	return r.Done("/webhooks", "The webhook has been deleted."), nil
}
