package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// GroupMemberPath are the parameters of one member of a group.
type GroupMemberPath struct {
	GroupPath
	User string `path:"user" example:"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" doc:"The user's id, a UUID; anything else is unknown."`
}

// registerMembers adds who is in a group. Conditions are about the group.
func registerMembers(d *door) {
	const path, tag = groupPath + "/members", "groups"
	register(d, operation{id: "list_group_members", method: http.MethodGet, path: path, tag: tag, summary: "Members of a group",
		description: "Those that the credential can see, by number; users in the recycle bin are none.",
		examples:    []example{{name: "members", path: "/groups/" + exampleGroup + "/members?total=true"}}},
		func(ctx context.Context, x *exchange, in *struct {
			GroupPath
			MemberQuery
		}) (*pageOutput[memberRef], error) {
			list, err := x.door.svc.ListMembers(ctx, &x.call, groupRefOf(in.Group), in.Limit, in.Cursor)
			if err != nil {
				return nil, err
			}
			return memberPage(&list, in.Total), nil
		})
	register(d, operation{id: "change_group_members", method: http.MethodPost, path: path, tag: tag, summary: "Change who is in a group",
		description: "All or nothing, at most 2,000 memberships. Who is to join and is in, or to leave and is not, stays so; of a user who is named in both, joining counts. The version of the group rises once.",
		versioned:   true, examples: []example{{name: "one leaves", path: "/groups/" + exampleGroup + "/members", body: `{"remove":["` + exampleUser + `"]}`}}},
		func(ctx context.Context, x *exchange, in *struct {
			GroupPath
			Body struct {
				Add    opt[[]string] `json:"add,omitempty" maxItems:"2000" doc:"Ids of users."`
				Remove opt[[]string] `json:"remove,omitempty" maxItems:"2000" doc:"Ids of users; who is no user is no member."`
				Reason string        `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
			} `nameHint:"MemberChange"`
		}) (*made[Group], error) {
			if err := x.setReason(in.Body.Reason, "reason"); err != nil {
				return nil, err
			}
			edit := directory.GroupEdit{Add: membersNamed(in.Body.Add.or(nil)), Remove: membersNamed(in.Body.Remove.or(nil))}
			detail, err := x.door.svc.EditGroup(ctx, &x.call, groupRefOf(in.Group), edit)
			if err != nil {
				return nil, inBody(err, directory.ReasonUserNotFound, "add")
			}
			return answer(x, groupOf(&detail), detail.Group.Version), nil
		})
	for _, o := range []struct {
		id, method, summary, description string
		edit                             func([]directory.UserRef) directory.GroupEdit
	}{
		{"add_group_member", http.MethodPut, "Put a user into a group", "Who is in already stays as it is. Who joins a service team leaves the one before.",
			func(refs []directory.UserRef) directory.GroupEdit { return directory.GroupEdit{Add: refs} }},
		{"remove_group_member", http.MethodDelete, "Take a user out of a group", "Who is not in it stays out.",
			func(refs []directory.UserRef) directory.GroupEdit { return directory.GroupEdit{Remove: refs} }},
	} {
		register(d, operation{id: o.id, method: o.method, path: path + "/{user}", tag: tag, summary: o.summary, description: o.description,
			examples: []example{{name: "one member", path: "/groups/" + exampleGroup + "/members/" + exampleUser}}},
			func(ctx context.Context, x *exchange, in *GroupMemberPath) (*nothing, error) {
				_, err := x.door.svc.EditGroup(ctx, &x.call, groupRefOf(in.Group), o.edit(membersNamed([]string{in.User})))
				return nil, renamed(err, func(string) string { return "user" })
			})
	}
}
