package users

import (
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// verdictText is a verdict in words.
var verdictTexts = []struct {
	Verdict    directory.Verdict
	Text, Kind string
}{{directory.RowUpdate, "Done", "ok"}, {directory.RowSkip, "Nothing to do", ""}, {directory.RowConflict, "Refused", "warn"}, {directory.RowInvalid, "Not possible", "bad"}}

// runView is an action on many users and how far it is.
type runView struct {
	Run      directory.BulkRun
	Verb     verb
	Ended    bool
	Counts   []count
	Rejected int64
	Only     string // verdict that the list of rows is bounded to
	Rows     []directory.RowVerdict
	Next     string
	Left     string // how long it will still take, roughly
}

type count struct {
	Text, Kind, Verdict string
	N                   int64
}

// showRun shows how far an action is, and what became of each user. htmx asks for the
// part that changes until the run has ended.
func (p *pages) showRun(r *page.Request) (web.Response, error) {
	call := r.Call()
	call.Unattended = r.Partial() // the page asks by itself
	id := r.PathValue("id")
	run, err := r.Kit.Service.Bulk(r.Context(), call, id)
	if err != nil {
		return web.Response{}, err
	}
	if run.Kind != directory.BulkAction {
		return r.Redirect("/imports/" + id), nil
	}
	v := runView{Run: run, Ended: run.State.Ended(), Only: r.URL.Query().Get("verdict"), Left: left(&run)}
	v.Verb, _ = verbOf(string(run.Deed.Verb))
	for _, t := range verdictTexts {
		v.Counts = append(v.Counts, count{t.Text, t.Kind, string(t.Verdict), run.Counts[t.Verdict]})
	}
	v.Rejected = run.Counts[directory.RowConflict] + run.Counts[directory.RowInvalid]
	query := directory.VerdictQuery{Limit: pageLength, Cursor: r.URL.Query().Get("cursor"), Verdicts: []directory.Verdict{directory.RowConflict, directory.RowInvalid}}
	switch v.Only {
	case "all":
		query.Verdicts = nil
	case "":
	default:
		query.Verdicts = []directory.Verdict{directory.Verdict(v.Only)}
	}
	rows, err := r.Kit.Service.BulkVerdicts(r.Context(), r.Call(), id, query)
	if err != nil {
		return web.Response{}, err
	}
	v.Rows = rows.Verdicts
	if rows.Next != "" {
		v.Next = page.Link("/actions/"+id, "verdict", v.Only, "cursor", rows.Next)
	}
	view := page.View{Title: v.Verb.Text, Section: "actions", Data: &v, Crumbs: []page.Crumb{{Text: "Bulk actions", Path: "/actions"}}}
	if r.Partial() {
		return r.Fragment(p.run, "run", view)
	}
	return r.Page(p.run, view)
}

// left estimates how long a run still takes by how long it has taken; "" where that
// is not known.
func left(run *directory.BulkRun) string {
	if run.State != directory.BulkRunning || run.Done == 0 || run.Rows <= run.Done || run.StartedAt.IsZero() {
		return ""
	}
	taken := run.UpdatedAt.Sub(run.StartedAt)
	rest := time.Duration(float64(taken) / float64(run.Done) * float64(run.Rows-run.Done)).Round(time.Second)
	if rest < time.Second {
		return ""
	}
	return rest.String()
}

// cancel ends an action; what was done stays.
func (p *pages) cancel(r *page.Request) (web.Response, error) {
	id := r.PathValue("id")
	if _, err := r.Kit.Service.CancelBulk(r.Context(), r.Call(), id); err != nil && !directory.IsReason(err, directory.ReasonBulkState) {
		return web.Response{}, err
	}
	return r.Done("/actions/"+id, "The action was cancelled. What was done stays."), nil
}

// runsView is the list of actions.
type runsView struct {
	Runs []runOfList
	Next string
}

type runOfList struct {
	directory.BulkRun
	Text    string
	Refused int64
}

func (p *pages) showRuns(r *page.Request) (web.Response, error) {
	list, err := r.Kit.Service.Bulks(r.Context(), r.Call(), directory.BulkAction, r.URL.Query().Get("cursor"), pageLength)
	if err != nil {
		return web.Response{}, err
	}
	var v runsView
	for _, run := range list.Runs {
		chosen, _ := verbOf(string(run.Deed.Verb))
		v.Runs = append(v.Runs, runOfList{run, chosen.Text, run.Counts[directory.RowConflict] + run.Counts[directory.RowInvalid]})
	}
	if list.Next != "" {
		v.Next = page.Link("/actions", "cursor", list.Next)
	}
	return r.Page(p.runs, page.View{Title: "Bulk actions", Section: "actions", Data: &v})
}
