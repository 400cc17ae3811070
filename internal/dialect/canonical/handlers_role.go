package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// Role is a named set of rights.
type Role struct {
	Number      int64           `json:"number" minimum:"1" maximum:"2147483647" example:"1"`
	Key         string          `json:"key" doc:"By which other doors know it; unique in its company."`
	Name        string          `json:"name" example:"intern"`
	Description string          `json:"description"`
	Company     nullable[int64] `json:"company" doc:"Number of the company whose role it is; null for the tenant's."`
	Rank        string          `json:"rank" enum:"self,reader,helpdesk,administrator,owner" doc:"What it allows here."`
	Permissions []string        `json:"permissions" doc:"What it allows in other systems; kept, not looked at."`
	Version     int64           `json:"version" minimum:"1" doc:"The ETag."`
}

// showRole is a role of the core as it is shown.
func showRole(r *directory.Role) Role {
	shown := Role{Number: r.Number, Key: r.Key, Name: r.Name, Description: r.Description, Company: numberOf(r.Company), Rank: r.Rank.String(),
		Permissions: r.Permissions, Version: r.Version}
	if shown.Permissions == nil {
		shown.Permissions = []string{}
	}
	return shown
}

// rankNamed reads a rank that a body names; null and "" are self.
func rankNamed(o opt[string]) (directory.Rank, error) {
	return directory.ParseRank(o.or(directory.RankSelf.String()))
}

// registerRoles adds the operations on roles.
func registerRoles(d *door) {
	const tag, path = "roles", "/roles/{role}"
	register(d, operation{id: "list_roles", method: http.MethodGet, path: "/roles", tag: tag, summary: "List roles",
		description: "Roles of the tenant and of companies that the credential can see, by number.",
		examples:    []example{{name: "the tenant's own", path: "/roles?company=0&total=true"}}},
		func(ctx context.Context, x *exchange, in *struct {
			TreeQuery
			Company int64 `query:"company" minimum:"0" maximum:"2147483647" example:"14146" doc:"Number of a company: its own roles; 0 for the tenant's."`
		}) (*pageOutput[Role], error) {
			list, err := x.door.svc.ListRoles(ctx, &x.call, in.core(x, "company", in.Company))
			if err != nil {
				return nil, renamed(err, queryFields)
			}
			return treePage(list, in.Total, showRole), nil
		})
	register(d, operation{id: "create_role", method: http.MethodPost, path: "/roles", tag: tag, summary: "Create a role",
		description: "Of the tenant, or of a company and all below it. Nobody makes a role of a rank above its own.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "a role", body: `{"number":20003,"name":"Dispatcher","rank":"reader","permissions":["orders.read"]}`}}}, createRole)
	register(d, operation{id: "get_role", method: http.MethodGet, path: path, tag: tag, summary: "Read a role", versioned: true,
		examples: []example{{name: "a role", path: "/roles/20003"}}},
		func(ctx context.Context, x *exchange, in *struct{ RolePath }) (*made[Role], error) {
			role, err := x.door.svc.RoleByNumber(ctx, &x.call, parseNumber(in.Role))
			if err != nil {
				return nil, err
			}
			return answer(x, showRole(&role), role.Version), nil
		})
	register(d, operation{id: "update_role", method: http.MethodPatch, path: path, tag: tag, summary: "Change a role",
		description: "A merge patch (RFC 7396): members that are left out stay, null resets. The rank of a role that somebody holds cannot change: 409.", versioned: true, patch: true,
		examples: []example{{name: "a description", path: "/roles/20003", body: `{"description":"Sends people out"}`}}}, updateRole)
	register(d, operation{id: "list_role_members", method: http.MethodGet, path: path + "/members", tag: tag, summary: "Who holds a role",
		description: "Those that the credential can see, by number. `total` is exact up to 10,000.", examples: []example{{name: "holders", path: "/roles/1/members?total=true"}}},
		func(ctx context.Context, x *exchange, in *struct {
			RolePath
			MemberQuery
		}) (*pageOutput[memberRef], error) {
			list, err := x.door.svc.ListRoleMembers(ctx, &x.call, parseNumber(in.Role), in.Limit, in.Cursor)
			if err != nil {
				return nil, err
			}
			return memberPage(&list, in.Total), nil
		})
	register(d, removal("delete_role", path, tag, "Delete a role", "One that nobody holds, not even a user in the recycle bin: else 409.",
		example{name: "delete", path: "/roles/20003"}),
		func(ctx context.Context, x *exchange, in *struct{ RolePath }) (*nothing, error) {
			return nil, x.door.svc.EraseRole(ctx, &x.call, parseNumber(in.Role))
		})
}

func createRole(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Number      opt[int64]    `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"Drawn if left out."`
		Key         opt[string]   `json:"key,omitempty" maxLength:"256" doc:"The folded name if left out."`
		Name        string        `json:"name" minLength:"1" maxLength:"256"`
		Description opt[string]   `json:"description,omitempty" maxLength:"256"`
		Company     opt[int64]    `json:"company,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of the company; the tenant's if left out."`
		Rank        opt[string]   `json:"rank,omitempty" enum:"self,reader,helpdesk,administrator" doc:"self if left out: no rights here."`
		Permissions opt[[]string] `json:"permissions,omitempty" maxItems:"1000"`
	} `nameHint:"NewRole"`
}) (*made[Role], error) {
	creates(x, func(r directory.Role) (Role, string, int64) {
		return showRole(&r), numbered("/roles", r.Number), r.Version
	})
	b := &in.Body
	rank, err := rankNamed(b.Rank)
	if err != nil {
		return nil, err
	}
	role, err := x.door.svc.CreateRole(ctx, &x.call, directory.Role{Number: b.Number.or(0), Key: b.Key.or(""), Name: b.Name, Description: b.Description.or(""),
		Company: b.Company.or(0), Rank: rank, Permissions: b.Permissions.or(nil)})
	if err != nil {
		return nil, inBody(err, directory.ReasonCompanyNotFound, "company")
	}
	return created(x, showRole(&role), numbered("/roles", role.Number), role.Version), nil
}

func updateRole(ctx context.Context, x *exchange, in *struct {
	RolePath
	Body struct {
		Name        opt[string]   `json:"name,omitempty" minLength:"1" maxLength:"256"`
		Description opt[string]   `json:"description,omitempty" maxLength:"256"`
		Rank        opt[string]   `json:"rank,omitempty" enum:"self,reader,helpdesk,administrator"`
		Permissions opt[[]string] `json:"permissions,omitempty" maxItems:"1000"`
	} `nameHint:"RoleChange"`
}) (*made[Role], error) {
	b := &in.Body
	rank, err := rankNamed(b.Rank)
	if err != nil {
		return nil, err
	}
	role, err := x.door.svc.EditRole(ctx, &x.call, parseNumber(in.Role), directory.RolePatch{Name: b.Name.reset(), Description: b.Description.reset(),
		Rank: directory.Opt[directory.Rank]{Set: b.Rank.set, Value: rank}, Permissions: b.Permissions.reset()})
	if err != nil {
		return nil, err
	}
	return answer(x, showRole(&role), role.Version), nil
}
