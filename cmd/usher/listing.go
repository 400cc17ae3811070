package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// listing is how a command lists what a server has; the zero value is a table of
// all.
type listing struct {
	most      int // end after so many; 0 for all
	json, csv bool
	columns   []string // only these, in this order
}

// addFlags adds the flags of a list.
func (l *listing) addFlags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.most, "most", 0, "end after so many; 0 for all")
	l.addFormFlags(cmd)
}

// addFormFlags adds the flags that say how a list is printed.
func (l *listing) addFormFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&l.json, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&l.csv, "csv", false, "print CSV (RFC 4180) with a head; what a spreadsheet would take for a formula gets a ' in front")
	cmd.Flags().StringSliceVar(&l.columns, "columns", nil, "only these columns of the table or the CSV, separated by commas")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.MarkFlagsMutuallyExclusive("json", "columns")
}

// printList prints a list: as JSON, as CSV or as a table, whose head has a title for
// each cell of a row, separated by tabs.
func printList[T any](w io.Writer, l listing, list iter.Seq2[T, error], head string, row func(*T) []string) error {
	out, err := l.printer(w, strings.Split(head, "\t"))
	if err != nil {
		return err
	}
	count := 0
	for item, err := range list {
		switch {
		case err != nil:
		case l.json:
			err = json.NewEncoder(w).Encode(&item)
		default:
			err = out.row(row(&item))
		}
		if err != nil {
			return errors.Join(err, out.flush())
		}
		if count++; count == l.most {
			break
		}
	}
	return out.flush()
}

// each goes over a list that is there already.
func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// printer prints rows in one form.
type printer struct {
	chosen []int // of the cells of a row, in this order
	table  *tabwriter.Writer
	csv    *csv.Writer
}

func (l *listing) printer(w io.Writer, head []string) (*printer, error) {
	out := &printer{}
	names := make([]string, len(head))
	for i, title := range head {
		names[i] = columnName(title)
		out.chosen = append(out.chosen, i)
	}
	if len(l.columns) > 0 {
		out.chosen = nil
	}
	for _, wanted := range l.columns {
		at := slices.Index(names, columnName(strings.TrimSpace(wanted)))
		if at < 0 {
			return nil, fmt.Errorf("--columns: there is no column %q: there are %s", wanted, strings.Join(names, ", "))
		}
		out.chosen = append(out.chosen, at)
	}
	switch {
	case l.csv:
		out.csv = csv.NewWriter(w)
		return out, out.csv.Write(out.choose(names))
	case l.json:
		return out, nil
	}
	out.table = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	return out, out.row(head)
}

// columnName is the name of a column in CSV and in --columns: "E-MAIL" is email.
func columnName(title string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(title), "-", ""), " ", "_")
}

func (o *printer) choose(cells []string) []string {
	chosen := make([]string, len(o.chosen))
	for i, at := range o.chosen {
		chosen[i] = cells[at]
	}
	return chosen
}

func (o *printer) row(cells []string) error {
	chosen := o.choose(cells)
	if o.csv != nil {
		for i, cell := range chosen {
			chosen[i] = csvCell(cell)
		}
		return o.csv.Write(chosen)
	}
	for i, cell := range chosen {
		chosen[i] = tableCell(cell)
	}
	_, err := fmt.Fprintln(o.table, strings.Join(chosen, "\t"))
	return err
}

func (o *printer) flush() error {
	switch {
	case o.csv != nil:
		o.csv.Flush()
		return o.csv.Error()
	case o.table != nil:
		return o.table.Flush()
	}
	return nil
}

// csvCell is a cell as spreadsheets take it for a text: one that begins like a formula
// gets a quotation mark in front (OWASP, CSV Injection).
func csvCell(cell string) string {
	switch {
	case cell == "" || cell == "-":
		return ""
	case strings.ContainsAny(cell[:1], "=+-@\t\r\n"), strings.HasPrefix(cell, "＝"), strings.HasPrefix(cell, "＋"), strings.HasPrefix(cell, "－"), strings.HasPrefix(cell, "＠"):
		return "'" + cell
	}
	return cell
}

// tableCell is a cell on one line, without anything that a terminal obeys: names are
// other people's.
func tableCell(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, cell)
}

// cells are the cells of a row: texts, numbers, yes or nothing, and times.
func cells(values ...any) []string {
	list := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case time.Time:
			list[i] = timeOrDash(v)
		case bool:
			if list[i] = "-"; v {
				list[i] = "yes"
			}
		default:
			list[i] = fmt.Sprint(v)
		}
	}
	return list
}
