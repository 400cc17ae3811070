package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
)

func (p *program) clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Make OAuth clients", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.clientCreateCommand())
	return cmd
}

func (p *program) clientCreateCommand() *cobra.Command {
	var tenant, name, clientID, doors string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an OAuth client and print its secret, which is shown only here",
		Long: "Make an OAuth client, through which users sign in at a token service, and print its secret, which is shown only\n" +
			"here. `usher key list` shows clients beside API keys, and `usher key revoke` ends one with all its tokens.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				client, secret, err := a.CreateClient(ctx, name, clientID, doors)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stderr, "made client %s (%s) of tenant %s with client_id %s; its secret is shown only now:\n",
					client.ID, client.Name, a.Tenant.Name, client.ClientID)
				_, err = fmt.Fprintln(p.stdout, secret)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what administrators call the client (required)")
	cmd.Flags().StringVar(&clientID, "client-id", "", "client_id of the client; drawn when left out")
	cmd.Flags().StringVar(&doors, "doors", "all", "doors that the client opens, separated by commas")
	addTenantFlags(cmd, &tenant)
	return cmd
}
