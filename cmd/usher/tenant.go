package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Make and list tenants", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.tenantCreateCommand(), p.tenantListCommand())
	return cmd
}

func (p *program) tenantCreateCommand() *cobra.Command {
	var doors string
	var hosts []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a tenant with its default company",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAdmin(cmd, func(ctx context.Context, a *app.Admin) error {
				t, err := a.CreateTenant(ctx, args[0], doors, hosts)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "made tenant %s with company %d\n", t.Name, t.DefaultCompany)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&doors, "doors", "all", "doors of the tenant, separated by commas")
	cmd.Flags().StringSliceVar(&hosts, "host", nil, "host name that leads to the tenant; can be repeated")
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return cmd
}

func (p *program) tenantListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tenants",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAdmin(cmd, func(ctx context.Context, a *app.Admin) error {
				tenants, err := a.Tenants(ctx)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NAME\tCOMPANY\tDOORS\tHOSTS")
				for _, t := range tenants {
					fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", t.Name, t.DefaultCompany, app.DoorsText(t.Doors), strings.Join(t.Hosts, ","))
				}
				return table.Flush()
			})
		},
	}
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return cmd
}
