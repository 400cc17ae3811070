package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) webhookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "webhook", Short: "Send what changes to other systems, from a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.webhookListCommand(), p.webhookCreateCommand(), p.webhookTestCommand(),
		p.webhookStateCommand("pause", "Send an endpoint nothing, until it is resumed: nothing is lost", client.WebhookPaused),
		p.webhookStateCommand("resume", "Let an endpoint go on where it stopped, at once", client.WebhookActive),
		p.webhookDeleteCommand(), p.webhookDeliveriesCommand(), p.webhookShowCommand(), p.webhookEditCommand(), p.webhookReplayCommand(), p.webhookSecretCommand())
	return cmd
}

func (p *program) webhookListCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List endpoints, from a running server",
		Long:  "List endpoints and how far they have come, from a running server: a table, or with --json one object a line.",
		Args:  cobra.NoArgs,
	}
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		list, err := r.Webhooks.List(ctx)
		if err != nil {
			return err
		}
		return printList(p.stdout, l, each(list), "ID\tNAME\tURL\tSTATE\tBEHIND\tWAITING\tDEAD\tLAST ERROR", func(w *client.Webhook) []string {
			return cells(w.ID, w.Name, w.URL, w.State, w.Behind, w.Waiting, w.Dead, w.LastError)
		})
	})
}

func (p *program) webhookCreateCommand() *cobra.Command {
	var in client.NewWebhook
	var exceptOwn bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an endpoint and print its secret, which is shown only here",
		Long: "Make an endpoint, to which events are sent as CloudEvents, and print the secret that signs them (Standard\n" +
			"Webhooks), which is shown only here.",
		Example: "  usher webhook create --name payroll --url https://payroll.example.com/usher --type user.*",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&in.Name, "name", "", "what people call the endpoint (required)")
	flags.StringVar(&in.URL, "url", "", "where to send (required)")
	flags.StringSliceVar(&in.Types, "type", nil, "types of events, as user.created, or user.* for all of a noun; all when left out")
	flags.Int64SliceVar(&in.Companies, "company", nil, "numbers of companies: only what happens in their subtrees; everything when left out")
	flags.BoolVar(&in.FromStart, "from-start", false, "send the history first, as far as it is kept")
	flags.BoolVar(&exceptOwn, "except-own", false, "leave out what the same key has done")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if exceptOwn {
			me, err := r.Me.Get(ctx)
			if err != nil {
				return err
			}
			in.ExceptOrigins = []string{ownOrigin(me)}
		}
		w, err := r.Webhooks.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "made endpoint %s (%s) of tenant %s; its secret is shown only now:\n", w.ID, w.Name, r.tenant.Name)
		_, err = fmt.Fprintln(p.stdout, string(w.Secret))
		return err
	})
}

// webhook finds an endpoint by id or name.
func (r *remote) webhook(ctx context.Context, which string) (*client.Webhook, error) {
	list, err := r.Webhooks.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []*client.Webhook
	for i := range list {
		if w := &list[i]; w.ID == which || w.Name == which {
			found = append(found, w)
		}
	}
	switch len(found) {
	case 0:
		return nil, absent("tenant %s has no endpoint %q; see: usher webhook list", r.tenant.Name, which)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("tenant %s has several endpoints %q; name one by its id; see: usher webhook list", r.tenant.Name, which)
}

// onWebhook makes a command about one endpoint.
func (p *program) onWebhook(cmd *cobra.Command, do func(context.Context, *remote, *client.Webhook) error) *cobra.Command {
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		w, err := r.webhook(ctx, args[0])
		if err != nil {
			return err
		}
		return do(ctx, r, w)
	})
}

func (p *program) webhookTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test WHICH",
		Short: "Send an endpoint a test message and print what it answers",
		Long:  "Send an endpoint a message of the type webhook.test, also while it is paused, and print what it answers. WHICH is its\nname or id.",
		Args:  cobra.ExactArgs(1),
	}
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		result, err := r.Webhooks.Test(ctx, w.ID, r.because)
		switch {
		case err != nil:
			return err
		case !result.Delivered:
			return errors.New("the endpoint has not taken it: " + result.Error)
		}
		_, err = fmt.Fprintf(p.stdout, "%s answered %d in %d ms\n", w.URL, result.Status, result.DurationMS)
		return err
	})
}

func (p *program) webhookStateCommand(verb, short, state string) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " WHICH", Short: short, Long: short + ". WHICH is its name or id.", Args: cobra.ExactArgs(1)}
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		w, err := r.Webhooks.Update(ctx, w.ID, client.WebhookPatch{State: client.Set(state)}, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "endpoint %s is %s\n", w.Name, w.State)
		return err
	})
}

func (p *program) webhookDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete WHICH",
		Short: "Delete an endpoint with whatever waits for it",
		Long:  "Delete an endpoint with whatever waits for it. WHICH is its name or id.",
		Args:  cobra.ExactArgs(1),
	}
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		if err := r.Webhooks.Delete(ctx, w.ID, r.because); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "deleted endpoint %s (%s)\n", w.ID, w.Name)
		return err
	})
}

func (p *program) webhookDeliveriesCommand() *cobra.Command {
	var state string
	var retry, drop int64
	var l listing
	cmd := &cobra.Command{
		Use:   "deliveries WHICH",
		Short: "List what an endpoint has not taken, retry it or give it up",
		Long: "List what an endpoint has not taken, the oldest first; with --retry or --drop send one at once, or give it up.\n" +
			"WHICH is the endpoint's name or id.",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&state, "state", "", "waiting or dead; both when left out")
	cmd.Flags().Int64Var(&retry, "retry", 0, "position of a delivery to send at once")
	cmd.Flags().Int64Var(&drop, "drop", 0, "position of a delivery to give up")
	cmd.MarkFlagsMutuallyExclusive("retry", "drop", "state")
	l.addFlags(cmd)
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		switch {
		case retry != 0:
			_, err := r.Webhooks.RetryDelivery(ctx, w.ID, retry, r.because)
			return err
		case drop != 0:
			return r.Webhooks.DropDelivery(ctx, w.ID, drop, r.because)
		}
		list := r.Webhooks.AllDeliveries(ctx, w.ID, client.DeliveryQuery{State: state, PageQuery: client.PageQuery{Limit: 200}})
		return printList(p.stdout, l, list, "POSITION\tTYPE\tUSER\tSTATE\tATTEMPTS\tNEXT\tLAST ERROR", func(y *client.Delivery) []string {
			return cells(y.Position, y.Type, numberOrDash(y.User), y.State, y.Attempts, y.NextAt, y.LastError)
		})
	})
}

// numberOrDash is a number in a table; "-" for none.
func numberOrDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// timeOrDash is a time in a table; "-" for none.
func timeOrDash(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

// ownOrigin is the origin of who asks, as events name it.
func ownOrigin(me *client.Me) string {
	if me.User != nil {
		return fmt.Sprintf("user:%d", me.User.Number)
	}
	return "credential:" + me.Credential.ID
}
