package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Compare a live vendor API with this directory",
		Long: "Read all users of a live API, compare them with those of this directory, and list what is not the same: who is only\n" +
			"there, who is only here, and which fields differ. Only fields that the API shows are compared, and as it would show\n" +
			"the users who are here. Users are matched by id, number, user name, employee number and address, in this order.\n\n" +
			"The exit status is 0 when nothing differs, and 3 when something does. Secrets are read as by usher pull.",
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	for _, door := range app.PullDoors() {
		cmd.AddCommand(p.diffWith(door))
	}
	return cmd
}

func (p *program) diffWith(door string) *cobra.Command {
	var at target
	var v vendorRequest
	var l listing
	var company int64
	cmd := &cobra.Command{
		Use:     door,
		Short:   "Compare " + vendorDoors[door].title + " with this directory",
		Long:    "Compare the users of " + vendorDoors[door].title + " with those of this directory.\n\n" + vendorDoors[door].about,
		Example: "  " + pullTokenVariable + "=... usher diff " + door + " --base-url https://api.example.com --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			file, remove, err := app.TempPull()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, remove()) }()
			v.Door, v.File = door, file
			read, _, err := p.readVendor(cmd, &v)
			if err != nil {
				return err
			}
			if !read.Complete() {
				p.note("this API lists not all its users, so that nobody can say who is only here")
			}
			d := &comparison{p: p, read: read, list: l}
			err = p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				names, err := a.CompanyNames(ctx)
				if err != nil {
					return err
				}
				return d.run(ctx, a.LocalUsers(company), names)
			}, func(ctx context.Context, r *remote) error { return d.onServer(ctx, r, company) })
			if err == nil && d.count > 0 {
				err = withExit(exitPartly, fmt.Errorf("%d users are not the same", d.count))
			}
			return err
		},
	}
	v.addFlags(cmd, door)
	cmd.Flags().Int64Var(&company, "company", 0, "number of a company here: only its users and those of all below it are compared")
	l.addFlags(cmd)
	at.addFlags(cmd)
	return cmd
}

// comparison is a comparison on its way.
type comparison struct {
	p     *program
	read  *app.Pull
	list  listing
	count int
}

// onServer compares with the users of a running server.
func (d *comparison) onServer(ctx context.Context, r *remote, company int64) error {
	names := map[int64]string{}
	for c, err := range r.Companies.All(ctx, client.CompanyQuery{PageQuery: client.PageQuery{Limit: 200}}) {
		if err != nil {
			return err
		}
		names[c.Number] = c.Name
	}
	export, err := r.Users.Export(ctx, client.ExportQuery{Format: client.FormatNDJSON, Company: company})
	if err != nil {
		return err
	}
	return errors.Join(d.run(ctx, app.LinesOf(export), names), export.Close())
}

// errEnough ends a comparison of which no more is wanted.
var errEnough = errors.New("enough")

// run compares, and prints what differs: as JSON a user a line, else a row for each
// field.
func (d *comparison) run(ctx context.Context, here app.LocalUsers, names map[int64]string) error {
	list := iter.Seq2[app.Drift, error](func(yield func(app.Drift, error) bool) {
		err := d.read.Compare(ctx, here, names, func(drift *app.Drift) error {
			d.count++
			if !yield(*drift, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(app.Drift{}, err)
		}
	})
	if d.list.json {
		return printList(d.p.stdout, d.list, list, "", nil)
	}
	return printList(d.p.stdout, d.list, byField(list), "DRIFT\tNUMBER\tUSER NAME\tID\tFIELD\tTHERE\tHERE", driftCells)
}

// driftRow is one field of a user who is not the same.
type driftRow struct {
	app.Drift
	field, there, here string
}

// byField has a row for each field, and one for a user who is only on one side.
func byField(list iter.Seq2[app.Drift, error]) iter.Seq2[driftRow, error] {
	return func(yield func(driftRow, error) bool) {
		for drift, err := range list {
			if err != nil || len(drift.Fields) == 0 {
				if !yield(driftRow{Drift: drift}, err) {
					return
				}
				continue
			}
			for _, f := range drift.Fields {
				if !yield(driftRow{drift, f.Field, string(f.There), string(f.Here)}, nil) {
					return
				}
			}
		}
	}
}

func driftCells(r *driftRow) []string {
	number := ""
	if r.Number != 0 {
		number = strconv.FormatInt(r.Number, 10)
	}
	return []string{r.Drift.Drift, number, r.UserName, r.ID, r.field, r.there, r.here}
}
