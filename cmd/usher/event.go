package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) eventCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "event", Short: "List what has changed, or follow it", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.eventListCommand(), p.eventFollowCommand())
	return cmd
}

// eventFlags are the flags that select events.
type eventFlags struct {
	query         client.EventQuery
	user          string
	since, until  string
	exceptOwn     bool
	filtered      bool // by more than the user
	json, cloudly bool
}

func (f *eventFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "user name, e-mail address or id of a user")
	flags.StringSliceVar(&f.query.Types, "type", nil, "types, as user.created, or user.* for all of a noun; separated by commas")
	flags.StringVar(&f.query.Actor, "actor", "", "who, as events name it: key:NAME, user:NUMBER or system:WHAT")
	flags.StringVar(&f.query.Door, "door", "", "through which API; cli for the command line, server for what the server did by itself")
	flags.StringVar(&f.query.Reason, "reason", "", "why, exactly as events have it")
	flags.StringVar(&f.since, "since", "", "from this moment on: a time (RFC 3339), a date, or so long ago, as in 24h")
	flags.BoolVar(&f.exceptOwn, "except-own", false, "leave out what the same key has done")
}

// read makes the query of the flags.
func (f *eventFlags) read(ctx context.Context, r *remote) (err error) {
	if f.query.Since, err = moment("since", f.since, time.Now()); err != nil {
		return err
	}
	if f.query.Until, err = moment("until", f.until, time.Now()); err != nil {
		return err
	}
	if f.exceptOwn {
		f.query.ExceptOrigins = []string{client.OriginSelf}
	}
	q := &f.query
	f.filtered = len(q.Types) > 0 || q.Actor != "" || q.Door != "" || q.Reason != "" || f.since != "" || f.until != "" || f.exceptOwn || q.Newest
	if f.user != "" {
		q.User, err = r.userID(ctx, f.user)
	}
	return err
}

// moment reads a flag that is a time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("--%s: %q is no time: write 2026-02-25T12:00:00Z, 2026-02-25, or 24h for so long ago", flag, text)
}

func (p *program) eventListCommand() *cobra.Command {
	var f eventFlags
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what has changed, the oldest first, from a running server",
		Long: "List what has changed, the oldest first, from a running server: a table, or with --json one object a line, which\n" +
			"has the values before and after too. With --user only a user's history, also of one in the recycle bin by its id.",
		Example: "  usher event list --user ana@example.com\n" +
			"  usher event list --type user.deactivated,user.deleted --since 24h --newest",
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	l.addFlags(cmd)
	cmd.Flags().StringVar(&f.until, "until", "", "before this moment, as --since")
	cmd.Flags().BoolVar(&f.query.Newest, "newest", false, "the newest first")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if err := f.read(ctx, r); err != nil {
			return err
		}
		return p.printEvents(l, r.events(ctx, &f))
	})
}

func (p *program) printEvents(l listing, list iter.Seq2[client.Event, error]) error {
	return printList(p.stdout, l, list, "TIME\tTYPE\tABOUT\tBY\tDOOR\tREASON", func(e *client.Event) []string {
		return cells(e.Time, e.Type, about(e), e.Actor, e.Door, e.Reason)
	})
}

// events are those of the tenant, or of one user.
func (r *remote) events(ctx context.Context, f *eventFlags) iter.Seq2[client.Event, error] {
	f.query.Limit = 200
	if f.query.User != "" && !f.filtered {
		// A key of one company sees a user's history, and not that of the tenant.
		return r.Users.AllEvents(ctx, f.query.User, f.query.PageQuery)
	}
	return r.Events.All(ctx, f.query)
}

func (p *program) eventFollowCommand() *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use:   "follow",
		Short: "Print what changes as it happens, from a running server",
		Long: "Print what changes as it happens, one event a line, until it is interrupted; with --since what has happened from\n" +
			"then on comes first. A connection that breaks is made again, and no event is missing or comes twice.",
		Example: "  usher event follow --type user.*\n" +
			"  usher event follow --cloudevents --except-own --since 1h",
		Args: cobra.NoArgs,
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&f.cloudly, "cloudevents", false, "print one CloudEvent (JSON) a line")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		err := f.read(ctx, r)
		if err == nil && f.since == "" {
			err = f.fromNow(ctx, r)
		}
		if err == nil {
			err = p.follow(ctx, r, &f)
		}
		if ctx.Err() != nil {
			return nil // interrupted, as it is meant to be
		}
		return err
	})
}

// fromNow begins behind the latest event, by the server's clock.
func (f *eventFlags) fromNow(ctx context.Context, r *remote) error {
	latest, err := r.Events.List(ctx, client.EventQuery{Newest: true, PageQuery: client.PageQuery{Limit: 1}})
	if err == nil && len(latest.Items) > 0 {
		f.query.Since = latest.Items[0].Time.Add(time.Microsecond)
	}
	return err
}

// follow prints events as they come.
func (p *program) follow(ctx context.Context, r *remote, f *eventFlags) error {
	if f.cloudly {
		for e, err := range r.Events.FollowCloudEvents(ctx, f.query) {
			if err == nil {
				_, err = fmt.Fprintf(p.stdout, "%s\n", e.JSON)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for e, err := range r.Events.Follow(ctx, f.query) {
		switch {
		case err != nil:
		case f.json:
			err = json.NewEncoder(p.stdout).Encode(&e)
		default:
			_, err = fmt.Fprintf(p.stdout, "%s  %-24s  %s  by %s through %s  %s\n", e.Time.Format(time.RFC3339), e.Type, about(&e), e.Actor, e.Door, e.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
