package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/dialect/canonical"
	"github.com/usher-id/usher/internal/directory"
)

// What the command line has to do with of imports.
type (
	// BulkRun is an import.
	BulkRun = directory.BulkRun
	// RowVerdict is what became of a row of it.
	RowVerdict = directory.RowVerdict
	// ImportColumn says what a column of a file is.
	ImportColumn = directory.ImportColumn
)

// ImportFormat recognises the format of a file by its first bytes: csv or ndjson.
func ImportFormat(head []byte) string { return string(bulk.GuessFormat(head)) }

// GuessColumns says what the columns of a file are by its first row.
func GuessColumns(header []string) []ImportColumn { return directory.GuessColumns(header) }

// LookAtCSV reads the beginning of a CSV file: what separates its columns, their names,
// and an example of each. comma and encoding are "" where they are not known.
func LookAtCSV(file io.Reader, comma, encoding string) (separator string, header, example []string, err error) {
	look, err := bulk.LookAt(file, directory.ImportOptions{Format: directory.BulkCSV, Comma: comma, Encoding: encoding})
	return look.Comma, look.Header, look.Example, err
}

// CheckImport reads a whole file and returns how many rows it has. options are those
// of an import, as the API has them. The error says in which line the file cannot be
// read any further.
func CheckImport(file io.Reader, options []byte) (rows int64, err error) {
	o, err := importOptions(options)
	if err != nil {
		return 0, err
	}
	return bulk.Check(file, o)
}

func importOptions(text []byte) (o directory.ImportOptions, err error) {
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("the options of the import: %w", err)
	}
	return o, nil
}

// makeSecretKey makes the key of the server beside an SQLite database, as its first
// start would: the file of an import is sealed with it while it is worked on, so that
// the import can go on when the command is killed.
func (a *Admin) makeSecretKey() error {
	path, mayMake := a.cfg.SecretKeyPath()
	sealer, err := readSealer(a.cfg)
	if !mayMake || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = makeSecretKey(path); err == nil {
		sealer, err = readSealer(a.cfg)
	}
	if err != nil {
		return fmt.Errorf("secret_key_file: cannot make a key: %w", err)
	}
	a.service = directory.New(a.db, directory.Options{Sealer: sealer, PublicURL: a.cfg.BaseURL()})
	return nil
}

// CreateImport makes an import. options are as the API has them.
func (a *TenantAdmin) CreateImport(ctx context.Context, name string, dryRun bool, options []byte) (BulkRun, error) {
	o, err := importOptions(options)
	if err != nil {
		return BulkRun{}, err
	}
	if err := a.makeSecretKey(); err != nil {
		return BulkRun{}, err
	}
	run, err := a.service.CreateBulk(ctx, a.call(a.Tenant.No), directory.NewBulk{Kind: directory.BulkImport, Name: name, DryRun: dryRun, Import: o})
	return run, forPeople(err)
}

// OpenImports are the tenant's imports that have not ended, the newest first.
func (a *TenantAdmin) OpenImports(ctx context.Context) ([]BulkRun, error) {
	page, err := a.service.Bulks(ctx, a.call(a.Tenant.No), directory.BulkImport, "", directory.MaxLimit)
	var open []BulkRun
	for i := range page.Runs {
		if !page.Runs[i].State.Ended() {
			open = append(open, page.Runs[i])
		}
	}
	return open, forPeople(err)
}

// SendImport adds what an import does not have yet of its file, which is read from its
// beginning. sent is called with the bytes that it has.
func (a *TenantAdmin) SendImport(ctx context.Context, id string, file io.Reader, sent func(bytes int64)) (BulkRun, error) {
	run, err := a.service.Bulk(ctx, a.call(a.Tenant.No), id)
	if err != nil {
		return run, forPeople(err)
	}
	if _, err := io.CopyN(io.Discard, file, run.Bytes); err != nil {
		return run, fmt.Errorf("the file is shorter than what was read of it before: %w", err)
	}
	part := make([]byte, directory.MaxPart)
	for {
		n, err := io.ReadFull(file, part)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return run, err
		}
		if n > 0 {
			next, failed := a.service.AddBulkPart(ctx, a.call(a.Tenant.No), id, run.Parts, part[:n])
			if failed != nil {
				return run, forPeople(failed)
			}
			run = next
			sent(run.Bytes)
		}
		if err != nil {
			return run, nil // the end
		}
	}
}

// StartImport lets an import begin whose file is there, or go on that stopped; 0 keeps
// a threshold.
func (a *TenantAdmin) StartImport(ctx context.Context, id string, maxChanges, maxDeactivations int) (BulkRun, error) {
	run, err := a.service.StartBulk(ctx, a.call(a.Tenant.No), id, directory.BulkThresholds{MaxChanges: maxChanges, MaxDeactivations: maxDeactivations})
	return run, forPeople(err)
}

// lookAgain is how long a command waits for a server that does the same import.
const lookAgain = 200 * time.Millisecond

// WorkImport does an import here, until it has ended or stopped. each is called with it
// after every page.
func (a *TenantAdmin) WorkImport(ctx context.Context, id string, each func(*BulkRun)) (BulkRun, error) {
	runner := bulk.NewRunner(a.service, time.Now, nil)
	for {
		run, err := runner.Work(ctx, a.Tenant.No, id, time.Time{}, each)
		if broken, ok := errors.AsType[*bulk.FileError](err); ok {
			run, err = a.service.FailBulk(ctx, a.call(a.Tenant.No), a.Tenant.No, id, broken.Error())
		}
		if err != nil || run.State != directory.BulkWaiting && run.State != directory.BulkRunning {
			return run, forPeople(err)
		}
		select { // a server has it
		case <-ctx.Done():
			return run, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// ImportVerdicts hands out the verdicts of an import's rows, of the kinds that are
// named or of all, in order of rows.
func (a *TenantAdmin) ImportVerdicts(ctx context.Context, id string, kinds []string, each func(*RowVerdict) bool) error {
	q := directory.VerdictQuery{Limit: directory.MaxLimit}
	for _, kind := range kinds {
		q.Verdicts = append(q.Verdicts, directory.Verdict(kind))
	}
	for {
		page, err := a.service.BulkVerdicts(ctx, a.call(a.Tenant.No), id, q)
		if err != nil {
			return forPeople(err)
		}
		for i := range page.Verdicts {
			if !each(&page.Verdicts[i]) {
				return nil
			}
		}
		if q.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

// RejectedRows writes the rows of an import that were not taken.
func (a *TenantAdmin) RejectedRows(ctx context.Context, id string, w io.Writer) error {
	return forPeople(bulk.WriteRejected(ctx, a.service, func() *directory.Call { return a.call(a.Tenant.No) }, id, w, nil))
}

// UndoFile writes a file that takes an import back.
func (a *TenantAdmin) UndoFile(ctx context.Context, id string, w io.Writer) error {
	out, err := bulk.NewWriter(w, directory.BulkNDJSON, nil)
	if err != nil {
		return err
	}
	return forPeople(bulk.WriteRecords(out, func(each func([]directory.Record) error) error {
		return a.service.UndoRecords(ctx, a.call(a.Tenant.No), id, each)
	}))
}

// ExportRequest is what the command line asks of an export.
type ExportRequest struct {
	Format  string // csv, ndjson or scim
	Fields  []string
	Filter  string // in the grammar of SCIM
	Search  string
	Company int64
	Groups  []string // ids
	Status  []string
}

// ExportUsers writes users as a file. publicURL is for resources of SCIM.
func (a *TenantAdmin) ExportUsers(ctx context.Context, r ExportRequest, w io.Writer) error {
	out, err := a.exportWriter(&r, w)
	if err != nil {
		return flagError("--fields", err)
	}
	q := directory.UserQuery{Company: r.Company}
	if q.Filter, err = canonical.ParseFilter(r.Filter); err != nil {
		return flagError("--filter", err)
	}
	if r.Search != "" {
		q.Terms = []string{r.Search}
	}
	for _, id := range r.Groups {
		q.Groups = append(q.Groups, directory.GroupRef{ID: id})
	}
	for _, word := range r.Status {
		state := directory.State(word)
		if state.Index() >= len(directory.States) {
			return fmt.Errorf("--status: %q is none of staged, active, inactive and deleted", word)
		}
		q.States |= directory.StatesOf(state)
	}
	return forPeople(bulk.WriteRecords(out, func(each func([]directory.Record) error) error {
		return a.service.ExportUsers(ctx, a.call(a.Tenant.No), q, bulk.Includes(r.Fields), each)
	}))
}

func (a *TenantAdmin) exportWriter(r *ExportRequest, w io.Writer) (bulk.Writer, error) {
	if r.Format != "scim" {
		return bulk.NewWriter(w, directory.BulkFormat(r.Format), r.Fields)
	}
	if len(r.Fields) > 0 {
		return nil, errors.New("not for the format scim")
	}
	return newSCIMLines(a.cfg.BaseURL())(w), nil
}
