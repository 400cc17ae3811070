package user

import (
	"embed"
	"html/template"

	"github.com/usher-id/usher/internal/console/page"
)

var (
	//go:embed templates
	files embed.FS
	//go:embed assets/user.js
	script []byte
)

type pages struct {
	show, edit, conflict, ask, secret, access, belongs, seen, history, past *template.Template
}

// Mount registers the pages.
func Mount(k *page.Kit) {
	k.Asset("user.js", script)
	parse := func(name string) *template.Template {
		return k.Templates(files, "templates/"+name+".html", "templates/parts.html")
	}
	p := &pages{show: parse("show"), edit: parse("edit"), conflict: parse("conflict"), ask: parse("do"), secret: parse("secret"), access: parse("access"),
		belongs: parse("memberships"), seen: parse("seen"), history: parse("history"), past: parse("past")}
	const one = "/users/{number}"
	k.Get(one, p.showOne)
	k.Get(one+"/edit", p.showEdit)
	k.Post(one+"/edit", p.save)
	k.Get(one+"/do/{deed}", p.showAsk)
	k.Post(one+"/do/{deed}", p.do)
	k.Get(one+"/access", p.showAccess)
	k.Post(one+"/sessions/{session}/end", p.endSession)
	k.Get(one+"/memberships", p.showMemberships)
	k.Post(one+"/memberships", p.changeMemberships)
	k.Get(one+"/seen", p.showSeen)
	k.Get(one+"/history", p.showHistory)
	k.Get(one+"/past", p.showPast)
}
