package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) locationCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "location", Short: "Make and change locations of companies, on a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.locationListCommand(), p.locationShowCommand(), p.locationCreateCommand(), p.locationEditCommand(), p.locationDeleteCommand(),
		p.locationUserCommand("add", "Assign users to a location", (*client.UserService).JoinLocation),
		p.locationUserCommand("remove", "Take users from a location", (*client.UserService).LeaveLocation))
	return cmd
}

func (p *program) locationListCommand() *cobra.Command {
	var q client.LocationQuery
	var l listing
	cmd := &cobra.Command{Use: "list", Short: "List locations, from a running server", Args: cobra.NoArgs}
	cmd.Flags().StringVar(&q.Search, "q", "", "part of the name")
	cmd.Flags().Int64Var(&q.Company, "company", 0, "number of a company: its locations")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		q.Limit = l.page()
		return printList(p.stdout, l, r.Locations.All(ctx, q), "NUMBER\tNAME\tCOMPANY\tHEADQUARTERS\tCITY\tPHONE\tID", func(o *client.Location) []string {
			city := ""
			if o.Address != nil {
				city = o.Address.City
			}
			return cells(o.Number, o.Name, o.Company, o.Headquarters, city, o.Phone, o.ID)
		})
	})
}

// location finds a location by number, id or name.
func (r *remote) location(ctx context.Context, which string) (*client.Location, error) {
	none := absent("tenant %s has no location %q; see: usher location list", r.tenant.Name, which)
	if _, err := strconv.ParseInt(which, 10, 64); err == nil || uuid.MatchString(which) {
		o, err := r.Locations.Get(ctx, which)
		if client.IsNotFound(err) {
			return nil, none
		}
		return o, err
	}
	var found []client.Location
	for o, err := range r.Locations.All(ctx, client.LocationQuery{Search: which, PageQuery: client.PageQuery{Limit: 200}}) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(o.Name, which) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return nil, none
	case 1:
		return &found[0], nil
	}
	return nil, fmt.Errorf("several companies of tenant %s have a location %q; name one by its number; see: usher location list", r.tenant.Name, which)
}

// onLocation makes a command about one location.
func (p *program) onLocation(cmd *cobra.Command, do func(context.Context, *remote, *client.Location) error) *cobra.Command {
	cmd.Long = cmd.Short + ". LOCATION is its number, id or name."
	cmd.Args = cobra.ExactArgs(1)
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		o, err := r.location(ctx, args[0])
		if err != nil {
			return err
		}
		return do(ctx, r, o)
	})
}

func (p *program) locationShowCommand() *cobra.Command {
	return p.onLocation(&cobra.Command{Use: "show LOCATION", Short: "Print a location as JSON, from a running server"},
		func(_ context.Context, _ *remote, o *client.Location) error { return p.printJSON(o) })
}

func (p *program) locationCreateCommand() *cobra.Command {
	var in client.NewLocation
	var company string
	var address client.Address
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a location of a company, on a running server",
		Example: "  usher location create --name Depot --company 14146 --city Boston",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&in.Name, "name", "", "name of the location (required)")
	flags.StringVar(&company, "company", "", "the company: number, id or name; the tenant's default company when left out")
	flags.Int64Var(&in.Number, "number", 0, "number to keep; drawn when left out")
	flags.BoolVar(&in.Headquarters, "headquarters", false, "it is the company's headquarters")
	flags.StringVar(&in.Phone, "phone", "", "telephone number")
	flags.StringVar(&in.Fax, "fax", "", "fax number")
	flags.StringVar(&address.Line1, "line1", "", "first line of the address")
	flags.StringVar(&address.Line2, "line2", "", "second line of the address")
	flags.StringVar(&address.City, "city", "", "city")
	flags.StringVar(&address.Region, "region", "", "region or state")
	flags.StringVar(&address.Zip, "zip", "", "postal code")
	flags.StringVar(&address.Country, "country", "", "country (ISO 3166-1, two letters)")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if in.Company = r.tenant.DefaultCompany; company != "" {
			c, err := r.company(ctx, company)
			if err != nil {
				return err
			}
			in.Company = c.Number
		}
		if address != (client.Address{}) {
			in.Address = &address
		}
		o, err := r.Locations.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "made location %d %s with id %s\n", o.Number, o.Name, o.ID)
		return err
	})
}

func (p *program) locationEditCommand() *cobra.Command {
	var patch client.LocationPatch
	var address client.AddressPatch
	cmd := &cobra.Command{Use: "edit LOCATION", Short: "Change a location, on a running server; an empty value resets"}
	optText(cmd, &patch.Name, "name", "name of the location")
	optBool(cmd, &patch.Headquarters, "headquarters", "whether it is the company's headquarters")
	optText(cmd, &patch.Phone, "phone", "telephone number")
	optText(cmd, &patch.Fax, "fax", "fax number")
	optText(cmd, &address.Line1, "line1", "first line of the address")
	optText(cmd, &address.Line2, "line2", "second line of the address")
	optText(cmd, &address.City, "city", "city")
	optText(cmd, &address.Region, "region", "region or state")
	optText(cmd, &address.Zip, "zip", "postal code")
	optText(cmd, &address.Country, "country", "country (ISO 3166-1, two letters)")
	return p.onLocation(cmd, func(ctx context.Context, r *remote, o *client.Location) error {
		if address != (client.AddressPatch{}) {
			patch.Address = client.Set(address)
		}
		if patch == (client.LocationPatch{}) {
			return nothingToChange(cmd)
		}
		o, err := r.Locations.Update(ctx, fmt.Sprint(o.Number), patch, client.IfMatch(o.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed location %d %s, now version %d\n", o.Number, o.Name, o.Version)
		return err
	})
}

func (p *program) locationDeleteCommand() *cobra.Command {
	return p.onLocation(&cobra.Command{Use: "delete LOCATION", Short: "Delete a location that nobody is assigned to, on a running server"},
		func(ctx context.Context, r *remote, o *client.Location) error {
			if err := r.Locations.Delete(ctx, fmt.Sprint(o.Number), r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "deleted location %d %s\n", o.Number, o.Name)
			return err
		})
}

func (p *program) locationUserCommand(verb, short string, change func(*client.UserService, context.Context, string, string, ...client.CallOption) error) *cobra.Command {
	var users []string
	cmd := &cobra.Command{Use: verb + " LOCATION --user WHO", Short: short + ", on a running server"}
	cmd.Flags().StringSliceVar(&users, "user", nil, "user names, addresses or ids, separated by commas (required)")
	return p.onLocation(cmd, func(ctx context.Context, r *remote, o *client.Location) error {
		if len(users) == 0 {
			return withExit(exitUsage, fmt.Errorf("--user: name the users"))
		}
		ids, err := r.userIDs(ctx, users)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if err := change(r.Users, ctx, id, fmt.Sprint(o.Number), r.because); err != nil {
				return partly(i, fmt.Errorf("%s: %w", users[i], err))
			}
			fmt.Fprintf(p.stdout, "%s: done\n", users[i])
		}
		return nil
	})
}

// partly is the error of a command that has done some of several things before.
func partly(done int, err error) error {
	if done == 0 {
		return err
	}
	return withExit(exitPartly, err)
}
