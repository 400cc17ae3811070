package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

// onRole makes a command about one role.
func (p *program) onRole(cmd *cobra.Command, do func(context.Context, *remote, *client.Role) error) *cobra.Command {
	var company int64
	cmd.Long = cmd.Short + ". ROLE is its key, name or number."
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().Int64Var(&company, "company", 0, "number of the company whose roles are meant, besides the tenant's; the tenant's default company when left out")
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		if company == 0 {
			company = r.tenant.DefaultCompany
		}
		role, err := r.role(ctx, args[0], company)
		if err != nil {
			return err
		}
		return do(ctx, r, role)
	})
}

func (p *program) roleShowCommand() *cobra.Command {
	return p.onRole(&cobra.Command{Use: "show ROLE", Short: "Print a role as JSON, from a running server"},
		func(_ context.Context, _ *remote, role *client.Role) error { return p.printJSON(role) })
}

func (p *program) roleEditCommand() *cobra.Command {
	var patch client.RolePatch
	var permissions []string
	cmd := &cobra.Command{Use: "edit ROLE", Short: "Change a role, on a running server; the rank of one that somebody holds stays"}
	optText(cmd, &patch.Name, "name", "what people call the role")
	optText(cmd, &patch.Description, "description", "what the role is for")
	optText(cmd, &patch.Rank, "rank", "what its holders may do: administrator, helpdesk, reader or self")
	cmd.Flags().StringSliceVar(&permissions, "permission", nil, "all permissions that the role has, separated by commas")
	return p.onRole(cmd, func(ctx context.Context, r *remote, role *client.Role) error {
		if cmd.Flags().Changed("permission") {
			patch.Permissions = client.Set(permissions)
		}
		if patch.Name.IsZero() && patch.Description.IsZero() && patch.Rank.IsZero() && patch.Permissions.IsZero() {
			return nothingToChange(cmd)
		}
		role, err := r.Roles.Update(ctx, role.Number, patch, client.IfMatch(role.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed role %d %s, now version %d\n", role.Number, role.Key, role.Version)
		return err
	})
}

func (p *program) roleDeleteCommand() *cobra.Command {
	return p.onRole(&cobra.Command{Use: "delete ROLE", Short: "Delete a role that nobody holds, on a running server"},
		func(ctx context.Context, r *remote, role *client.Role) error {
			if err := r.Roles.Delete(ctx, role.Number, r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "deleted role %d %s\n", role.Number, role.Key)
			return err
		})
}

func (p *program) roleMembersCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "members ROLE", Short: "List who holds a role, from a running server"}
	l.addFlags(cmd)
	return p.onRole(cmd, func(ctx context.Context, r *remote, role *client.Role) error {
		return p.printMembers(l, r.Roles.AllMembers(ctx, role.Number, client.MemberQuery{PageQuery: client.PageQuery{Limit: l.page()}}))
	})
}
