package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) webhookShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show WHICH",
		Short: "Print an endpoint as JSON, without its secrets",
		Long:  "Print an endpoint as JSON, without its secrets. WHICH is its name or id.",
		Args:  cobra.ExactArgs(1),
	}
	return p.onWebhook(cmd, func(_ context.Context, _ *remote, w *client.Webhook) error { return p.printJSON(w) })
}

func (p *program) webhookEditCommand() *cobra.Command {
	var patch client.WebhookPatch
	var types []string
	var companies []int64
	cmd := &cobra.Command{
		Use:     "edit WHICH",
		Short:   "Change an endpoint, which keeps its place",
		Long:    "Change an endpoint, which keeps its place in the events. WHICH is its name or id.",
		Example: "  usher webhook edit payroll --type user.*,company.updated",
		Args:    cobra.ExactArgs(1),
	}
	optText(cmd, &patch.Name, "name", "what people call the endpoint")
	optText(cmd, &patch.URL, "url", "where to send")
	cmd.Flags().StringSliceVar(&types, "type", nil, "types of events, in place of what it has; all when empty")
	cmd.Flags().Int64SliceVar(&companies, "company", nil, "numbers of companies, in place of what it has; everything when empty")
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		if cmd.Flags().Changed("type") {
			patch.Types = client.Set(append([]string{}, types...))
		}
		if cmd.Flags().Changed("company") {
			patch.Companies = client.Set(append([]int64{}, companies...))
		}
		if patch.Name.IsZero() && patch.URL.IsZero() && patch.Types.IsZero() && patch.Companies.IsZero() {
			return nothingToChange(cmd)
		}
		w, err := r.Webhooks.Update(ctx, w.ID, patch, client.IfMatch(w.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed endpoint %s, now version %d\n", w.Name, w.Version)
		return err
	})
}

func (p *program) webhookReplayCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "replay WHICH --from TIME",
		Short: "Send an endpoint the events of a period once more",
		Long: "Send an endpoint the events of a period once more; it takes them by their ids for what they are. Without --to until\n" +
			"what has been sent. WHICH is its name or id.",
		Example: "  usher webhook replay payroll --from 24h",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&from, "from", "", "from this moment on: a time (RFC 3339), a date, or so long ago, as in 24h (required)")
	cmd.Flags().StringVar(&to, "to", "", "before this moment, as --from")
	return p.onWebhook(cmd, func(ctx context.Context, r *remote, w *client.Webhook) error {
		if from == "" {
			return errors.New("--from: say from when on")
		}
		now := time.Now()
		begin, err := moment("from", from, now)
		if err != nil {
			return err
		}
		end, err := moment("to", to, now)
		if err != nil {
			return err
		}
		n, err := r.Webhooks.Replay(ctx, w.ID, begin, end, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d events are looked at once more for %s\n", n, w.Name)
		return err
	})
}

func (p *program) webhookSecretCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "secret", Short: "List, add and remove the secrets that sign what an endpoint is sent", Args: cobra.NoArgs, RunE: showHelp}
	var l listing
	list := &cobra.Command{Use: "list WHICH", Short: "List the ids of the secrets of an endpoint", Args: cobra.ExactArgs(1)}
	l.addFlags(list)
	add := &cobra.Command{
		Use:   "add WHICH",
		Short: "Add a secret and print it, which is shown only here",
		Long: "Add a secret and print it, which is shown only here. Everything is signed with all secrets, so that the receiver can\n" +
			"change from the old one to the new one without missing anything; then `usher webhook secret remove` ends the old one.",
		Args: cobra.ExactArgs(1),
	}
	remove := &cobra.Command{Use: "remove WHICH ID", Short: "Remove a secret of an endpoint; the last one stays", Args: cobra.ExactArgs(2)}
	cmd.AddCommand(p.onWebhook(list, func(_ context.Context, _ *remote, w *client.Webhook) error {
		return printList(p.stdout, l, each(w.Secrets), "ID\tSINCE", func(s *client.WebhookSecret) []string { return cells(s.ID, s.CreatedAt) })
	}), p.onWebhook(add, func(ctx context.Context, r *remote, w *client.Webhook) error {
		made, err := r.Webhooks.AddSecret(ctx, w.ID, r.because)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "made secret %s of endpoint %s; it is shown only now:\n", made.ID, w.Name)
		_, err = fmt.Fprintln(p.stdout, string(made.Secret))
		return err
	}), p.ask(remove, func(ctx context.Context, r *remote, args []string) error {
		w, err := r.webhook(ctx, args[0])
		if err != nil {
			return err
		}
		if err := r.Webhooks.RemoveSecret(ctx, w.ID, args[1], r.because); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "removed secret %s of endpoint %s\n", args[1], w.Name)
		return err
	}))
	return cmd
}
