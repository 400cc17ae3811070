package imports

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// count is how many rows have a verdict.
type count struct {
	Verdict directory.Verdict
	Text    string
	Kind    string
	N       int64
}

var verdicts = []count{{directory.RowCreate, "new", "ok", 0}, {directory.RowUpdate, "changed", "info", 0}, {directory.RowSkip, "as it is", "", 0},
	{directory.RowDeactivate, "deactivated", "warn", 0}, {directory.RowConflict, "conflict", "warn", 0}, {directory.RowInvalid, "invalid", "bad", 0}}

// runView is an import and how far it is.
type runView struct {
	Run      directory.BulkRun
	Ended    bool
	Counts   []count
	Rejected int64
	Only     string
	Rows     []directory.RowVerdict
	Next     string
	Rate     int64 // rows a second so far
	Left     string
}

// showRun shows an import. htmx asks for the part that changes until it has ended.
func (p *pages) showRun(r *page.Request) (web.Response, error) {
	call := r.Call()
	call.Unattended = r.Partial() // the page asks by itself
	id := r.PathValue("id")
	run, err := r.Kit.Service.Bulk(r.Context(), call, id)
	if err != nil {
		return web.Response{}, err
	}
	switch {
	case run.Kind != directory.BulkImport:
		return r.Redirect("/actions/" + id), nil
	case run.State == directory.BulkOpen:
		return r.Redirect("/imports/" + id + "/options"), nil
	}
	v := runView{Run: run, Ended: run.State.Ended(), Only: r.URL.Query().Get("verdict")}
	for _, c := range verdicts {
		c.N = run.Counts[c.Verdict]
		v.Counts = append(v.Counts, c)
	}
	v.Rejected = run.Counts[directory.RowConflict] + run.Counts[directory.RowInvalid]
	v.estimate()
	if err := v.rows(r); err != nil {
		return web.Response{}, err
	}
	view := page.View{Title: "Import " + run.Name, Section: "imports", Data: &v, Crumbs: crumbs}
	if r.Partial() {
		return r.Fragment(p.run, "run", view)
	}
	return r.Page(p.run, view)
}

// rows reads a page of verdicts: the rejected ones unless somebody asks for others.
func (v *runView) rows(r *page.Request) error {
	q := directory.VerdictQuery{Limit: 50, Cursor: r.URL.Query().Get("cursor"), Verdicts: []directory.Verdict{directory.RowConflict, directory.RowInvalid}}
	switch v.Only {
	case "":
	case "all":
		q.Verdicts = nil
	default:
		q.Verdicts = []directory.Verdict{directory.Verdict(v.Only)}
	}
	list, err := r.Kit.Service.BulkVerdicts(r.Context(), r.Call(), v.Run.ID, q)
	v.Rows = list.Verdicts
	if list.Next != "" {
		v.Next = page.Link("/imports/"+v.Run.ID, "verdict", v.Only, "cursor", list.Next)
	}
	return err
}

// estimate says how fast a run goes and how long it still takes.
func (v *runView) estimate() {
	taken := v.Run.UpdatedAt.Sub(v.Run.StartedAt)
	if v.Run.StartedAt.IsZero() || taken <= 0 || v.Run.Done == 0 {
		return
	}
	v.Rate = int64(float64(v.Run.Done) / taken.Seconds())
	if v.Run.State == directory.BulkRunning && v.Run.Rows > v.Run.Done {
		v.Left = time.Duration(float64(taken) / float64(v.Run.Done) * float64(v.Run.Rows-v.Run.Done)).Round(time.Second).String()
	}
}

// goOn starts a run again that a threshold stopped.
func (p *pages) goOn(r *page.Request) (web.Response, error) {
	var t directory.BulkThresholds
	t.MaxChanges, _ = strconv.Atoi(r.Value("max_changes"))
	t.MaxDeactivations, _ = strconv.Atoi(r.Value("max_deactivations"))
	id := r.PathValue("id")
	if _, err := r.Kit.Service.StartBulk(r.Context(), r.Call(), id, t); err != nil {
		return web.Response{}, err
	}
	return r.Redirect("/imports/" + id), nil
}

func (p *pages) cancel(r *page.Request) (web.Response, error) {
	id := r.PathValue("id")
	if _, err := r.Kit.Service.CancelBulk(r.Context(), r.Call(), id); err != nil {
		return web.Response{}, err
	}
	return r.Done("/imports", "The import was cancelled. What was done stays."), nil
}

// download is an answer that a browser keeps as a file.
func download(name string, write func(context.Context, *web.Stream) error) web.Response {
	return web.Response{ContentType: "application/octet-stream", Stream: write, Header: [][2]string{{"Cache-Control", "no-store"},
		{"Content-Disposition", `attachment; filename="` + name + `"`}, {"X-Content-Type-Options", "nosniff"}}}
}

// rejected hands out the rows that were rejected, to be corrected and imported again.
func (p *pages) rejected(r *page.Request) (web.Response, error) {
	run, err := r.Kit.Service.Bulk(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	return download("rejected."+string(run.Import.Format), func(ctx context.Context, s *web.Stream) error {
		return bulk.WriteRejected(ctx, r.Kit.Service, r.Call, run.ID, s, nil)
	}), nil
}

// undo hands out the file whose import takes back what the run did.
func (p *pages) undo(r *page.Request) (web.Response, error) {
	id := r.PathValue("id")
	if _, err := r.Kit.Service.Bulk(r.Context(), r.Call(), id); err != nil {
		return web.Response{}, err
	}
	call := r.Call()
	return download("undo.ndjson", func(ctx context.Context, s *web.Stream) error {
		var b bytes.Buffer
		return r.Kit.Service.UndoRecords(ctx, call, id, func(records []directory.Record) error {
			b.Reset()
			for i := range records {
				b.Write(append(bulk.AppendRecord(nil, &records[i]), '\n'))
			}
			_, err := s.Write(b.Bytes())
			return err
		})
	}), nil
}
