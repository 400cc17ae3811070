package bulk

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// RejectedColumns are added to the rows of a CSV file that were rejected. An import
// passes over them.
var RejectedColumns = []string{"usher_line", "usher_verdict", "usher_field", "usher_reason"}

// VerdictReader is what WriteRejected needs of directory.Service.
type VerdictReader interface {
	// Bulk reads a run.
	Bulk(ctx context.Context, call *directory.Call, id string) (directory.BulkRun, error)
	// BulkVerdicts lists the verdicts of a run.
	BulkVerdicts(ctx context.Context, call *directory.Call, id string, q directory.VerdictQuery) (directory.VerdictPage, error)
	// BulkPart reads one part of a run's file.
	BulkPart(ctx context.Context, call *directory.Call, id string, part int64) ([]byte, error)
}

// rejections are the verdicts of rows that were not taken.
var rejections = []directory.Verdict{directory.RowConflict, directory.RowInvalid}

// WriteRejected writes the rows of an import that were not taken, as they came, to be
// corrected and imported again: as CSV in UTF-8 with RejectedColumns, and as NDJSON
// without them. begin, if set, is called with the run before anything is written.
// call makes the call of each step. Errors: bulk.not_found, also when the file is not
// kept any more.
func WriteRejected(ctx context.Context, svc VerdictReader, call func() *directory.Call, id string, w io.Writer, begin func(*directory.BulkRun)) error {
	run, err := svc.Bulk(ctx, call(), id)
	if err != nil {
		return err
	}
	if run.Kind != directory.BulkImport {
		return directory.Wrong(directory.CodeNotFound, directory.ReasonBulkNotFound, "There is no such import.")
	}
	if begin != nil {
		begin(&run)
	}
	next := verdictsOf(ctx, svc, call, id)
	first, err := next()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	file := &parts{ctx: ctx, svc: svc, call: call, run: &run}
	return joinRejected(file, run.Import, w, func() (directory.RowVerdict, error) {
		if first.Row == 0 {
			return next()
		}
		v := first
		first.Row = 0
		return v, nil
	})
}

// verdictsOf goes over the rejections of a run, in order of rows; io.EOF is their end.
func verdictsOf(ctx context.Context, svc VerdictReader, call func() *directory.Call, id string) func() (directory.RowVerdict, error) {
	q := directory.VerdictQuery{Verdicts: rejections, Limit: directory.MaxLimit}
	var page []directory.RowVerdict
	more := true
	return func() (directory.RowVerdict, error) {
		for len(page) == 0 {
			if !more {
				return directory.RowVerdict{}, io.EOF
			}
			p, err := svc.BulkVerdicts(ctx, call(), id, q)
			if err != nil {
				return directory.RowVerdict{}, err
			}
			page, q.Cursor, more = p.Verdicts, p.Next, p.Next != ""
		}
		v := page[0]
		page = page[1:]
		return v, nil
	}
}

// joinRejected is WriteRejected of a file and the rejections of its rows, which next
// returns in order of rows, and io.EOF behind the last.
func joinRejected(file io.Reader, o directory.ImportOptions, w io.Writer, next func() (directory.RowVerdict, error)) error {
	in, err := newRows(file, o)
	if err != nil {
		return err
	}
	out := rejectedWriter(in, w)
	for n := int64(1); ; n++ {
		v, err := next()
		if errors.Is(err, io.EOF) {
			return out.end()
		}
		if err != nil {
			return err
		}
		for ; ; n++ {
			r, err := in.next()
			if errors.Is(err, io.EOF) {
				return out.end()
			}
			if err != nil {
				return err
			}
			if n == v.Row {
				if err := out.row(&r, &v); err != nil {
					return err
				}
				break
			}
		}
	}
}

// rejectedRows writes rejected rows in the format of their file.
type rejectedRows struct {
	row func(*row, *directory.RowVerdict) error
	end func() error
}

func rejectedWriter(in rows, w io.Writer) rejectedRows {
	c, ok := in.(*csvRows)
	if !ok {
		return rejectedRows{
			row: func(r *row, _ *directory.RowVerdict) error {
				_, err := io.WriteString(w, r.text+"\n")
				return err
			},
			end: func() error { return nil },
		}
	}
	comma := string(rune(c.split.comma))
	// People correct the file in a spreadsheet, which takes a text without the mark for
	// one of Windows.
	_, failed := io.WriteString(w, "\ufeff")
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = rune(c.split.comma), true
	failed = errors.Join(failed, out.Write(append(guarded(c.header), RejectedColumns...)))
	return rejectedRows{
		row: func(r *row, v *directory.RowVerdict) error {
			return errors.Join(failed, out.Write(append(fit(guarded(r.cells), len(c.header), comma), verdictCells(r, v)...)))
		},
		end: func() error {
			out.Flush()
			return errors.Join(failed, out.Error())
		},
	}
}

// fit makes a row as long as the header: what is missing is empty, and the last cell
// takes what is too much.
func fit(cells []string, length int, comma string) []string {
	if len(cells) > length {
		cells[length-1] = strings.Join(cells[length-1:], comma)
		return cells[:length:length]
	}
	for len(cells) < length {
		cells = append(cells, "")
	}
	return cells
}

// verdictCells are the cells of RejectedColumns.
func verdictCells(r *row, v *directory.RowVerdict) []string {
	var fields, reasons []string
	for _, f := range v.Faults {
		fields, reasons = append(fields, f.Field), append(reasons, f.Message)
	}
	return guarded([]string{strconv.FormatInt(r.line, 10), string(v.Verdict), strings.Join(fields, " "), strings.Join(reasons, " ")})
}

// guarded are cells that no spreadsheet takes for formulas.
func guarded(cells []string) []string {
	list := make([]string, len(cells), len(cells)+len(RejectedColumns))
	for i, cell := range cells {
		list[i] = harmless(plain(cell))
	}
	return list
}
