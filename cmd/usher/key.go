package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) keyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Make, list and revoke API keys", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.keyCreateCommand(), p.keyListCommand(), p.keyRevokeCommand())
	return cmd
}

func (p *program) keyCreateCommand() *cobra.Command {
	var at target
	var request app.KeyRequest
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API key and print its secret, which is shown only here",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				key, secret, err := a.CreateKey(ctx, request)
				if err != nil {
					return err
				}
				return p.madeKey(key.ID, key.Name, a.Tenant.Name, secret)
			}, func(ctx context.Context, r *remote) error {
				in := client.NewCredential{Name: request.Name, Rank: request.Rank, Doors: doorNames(request.Doors), Company: request.Company}
				if request.ExpiresIn < 0 {
					return errors.New("--expires-in: must not be negative")
				}
				if request.ExpiresIn > 0 {
					in.ExpiresAt = time.Now().Add(request.ExpiresIn)
				}
				key, err := r.Credentials.Create(ctx, in, r.because)
				if err != nil {
					return err
				}
				return p.madeKey(key.ID, key.Name, r.tenant.Name, string(key.Secret))
			})
		},
	}
	cmd.Flags().StringVar(&request.Name, "name", "", "what administrators call the key (required)")
	cmd.Flags().StringVar(&request.Rank, "rank", "administrator", "what the key may do: owner, administrator, helpdesk or reader")
	cmd.Flags().StringVar(&request.Doors, "doors", "all", "doors that the key opens, separated by commas")
	cmd.Flags().Int64Var(&request.Company, "company", 0, "number of a company; the key then sees only it and the companies below it")
	cmd.Flags().DurationVar(&request.ExpiresIn, "expires-in", 0, "how long the key is valid, as in 2160h; 0 for ever")
	at.addFlags(cmd)
	return cmd
}

// madeKey prints a new key. The secret alone goes to standard output, so that a
// script can take it.
func (p *program) madeKey(id, name, tenant, secret string) error {
	fmt.Fprintf(p.stderr, "made key %s (%s) of tenant %s; its secret is shown only now:\n", id, name, tenant)
	_, err := fmt.Fprintln(p.stdout, secret)
	return err
}

// doorNames are doors as the API names them: nil, which is all that the calling key
// opens, for all.
func doorNames(text string) []string {
	if text == "all" || text == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(text, " ", ""), ",")
}

func (p *program) keyListCommand() *cobra.Command {
	var at target
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the API keys and OAuth clients of a tenant",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				list, err := a.Credentials(ctx)
				if err != nil {
					return err
				}
				keys := p.keyTable(l)
				for _, c := range list {
					keys.row(c.ID, string(c.Kind), c.Name, c.Hint, c.Rank.String(), app.DoorsText(c.Doors), c.ExpiresAt)
				}
				return keys.Flush()
			}, func(ctx context.Context, r *remote) error {
				list, err := r.Credentials.List(ctx)
				if err != nil {
					return err
				}
				keys := p.keyTable(l)
				for _, c := range list {
					keys.row(c.ID, c.Kind, c.Name, c.Hint, c.Rank, app.DoorNamesText(c.Doors), c.ExpiresAt)
				}
				return keys.Flush()
			})
		},
	}
	l.addFlags(cmd)
	at.addFlags(cmd)
	return cmd
}

// keyTable is the list of credentials as it is printed.
type keyTable struct {
	p    *program
	l    listing
	list []keyRow
}

type keyRow struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	Hint      string    `json:"ends_with"`
	Rank      string    `json:"rank"`
	Doors     string    `json:"doors"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

func (p *program) keyTable(l listing) *keyTable { return &keyTable{p: p, l: l} }

func (t *keyTable) row(id, kind, name, hint, rank, doors string, expires time.Time) {
	t.list = append(t.list, keyRow{id, kind, name, hint, rank, doors, expires})
}

// Flush prints the list.
func (t *keyTable) Flush() error {
	return printList(t.p.stdout, t.l, each(t.list), "ID\tKIND\tNAME\tENDS WITH\tRANK\tDOORS\tEXPIRES", func(k *keyRow) []string {
		return cells(k.ID, k.Kind, k.Name, k.Hint, k.Rank, k.Doors, expiry(k.ExpiresAt))
	})
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func (p *program) keyRevokeCommand() *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke an API key or OAuth client; it is refused from its next request on",
		Example: "  usher key revoke 0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31 --server https://users.example.com --key-file admin.key --reason leaked",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			revoked := func(err error) error {
				if err == nil {
					_, err = fmt.Fprintf(p.stdout, "revoked %s\n", args[0])
				}
				return err
			}
			return p.on(cmd, &at,
				func(ctx context.Context, a *app.TenantAdmin) error { return revoked(a.RevokeCredential(ctx, args[0])) },
				func(ctx context.Context, r *remote) error {
					return revoked(r.Credentials.Revoke(ctx, args[0], r.because))
				})
		},
	}
	at.addFlags(cmd)
	return cmd
}
