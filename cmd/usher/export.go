package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

func (p *program) exportCommand() *cobra.Command {
	var at target
	var q client.ExportQuery
	var output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write users as a file: CSV, JSON lines or SCIM",
		Long: "Write users as a file, in order of their numbers:\n\n" +
			"  csv     with a head line; a cell that a spreadsheet would take for a formula has ' before it\n" +
			"  ndjson  one JSON object a line, with everything that usher import reads but passwords\n" +
			"  scim    one User resource of RFC 7643 a line\n\n" +
			"Users in the recycle bin are written with --status deleted. --filter has the grammar of SCIM.",
		Example: "  usher export --format csv --fields user_name,email,status -o users.csv\n" +
			"  usher export --format ndjson --company 14146 > company.ndjson",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Format != client.FormatCSV && q.Format != client.FormatNDJSON && q.Format != client.FormatSCIM {
				return fmt.Errorf("--format: %q is none of csv, ndjson and scim", q.Format)
			}
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				return p.writeExport(output, func(w io.Writer) error { return a.ExportUsers(ctx, app.ExportRequest(q), w) })
			}, func(ctx context.Context, r *remote) error {
				return p.writeExport(output, func(w io.Writer) error { return save(w)(r.Users.Export(ctx, q)) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Format, "format", client.FormatCSV, "csv, ndjson or scim")
	f.StringSliceVar(&q.Fields, "fields", nil, "only these members, in this order, separated by commas; of CSV also attributes.x, phones.mobile and address.city")
	f.StringVar(&q.Filter, "filter", "", "a filter over the members of a user, as in user_name sw \"an\"")
	f.StringVar(&q.Search, "q", "", "words that must all occur in names or address")
	f.StringSliceVar(&q.Status, "status", nil, "staged, active, inactive or deleted, separated by commas")
	f.Int64Var(&q.Company, "company", 0, "number of a company: its users and those of all below it")
	f.StringSliceVar(&q.Groups, "group", nil, "ids of groups: the members of any of them")
	f.StringVarP(&output, "output", "o", "", "new file to write, which only you may read; standard output when left out")
	at.addFlags(cmd)
	return cmd
}
