package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// listing is how a command lists what a server has; the zero value is a table of
// all.
type listing struct {
	most int // end after so many; 0 for all
	json bool
}

func (l *listing) addFlags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.most, "most", 0, "end after so many; 0 for all")
	cmd.Flags().BoolVar(&l.json, "json", false, "print one JSON object a line")
}

// printList prints a list: as JSON, or as a table with a head and a row each, whose
// cells tabs separate.
func printList[T any](w io.Writer, l listing, list iter.Seq2[T, error], head string, row func(*T) string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if !l.json {
		fmt.Fprintln(table, head)
	}
	count := 0
	for item, err := range list {
		switch {
		case err != nil:
		case l.json:
			err = json.NewEncoder(w).Encode(&item)
		default:
			_, err = fmt.Fprintln(table, row(&item))
		}
		if err != nil {
			return errors.Join(err, table.Flush())
		}
		if count++; count == l.most {
			break
		}
	}
	return table.Flush()
}
