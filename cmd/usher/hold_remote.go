package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) holdCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "List, place and release other systems' claims on users, on a running server", Args: cobra.NoArgs, RunE: showHelp,
		Long: "List, place and release other systems' claims on users, on a running server: open_orders and assigned_vehicle keep a\n" +
			"user from being deactivated or deleted, vehicle_removed from being activated, legal from being deleted or purged. A\n" +
			"hold is known by its kind, source and reference together. `usher user hold` works on the database too."}
	cmd.AddCommand(p.holdListCommand(),
		p.holdChangeCommand("place", "Place a hold on a user; the same one again changes nothing", "placed %s of %s (%s) on %s\n", (*client.UserService).PlaceHold),
		p.holdChangeCommand("release", "Release a hold on a user; one that is not there changes nothing", "released %s of %s (%s) from %s\n", (*client.UserService).ReleaseHold))
	return cmd
}

func (p *program) holdListCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "list", Short: "List the holds on a user, from a running server"}
	l.addFlags(cmd)
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		list, err := r.Users.Holds(ctx, u.ID)
		if err != nil {
			return err
		}
		table := holdTable{p: p, l: l, list: list}
		return table.Flush()
	})
}

func (p *program) holdChangeCommand(verb, short, done string, change func(*client.UserService, context.Context, string, client.Hold, ...client.CallOption) error) *cobra.Command {
	var h client.Hold
	cmd := &cobra.Command{Use: verb, Short: short,
		Example: "  usher hold " + verb + " --user ana@example.com --kind open_orders --source dispatch --ref 4711"}
	cmd.Flags().StringVar(&h.Kind, "kind", "", "open_orders, assigned_vehicle, vehicle_removed or legal (required)")
	cmd.Flags().StringVar(&h.Source, "source", "", "the system whose claim it is (required)")
	cmd.Flags().StringVar(&h.Ref, "ref", "", "what it is about there: an order, a vehicle (required)")
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		if h.Kind == "" {
			return errors.New("--kind: say which hold")
		}
		if err := change(r.Users, ctx, u.ID, h, r.because); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, done, h.Kind, h.Source, h.Ref, u.UserName)
		return err
	})
}
