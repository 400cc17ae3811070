package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version's schema",
		Long: "Bring the database to this version's schema. Migrations only go forward, and the previous version still runs on\n" +
			"the new schema, so run this before the new servers start. A SQLite file is also migrated by `usher serve`.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			if err := app.Migrate(cmd.Context(), &loaded.Config, p.logger()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%s is up to date\n", config.RedactDatabase(loaded.Database))
			return err
		},
	}
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return p.operatorOnly(cmd)
}
