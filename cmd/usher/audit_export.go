package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) auditExportCommand() *cobra.Command {
	var tenant, format, from, to, output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the events of a period",
		Long: "Print the events of a period, in order, beside a running server too: one JSON object a line, or CSV with a head line,\n" +
			"in which changes are JSON text and a cell that a spreadsheet would take for a formula has ' before it. Times are\n" +
			"RFC 3339 or dates, which begin at midnight UTC. What was erased with its user stays without reason and changes.",
		Example: "  usher audit export --from 2026-10-01 --to 2026-11-01 --format csv --output october.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			begin, err := parseTime("--from", from)
			if err != nil {
				return err
			}
			end, err := parseTime("--to", to)
			if err != nil {
				return err
			}
			if format != "ndjson" && format != "csv" {
				return fmt.Errorf("--format: %q is neither ndjson nor csv", format)
			}
			return p.withAuditor(cmd, func(ctx context.Context, a *app.Admin, _ *config.Config) error {
				return p.writeExport(output, func(w io.Writer) error {
					sink := newEventSink(format, w)
					if err := a.ExportEvents(ctx, tenant, begin, end, sink.event); err != nil {
						return err
					}
					return sink.end()
				})
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "name of the tenant; all when left out")
	cmd.Flags().StringVar(&format, "format", "ndjson", "ndjson or csv")
	cmd.Flags().StringVar(&from, "from", "", "time of the first event, as in 2026-10-01 or 2026-10-01T08:30:00Z; the beginning when left out")
	cmd.Flags().StringVar(&to, "to", "", "time that all events are before; the end when left out")
	cmd.Flags().StringVar(&output, "output", "", "new file to write, which only you may read; standard output when left out")
	config.AddFlags(cmd.Flags(), readSettings...)
	return p.operatorOnly(cmd)
}

// parseTime reads a time or a date of a flag; "" is the zero time.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is neither a time, as in 2026-10-01T08:30:00Z, nor a date, as in 2026-10-01", flag, text)
}

// writeExport writes standard output, or a new file, which is removed again when
// something fails: half an export is none.
func (p *program) writeExport(path string, write func(io.Writer) error) (err error) {
	if path == "" {
		return buffered(p.stdout, write)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	err = buffered(f, write)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	out := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(write(out), out.Flush())
}

// eventSink writes events in a format.
type eventSink struct {
	event func(*app.ExportedEvent) error
	end   func() error
}

func newEventSink(format string, w io.Writer) eventSink {
	if format == "ndjson" {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return eventSink{func(e *app.ExportedEvent) error { return out.Encode(e) }, func() error { return nil }}
	}
	out := csv.NewWriter(w)
	head := out.Write(exportColumns) // an error stays and is that of the end too
	return eventSink{
		func(e *app.ExportedEvent) error { return errors.Join(head, out.Write(exportCells(e))) },
		func() error {
			out.Flush()
			return errors.Join(head, out.Error())
		},
	}
}

// exportColumns is the head line of an export as CSV.
var exportColumns = []string{"tenant", "position", "time", "id", "type", "user", "user_id", "company", "subject", "door", "actor", "origin",
	"on_behalf_of", "reason", "request_id", "erased", "version", "changes", "hash"}

func exportCells(e *app.ExportedEvent) []string {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	id := ""
	if e.UserID != nil {
		id = *e.UserID
	}
	cells := []string{e.Tenant, strconv.FormatInt(e.Position, 10), e.Time.Format(time.RFC3339Nano), e.ID, e.Type, number(e.User), id,
		number(e.Company), e.Subject, e.Door, e.Actor, e.Origin, e.OnBehalfOf, e.Reason, e.RequestID, strconv.FormatBool(e.Erased),
		number(e.Version), string(e.Changes), e.Hash}
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return cells
}

// harmless keeps a spreadsheet from taking a cell for a formula, which could send
// away what stands in others (OWASP, CSV injection): reasons and names are what
// anybody wrote.
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) { // the last four are wide = + - @
		return "'" + cell
	}
	return cell
}
