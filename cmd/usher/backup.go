package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) backupCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole database into one file, while servers work on it",
		Long: "Write the whole database as of one moment into one file, while servers work on it: tenants, users, passwords as\n" +
			"hashes, credentials, events, jobs. The file is the same for SQLite and PostgreSQL, so that `usher restore` also moves a\n" +
			"directory from one to the other. It is written beside its place, read again from end to end, and only then gets its\n" +
			"name; only its owner may read it. FILE may be - for standard output.\n\n" +
			"The secret key and the key that signs checkpoints are never in it: keep copies of them somewhere else. Without the\n" +
			"secret key a restored directory cannot open what it has sealed.",
		Example: "  usher backup usher-$(date +%F).backup --database sqlite:usher.db\n" +
			"  usher backup - --database postgres://usher@db/usher | ssh vault 'cat > usher.backup'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			made, err := app.Backup(cmd.Context(), &loaded.Config, args[0], p.stdout)
			if err != nil {
				return err
			}
			if asJSON && args[0] != "-" {
				return p.printJSON(made)
			}
			m := &made.Manifest
			fmt.Fprintf(p.stderr, "wrote %d rows of %d tables, %d tenants, schema %d, into %s (%d bytes)\n",
				m.Rows(), len(m.Tables), len(m.Tenants), m.Schema, args[0], made.Bytes)
			for _, line := range made.Missing {
				p.note("not in the backup: " + line)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what the backup holds as JSON")
	config.AddFlags(cmd.Flags(), slices.Concat(databaseSettings, signSettings)...)
	return p.operatorOnly(cmd)
}

func (p *program) restoreCommand() *cobra.Command {
	var check, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into a database that has nothing in it, and verify it",
		Long: "Put a backup into a database that has nothing in it, of either engine: a SQLite file that does not exist yet, or an\n" +
			"empty PostgreSQL database. The file is read twice: nothing is written before all of it was found whole, and what\n" +
			"fails leaves nothing behind.\n\n" +
			"Afterwards the rows of every table are counted, counters are compared with what they count, the history of every\n" +
			"tenant is verified from end to end and against what the backup says of its end, and it is restarted, as by\n" +
			"`usher audit restart`: readers that know what happened since the backup are told to begin anew. What does not verify\n" +
			"is restored all the same, is not restarted, and the command exits with 3.\n\n" +
			"What was revoked since the backup is valid again, and jobs that waited then are done again: look through both before\n" +
			"the server starts.",
		Example: "  usher restore usher.backup --database sqlite:usher.db\n" +
			"  usher restore usher.backup --database postgres://usher@db/usher   # also a backup of SQLite\n" +
			"  usher restore usher.backup --check",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			if check {
				m, err := app.CheckBackup(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s is whole: %d rows of %d tables, %d tenants, schema %d, made of %s at %s\n",
					args[0], m.Rows(), len(m.Tables), len(m.Tenants), m.Schema, m.Engine, m.CreatedAt.Format(time.RFC3339))
				return err
			}
			done, err := app.Restore(cmd.Context(), &loaded.Config, args[0], p.logger(), cmd.CommandPath())
			if err != nil {
				return err
			}
			if asJSON {
				if err := p.printJSON(done); err != nil {
					return err
				}
			} else if err := p.printRestored(&done, config.RedactDatabase(loaded.Database)); err != nil {
				return err
			}
			if len(done.Broken) > 0 {
				return withExit(exitPartly, fmt.Errorf("restored, but not everything verifies:\n%s", strings.Join(done.Broken, "\n")))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only read the file and say what it holds")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was restored and verified as JSON")
	config.AddFlags(cmd.Flags(), slices.Concat(databaseSettings, signSettings)...)
	return p.operatorOnly(cmd)
}

// printRestored says what was put back and what was found when it was verified.
func (p *program) printRestored(done *app.Restored, database string) error {
	m := &done.Manifest
	fmt.Fprintf(p.stdout, "restored %d rows of %d tables, as of %s, into %s: all rows are there\n", m.Rows(), len(m.Tables), m.CreatedAt.Format(time.RFC3339), database)
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tUSERS\tEVENTS\tHISTORY\tGOES ON FROM")
	for _, t := range done.Tenants {
		result, from := "whole", fmt.Sprintf("position %d, epoch %d", t.Position, t.Epoch)
		if t.Broken != "" {
			result, from = "BROKEN", "-"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\n", shownName(t.Name), t.Users, t.Events, result, from)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, line := range done.Notes {
		p.note(line)
	}
	return nil
}
