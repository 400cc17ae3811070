package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) groupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "group", Short: "Make groups and change who is in them, on a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.groupListCommand(), p.groupShowCommand(), p.groupCreateCommand(), p.groupEditCommand(), p.groupDeleteCommand(),
		p.groupMembersCommand(), p.groupChangeCommand("add", "Put users into a group", "is in"), p.groupChangeCommand("remove", "Take users out of a group", "is out of"))
	return cmd
}

// whichGroup is how help texts say what names a group.
const whichGroup = "GROUP is its id, number, key or name; with --kind of another kind than plain groups."

func (p *program) groupListCommand() *cobra.Command {
	var q client.GroupQuery
	var l listing
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List groups of one kind, from a running server",
		Example: "  usher group list --q field\n  usher group list --kind service_team --csv",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&q.Search, "q", "", "part of the name")
	cmd.Flags().StringVar(&q.Kind, "kind", "", "group, dashboard or service_team; group when left out")
	cmd.Flags().StringVar(&q.Parent, "parent", "", "id of a group: only those directly below it; none for those below no group")
	cmd.Flags().StringVar(&q.Sort, "sort", "", "number, -number, name or -name")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		q.Limit = l.page()
		return printList(p.stdout, l, r.Groups.All(ctx, q), "NUMBER\tNAME\tKIND\tKEY\tDESCRIPTION\tID", func(g *client.Group) []string {
			return cells(g.Number, g.Name, g.Kind, g.Key, g.Description, g.ID)
		})
	})
}

// group finds a group by id, number, key or name.
func (r *remote) group(ctx context.Context, which, kind string) (*client.Group, error) {
	if uuid.MatchString(which) {
		g, err := r.Groups.Get(ctx, which)
		if client.IsNotFound(err) {
			return nil, absent("tenant %s has no group %q; see: usher group list", r.tenant.Name, which)
		}
		return g, err
	}
	var found []client.Group
	for g, err := range r.Groups.All(ctx, client.GroupQuery{Kind: kind, PageQuery: client.PageQuery{Limit: 200}}) {
		if err != nil {
			return nil, err
		}
		if fmt.Sprint(g.Number) == which || g.Key == which || strings.EqualFold(g.Name, which) {
			found = append(found, g)
		}
	}
	switch len(found) {
	case 0:
		return nil, absent("tenant %s has no group %q; see: usher group list", r.tenant.Name, which)
	case 1:
		return &found[0], nil
	}
	return nil, fmt.Errorf("tenant %s has several groups %q; name one by its id; see: usher group list", r.tenant.Name, which)
}

// onGroup makes a command about one group.
func (p *program) onGroup(cmd *cobra.Command, do func(context.Context, *remote, *client.Group) error) *cobra.Command {
	kind := ""
	if cmd.Long == "" {
		cmd.Long = cmd.Short + ". " + whichGroup
	}
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().StringVar(&kind, "kind", "", "group, dashboard or service_team; group when left out")
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		g, err := r.group(ctx, args[0], kind)
		if err != nil {
			return err
		}
		return do(ctx, r, g)
	})
}

func (p *program) groupShowCommand() *cobra.Command {
	return p.onGroup(&cobra.Command{Use: "show GROUP", Short: "Print a group as JSON, from a running server"},
		func(_ context.Context, _ *remote, g *client.Group) error { return p.printJSON(g) })
}

func (p *program) groupCreateCommand() *cobra.Command {
	var in client.NewGroup
	var members []string
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a group, on a running server",
		Example: "  usher group create --name Field --member ana@example.com,bo",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&in.Name, "name", "", "name of the group (required)")
	cmd.Flags().StringVar(&in.Kind, "kind", "", "group, dashboard or service_team; group when left out")
	cmd.Flags().StringVar(&in.Key, "key", "", "key of a service team; its id when left out")
	cmd.Flags().StringVar(&in.Description, "description", "", "what the group is for")
	cmd.Flags().StringVar(&in.Parent, "parent", "", "the group above: its id, number or name")
	cmd.Flags().StringSliceVar(&members, "member", nil, "first members: user names, addresses or ids, separated by commas")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if in.Parent != "" {
			above, err := r.group(ctx, in.Parent, in.Kind)
			if err != nil {
				return err
			}
			in.Parent = above.ID
		}
		var err error
		if in.Members, err = r.userIDs(ctx, members); err != nil {
			return err
		}
		g, err := r.Groups.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "made group %d %s with id %s\n", g.Number, g.Name, g.ID)
		return err
	})
}

// userIDs are the ids of users by user name, e-mail address or id.
func (r *remote) userIDs(ctx context.Context, who []string) ([]string, error) {
	var ids []string
	for _, one := range who {
		id, err := r.userID(ctx, one)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (p *program) groupEditCommand() *cobra.Command {
	var patch client.GroupPatch
	cmd := &cobra.Command{Use: "edit GROUP", Short: "Change a group, on a running server; an empty value resets"}
	optText(cmd, &patch.Name, "name", "name of the group")
	optText(cmd, &patch.Description, "description", "what the group is for")
	optText(cmd, &patch.Parent, "parent", "id of the group above")
	return p.onGroup(cmd, func(ctx context.Context, r *remote, g *client.Group) error {
		if patch == (client.GroupPatch{}) {
			return nothingToChange(cmd)
		}
		g, err := r.Groups.Update(ctx, g.ID, patch, client.IfMatch(g.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed group %d %s, now version %d\n", g.Number, g.Name, g.Version)
		return err
	})
}

func (p *program) groupDeleteCommand() *cobra.Command {
	return p.onGroup(&cobra.Command{Use: "delete GROUP", Short: "Delete a group, on a running server; its members stay users"},
		func(ctx context.Context, r *remote, g *client.Group) error {
			if err := r.Groups.Delete(ctx, g.ID, r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "deleted group %d %s\n", g.Number, g.Name)
			return err
		})
}

func (p *program) groupMembersCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "members GROUP", Short: "List the members of a group, from a running server"}
	l.addFlags(cmd)
	return p.onGroup(cmd, func(ctx context.Context, r *remote, g *client.Group) error {
		return p.printMembers(l, r.Groups.AllMembers(ctx, g.ID, client.MemberQuery{PageQuery: client.PageQuery{Limit: l.page()}}))
	})
}

func (p *program) groupChangeCommand(verb, short, is string) *cobra.Command {
	var users []string
	cmd := &cobra.Command{Use: verb + " GROUP --user WHO", Short: short + ", on a running server: all of them or none",
		Example: "  usher group " + verb + " Field --user ana@example.com,bo"}
	cmd.Flags().StringSliceVar(&users, "user", nil, "user names, addresses or ids, separated by commas (required)")
	return p.onGroup(cmd, func(ctx context.Context, r *remote, g *client.Group) error {
		if len(users) == 0 {
			return errors.New("--user: name the users")
		}
		ids, err := r.userIDs(ctx, users)
		if err != nil {
			return err
		}
		change := client.MemberChange{Add: ids}
		if verb == "remove" {
			change = client.MemberChange{Remove: ids}
		}
		if _, err := r.Groups.ChangeMembers(ctx, g.ID, change, r.because); err != nil {
			return err
		}
		for _, who := range users {
			fmt.Fprintf(p.stdout, "%s %s group %s now\n", who, is, g.Name)
		}
		return nil
	})
}
