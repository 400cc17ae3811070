package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) roleCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "role", Short: "Make, list and change roles", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.roleCreateCommand(), p.roleListCommand(), p.roleShowCommand(), p.roleEditCommand(), p.roleDeleteCommand(), p.roleMembersCommand())
	return cmd
}

func (p *program) roleCreateCommand() *cobra.Command {
	var at target
	var request app.RoleRequest
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a role, which `usher user role` gives to people",
		Example: "  usher role create --name Administrators --rank administrator",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				role, err := a.CreateRole(ctx, request)
				if err != nil {
					return err
				}
				return p.madeRole(role.Number, role.Key, role.Rank.String(), a.Tenant.Name)
			}, func(ctx context.Context, r *remote) error {
				role, err := r.Roles.Create(ctx, client.NewRole{Name: request.Name, Rank: request.Rank, Key: request.Key, Company: request.Company}, r.because)
				if err != nil {
					return err
				}
				return p.madeRole(role.Number, role.Key, role.Rank, r.tenant.Name)
			})
		},
	}
	cmd.Flags().StringVar(&request.Name, "name", "", "what people call the role (required)")
	cmd.Flags().StringVar(&request.Rank, "rank", "self", "what its holders may do: administrator, helpdesk, reader or self")
	cmd.Flags().StringVar(&request.Key, "key", "", "key of the role for programs; the name in small letters when left out")
	cmd.Flags().Int64Var(&request.Company, "company", 0, "number of the company that owns the role; the tenant when left out")
	at.addFlags(cmd)
	return cmd
}

func (p *program) madeRole(number int64, key, rank, tenant string) error {
	_, err := fmt.Fprintf(p.stdout, "made role %d with key %s and rank %s in tenant %s\n", number, key, rank, tenant)
	return err
}

// roleTable is the list of roles as it is printed.
type roleTable struct {
	p    *program
	l    listing
	list []roleRow
}

type roleRow struct {
	Number  int64  `json:"number"`
	Key     string `json:"key"`
	Name    string `json:"name"`
	Rank    string `json:"rank"`
	Company int64  `json:"company"`
}

func (p *program) roleTable(l listing) *roleTable { return &roleTable{p: p, l: l} }

func (t *roleTable) row(number int64, key, name, rank string, company int64) {
	t.list = append(t.list, roleRow{number, key, name, rank, company})
}

// Flush prints the list.
func (t *roleTable) Flush() error {
	return printList(t.p.stdout, t.l, each(t.list), "NUMBER\tKEY\tNAME\tRANK\tOF", func(r *roleRow) []string {
		owner := "the tenant"
		if r.Company != 0 {
			owner = fmt.Sprintf("company %d", r.Company)
		}
		return cells(r.Number, r.Key, r.Name, r.Rank, owner)
	})
}

func (p *program) roleListCommand() *cobra.Command {
	var at target
	var company int64
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the roles that a company can use: the tenant's and its own",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				roles, err := a.Roles(ctx, company)
				if err != nil {
					return err
				}
				list := p.roleTable(l)
				for _, r := range roles {
					list.row(r.Number, r.Key, r.Name, r.Rank.String(), r.Company)
				}
				return list.Flush()
			}, func(ctx context.Context, r *remote) error {
				if company == 0 {
					company = r.tenant.DefaultCompany
				}
				roles, err := r.roles(ctx, company)
				if err != nil {
					return err
				}
				list := p.roleTable(l)
				for _, role := range roles {
					list.row(role.Number, role.Key, role.Name, role.Rank, role.Company)
				}
				return list.Flush()
			})
		},
	}
	cmd.Flags().Int64Var(&company, "company", 0, "number of the company; the tenant's default company when left out")
	l.addFlags(cmd)
	at.addFlags(cmd)
	return cmd
}
