package company

import (
	"cmp"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// node is a company of the tree.
type node struct {
	Company   directory.Company
	Below     []*node
	Locations []directory.Location
	Open      bool
}

// treeView is the page of the tree.
type treeView struct {
	Roots []*node
	Found []directory.Company // of a search by name
	Query string
	More  bool
	Next  string
}

// openBelow is how many companies the tree may have and still be shown unfolded.
const openBelow = 60

func (p *pages) showTree(r *page.Request) (web.Response, error) {
	v := treeView{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	if v.Query != "" {
		list, err := r.Kit.Service.ListCompanies(r.Context(), r.Call(), directory.ListQuery{Name: v.Query, Limit: 100, Cursor: r.URL.Query().Get("cursor")})
		if err != nil {
			return web.Response{}, err
		}
		v.Found = list.Items
		if list.Next != "" {
			v.Next = page.Link("/companies", "q", v.Query, "cursor", list.Next)
		}
		return r.Page(p.tree, page.View{Title: "Companies", Section: "companies", Data: v})
	}
	o, err := r.Kit.Service.Organisation(r.Context(), r.Call())
	if err != nil {
		return web.Response{}, err
	}
	v.Roots, v.More = plant(&o), o.More
	return r.Page(p.tree, page.View{Title: "Companies", Section: "companies", Data: v})
}

// plant makes the tree of its nodes: those whose parent is not among them are roots.
func plant(o *directory.Organisation) []*node {
	nodes := make(map[int64]*node, len(o.Companies))
	for _, c := range o.Companies {
		nodes[c.Number] = &node{Company: c, Open: len(o.Companies) <= openBelow || c.Parent == 0}
	}
	for _, l := range o.Locations {
		if n := nodes[l.Company]; n != nil {
			n.Locations = append(n.Locations, l)
		}
	}
	var roots []*node
	for _, c := range o.Companies {
		if above := nodes[c.Parent]; above != nil {
			above.Below = append(above.Below, nodes[c.Number])
			continue
		}
		roots = append(roots, nodes[c.Number])
	}
	for _, n := range nodes {
		byName(n.Below)
	}
	byName(roots)
	return roots
}

func byName(list []*node) {
	slices.SortFunc(list, func(a, b *node) int {
		return cmp.Or(cmp.Compare(directory.NameKey(a.Company.Name), directory.NameKey(b.Company.Name)), cmp.Compare(a.Company.Number, b.Company.Number))
	})
}
