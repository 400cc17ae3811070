package canonical

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Company is a node of the tree of companies.
type Company struct {
	Number    int64           `json:"number" minimum:"1" maximum:"2147483647" example:"14146"`
	ID        string          `json:"id" format:"uuid"`
	Name      string          `json:"name" example:"Kentel"`
	Parent    nullable[int64] `json:"parent" doc:"Number of the company above it; null for a root."`
	Path      []int64         `json:"path" doc:"Numbers from its root down to itself."`
	Website   string          `json:"website"`
	Metadata  json.RawMessage `json:"metadata" doc:"Any JSON, as it was written; null for none."`
	Version   int64           `json:"version" minimum:"1" doc:"The ETag."`
	CreatedAt time.Time       `json:"created_at"`
}

// showCompany is a company of the core as it is shown.
func showCompany(c *directory.Company) Company {
	return Company{Number: c.Number, ID: c.ID, Name: c.Name, Parent: numberOf(c.Parent), Path: c.Path, Website: c.Website,
		Metadata: appendRaw(nil, json.RawMessage(c.Metadata)), Version: c.Version, CreatedAt: c.CreatedAt.UTC()}
}

// CompanyPath is the parameter of a company.
type CompanyPath struct {
	Company string `path:"company" example:"14146" doc:"The company's number or id."`
}

// companyRefOf reads a company's number or id.
func companyRefOf(text string) directory.CompanyRef {
	if n := parseNumber(text); n != noNumber {
		return directory.CompanyRef{Number: n}
	}
	return directory.CompanyRef{ID: text}
}

// companyFields gives what the core calls fields their names in a company.
func companyFields(field string) string {
	switch field {
	case "attributes":
		return "metadata"
	case "company":
		return "parent"
	}
	return field
}

// numbered is the path of a thing that has a number.
func numbered(collection string, number int64) string {
	return collection + "/" + strconv.FormatInt(number, 10)
}

// registerCompanies adds the operations on companies.
func registerCompanies(d *door) {
	const tag = "companies"
	register(d, operation{id: "list_companies", method: http.MethodGet, path: "/companies", tag: tag, summary: "List companies",
		description: "Companies that the credential can see, by number.",
		examples:    []example{{name: "companies below one", path: "/companies?parent=14146&total=true"}, {name: "roots", path: "/companies?parent=0&limit=1"}}},
		func(ctx context.Context, x *exchange, in *struct {
			TreeQuery
			Parent int64 `query:"parent" minimum:"0" maximum:"2147483647" example:"14146" doc:"Number of a company: those directly below it; 0 for roots."`
		}) (*pageOutput[Company], error) {
			list, err := x.door.svc.ListCompanies(ctx, &x.call, in.core(x, "parent", in.Parent))
			if err != nil {
				return nil, renamed(err, queryFields)
			}
			return treePage(list, in.Total, showCompany), nil
		})
	register(d, operation{id: "create_company", method: http.MethodPost, path: "/companies", tag: tag, summary: "Create a company",
		description: "Below another one, or as a root. Names are unique in the tenant; the tree is at most 8 deep.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "a company", body: `{"number":20001,"name":"Kentel West","parent":14146}`}}}, createCompany)
	register(d, operation{id: "get_company", method: http.MethodGet, path: "/companies/{company}", tag: tag, summary: "Read a company", versioned: true,
		description: "By number or by id.", examples: []example{{name: "by number", path: "/companies/20001"}}},
		func(ctx context.Context, x *exchange, in *struct{ CompanyPath }) (*made[Company], error) {
			c, err := x.door.svc.CompanyOf(ctx, &x.call, companyRefOf(in.Company))
			if err != nil {
				return nil, err
			}
			return answer(x, showCompany(&c), c.Version), nil
		})
	register(d, operation{id: "update_company", method: http.MethodPatch, path: "/companies/{company}", tag: tag, summary: "Change a company",
		description: "A merge patch (RFC 7396): members that are left out stay, null resets; metadata is replaced whole. A company keeps its place in the tree.", versioned: true, patch: true,
		examples: []example{{name: "a website", path: "/companies/20001", body: `{"website":"https://west.example.com","metadata":{"region":"west"}}`}}}, updateCompany)
	register(d, removal("delete_company", "/companies/{company}", tag, "Delete a company",
		"One that nothing belongs to: no users, those in the recycle bin too, no companies below it, no locations, roles, lock reasons or credentials; and not the default company. Else 409.",
		example{name: "delete", path: "/companies/20001"}),
		func(ctx context.Context, x *exchange, in *struct{ CompanyPath }) (*nothing, error) {
			return nil, x.door.svc.DeleteCompany(ctx, &x.call, companyRefOf(in.Company))
		})
}

func createCompany(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Number   opt[int64]           `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"Drawn if left out."`
		ID       opt[string]          `json:"id,omitempty" doc:"A UUID; drawn if left out."`
		Name     string               `json:"name" minLength:"1" maxLength:"256"`
		Parent   opt[int64]           `json:"parent,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of the company above it; none for a root."`
		Website  opt[string]          `json:"website,omitempty" maxLength:"2000"`
		Metadata opt[json.RawMessage] `json:"metadata,omitempty" doc:"Any JSON, at most 64 KiB."`
	} `nameHint:"NewCompany"`
}) (*made[Company], error) {
	creates(x, func(c directory.Company) (Company, string, int64) {
		return showCompany(&c), numbered("/companies", c.Number), c.Version
	})
	b := &in.Body
	c, err := x.door.svc.CreateCompany(ctx, &x.call, directory.Company{Number: b.Number.or(0), ID: b.ID.or(""), Name: b.Name, Parent: b.Parent.or(0),
		Website: b.Website.or(""), Metadata: string(compact(b.Metadata.or(nil)))})
	if err != nil {
		return nil, renamed(inBody(err, directory.ReasonCompanyNotFound, "parent"), companyFields)
	}
	return created(x, showCompany(&c), numbered("/companies", c.Number), c.Version), nil
}

func updateCompany(ctx context.Context, x *exchange, in *struct {
	CompanyPath
	Body struct {
		Name     opt[string]          `json:"name,omitempty" minLength:"1" maxLength:"256"`
		Website  opt[string]          `json:"website,omitempty" maxLength:"2000"`
		Metadata opt[json.RawMessage] `json:"metadata,omitempty" doc:"Any JSON, at most 64 KiB; null for none."`
	} `nameHint:"CompanyChange"`
}) (*made[Company], error) {
	c, err := x.door.svc.UpdateCompany(ctx, &x.call, companyRefOf(in.Company), directory.CompanyPatch{Name: in.Body.Name.reset(), Website: in.Body.Website.reset(),
		Metadata: directory.Opt[string]{Set: in.Body.Metadata.set, Value: string(compact(in.Body.Metadata.value))}})
	if err != nil {
		return nil, renamed(err, companyFields)
	}
	return answer(x, showCompany(&c), c.Version), nil
}
