package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) keyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Make, list and revoke API keys", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.keyCreateCommand(), p.keyListCommand(), p.keyRevokeCommand())
	return cmd
}

// addTenantFlags adds the flags of a command about one tenant.
func addTenantFlags(cmd *cobra.Command, tenant *string) {
	cmd.Flags().StringVar(tenant, "tenant", "", "name of the tenant; may be left out while there is only one")
	config.AddFlags(cmd.Flags(), databaseSettings...)
}

func (p *program) keyCreateCommand() *cobra.Command {
	var tenant string
	var request app.KeyRequest
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API key and print its secret, which is shown only here",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				key, secret, err := a.CreateKey(ctx, request)
				if err != nil {
					return err
				}
				// The secret alone goes to standard output, so that a script
				// can take it.
				fmt.Fprintf(p.stderr, "made key %s (%s) of tenant %s; its secret is shown only now:\n", key.ID, key.Name, a.Tenant.Name)
				_, err = fmt.Fprintln(p.stdout, secret)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&request.Name, "name", "", "what administrators call the key (required)")
	cmd.Flags().StringVar(&request.Rank, "rank", "administrator", "what the key may do: owner, administrator, helpdesk or reader")
	cmd.Flags().StringVar(&request.Doors, "doors", "all", "doors that the key opens, separated by commas")
	cmd.Flags().Int64Var(&request.Company, "company", 0, "number of a company; the key then sees only it and the companies below it")
	cmd.Flags().DurationVar(&request.ExpiresIn, "expires-in", 0, "how long the key is valid, as in 2160h; 0 for ever")
	addTenantFlags(cmd, &tenant)
	return cmd
}

func (p *program) keyListCommand() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the API keys and OAuth clients of a tenant",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				list, err := a.Credentials(ctx)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "ID\tKIND\tNAME\tENDS WITH\tRANK\tDOORS\tEXPIRES")
				for _, c := range list {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Kind, c.Name, c.Hint, c.Rank, app.DoorsText(c.Doors), expiry(c.ExpiresAt))
				}
				return table.Flush()
			})
		},
	}
	addTenantFlags(cmd, &tenant)
	return cmd
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func (p *program) keyRevokeCommand() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke an API key or OAuth client; it is refused from its next request on",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				if err := a.RevokeCredential(ctx, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.stdout, "revoked %s\n", args[0])
				return err
			})
		},
	}
	addTenantFlags(cmd, &tenant)
	return cmd
}
