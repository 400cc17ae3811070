package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) licenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "licence", Short: "List licence pools, and say how many seats they have, on a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.licenceListCommand(), p.licenceSetCommand())
	return cmd
}

func (p *program) licenceListCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List licence pools with the seats that are used and free, from a running server",
		Long: "List licence pools with the seats that are used and free, from a running server. TOTAL is a number or unlimited; 0 is\n" +
			"that the tenant is not entitled to the type. FREE is below 0 where a pool was made smaller than what is used.",
		Args: cobra.NoArgs,
	}
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		pools, err := r.LicencePools.List(ctx)
		if err != nil {
			return err
		}
		table := p.poolTable(l)
		for _, pool := range pools {
			table.row(pool.Type, totalText(pool.Total), pool.Used)
		}
		return table.Flush()
	})
}

func totalText(total *int64) string {
	if total == nil {
		return "unlimited"
	}
	return strconv.FormatInt(*total, 10)
}

func (p *program) licenceSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set TYPE TOTAL",
		Short: "Make or resize a licence pool, on a running server",
		Long: "Make or resize a licence pool, on a running server. TOTAL is a number or unlimited; 0 is that the tenant is not\n" +
			"entitled to the type. A total below what is used takes no seat away: nobody gets one until enough are free.",
		Example: "  usher licence set regular 50",
		Args:    cobra.ExactArgs(2),
	}
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		var total *int64
		if !strings.EqualFold(args[1], "unlimited") {
			n, err := strconv.ParseInt(args[1], 10, 64)
			if err != nil || n < 0 {
				return withExit(exitUsage, fmt.Errorf("%q is no number of seats: write a number, or unlimited", args[1]))
			}
			total = &n
		}
		pool, err := r.LicencePools.Set(ctx, args[0], total, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "licence type %s has %s seats, %d of them used\n", pool.Type, totalText(pool.Total), pool.Used)
		return err
	})
}

func (p *program) lockReasonCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "lock-reason", Short: "Make and change what locked-out users are told, on a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.lockReasonListCommand(), p.lockReasonCreateCommand(), p.lockReasonEditCommand(), p.lockReasonDeleteCommand())
	return cmd
}

func (p *program) lockReasonListCommand() *cobra.Command {
	var q client.LockReasonQuery
	var l listing
	cmd := &cobra.Command{Use: "list", Short: "List lock reasons, from a running server", Args: cobra.NoArgs}
	cmd.Flags().StringVar(&q.Search, "q", "", "part of the name")
	cmd.Flags().Int64Var(&q.Company, "company", 0, "number of a company: its own reasons")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		q.Limit = l.page()
		return printList(p.stdout, l, r.LockReasons.All(ctx, q), "NUMBER\tNAME\tCOMPANY\tDESCRIPTION", func(o *client.LockReason) []string {
			return cells(o.Number, o.Name, o.Company, o.Description)
		})
	})
}

func (p *program) lockReasonCreateCommand() *cobra.Command {
	var in client.NewLockReason
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a lock reason, on a running server",
		Example: "  usher lock-reason create --name 'Left the company' --description 'Your account was closed. Please call HR.'",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&in.Name, "name", "", "what administrators call it (required)")
	cmd.Flags().StringVar(&in.Description, "description", "", "what the user is shown")
	cmd.Flags().Int64Var(&in.Company, "company", 0, "number of the company, whose reason also serves those below; the tenant's default company when left out")
	cmd.Flags().Int64Var(&in.Number, "number", 0, "number to keep; drawn when left out")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if in.Company == 0 {
			in.Company = r.tenant.DefaultCompany
		}
		o, err := r.LockReasons.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "made lock reason %d %s\n", o.Number, o.Name)
		return err
	})
}

// onLockReason makes a command about one lock reason.
func (p *program) onLockReason(cmd *cobra.Command, do func(context.Context, *remote, *client.LockReason) error) *cobra.Command {
	cmd.Long = cmd.Short + ". NUMBER is as `usher lock-reason list` shows it."
	cmd.Args = cobra.ExactArgs(1)
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return withExit(exitUsage, fmt.Errorf("%q is no number of a lock reason; see: usher lock-reason list", args[0]))
		}
		o, err := r.LockReasons.Get(ctx, n)
		if err != nil {
			return err
		}
		return do(ctx, r, o)
	})
}

func (p *program) lockReasonEditCommand() *cobra.Command {
	var patch client.LockReasonPatch
	cmd := &cobra.Command{Use: "edit NUMBER", Short: "Change a lock reason, on a running server"}
	optText(cmd, &patch.Name, "name", "what administrators call it")
	optText(cmd, &patch.Description, "description", "what the user is shown")
	return p.onLockReason(cmd, func(ctx context.Context, r *remote, o *client.LockReason) error {
		if patch == (client.LockReasonPatch{}) {
			return nothingToChange(cmd)
		}
		o, err := r.LockReasons.Update(ctx, o.Number, patch, client.IfMatch(o.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed lock reason %d %s, now version %d\n", o.Number, o.Name, o.Version)
		return err
	})
}

func (p *program) lockReasonDeleteCommand() *cobra.Command {
	return p.onLockReason(&cobra.Command{Use: "delete NUMBER", Short: "Delete a lock reason, on a running server; who is locked with it stays locked"},
		func(ctx context.Context, r *remote, o *client.LockReason) error {
			if err := r.LockReasons.Delete(ctx, o.Number, r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "deleted lock reason %d %s\n", o.Number, o.Name)
			return err
		})
}
