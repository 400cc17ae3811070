package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
)

func (p *program) userHoldCommand() *cobra.Command {
	var tenant, user string
	var hold app.HoldRequest
	cmd := &cobra.Command{
		Use:   "hold",
		Short: "List the holds on a user, place one with --kind, or release it with --release",
		Long: "List the holds on a user, place one with --kind, or release it with --release. A hold is another system's claim:\n" +
			"open_orders and assigned_vehicle keep a user from being deactivated or deleted, vehicle_removed from being\n" +
			"activated, legal from being deleted or purged. A hold is known by its kind, source and reference together.",
		Example: "  usher user hold --user ana@example.com --kind open_orders --source dispatch --ref 4711\n" +
			"  usher user hold --user ana@example.com --kind open_orders --source dispatch --ref 4711 --release",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hold.Kind == "" && (hold.Release || hold.Source != "" || hold.Ref != "") {
				return errors.New("--kind: say which hold")
			}
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				list, err := a.Hold(ctx, user, hold)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "KIND\tSOURCE\tREF\tSINCE")
				for _, h := range list {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", h.Kind, h.Source, h.Ref, h.CreatedAt.Format(time.RFC3339))
				}
				return table.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&hold.Kind, "kind", "", "open_orders, assigned_vehicle, vehicle_removed or legal")
	cmd.Flags().StringVar(&hold.Source, "source", "", "the system that places the hold (required with --kind)")
	cmd.Flags().StringVar(&hold.Ref, "ref", "", "what it is about there: an order, a vehicle (required with --kind)")
	cmd.Flags().BoolVar(&hold.Release, "release", false, "release the hold")
	addUserFlags(cmd, &tenant, &user)
	return cmd
}
