package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// mapColumns finds out what the columns of the file are, and shows it.
func (in *importing) mapColumns(ctx context.Context) error {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	separator, header, example, err := app.LookAtCSV(in.file, in.options.Comma, in.options.Encoding)
	if err != nil {
		return fmt.Errorf("%s cannot be read, and nothing was done. %w", in.name, err)
	}
	in.options.Comma = separator
	columns, err := in.site.columns(ctx, header)
	if err != nil {
		return err
	}
	if err := applyMaps(columns, in.maps); err != nil {
		return err
	}
	in.options.Columns = nil
	for _, c := range columns {
		if c.Header != "" && c.Field != "" {
			in.options.Columns = append(in.options.Columns, c)
		}
	}
	if in.importRequest.progress != "none" {
		showColumns(in.p.stderr, columns, example)
	}
	if len(in.options.Columns) == 0 {
		return fmt.Errorf("no column of %s is known: name them in its first line as in user_name,email, or say what they are with --map", in.name)
	}
	return nil
}

// applyMaps changes what columns are guessed to be by what --map says.
func applyMaps(columns []client.ImportColumn, maps []string) error {
	for _, text := range maps {
		at := strings.LastIndexByte(text, '=')
		if at < 0 {
			return fmt.Errorf("--map: %q is not HEADER=FIELD", text)
		}
		header, field := strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+1:])
		i := slices.IndexFunc(columns, func(c client.ImportColumn) bool { return strings.EqualFold(c.Header, header) })
		if i < 0 {
			return fmt.Errorf("--map: the file has no column %q", header)
		}
		for j := range columns { // what was only guessed gives way
			if columns[j].Field == field && field != "" {
				columns[j].Field = ""
			}
		}
		columns[i].Field = field
	}
	return nil
}

// maxExample is how many characters of an example are shown.
const maxExample = 40

// showColumns prints what each column is taken for.
func showColumns(w io.Writer, columns []client.ImportColumn, example []string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COLUMN\tIS\tEXAMPLE")
	for i, c := range columns {
		field, shown := c.Field, example[i]
		switch {
		case field == "":
			field = "(left out)"
		case strings.HasPrefix(field, "password"):
			shown = "(not shown)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", oneLine(c.Header), field, oneLine(shown))
	}
	_ = table.Flush() // to standard error
}

// oneLine is a text from a file as a line of a table shows it.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > maxExample {
		return string(runes[:maxExample]) + "…"
	}
	return text
}

// confirm asks a person a question on the terminal.
func (p *program) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(p.stderr, question+" [y/N] ")
	answer, err := untilDone(ctx, func() (string, error) { return bufio.NewReader(p.stdin).ReadString('\n') }, "interrupted: nothing was done")
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	p.note("nothing was done")
	return false, nil
}
