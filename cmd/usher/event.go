package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) eventCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "event", Short: "List what has changed", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.eventListCommand())
	return cmd
}

func (p *program) eventListCommand() *cobra.Command {
	var user string
	var most int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what has changed, the oldest first, from a running server",
		Long: "List what has changed, the oldest first, from a running server: a table, or with --json one object a line, which\n" +
			"has the values before and after too. With --user only a user's history, also of one in the recycle bin by its id.",
		Example: "  usher event list --user ana@example.com",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&user, "user", "", "user name, e-mail address or id of a user")
	cmd.Flags().IntVar(&most, "most", 0, "end after so many; 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		events, err := r.events(ctx, user)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		if !asJSON {
			fmt.Fprintln(table, "TIME\tTYPE\tABOUT\tBY\tDOOR\tREASON")
		}
		count := 0
		for e, err := range events {
			if err == nil && asJSON {
				err = json.NewEncoder(p.stdout).Encode(&e)
			}
			if err != nil {
				return errors.Join(err, table.Flush())
			}
			if !asJSON {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Format(time.RFC3339), e.Type, about(&e), e.Actor, e.Door, e.Reason)
			}
			if count++; count == most {
				break
			}
		}
		return table.Flush()
	})
}

// events are those of the tenant, or of one user.
func (r *remote) events(ctx context.Context, who string) (iter.Seq2[client.Event, error], error) {
	q := client.PageQuery{Limit: 200}
	if who == "" {
		return r.Events.All(ctx, q), nil
	}
	if uuid.MatchString(who) {
		return r.Users.AllEvents(ctx, who, q), nil // in the recycle bin it is not found
	}
	u, err := r.user(ctx, who)
	if err != nil {
		return nil, err
	}
	return r.Users.AllEvents(ctx, u.ID, q), nil
}

// about is what an event is about, in one word.
func about(e *client.Event) string {
	switch {
	case e.Subject != "":
		return e.Subject
	case e.User != 0:
		return fmt.Sprintf("user:%d", e.User)
	}
	return "tenant"
}
