package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Make, list, show and set tenants and their licence pools", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.tenantCreateCommand(), p.tenantListCommand(), p.tenantShowCommand(), p.tenantSetCommand(), p.tenantPoolCommand())
	return cmd
}

func (p *program) tenantCreateCommand() *cobra.Command {
	var doors string
	var hosts []string
	var throwAway bool
	cmd := &cobra.Command{
		Use:   "create NAME | --throw-away",
		Short: "Make a tenant with its default company",
		Long: "Make a tenant with its default company. With --throw-away, make one under a name of its own, with an account owner\n" +
			"and a credential of each kind, for a tool that wants an empty directory, and print all that as one JSON object;\n" +
			"its secrets are shown only there. A SQLite database is open to one process: run it before the server starts.",
		Example: "  usher tenant create acme --doors iqmetrix,scim --host users.acme.example\n" +
			"  key=$(usher tenant create --throw-away | jq -r .key)",
		Args: func(cmd *cobra.Command, args []string) error {
			if throwAway {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAdmin(cmd, func(ctx context.Context, a *app.Admin) error {
				if throwAway {
					return p.createThrowAway(ctx, a, doors, hosts)
				}
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
	cmd.Flags().BoolVar(&throwAway, "throw-away", false, "draw a name, make credentials too, and print all as JSON")
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return p.operatorOnly(cmd)
}

func (p *program) createThrowAway(ctx context.Context, a *app.Admin, doors string, hosts []string) error {
	made, err := a.CreateThrowAwayTenant(ctx, doors, hosts)
	if err != nil {
		return err
	}
	return p.printJSON(made)
}

// printJSON prints a value as JSON for people.
func (p *program) printJSON(v any) error {
	out := json.NewEncoder(p.stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

func (p *program) changedTenant(name string, version int64) error {
	_, err := fmt.Fprintf(p.stdout, "changed tenant %s, now version %d\n", name, version)
	return err
}

// poolTable is the list of licence pools as it is printed.
type poolTable struct {
	p    *program
	l    listing
	list []poolRow
}

type poolRow struct {
	Type  string `json:"type"`
	Total string `json:"total"` // a number or unlimited
	Used  int64  `json:"used"`
}

func (p *program) poolTable(l listing) *poolTable { return &poolTable{p: p, l: l} }

func (t *poolTable) row(licenceType, total string, used int64) {
	t.list = append(t.list, poolRow{licenceType, total, used})
}

// Flush prints the list.
func (t *poolTable) Flush() error {
	return printList(t.p.stdout, t.l, each(t.list), "TYPE\tTOTAL\tUSED\tFREE", func(r *poolRow) []string {
		return cells(r.Type, r.Total, r.Used, r.free())
	})
}

// free is how many seats nobody has: less than none of a pool that was made smaller.
func (r *poolRow) free() string {
	total, err := strconv.ParseInt(r.Total, 10, 64)
	if err != nil {
		return r.Total
	}
	return strconv.FormatInt(total-r.Used, 10)
}

// tenantRow is a tenant as it is listed.
type tenantRow struct {
	Name    string   `json:"name"`
	State   string   `json:"state"`
	Company int64    `json:"company"` // the default company
	Doors   string   `json:"doors"`
	Hosts   []string `json:"hosts"`
}

func (p *program) tenantListCommand() *cobra.Command {
	var l listing
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
				rows := make([]tenantRow, len(tenants))
				for i, t := range tenants {
					rows[i] = tenantRow{t.Name, "enabled", t.DefaultCompany, app.DoorsText(t.Doors), append([]string{}, t.Hosts...)}
					if t.Disabled {
						rows[i].State = "disabled"
					}
				}
				return printList(p.stdout, l, each(rows), "NAME\tSTATE\tCOMPANY\tDOORS\tHOSTS", func(t *tenantRow) []string {
					return cells(t.Name, t.State, t.Company, t.Doors, strings.Join(t.Hosts, ","))
				})
			})
		},
	}
	l.addFlags(cmd)
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return p.operatorOnly(cmd)
}

func (p *program) tenantShowCommand() *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a tenant as JSON",
		Long:  "Print a tenant as JSON. A member of settings that has its default is left out.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at.tenant = args[0]
			return p.onNamed(cmd, &at, func(_ context.Context, a *app.TenantAdmin) error {
				return p.printJSON(a.View())
			}, func(_ context.Context, r *remote) error {
				view, err := r.view()
				if err != nil {
					return err
				}
				return p.printJSON(view)
			})
		},
	}
	at.addNamedFlags(cmd)
	return cmd
}

func (p *program) tenantSetCommand() *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:   "set NAME [KEY=VALUE...]",
		Short: "Change a tenant; without pairs, list what it has",
		Long: "Change a tenant, all pairs at once or, when one is wrong, none; without pairs, list what it has in the form that\n" +
			"can be given back. An empty VALUE is the default. Lists have commas. The keys, which docs/tenants.md explains:\n\n  " +
			strings.Join(app.TenantKeys(), "\n  "),
		Example: "  usher tenant set acme password.min_length=12 max_failed_logins=10 requests_per_minute.iqmetrix=6000\n" +
			"  usher tenant set acme disabled=true",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at.tenant = args[0]
			return p.onNamed(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				if len(args) == 1 {
					_, err := fmt.Fprintln(p.stdout, strings.Join(a.Pairs(), "\n"))
					return err
				}
				if err := a.Set(ctx, args[1:]); err != nil {
					return err
				}
				return p.changedTenant(a.Tenant.Name, a.Tenant.Version)
			}, func(ctx context.Context, r *remote) error { return p.setTenant(ctx, r, args[1:]) })
		},
	}
	at.addNamedFlags(cmd)
	return cmd
}

func (p *program) tenantPoolCommand() *cobra.Command {
	var at target
	var l listing
	cmd := &cobra.Command{
		Use:   "pool NAME [TYPE=TOTAL...]",
		Short: "Make or resize licence pools; without pairs, list them",
		Long: "Make or resize licence pools and list them. TOTAL is a number or unlimited; 0 means that the tenant is not\n" +
			"entitled to the type. A total below what is used takes no seat away: nobody gets one until enough are free.",
		Example: "  usher tenant pool acme regular=50 web_only=unlimited",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at.tenant = args[0]
			return p.onNamed(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				if err := a.SetPools(ctx, args[1:]); err != nil {
					return err
				}
				pools, err := a.Pools(ctx)
				if err != nil {
					return err
				}
				table := p.poolTable(l)
				for _, pool := range pools {
					table.row(pool.Type, app.PoolTotal(pool.Total), pool.Used)
				}
				return table.Flush()
			}, func(ctx context.Context, r *remote) error { return p.setPools(ctx, r, args[1:], l) })
		},
	}
	l.addFormFlags(cmd)
	at.addNamedFlags(cmd)
	return cmd
}
