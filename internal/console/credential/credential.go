// Package credential is the console's pages about what programs sign in with: API
// keys, OAuth clients, API users and customers. A secret is shown once, when it is
// made.
package credential

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	k.Get("/credentials", p.showList)
	k.Get("/credentials/new", p.blank)
	k.Post("/credentials/new", p.create)
	k.Get("/credentials/{id}", p.showOne)
	k.Post("/credentials/{id}/revoke", p.revoke)
}

// choice is an option of a select.
type choice struct{ Value, Text string }

// kinds are the kinds of credentials and what each is for.
var kinds = []choice{
	{string(directory.CredentialKey), "API key: one text, for all doors that take keys"},
	{string(directory.CredentialClient), "OAuth client: id and secret, for people's sign-in through iQmetrix"},
	{string(directory.CredentialAPIUser), "API user: name and password, for EduBrite"},
	{string(directory.CredentialCustomer), "Customer: id and code, for ServiceMobility"},
}

// ranks are the ceilings that a credential can have.
var ranks = []choice{{"administrator", "administrator"}, {"helpdesk", "helpdesk: resets passwords and unlocks"}, {"reader", "reader: reads everything"}, {"owner", "owner: the account owner too"}}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	list, err := r.Kit.Service.Credentials(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.list, page.View{Title: "Credentials", Section: "credentials", Data: list})
}

// flag is a box of the form.
type flag struct {
	Name    string
	Checked bool
}

// form is the form of a new credential.
type form struct {
	Kinds, Ranks  []choice
	Kind          string
	Name          string
	ClientID      string
	Rank          string
	Company       string
	Expires       string
	Scopes, Doors []flag
	Faults        page.Faults
}

// fields gives what the core calls fields their names in the form.
var fields = map[string]string{"expires_at": "expires", "root": "company"}

// flags are the boxes of names, of which some are checked.
func flags(names, checked []string, all bool) []flag {
	list := make([]flag, len(names))
	for i, name := range names {
		list[i] = flag{Name: name, Checked: all}
		for _, c := range checked {
			list[i].Checked = list[i].Checked || c == name
		}
	}
	return list
}

func (p *pages) show(r *page.Request, f form) (web.Response, error) {
	f.Kinds, f.Ranks = kinds, ranks
	v := page.View{Title: "New credential", Section: "credentials", Data: f, Crumbs: []page.Crumb{{Text: "Credentials", Path: "/credentials"}}}
	if f.Faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.form, v)
}

func (p *pages) blank(r *page.Request) (web.Response, error) {
	return p.show(r, form{Kind: kinds[0].Value, Rank: ranks[0].Value, Scopes: flags(directory.AllScopes.Names(), nil, true), Doors: flags(directory.AllDoors.Names(), nil, true)})
}

// read reads the form as it was sent.
func read(r *page.Request) (form, directory.NewCredential) {
	values, _ := r.Form() // was read when its proof was checked
	f := form{Kind: r.Value("kind"), Name: r.Value("name"), ClientID: r.Value("client_id"), Rank: r.Value("rank"), Company: strings.TrimSpace(r.Value("company")), Expires: r.Value("expires"),
		Scopes: flags(directory.AllScopes.Names(), values["scopes"], false), Doors: flags(directory.AllDoors.Names(), values["doors"], false), Faults: page.Faults{}}
	in := directory.NewCredential{Name: f.Name, ClientID: f.ClientID}
	wrong := func(field string, err error) {
		if err != nil {
			f.Faults[field] = directory.AsError(err).Fields[0].Message
		}
	}
	var err error
	in.Rank, err = directory.ParseRank(f.Rank)
	wrong("rank", err)
	in.Scopes, err = directory.ParseScopes(values["scopes"])
	wrong("scopes", err)
	if len(values["doors"]) == 0 {
		f.Faults["doors"] = "Choose at least one door."
	} else {
		in.Doors, err = directory.ParseDoors(strings.Join(values["doors"], ","))
		wrong("doors", err)
	}
	if len(values["scopes"]) == 0 {
		f.Faults["scopes"] = "Choose at least one scope."
	}
	if f.Company != "" {
		if in.Root, err = strconv.ParseInt(f.Company, 10, 64); err != nil || in.Root < 1 {
			f.Faults["company"] = "Give the number of a company, or nothing."
		}
	}
	if f.Expires != "" {
		if in.ExpiresAt, err = time.Parse("2006-01-02", f.Expires); err != nil {
			f.Faults["expires"] = "Give a date as in 2027-01-31, or nothing."
		}
	}
	return f, in
}

func (p *pages) create(r *page.Request) (web.Response, error) {
	f, in := read(r)
	if f.Faults.Any() {
		return p.show(r, f)
	}
	s := r.Kit.Service
	create := s.CreateKey
	switch directory.CredentialKind(f.Kind) {
	case directory.CredentialClient:
		create = s.CreateClient
	case directory.CredentialAPIUser:
		create = s.CreateAPIUser
	case directory.CredentialCustomer:
		create = s.CreateCustomer
	}
	c, secret, err := create(r.Context(), r.Call(), in)
	if err != nil {
		var ok bool
		if f.Faults, ok = page.FaultsOf(err, fields); !ok {
			return web.Response{}, err
		}
		return p.show(r, f)
	}
	// The secret is shown in this answer and nowhere else: there is no redirect.
	return r.Page(p.made, page.View{Title: "Credential made", Section: "credentials", Status: http.StatusCreated, Data: struct {
		Credential directory.Credential
		Secret     string
	}{c, secret}, Crumbs: []page.Crumb{{Text: "Credentials", Path: "/credentials"}}})
}

func (p *pages) showOne(r *page.Request) (web.Response, error) {
	c, err := r.Kit.Service.Credential(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.one, page.View{Title: c.Name, Section: "credentials", Data: c, Crumbs: []page.Crumb{{Text: "Credentials", Path: "/credentials"}}})
}

func (p *pages) revoke(r *page.Request) (web.Response, error) {
	call := r.Call()
	call.Reason = r.Value("reason")
	if err := r.Kit.Service.RevokeCredential(r.Context(), call, r.PathValue("id")); err != nil {
		return web.Response{}, err
	}
	return r.Done("/credentials", "The credential has been revoked: what is sent with it from now on is refused."), nil
}
