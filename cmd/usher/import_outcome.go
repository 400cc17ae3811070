package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/usher-id/usher/client"
)

// fewRows is up to how many rows a dry run prints all verdicts unasked.
const fewRows = 200

// outcome says what became of the import, and writes the files that come of it.
func (in *importing) outcome(ctx context.Context, run *client.Import) error {
	if err := in.printVerdicts(ctx, run); err != nil {
		return err
	}
	if err := in.say(run); err != nil {
		return err
	}
	rejected := run.Counts.Rejected()
	if run.State == client.BulkDone && rejected > 0 && (!run.DryRun || in.rejected != "") {
		err := in.keep(in.rejected, ".rejected."+run.Options.Format, "the rows that were not taken", func(w io.Writer) error { return in.site.rejected(ctx, run.ID, w) })
		if err != nil {
			return err
		}
	}
	if run.Ended() && !run.DryRun && run.Counts.Create+run.Counts.Update+run.Counts.Deactivate > 0 {
		err := in.keep(in.undo, ".undo.ndjson", "a file that takes the import back", func(w io.Writer) error { return in.site.undo(ctx, run.ID, w) })
		if err != nil {
			return err
		}
	}
	switch run.State {
	case client.BulkStopped:
		return withExit(exitStopped, fmt.Errorf("stopped: %s\nthe same command with a higher --max-deactivations or --max-changes goes on", run.Error))
	case client.BulkDone:
		if rejected > 0 {
			return withExit(exitPartly, fmt.Errorf("%d of %d rows were rejected", rejected, run.Rows))
		}
		return nil
	case client.BulkCancelled:
		return errors.New("somebody cancelled the import; what was done stays")
	}
	return fmt.Errorf("the import failed: %s", run.Error)
}

// say prints how many rows have each verdict.
func (in *importing) say(run *client.Import) error {
	c := &run.Counts
	out, done := in.p.stdout, [...]string{"created", "updated", "unchanged", "in conflict", "invalid", "deactivated"}
	if in.prints(run) {
		out = in.p.stderr // standard output has the verdicts
	}
	if run.DryRun {
		done[0], done[1], done[5] = "to create", "to update", "to deactivate"
	}
	var parts []string
	for i, n := range [...]int64{c.Create, c.Update, c.Skip, c.Conflict, c.Invalid, c.Deactivate} {
		if n > 0 || i < 3 {
			parts = append(parts, fmt.Sprintf("%d %s", n, done[i]))
		}
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", in.name, strings.Join(parts, ", "))
	return err
}

// prints reports whether verdicts are printed.
func (in *importing) prints(run *client.Import) bool { return in.verdicts || run.DryRun }

// printVerdicts prints the verdicts that were asked for. A dry run prints them unasked:
// all of few rows, and else the rejected ones.
func (in *importing) printVerdicts(ctx context.Context, run *client.Import) error {
	if !in.prints(run) {
		return nil
	}
	l, kinds := in.list, []string(nil)
	if !in.verdicts && run.Done > fewRows && !l.json && !l.csv {
		if kinds = []string{client.VerdictConflict, client.VerdictInvalid}; l.most == 0 {
			l.most = fewRows
		}
		in.p.note("rows that would be taken are left out; --verdicts prints all")
		if run.Counts.Rejected() == 0 {
			return nil
		}
	}
	return printList(in.p.stdout, l, in.site.verdicts(ctx, run.ID, kinds), "ROW\tLINE\tVERDICT\tUSER\tUSER NAME\tFIELD\tWHY", verdictCells)
}

// verdictCells are the cells of a verdict: of an update the fields that it changes.
func verdictCells(v *client.RowVerdict) []string {
	fields, why := v.Changed, []string(nil)
	for _, f := range v.Errors {
		fields, why = append(fields, f.Field), append(why, f.Message)
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	return []string{number(v.Row), number(v.Line), v.Verdict, number(v.User), v.UserName, strings.Join(fields, " "), strings.Join(why, " ")}
}

// keep writes a file that comes of the import: at the path that was asked for, else
// beside the imported one, never over a file that is there.
func (in *importing) keep(path, ending, what string, write func(io.Writer) error) error {
	if path == "none" {
		return nil
	}
	paths := once(path)
	if path == "" {
		paths = numbered(in.beside, ending)
	}
	for path := range paths {
		err := in.p.writeExport(path, write)
		if errors.Is(err, fs.ErrExist) && in.mayTryNext(path) {
			continue
		}
		if err == nil {
			in.p.note(path + " has " + what)
		}
		return err
	}
	return nil
}

// mayTryNext reports whether a path was not what somebody asked for.
func (in *importing) mayTryNext(path string) bool {
	_, err := os.Stat(path)
	return err == nil && path != in.rejected && path != in.undo
}

func once(path string) iter.Seq[string] { return func(yield func(string) bool) { yield(path) } }

// numbered are the paths users.undo.ndjson, users.2.undo.ndjson and so on.
func numbered(beside, ending string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 1; n == 1 && yield(beside+ending) || n > 1 && yield(fmt.Sprintf("%s.%d%s", beside, n, ending)); n++ {
		}
	}
}
