package canonical

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
)

// inBody makes "there is none" of a thing that a member of the body names the
// fault of that member: what the path names was found.
func inBody(err error, reason directory.Reason, field string) error {
	if !directory.IsReason(err, reason) {
		return err
	}
	return directory.Invalid(field, reason, "%s", directory.AsError(err).Message)
}

// renamed gives the fields of an error the names that they have in the body.
func renamed(err error, name func(field string) string) error {
	if err == nil {
		return nil
	}
	e := *directory.AsError(err)
	if len(e.Fields) == 0 {
		return err
	}
	e.Fields = slices.Clone(e.Fields)
	for i := range e.Fields {
		e.Fields[i].Field = name(e.Fields[i].Field)
	}
	return &e
}

// never takes statuses from the description of an operation that cannot have
// them.
func never(d *door, method, path string, statuses ...int) {
	for _, status := range statuses {
		delete(d.registered(method, prefix+path).Responses, strconv.Itoa(status))
	}
}

// TreeQuery are the parameters of lists of companies, locations, roles and lock
// reasons beside those of a page.
type TreeQuery struct {
	PageQuery
	Search string `query:"q" maxLength:"256" doc:"Part of the name, in any letter case."`
	Total  bool   `query:"total" doc:"Adds total."`
}

// core is the query for the core; where is the parameter that names a company.
func (q *TreeQuery) core(x *exchange, where string, company int64) directory.ListQuery {
	return directory.ListQuery{Limit: q.Limit, Cursor: q.Cursor, Name: q.Search, WantTotal: q.Total,
		Company: directory.Opt[int64]{Set: x.query.Has(where), Value: company}}
}

// pageOutput is the output of a list with pages.
type pageOutput[T any] struct{ Body page[T] }

// queryFields names the parameters of a list as the query does.
func queryFields(field string) string {
	if field == "name" {
		return "q"
	}
	return field
}

// treePage answers with a page of what the core has listed.
func treePage[C, T any](p directory.Page[C], wantTotal bool, show func(*C) T) *pageOutput[T] {
	var total *int64
	if wantTotal {
		total = &p.Total
	}
	items := make([]T, 0, len(p.Items))
	for i := range p.Items {
		items = append(items, show(&p.Items[i]))
	}
	return &pageOutput[T]{Body: pageOf(items, p.Next, total)}
}

// MemberQuery are the parameters of lists of members.
type MemberQuery struct {
	PageQuery
	Total bool `query:"total" doc:"Adds total."`
}

// memberRef is a user as a list of members shows it.
type memberRef struct {
	ID          string `json:"id" format:"uuid"`
	Number      int64  `json:"number"`
	UserName    string `json:"user_name"`
	DisplayName string `json:"display_name"`
}

// memberPage answers with a page of members.
func memberPage(p *directory.MemberPage, wantTotal bool) *pageOutput[memberRef] {
	list := directory.Page[directory.MemberRef]{Items: p.Members, Total: p.Total, Next: p.Next}
	return treePage(list, wantTotal, func(m *directory.MemberRef) memberRef {
		return memberRef{ID: m.ID, Number: m.Number, UserName: m.UserName, DisplayName: m.DisplayName}
	})
}

// made is the answer of an operation that answers with one thing.
type made[T any] struct{ Body T }

// answer answers with a thing and its version.
func answer[T any](x *exchange, body T, version int64) *made[T] {
	x.setVersion(version)
	return &made[T]{Body: body}
}

// created answers with a thing that was made and its path.
func created[T any](x *exchange, body T, path string, version int64) *made[T] {
	x.setLocation(path)
	return answer(x, body, version)
}

// removal is the operation that takes one thing away.
func removal(id, path, tag, summary, description string, examples ...example) operation {
	return operation{id: id, method: http.MethodDelete, path: path, tag: tag, summary: summary, description: description, examples: examples}
}
