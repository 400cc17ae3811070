package main

import (
	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/config"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the settings in force and where each came from",
		Long: "Print the settings in force as a YAML file, each with its origin: default, file, env or flag. Secrets and\n" +
			"passwords are redacted. It takes the flags of serve and exits with 1 when a setting is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.load(cmd)
			if err != nil {
				return err
			}
			return loaded.Write(p.stdout)
		},
	}
	config.AddFlags(cmd.Flags())
	return cmd
}
