package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
)

func (p *program) roleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Make and list roles", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.roleCreateCommand(), p.roleListCommand())
	return cmd
}

func (p *program) roleCreateCommand() *cobra.Command {
	var tenant string
	var request app.RoleRequest
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a role, which `usher user role` gives to people",
		Example: "  usher role create --name Administrators --rank administrator",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				role, err := a.CreateRole(ctx, request)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "made role %d with key %s and rank %s in tenant %s\n", role.Number, role.Key, role.Rank, a.Tenant.Name)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&request.Name, "name", "", "what people call the role (required)")
	cmd.Flags().StringVar(&request.Rank, "rank", "self", "what its holders may do: administrator, helpdesk, reader or self")
	cmd.Flags().StringVar(&request.Key, "key", "", "key of the role for programs; the name in small letters when left out")
	cmd.Flags().Int64Var(&request.Company, "company", 0, "number of the company that owns the role; the tenant when left out")
	addTenantFlags(cmd, &tenant)
	return cmd
}

func (p *program) roleListCommand() *cobra.Command {
	var tenant string
	var company int64
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the roles that a company can use: the tenant's and its own",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				roles, err := a.Roles(ctx, company)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NUMBER\tKEY\tNAME\tRANK\tOF")
				for _, r := range roles {
					owner := "the tenant"
					if r.Company != 0 {
						owner = fmt.Sprintf("company %d", r.Company)
					}
					fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", r.Number, r.Key, r.Name, r.Rank, owner)
				}
				return table.Flush()
			})
		},
	}
	cmd.Flags().Int64Var(&company, "company", 0, "number of the company; the tenant's default company when left out")
	addTenantFlags(cmd, &tenant)
	return cmd
}
