package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// importSite is where an import is done.
type importSite interface {
	// columns guesses what the columns of a file are.
	columns(ctx context.Context, header []string) ([]client.ImportColumn, error)
	// open lists the imports that have not ended.
	open(ctx context.Context) ([]client.Import, error)
	// create makes an import.
	create(ctx context.Context, i client.NewImport) (*client.Import, error)
	// send sends what is missing of the file.
	send(ctx context.Context, id string, file io.Reader, sent func(int64)) (*client.Import, error)
	// start lets it begin, or go on that stopped.
	start(ctx context.Context, id string, t client.Thresholds) (*client.Import, error)
	// wait returns it once it has ended or stopped.
	wait(ctx context.Context, id string, progress func(*client.Import)) (*client.Import, error)
	// verdicts goes over the verdicts of some kinds, or of all.
	verdicts(ctx context.Context, id string, kinds []string) iter.Seq2[client.RowVerdict, error]
	// rejected and undo write the files that come of it.
	rejected(ctx context.Context, id string, w io.Writer) error
	undo(ctx context.Context, id string, w io.Writer) error
}

// farImports are those of a running server.
type farImports struct{ *remote }

func (f *farImports) columns(ctx context.Context, header []string) ([]client.ImportColumn, error) {
	return f.Imports.Columns(ctx, header)
}

// seenImports is how many imports are looked through for one that has not ended: a
// tenant has few of those at a time.
const seenImports = 200

func (f *farImports) open(ctx context.Context) ([]client.Import, error) {
	page, err := f.Imports.List(ctx, client.PageQuery{Limit: seenImports})
	if err != nil {
		return nil, err
	}
	var open []client.Import
	for i := range page.Items {
		if !page.Items[i].Ended() {
			open = append(open, page.Items[i])
		}
	}
	return open, nil
}

func (f *farImports) create(ctx context.Context, i client.NewImport) (*client.Import, error) {
	return f.Imports.Create(ctx, i, f.because)
}

func (f *farImports) send(ctx context.Context, id string, file io.Reader, sent func(int64)) (*client.Import, error) {
	return f.Imports.SendFile(ctx, id, file, sent)
}

func (f *farImports) start(ctx context.Context, id string, t client.Thresholds) (*client.Import, error) {
	return f.Imports.Start(ctx, id, t)
}

func (f *farImports) wait(ctx context.Context, id string, progress func(*client.Import)) (*client.Import, error) {
	return f.Imports.Wait(ctx, id, progress)
}

func (f *farImports) verdicts(ctx context.Context, id string, kinds []string) iter.Seq2[client.RowVerdict, error] {
	return f.Imports.AllVerdicts(ctx, id, client.VerdictQuery{Verdicts: kinds, PageQuery: client.PageQuery{Limit: 1000}})
}

func (f *farImports) rejected(ctx context.Context, id string, w io.Writer) error {
	return save(w)(f.Imports.Rejected(ctx, id))
}

func (f *farImports) undo(ctx context.Context, id string, w io.Writer) error {
	return save(w)(f.Imports.Undo(ctx, id))
}

// save writes what is downloaded.
func save(w io.Writer) func(io.ReadCloser, error) error {
	return func(file io.ReadCloser, err error) error {
		if err != nil {
			return err
		}
		_, err = io.Copy(w, file)
		return errors.Join(err, file.Close())
	}
}

// nearImports are done in this process, on the database.
type nearImports struct{ a *app.TenantAdmin }

func (n *nearImports) columns(_ context.Context, header []string) ([]client.ImportColumn, error) {
	var columns []client.ImportColumn
	for _, c := range app.GuessColumns(header) {
		columns = append(columns, client.ImportColumn(c))
	}
	return columns, nil
}

// importOf is an import of the directory as a server shows it.
func importOf(r *app.BulkRun, err error) (*client.Import, error) {
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(r.Import)
	if err != nil {
		return nil, err
	}
	i := &client.Import{DryRun: r.DryRun, Bytes: r.Bytes, Parts: r.Parts, BulkRun: client.BulkRun{ID: r.ID, Name: r.Name, State: string(r.State),
		Rows: r.Rows, Done: r.Done, Error: r.Error, CreatedAt: r.CreatedAt}}
	for verdict, n := range r.Counts {
		*map[string]*int64{client.VerdictCreate: &i.Counts.Create, client.VerdictUpdate: &i.Counts.Update, client.VerdictSkip: &i.Counts.Skip,
			client.VerdictConflict: &i.Counts.Conflict, client.VerdictInvalid: &i.Counts.Invalid, client.VerdictDeactivate: &i.Counts.Deactivate}[string(verdict)] = n
	}
	return i, json.Unmarshal(options, &i.Options)
}

func (n *nearImports) open(ctx context.Context) ([]client.Import, error) {
	runs, err := n.a.OpenImports(ctx)
	var open []client.Import
	for i := range runs {
		if shown, failed := importOf(&runs[i], nil); failed == nil {
			open = append(open, *shown)
		}
	}
	return open, err
}

func (n *nearImports) create(ctx context.Context, i client.NewImport) (*client.Import, error) {
	options, err := json.Marshal(i.ImportOptions)
	if err != nil {
		return nil, err
	}
	run, err := n.a.CreateImport(ctx, i.Name, i.DryRun, options)
	return importOf(&run, err)
}

func (n *nearImports) send(ctx context.Context, id string, file io.Reader, sent func(int64)) (*client.Import, error) {
	run, err := n.a.SendImport(ctx, id, file, sent)
	return importOf(&run, err)
}

func (n *nearImports) start(ctx context.Context, id string, t client.Thresholds) (*client.Import, error) {
	run, err := n.a.StartImport(ctx, id, t.MaxChanges, t.MaxDeactivations)
	return importOf(&run, err)
}

func (n *nearImports) wait(ctx context.Context, id string, progress func(*client.Import)) (*client.Import, error) {
	run, err := n.a.WorkImport(ctx, id, func(r *app.BulkRun) {
		if i, err := importOf(r, nil); err == nil {
			progress(i)
		}
	})
	return importOf(&run, err)
}

func (n *nearImports) verdicts(ctx context.Context, id string, kinds []string) iter.Seq2[client.RowVerdict, error] {
	return func(yield func(client.RowVerdict, error) bool) {
		err := n.a.ImportVerdicts(ctx, id, kinds, func(v *app.RowVerdict) bool {
			shown := client.RowVerdict{Row: v.Row, Line: v.Line, Verdict: string(v.Verdict), User: v.User, UserName: v.Name,
				Changed: append([]string{}, v.Changed...), Errors: []client.FieldError{}}
			for _, f := range v.Faults {
				shown.Errors = append(shown.Errors, client.FieldError{Field: f.Field, Reason: string(f.Reason), Message: f.Message})
			}
			return yield(shown, nil)
		})
		if err != nil {
			yield(client.RowVerdict{}, err)
		}
	}
}

func (n *nearImports) rejected(ctx context.Context, id string, w io.Writer) error {
	return n.a.RejectedRows(ctx, id, w)
}

func (n *nearImports) undo(ctx context.Context, id string, w io.Writer) error {
	return n.a.UndoFile(ctx, id, w)
}
