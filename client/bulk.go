package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// The states of imports and bulk actions.
const (
	BulkOpen      = "open"    // its file is being sent
	BulkWaiting   = "waiting" // the server will take it up
	BulkRunning   = "running"
	BulkStopped   = "stopped" // it would touch more users than its threshold
	BulkDone      = "done"
	BulkFailed    = "failed" // Error says why
	BulkCancelled = "cancelled"
)

// BulkRun is what imports and bulk actions have in common.
type BulkRun struct {
	ID        string     `json:"id"`   // UUID
	Name      string     `json:"name"` // of the file; of an action its verb
	State     string     `json:"state"`
	Reason    string     `json:"reason"` // why, as whoever asked for it said it
	By        string     `json:"by"`     // in whose name it is done
	Rows      int64      `json:"rows"`   // in all; 0 while that is not known
	Done      int64      `json:"done"`   // that have their verdict
	Counts    BulkCounts `json:"counts"`
	Error     string     `json:"error"` // why it stopped or failed
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	StartedAt time.Time  `json:"started_at"` // zero before
	EndedAt   time.Time  `json:"ended_at"`   // zero before
}

// Ended reports whether nothing more happens to the run.
func (r *BulkRun) Ended() bool {
	return r.State == BulkDone || r.State == BulkFailed || r.State == BulkCancelled
}

// BulkCounts says how many rows have each verdict.
type BulkCounts struct {
	Create     int64 `json:"create"`
	Update     int64 `json:"update"`
	Skip       int64 `json:"skip"`
	Conflict   int64 `json:"conflict"`
	Invalid    int64 `json:"invalid"`
	Deactivate int64 `json:"deactivate"`
}

// Rejected is how many rows were not taken.
func (c *BulkCounts) Rejected() int64 { return c.Conflict + c.Invalid }

// The verdicts of rows.
const (
	VerdictCreate     = "create"
	VerdictUpdate     = "update"
	VerdictSkip       = "skip"       // it is so already, or shall not be changed
	VerdictConflict   = "conflict"   // it contradicts what is there, or another row
	VerdictInvalid    = "invalid"    // it cannot be, whatever is there
	VerdictDeactivate = "deactivate" // no row was about the user
)

// RowVerdict is what became of a row, or would.
type RowVerdict struct {
	Row      int64        `json:"row"`  // from 1
	Line     int64        `json:"line"` // of the file; 0 for none
	Verdict  string       `json:"verdict"`
	User     int64        `json:"user"` // number; 0 for none
	UserName string       `json:"user_name"`
	Changed  []string     `json:"changed"` // members that an update changes
	Errors   []FieldError `json:"errors"`  // why not
}

// VerdictQuery selects verdicts; the zero value is all.
type VerdictQuery struct {
	PageQuery          // of up to 1000
	Verdicts  []string // the Verdict constants
}

func (q VerdictQuery) query() query { return query{}.page(q.PageQuery).words("verdict", q.Verdicts) }

// The formats of files of users.
const (
	FormatCSV    = "csv"
	FormatNDJSON = "ndjson" // a JSON object a line
	FormatSCIM   = "scim"   // only of exports: a User resource of RFC 7643 a line
)

// ImportColumn says what a column of a CSV file is.
type ImportColumn struct {
	Header string `json:"header"` // as the file has it
	// Field is a member of a user, "attributes.x", "phones.mobile" or "address.city";
	// "" leaves the column out.
	Field string `json:"field"`
}

// ImportOptions say how a file is read and what is done with it.
type ImportOptions struct {
	Format   string         `json:"format"`             // FormatCSV or FormatNDJSON
	Columns  []ImportColumn `json:"columns,omitempty"`  // of CSV; none: guessed from the first row
	Comma    string         `json:"comma,omitempty"`    // of CSV; "": guessed
	Encoding string         `json:"encoding,omitempty"` // "utf-8" (also ""), "latin1" or "windows-1252"
	// Match are the members by which a row finds its user, in this order; none is the
	// server's choice.
	Match             []string `json:"match,omitempty"`
	Existing          string   `json:"existing,omitempty"` // "update" (also ""), "skip" or "conflict"
	Company           int64    `json:"company,omitempty"`  // where new users go whose rows name none
	Status            string   `json:"status,omitempty"`   // of new users whose rows name none; "": active
	Notify            bool     `json:"notify,omitempty"`   // new users are mailed their user name
	SharedEmail       bool     `json:"shared_email,omitempty"`
	CreateMissing     bool     `json:"create_missing,omitempty"`     // companies, groups and roles that rows name
	DeactivateMissing bool     `json:"deactivate_missing,omitempty"` // users that no row was about
	MaxChanges        int      `json:"max_changes,omitempty"`        // in 100; 0: 100
	MaxDeactivations  int      `json:"max_deactivations,omitempty"`  // in 100; 0: 10
}

// NewImport is an import to be made.
type NewImport struct {
	Name   string `json:"name,omitempty"` // of the file; at most 200 characters
	DryRun bool   `json:"dry_run,omitempty"`
	ImportOptions
}

// Import is a file of users on its way into the directory.
type Import struct {
	BulkRun
	DryRun    bool          `json:"dry_run"`
	Bytes     int64         `json:"bytes"`      // of the file, as far as it was sent
	Parts     int64         `json:"parts"`      // that were sent
	PartBytes int64         `json:"part_bytes"` // that a part can have
	Options   ImportOptions `json:"options"`
}

// ImportService is imports of users from files.
type ImportService struct{ c *Client }

// Create makes an import. SendFile and Start come next.
func (s *ImportService) Create(ctx context.Context, i NewImport, options ...CallOption) (*Import, error) {
	return write[Import](ctx, s.c, &request{method: http.MethodPost, path: path("imports"), body: i, creates: true}, options)
}

// Columns guesses what the columns of a CSV file are by its first row.
func (s *ImportService) Columns(ctx context.Context, header []string, options ...CallOption) ([]ImportColumn, error) {
	l, err := write[list[ImportColumn]](ctx, s.c, &request{method: http.MethodPost, path: path("imports", "columns"), body: map[string]any{"header": header}}, options)
	if err != nil {
		return nil, err
	}
	return l.Items, nil
}

// Get reads an import.
func (s *ImportService) Get(ctx context.Context, id string, options ...CallOption) (*Import, error) {
	return read[Import](ctx, s.c, path("imports", id), nil, options)
}

// List reads a page of imports, the newest first.
func (s *ImportService) List(ctx context.Context, q PageQuery, options ...CallOption) (*Page[Import], error) {
	return read[Page[Import]](ctx, s.c, path("imports"), query{}.page(q), options)
}

// All goes over the imports of all pages.
func (s *ImportService) All(ctx context.Context, q PageQuery, options ...CallOption) iter.Seq2[Import, error] {
	return pages(q.Cursor, func(cursor string) (*Page[Import], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// PutPart sends a part of the file, from 0. One that is there is accepted again.
func (s *ImportService) PutPart(ctx context.Context, id string, part int64, data []byte, options ...CallOption) (*Import, error) {
	return write[Import](ctx, s.c, &request{method: http.MethodPut, path: path("imports", id, "parts", strconv.FormatInt(part, 10)), raw: data}, options)
}

// SendFile sends what the server does not have yet of a file, which is read from its
// beginning: after a break it goes on where it was. sent, if set, is called with the
// bytes that the server has.
func (s *ImportService) SendFile(ctx context.Context, id string, file io.Reader, sent func(bytes int64), options ...CallOption) (*Import, error) {
	i, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := skip(file, i.Bytes); err != nil {
		return nil, fmt.Errorf("client: the file is shorter than what was sent of it: %w", err)
	}
	part := make([]byte, i.PartBytes)
	for {
		n, err := io.ReadFull(file, part)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return i, err
		}
		if n > 0 {
			next, failed := s.PutPart(ctx, id, i.Parts, part[:n], options...)
			if failed != nil {
				return i, failed
			}
			i = next
			if sent != nil {
				sent(i.Bytes)
			}
		}
		if err != nil {
			return i, nil // the end
		}
	}
}

// skip passes over the beginning of a file.
func skip(file io.Reader, bytes int64) error {
	if s, ok := file.(io.Seeker); ok {
		if _, err := s.Seek(bytes, io.SeekCurrent); err == nil {
			return nil
		}
	}
	_, err := io.CopyN(io.Discard, file, bytes)
	return err
}

// Thresholds are new thresholds of an import that stopped, in 100; 0 keeps one.
type Thresholds struct {
	MaxChanges       int `json:"max_changes,omitempty"`
	MaxDeactivations int `json:"max_deactivations,omitempty"`
}

// Start lets the server do an import whose file was sent, or one that stopped.
func (s *ImportService) Start(ctx context.Context, id string, t Thresholds, options ...CallOption) (*Import, error) {
	return write[Import](ctx, s.c, &request{method: http.MethodPost, path: path("imports", id, "start"), body: t}, options)
}

// Cancel ends an import; what was done stays.
func (s *ImportService) Cancel(ctx context.Context, id string, options ...CallOption) (*Import, error) {
	return write[Import](ctx, s.c, &request{method: http.MethodPost, path: path("imports", id, "cancel")}, options)
}

// Wait waits until an import has ended or stopped. progress, if set, is called with it
// every now and then.
func (s *ImportService) Wait(ctx context.Context, id string, progress func(*Import)) (*Import, error) {
	return waitFor(ctx, s.c, func() (*Import, bool, error) {
		i, err := s.Get(ctx, id)
		if err != nil {
			return nil, false, err
		}
		if progress != nil {
			progress(i)
		}
		return i, i.Ended() || i.State == BulkStopped || i.State == BulkOpen, nil
	})
}

// waitFor asks again and again, more and more seldom, until it is there.
func waitFor[T any](ctx context.Context, c *Client, ask func() (*T, bool, error)) (*T, error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		got, there, err := ask()
		if err != nil || there {
			return got, err
		}
		if err := c.retry.wait(ctx, pause); err != nil {
			return got, err
		}
	}
}

// Verdicts reads a page of verdicts, in the order of the file. A page may be short or
// empty although others follow.
func (s *ImportService) Verdicts(ctx context.Context, id string, q VerdictQuery, options ...CallOption) (*Page[RowVerdict], error) {
	return read[Page[RowVerdict]](ctx, s.c, path("imports", id, "verdicts"), q.query(), options)
}

// AllVerdicts goes over the verdicts of all pages.
func (s *ImportService) AllVerdicts(ctx context.Context, id string, q VerdictQuery, options ...CallOption) iter.Seq2[RowVerdict, error] {
	return pages(q.Cursor, func(cursor string) (*Page[RowVerdict], error) {
		q.Cursor = cursor
		return s.Verdicts(ctx, id, q, options...)
	})
}

// Rejected opens the rows that were not taken, to be corrected and imported again, in
// the format of the file. A read error means that they are not whole.
func (s *ImportService) Rejected(ctx context.Context, id string, options ...CallOption) (io.ReadCloser, error) {
	return s.c.open(ctx, &request{method: http.MethodGet, path: path("imports", id, "rejected")}, options)
}

// Undo opens a file of FormatNDJSON that takes the import back when it is imported. A
// read error means that it is not whole.
func (s *ImportService) Undo(ctx context.Context, id string, options ...CallOption) (io.ReadCloser, error) {
	return s.c.open(ctx, &request{method: http.MethodGet, path: path("imports", id, "undo")}, options)
}

// errNoSelection is a bulk action that would be about everybody by mistake.
var errNoSelection = errors.New("client: a bulk action needs Users or Select")
