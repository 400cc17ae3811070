package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Verify, export and restart the history of what has changed", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.auditVerifyCommand(), p.auditExportCommand(), p.auditPublicKeyCommand(), p.auditRestartCommand())
	return cmd
}

// readSettings are the settings of a command that only reads a database, and
// signSettings those about checkpoints.
var (
	readSettings = []string{"config", "database", "pg_exec_mode"}
	signSettings = []string{"audit_key_file", "checkpoint_file"}
)

// withAuditor opens the database of the settings for a command that only reads.
func (p *program) withAuditor(cmd *cobra.Command, fn func(ctx context.Context, a *app.Admin, cfg *config.Config) error) error {
	loaded, err := p.load(cmd)
	if err != nil {
		return err
	}
	auditor, err := app.OpenAuditor(cmd.Context(), &loaded.Config, p.logger(), cmd.CommandPath())
	if err != nil {
		return err
	}
	return errors.Join(fn(cmd.Context(), auditor, &loaded.Config), auditor.Close())
}

func (p *program) auditVerifyCommand() *cobra.Command {
	var tenant, publicKeys string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that nobody has changed, removed, added or reordered events",
		Long: "Prove that nobody has changed, removed, added or reordered events, beside a running server too. Each event has a hash\n" +
			"over itself and the one before; signed checkpoints, which the server appends to a file, say where that chain stood.\n" +
			"Up to the last checkpoint nothing can be changed unseen by whoever has the database but not the key; what comes after\n" +
			"it only the chain itself protects. Exits with 3 when something is wrong, and says from which position on.",
		Example: "  usher audit verify --database sqlite:usher.db\n" +
			"  usher audit verify --checkpoint-file /elsewhere/usher.checkpoints --public-key audit.pub",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAuditor(cmd, func(ctx context.Context, a *app.Admin, cfg *config.Config) error {
				audit, err := a.VerifyEvents(ctx, cfg, tenant, publicKeys)
				if err != nil {
					return err
				}
				return p.printAudit(&audit)
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "name of the tenant; all when left out")
	cmd.Flags().StringVar(&publicKeys, "public-key", "", "PEM file with the public keys of checkpoints, in place of the public part of audit_key_file")
	config.AddFlags(cmd.Flags(), slices.Concat(readSettings, signSettings)...)
	return p.operatorOnly(cmd)
}

// printAudit prints what a verification came to. What is wrong is an error, a line
// each.
func (p *program) printAudit(audit *app.Audit) error {
	var wrong []error
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tEVENTS\tPOSITIONS\tERASED\tCHECKPOINTS\tCOVERED TO\tAS OF\tRESULT")
	for i := range audit.Reports {
		r := &audit.Reports[i]
		positions, covered, at, result := "none", "none", "", "whole"
		if r.Last > 0 {
			positions = fmt.Sprintf("%d-%d", r.First, r.Last)
		}
		if r.Checkpoints > 0 {
			covered, at = strconv.FormatInt(r.Covered, 10), r.CoveredAt.Format(time.RFC3339)
		}
		if r.Broken > 0 {
			result = fmt.Sprintf("BROKEN AT %d", r.Broken)
			wrong = append(wrong, fmt.Errorf("tenant %s is broken at position %d: %s", shownName(r.Name), r.Broken, r.Problem))
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%d\t%s\t%s\t%s\n", shownName(r.Name), r.Events, positions, r.Erased, r.Checkpoints, covered, at, result)
		if r.Waiting > 0 {
			p.note(fmt.Sprintf("tenant %s: %d events wait for their position, which a running server gives them", r.Name, r.Waiting))
		}
	}
	for _, warning := range audit.Warnings {
		p.note(warning)
	}
	for _, problem := range audit.Problems {
		wrong = append(wrong, errors.New(problem))
	}
	return errors.Join(table.Flush(), withExit(exitPartly, errors.Join(wrong...)))
}

// shownName is a tenant's name on one line and without anything that a terminal
// obeys: whoever can write the database must not write this table.
func shownName(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

func (p *program) auditPublicKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "public-key",
		Short: "Print the public key that verifies checkpoints",
		Long: "Print the public key that verifies checkpoints, as PEM; its id, which checkpoints name, goes to standard error. Keep it\n" +
			"where the checkpoints are kept: `usher audit verify --public-key` takes the file, also with several keys in it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			text, id, err := app.AuditPublicKey(&loaded.Config)
			if err != nil {
				return err
			}
			p.note("the id of the key is " + id)
			_, err = p.stdout.Write(text)
			return err
		},
	}
	config.AddFlags(cmd.Flags(), "config", "database", "audit_key_file")
	return p.operatorOnly(cmd)
}

func (p *program) auditRestartCommand() *cobra.Command {
	var tenant, reason string
	cmd := &cobra.Command{
		Use:   "restart --reason TEXT",
		Short: "Declare that a tenant's history goes on from here, after a backup was restored",
		Long: "Declare that a tenant's history goes on from here, after a backup was restored: what happened since the backup is lost,\n" +
			"and checkpoints and readers know of it. Readers are told to begin anew, and a signed checkpoint says why, so that\n" +
			"`usher audit verify` holds against earlier ones only what they cover. With several tenants run it for each. A SQLite\n" +
			"database is open to one process: run it before the server starts.",
		Example: "  usher audit restart --tenant acme --reason 'restored the backup of 2026-11-21'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			return p.withTenant(cmd, &target{tenant: tenant}, func(ctx context.Context, t *app.TenantAdmin) error {
				c, signed, err := t.RestartEvents(ctx, &loaded.Config, reason)
				if err != nil {
					return err
				}
				if !signed {
					p.note("there is no audit_key_file: the restart is not signed, and checkpoints of before, if there are any, will not verify")
				}
				_, err = fmt.Fprintf(p.stdout, "the history of tenant %s goes on from position %d, epoch %d\n", t.Tenant.Name, c.Position, c.Epoch)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "name of the tenant; may be left out while there is only one")
	cmd.Flags().StringVar(&reason, "reason", "", "why, in at most 500 characters, for the history and the checkpoint")
	config.AddFlags(cmd.Flags(), slices.Concat(databaseSettings, signSettings)...)
	return p.operatorOnly(cmd)
}
