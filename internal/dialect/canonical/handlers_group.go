package canonical

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Group is a named set of users.
type Group struct {
	ID          string           `json:"id" format:"uuid"`
	Number      int64            `json:"number"`
	Kind        string           `json:"kind" enum:"group,dashboard,service_team"`
	Key         string           `json:"key" doc:"Unique in its kind: the folded name, or a service team's own id."`
	Name        string           `json:"name" example:"software developers"`
	Description string           `json:"description"`
	Parent      nullable[string] `json:"parent" doc:"Id of the group of the same kind above it; null for none."`
	ExternalID  string           `json:"external_id" doc:"What the calling credential calls the group."`
	Version     int64            `json:"version" minimum:"1" doc:"The ETag."`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
}

// groupOf is a group of the core as it is shown.
func groupOf(d *directory.GroupDetail) Group {
	g := &d.Group
	shown := Group{ID: g.ID, Number: g.Number, Kind: string(g.Kind), Key: g.Key, Name: g.Name, Description: g.Description, ExternalID: d.ExternalID,
		Version: g.Version, CreatedAt: g.CreatedAt.UTC(), UpdatedAt: g.UpdatedAt.UTC()}
	if d.ParentID != "" {
		shown.Parent = some(d.ParentID)
	}
	return shown
}

// groupRefOf refers to a group by what the path has.
func groupRefOf(id string) directory.GroupRef { return groupsNamed([]string{id})[0] }

// membersNamed refers to users by their ids.
func membersNamed(ids []string) []directory.UserRef {
	refs := make([]directory.UserRef, 0, len(ids))
	for _, id := range ids {
		refs = append(refs, directory.ByID(id))
	}
	return refs
}

// Ids of groups of the examples, which their own tests make and erase.
const (
	exampleGroup = "0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a21"
	groupPath    = "/groups/{group}"
)

// GroupsQuery are the parameters of the list of groups.
type GroupsQuery struct {
	TreeQuery
	Kind   string `query:"kind" enum:"group,dashboard,service_team" default:"group" doc:"The kind of groups."`
	Parent string `query:"parent" doc:"Id of a group: those directly below it; none for those below no group." example:"none"`
	Sort   string `query:"sort" enum:"number,-number,name,-name" default:"number" doc:"The order; - turns it."`
}

// core is the query for the core.
func (q *GroupsQuery) core() directory.GroupSearch {
	name, falling := strings.CutPrefix(q.Sort, "-")
	search := directory.GroupSearch{Kind: directory.GroupKind(q.Kind), Limit: q.Limit, Cursor: q.Cursor, WantCursor: true, WithoutSizes: true,
		ByName: name == "name", Descending: falling}
	if q.Search == "" && q.Parent == "" {
		return search
	}
	key, parent := directory.NameKey(q.Search), strings.ToLower(q.Parent)
	search.MatchKey = fmt.Sprintf("%q %q", key, parent)
	search.Match = func(d *directory.GroupDetail) bool {
		below := parent == "" || d.ParentID == parent || parent == "none" && d.ParentID == ""
		return below && strings.Contains(directory.NameKey(d.Group.Name), key)
	}
	return search
}

// registerGroups adds the operations on groups.
func registerGroups(d *door) {
	register(d, operation{id: "list_groups", method: http.MethodGet, path: "/groups", tag: "groups", summary: "List groups",
		description: "Groups of one kind. `total` is exact; with `q` or `parent` it counts among the first 100,000 groups of the kind.",
		examples:    []example{{name: "groups by name", path: "/groups?sort=name&limit=2&total=true"}, {name: "service teams", path: "/groups?kind=service_team&q=team"}}},
		func(ctx context.Context, x *exchange, in *GroupsQuery) (*pageOutput[Group], error) {
			found, err := x.door.svc.SearchGroups(ctx, &x.call, in.core())
			if err != nil {
				return nil, renamed(err, queryFields)
			}
			list := directory.Page[directory.GroupDetail]{Items: found.Groups, Total: found.Total, Next: found.Next}
			return treePage(list, in.Total, groupOf), nil
		})
	register(d, operation{id: "create_group", method: http.MethodPost, path: "/groups", tag: "groups", summary: "Create a group",
		description: "With its first members, at most 2,000: all or nothing.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "a group with a member", body: `{"id":"` + exampleGroup + `","name":"Night shift","members":["` + exampleUser + `"]}`}}}, createGroup)
	register(d, operation{id: "get_group", method: http.MethodGet, path: groupPath, tag: "groups", summary: "Read a group", versioned: true,
		description: "Without its members, which have a list of their own.", examples: []example{{name: "a group", path: "/groups/" + exampleGroup}}},
		func(ctx context.Context, x *exchange, in *struct{ GroupPath }) (*made[Group], error) {
			detail, err := x.door.svc.GroupDetail(ctx, &x.call, groupRefOf(in.Group), false)
			if err != nil {
				return nil, err
			}
			return answer(x, groupOf(&detail), detail.Group.Version), nil
		})
	register(d, operation{id: "update_group", method: http.MethodPatch, path: groupPath, tag: "groups", summary: "Change a group",
		description: "A merge patch (RFC 7396): members that are left out stay, null resets. Kind and key stay.", versioned: true, patch: true,
		examples: []example{{name: "a new name", path: "/groups/" + exampleGroup, body: `{"name":"Late shift","description":"22 to 6"}`}}}, updateGroup)
	registerMembers(d)
	register(d, removal("delete_group", groupPath, "groups", "Delete a group", "With all its memberships; groups below it lose their parent.",
		example{name: "delete", path: "/groups/" + exampleGroup}),
		func(ctx context.Context, x *exchange, in *struct{ GroupPath }) (*nothing, error) {
			return nil, x.door.svc.DeleteGroups(ctx, &x.call, []directory.GroupRef{groupRefOf(in.Group)})
		})
}

func createGroup(ctx context.Context, x *exchange, in *struct {
	Body struct {
		ID          opt[string]   `json:"id,omitempty" doc:"A UUID, to keep the one that the group has elsewhere; drawn if left out."`
		Number      opt[int64]    `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"Drawn if left out."`
		Kind        opt[string]   `json:"kind,omitempty" enum:"group,dashboard,service_team" doc:"group if left out."`
		Key         opt[string]   `json:"key,omitempty" maxLength:"256" doc:"Of a service team; its id if left out. Others are keyed by name."`
		Name        string        `json:"name" minLength:"1" maxLength:"256"`
		Description opt[string]   `json:"description,omitempty" maxLength:"256"`
		Parent      opt[string]   `json:"parent,omitempty" doc:"Id of a group of the same kind."`
		ExternalID  opt[string]   `json:"external_id,omitempty" maxLength:"255" doc:"Needs an API key: a person has none."`
		Members     opt[[]string] `json:"members,omitempty" maxItems:"2000" doc:"Ids of users."`
	} `nameHint:"NewGroup"`
}) (*made[Group], error) {
	creates(x, func(d directory.GroupDetail) (Group, string, int64) {
		return groupOf(&d), "/groups/" + d.Group.ID, d.Group.Version
	})
	b := &in.Body
	detail, err := x.door.svc.MakeGroup(ctx, &x.call, directory.NewGroup{
		Group: directory.Group{ID: b.ID.or(""), Number: b.Number.or(0), Kind: directory.GroupKind(b.Kind.or(string(directory.GroupPlain))),
			Key: b.Key.or(""), Name: b.Name, Description: b.Description.or("")},
		ParentID: b.Parent.or(""), ExternalID: b.ExternalID.or(""), Members: membersNamed(b.Members.or(nil)),
	})
	if err != nil {
		return nil, inBody(err, directory.ReasonUserNotFound, "members")
	}
	return created(x, groupOf(&detail), "/groups/"+detail.Group.ID, detail.Group.Version), nil
}

func updateGroup(ctx context.Context, x *exchange, in *struct {
	GroupPath
	Body struct {
		Name        opt[string] `json:"name,omitempty" minLength:"1" maxLength:"256"`
		Description opt[string] `json:"description,omitempty" maxLength:"256"`
		Parent      opt[string] `json:"parent,omitempty" doc:"Id of a group of the same kind; null for none."`
		ExternalID  opt[string] `json:"external_id,omitempty" maxLength:"255" doc:"Needs an API key: a person has none."`
	} `nameHint:"GroupChange"`
}) (*made[Group], error) {
	detail, err := x.door.svc.EditGroup(ctx, &x.call, groupRefOf(in.Group), directory.GroupEdit{GroupPatch: directory.GroupPatch{
		Name: in.Body.Name.reset(), Description: in.Body.Description.reset(), Parent: in.Body.Parent.reset(), ExternalID: in.Body.ExternalID.reset()}})
	if err != nil {
		return nil, err
	}
	return answer(x, groupOf(&detail), detail.Group.Version), nil
}
