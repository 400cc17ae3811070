package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) userHoldCommand() *cobra.Command {
	var at target
	var user string
	var hold app.HoldRequest
	var l listing
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
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				list, err := a.Hold(ctx, user, hold)
				if err != nil {
					return err
				}
				holds := p.holdTable(l)
				for _, h := range list {
					holds.row(string(h.Kind), h.Source, h.Ref, h.CreatedAt)
				}
				return holds.Flush()
			}, func(ctx context.Context, r *remote) error {
				list, err := r.hold(ctx, user, hold)
				if err != nil {
					return err
				}
				holds := p.holdTable(l)
				for _, h := range list {
					holds.row(h.Kind, h.Source, h.Ref, h.CreatedAt)
				}
				return holds.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&hold.Kind, "kind", "", "open_orders, assigned_vehicle, vehicle_removed or legal")
	cmd.Flags().StringVar(&hold.Source, "source", "", "the system that places the hold (required with --kind)")
	cmd.Flags().StringVar(&hold.Ref, "ref", "", "what it is about there: an order, a vehicle (required with --kind)")
	cmd.Flags().BoolVar(&hold.Release, "release", false, "release the hold")
	l.addFormFlags(cmd)
	addUserFlags(cmd, &at, &user)
	return cmd
}

// holdTable is the list of holds as it is printed.
type holdTable struct {
	p    *program
	l    listing
	list []client.Hold
}

func (p *program) holdTable(l listing) *holdTable { return &holdTable{p: p, l: l} }

func (t *holdTable) row(kind, source, ref string, since time.Time) {
	t.list = append(t.list, client.Hold{Kind: kind, Source: source, Ref: ref, CreatedAt: since})
}

// Flush prints the list.
func (t *holdTable) Flush() error {
	return printList(t.p.stdout, t.l, each(t.list), "KIND\tSOURCE\tREF\tSINCE", func(h *client.Hold) []string {
		return cells(h.Kind, h.Source, h.Ref, h.CreatedAt)
	})
}

// hold does what is asked and returns the holds that are left.
func (r *remote) hold(ctx context.Context, who string, asked app.HoldRequest) ([]client.Hold, error) {
	u, err := r.user(ctx, who)
	if err != nil {
		return nil, err
	}
	h := client.Hold{Kind: asked.Kind, Source: asked.Source, Ref: asked.Ref}
	if asked.Release {
		err = r.Users.ReleaseHold(ctx, u.ID, h, r.because)
	} else if h.Kind != "" {
		err = r.Users.PlaceHold(ctx, u.ID, h, r.because)
	}
	if err != nil {
		return nil, err
	}
	return r.Users.Holds(ctx, u.ID)
}
