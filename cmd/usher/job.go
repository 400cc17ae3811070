package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) jobCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: "See what the server does beside requests, and do it again", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.jobListCommand(), p.jobShowCommand(),
		p.jobChangeCommand("retry", "Make a job due at once: one that waits, has failed or was cancelled", (*client.JobService).Retry),
		p.jobChangeCommand("cancel", "Cancel a job that waits", (*client.JobService).Cancel))
	return cmd
}

func (p *program) jobListCommand() *cobra.Command {
	var q client.JobQuery
	var user string
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, the newest first, from a running server",
		Long: "List jobs, the newest first, from a running server: messages, validity dates to come, the purge of the recycle bin\n" +
			"and the removal of old events. A table, or with --json one object a line.",
		Example: "  usher job list --state failed",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&q.Kind, "kind", "", "mail, expiry, recycle or retention")
	flags.StringVar(&q.State, "state", "", "waiting, running, done, failed or cancelled")
	flags.StringVar(&user, "user", "", "user name, e-mail address or id of a user")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) (err error) {
		if user != "" {
			if q.User, err = r.userID(ctx, user); err != nil {
				return err
			}
		}
		q.Limit = 200
		return printList(p.stdout, l, r.Jobs.All(ctx, q), "ID\tKIND\tSTATE\tUSER\tDUE\tATTEMPTS\tLAST ERROR", func(j *client.Job) []string {
			return cells(j.ID, j.Kind, j.State, numberOrDash(j.User), j.RunAt, j.Attempts, j.LastError)
		})
	})
}

func (p *program) jobShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Short: "Print a job as JSON, from a running server", Long: "Print a job as JSON, from a running server. ID is as `usher job list` shows it.", Args: cobra.ExactArgs(1)}
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		j, err := r.Jobs.Get(ctx, args[0])
		if err != nil {
			return err
		}
		return p.printJSON(j)
	})
}

func (p *program) jobChangeCommand(verb, short string, change func(*client.JobService, context.Context, string, ...client.CallOption) (*client.Job, error)) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Long: short + ". ID is as `usher job list` shows it.", Args: cobra.ExactArgs(1)}
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		j, err := change(r.Jobs, ctx, args[0], r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "job %s (%s) is %s\n", j.ID, j.Kind, j.State)
		return err
	})
}
