package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Make OAuth clients, API users and customer codes", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.clientCreateCommand())
	return cmd
}

func (p *program) clientCreateCommand() *cobra.Command {
	var at target
	var request app.ClientRequest
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a client and print its secret, which is shown only here",
		Long: "Make what has a name and a secret, and print the secret, which is shown only here:\n\n" +
			"  oauth     an OAuth client, through which users sign in at a token service (iqmetrix)\n" +
			"  api_user  a name and password that open API sessions for people to act in (edubrite)\n" +
			"  customer  a customer id and code that are sent with every call (servicemobility)\n\n" +
			"`usher key list` shows them beside API keys, and `usher key revoke` ends one with all its tokens and sessions.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				made, secret, err := a.CreateClient(ctx, request)
				if err != nil {
					return err
				}
				return p.madeClient(made.ID, made.Name, a.Tenant.Name, made.ClientID, secret)
			}, func(ctx context.Context, r *remote) error {
				in := client.NewCredential{Kind: request.Kind, Name: request.Name, ClientID: request.ClientID, Rank: request.Rank, Doors: doorNames(request.Doors)}
				switch request.Kind {
				case "oauth":
					in.Kind, in.Rank = client.CredentialClient, "" // it acts as the users who sign in through it
				case client.CredentialAPIUser, client.CredentialCustomer:
				default:
					return fmt.Errorf("--kind: %q is none of oauth, api_user and customer", request.Kind)
				}
				made, err := r.Credentials.Create(ctx, in, r.because)
				if err != nil {
					return err
				}
				return p.madeClient(made.ID, made.Name, r.tenant.Name, made.ClientID, string(made.Secret))
			})
		},
	}
	cmd.Flags().StringVar(&request.Kind, "kind", "oauth", "oauth, api_user or customer")
	cmd.Flags().StringVar(&request.Name, "name", "", "what administrators call the client (required)")
	cmd.Flags().StringVar(&request.ClientID, "client-id", "", "name that the client signs in with; drawn when left out")
	cmd.Flags().StringVar(&request.Rank, "rank", "administrator", "how far api_user and customer reach: administrator, helpdesk, reader or self")
	cmd.Flags().StringVar(&request.Doors, "doors", "all", "doors that the client opens, separated by commas")
	at.addFlags(cmd)
	return cmd
}

func (p *program) madeClient(id, name, tenant, clientID, secret string) error {
	fmt.Fprintf(p.stderr, "made client %s (%s) of tenant %s with client_id %s; its secret is shown only now:\n", id, name, tenant, clientID)
	_, err := fmt.Fprintln(p.stdout, secret)
	return err
}
