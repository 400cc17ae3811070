package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// BulkRun is what imports and actions on many users have in common.
type BulkRun struct {
	ID        string              `json:"id" format:"uuid"`
	Name      string              `json:"name" doc:"Of the file; of an action its verb."`
	State     string              `json:"state" enum:"open,waiting,running,stopped,done,failed,cancelled" doc:"open: its file is being sent; stopped: it would touch more users than its threshold; failed: error says why."`
	Reason    string              `json:"reason" doc:"Why, as whoever asked for it said it."`
	By        string              `json:"by" example:"key:HR sync" doc:"In whose name it is done, as events name actors."`
	Rows      nullable[int64]     `json:"rows" doc:"How many there are in all; null while that is not known."`
	Done      int64               `json:"done" doc:"How many have their verdict."`
	Counts    bulkCounts          `json:"counts"`
	Error     string              `json:"error" doc:"Why it stopped or failed, for people; empty for nothing."`
	CreatedAt time.Time           `json:"created_at"`
	UpdatedAt time.Time           `json:"updated_at"`
	StartedAt nullable[time.Time] `json:"started_at"`
	EndedAt   nullable[time.Time] `json:"ended_at"`
}

// bulkCounts says how many rows have each verdict.
type bulkCounts struct {
	Create     int64 `json:"create"`
	Update     int64 `json:"update"`
	Skip       int64 `json:"skip" doc:"It is so already, or shall not be changed."`
	Conflict   int64 `json:"conflict" doc:"It contradicts what is there, or another row."`
	Invalid    int64 `json:"invalid" doc:"It cannot be, whatever is there."`
	Deactivate int64 `json:"deactivate" doc:"Of users that no row was about."`
}

// bulkRunOf is a run of the core as it is shown.
func bulkRunOf(r *directory.BulkRun) BulkRun {
	return BulkRun{ID: r.ID, Name: r.Name, State: string(r.State), Reason: r.Reason, By: r.By.Name, Rows: numberOf(r.Rows), Done: r.Done,
		Counts: bulkCounts{Create: r.Counts[directory.RowCreate], Update: r.Counts[directory.RowUpdate], Skip: r.Counts[directory.RowSkip],
			Conflict: r.Counts[directory.RowConflict], Invalid: r.Counts[directory.RowInvalid], Deactivate: r.Counts[directory.RowDeactivate]},
		Error: r.Error, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), StartedAt: timeOf(r.StartedAt), EndedAt: timeOf(r.EndedAt)}
}

// RowVerdict is what became of a row, or would.
type RowVerdict struct {
	Row      int64           `json:"row" doc:"From 1; after the last row come the users that no row was about."`
	Line     nullable[int64] `json:"line" doc:"Of the file; null for none."`
	Verdict  string          `json:"verdict" enum:"create,update,skip,conflict,invalid,deactivate"`
	User     nullable[int64] `json:"user" doc:"Number of the user; null for none."`
	UserName string          `json:"user_name"`
	Changed  []string        `json:"changed" doc:"Members that an update changes."`
	Errors   []fault         `json:"errors" doc:"Why not."`
}

// rowVerdictOf is a verdict of the core as it is shown.
func rowVerdictOf(v *directory.RowVerdict) RowVerdict {
	shown := RowVerdict{Row: v.Row, Line: numberOf(v.Line), Verdict: string(v.Verdict), User: numberOf(v.User), UserName: v.Name,
		Changed: append([]string{}, v.Changed...), Errors: []fault{}}
	for _, f := range v.Faults {
		shown.Errors = append(shown.Errors, fault{Field: f.Field, Reason: string(f.Reason), Message: f.Message})
	}
	return shown
}

// VerdictQuery are the parameters of the list of verdicts.
type VerdictQuery struct {
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many at most. A page may have fewer, although others follow."`
	Cursor  string `query:"cursor" doc:"next_cursor of the page before, with the rest of the query unchanged."`
	Verdict string `query:"verdict" example:"conflict,invalid" doc:"Only these: any of create, update, skip, conflict, invalid and deactivate, separated by commas."`
}

// core is the query for the core.
func (q *VerdictQuery) core() directory.VerdictQuery {
	next := directory.VerdictQuery{Cursor: q.Cursor, Limit: q.Limit}
	for _, word := range words(q.Verdict) {
		next.Verdicts = append(next.Verdicts, directory.Verdict(word))
	}
	return next
}

// verdictPage answers with a page of verdicts.
func verdictPage(p *directory.VerdictPage) *pageOutput[RowVerdict] {
	return treePage(directory.Page[directory.RowVerdict]{Items: p.Verdicts, Next: p.Next}, false, rowVerdictOf)
}

// bulkKinds are what tells imports from actions in paths: the runs of the one are
// unknown among the other.
type bulkKind struct {
	kind  directory.BulkKind
	names string // in words
}

var (
	imports = bulkKind{directory.BulkImport, "import"}
	actions = bulkKind{directory.BulkAction, "bulk action"}
)

// of refuses a run of the other kind.
func (k bulkKind) of(r directory.BulkRun, err error) (*directory.BulkRun, error) {
	if err == nil && r.Kind != k.kind {
		err = directory.Wrong(directory.CodeNotFound, directory.ReasonBulkNotFound, "There is no such %s.", k.names)
	}
	return &r, err
}

// read reads a run.
func (k bulkKind) read(ctx context.Context, x *exchange, id string) (*directory.BulkRun, error) {
	return k.of(x.door.svc.Bulk(ctx, &x.call, id))
}

// registerBulkActions adds actions on many users.
func registerBulkActions(d *door) {
	const tag, path = "bulk actions", "/bulk_actions/{action}"
	missing := func(rest string) []example {
		return []example{{name: "no such action", path: exampleAction + rest, status: http.StatusNotFound}}
	}
	register(d, operation{id: "create_bulk_action", method: http.MethodPost, path: "/bulk_actions", tag: tag, summary: "Do something to many users",
		description: "To those that `users` names, or to all that `select` selects at the moment at which each page of them is done. The server does it beside the requests, in the caller's name and with the rights that the caller has then; each user has a verdict.",
		status:      http.StatusCreated, creates: true,
		examples: []example{{name: "sign out all of a company", body: `{"verb":"sign_out","select":{"company":14146}}`}, {name: "users by number", body: `{"verb":"unlock","users":[2576]}`}}}, createBulkAction)
	register(d, operation{id: "list_bulk_actions", method: http.MethodGet, path: "/bulk_actions", tag: tag, summary: "List bulk actions", description: "The newest first.",
		examples: []example{{name: "bulk actions"}}},
		func(ctx context.Context, x *exchange, in *PageQuery) (*pageOutput[BulkAction], error) {
			list, err := x.door.svc.Bulks(ctx, &x.call, directory.BulkAction, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return treePage(directory.Page[directory.BulkRun]{Items: list.Runs, Next: list.Next}, false, bulkActionOf), nil
		})
	register(d, operation{id: "get_bulk_action", method: http.MethodGet, path: path, tag: tag, summary: "Read a bulk action", description: "How far it is.", examples: missing("")},
		func(ctx context.Context, x *exchange, in *struct{ BulkActionPath }) (*made[BulkAction], error) {
			r, err := actions.read(ctx, x, in.Action)
			if err != nil {
				return nil, err
			}
			return &made[BulkAction]{Body: bulkActionOf(r)}, nil
		})
	register(d, operation{id: "cancel_bulk_action", method: http.MethodPost, path: path + "/cancel", tag: tag, summary: "Cancel a bulk action",
		description: "What was done stays.", examples: missing("/cancel")},
		func(ctx context.Context, x *exchange, in *struct{ BulkActionPath }) (*made[BulkAction], error) {
			r, err := actions.of(x.door.svc.CancelBulk(ctx, &x.call, in.Action))
			if err != nil {
				return nil, err
			}
			return &made[BulkAction]{Body: bulkActionOf(r)}, nil
		})
	register(d, operation{id: "list_bulk_action_verdicts", method: http.MethodGet, path: path + "/verdicts", tag: tag, summary: "What became of each user",
		description: "In the order in which they were done.", examples: missing("/verdicts")},
		func(ctx context.Context, x *exchange, in *struct {
			BulkActionPath
			VerdictQuery
		}) (*pageOutput[RowVerdict], error) {
			p, err := x.door.svc.BulkVerdicts(ctx, &x.call, in.Action, in.core())
			if err != nil {
				return nil, err
			}
			return verdictPage(&p), nil
		})
}

// BulkAction is one thing that is done to many users.
type BulkAction struct {
	BulkRun
	Verb        string           `json:"verb" enum:"activate,deactivate,lock,unlock,move,add_group,remove_group,set_licence,sign_out,delete,restore"`
	Company     nullable[int64]  `json:"company" doc:"Of move."`
	Group       nullable[int64]  `json:"group" doc:"Number of the group of add_group and remove_group."`
	LicenceType nullable[string] `json:"licence_type" doc:"Of set_licence."`
	LockReason  nullable[int64]  `json:"lock_reason" doc:"Of lock."`
}

// bulkActionOf is an action of the core as it is shown.
func bulkActionOf(r *directory.BulkRun) BulkAction {
	shown := BulkAction{BulkRun: bulkRunOf(r), Verb: string(r.Deed.Verb), Company: numberOf(r.Deed.Company), Group: numberOf(r.Deed.Group), LockReason: numberOf(r.Deed.LockReason)}
	if r.Deed.Verb == directory.DeedLicence {
		shown.LicenceType = some(r.Deed.LicenceType)
	}
	return shown
}

// BulkActionPath is the parameter of a bulk action.
type BulkActionPath struct {
	Action string `path:"action" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The action's id, a UUID; anything else is unknown."`
}

// exampleAction is the id of no action: ids of actions are drawn.
const exampleAction = "/bulk_actions/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31"

// BulkSelect selects users as their list does.
type BulkSelect struct {
	Search  string   `json:"q,omitempty" maxLength:"256" doc:"Words that must all occur in given name, family name, user name or address."`
	Filter  string   `json:"filter,omitempty" maxLength:"8192" doc:"As of the list of users." example:"locked eq true"`
	Company int64    `json:"company,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of a company: its users and those of all companies below it."`
	Groups  []string `json:"groups,omitempty" maxItems:"100" doc:"Ids of groups: the members of any of them."`
	Status  []string `json:"status,omitempty" maxItems:"4" enum:"staged,active,inactive,deleted" doc:"All but deleted if left out."`
}

// core is the selection for the core.
func (s *BulkSelect) core() (*directory.BulkSelect, error) {
	q := directory.UserQuery{Company: s.Company, Groups: groupsNamed(s.Groups)}
	if s.Search != "" {
		q.Terms = []string{s.Search}
	}
	for _, word := range s.Status {
		q.States |= directory.StatesOf(directory.State(word))
	}
	var err error
	if q.Filter, err = parseFilter(s.Filter); err != nil {
		return nil, directory.Invalid("select.filter", directory.ReasonFieldValue, "%s", directory.AsError(err).Message)
	}
	return directory.SelectionOf(&q), nil
}

func createBulkAction(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Verb        string      `json:"verb" enum:"activate,deactivate,lock,unlock,move,add_group,remove_group,set_licence,sign_out,delete,restore"`
		Users       []int64     `json:"users,omitempty" maxItems:"10000" doc:"Numbers of users."`
		Select      *BulkSelect `json:"select,omitempty" doc:"In place of users. An empty object is everybody."`
		DryRun      bool        `json:"dry_run,omitempty" doc:"Changes nothing: only the verdicts are made."`
		Company     int64       `json:"company,omitempty" doc:"Number of the company of move."`
		Group       int64       `json:"group,omitempty" doc:"Number of the group of add_group and remove_group."`
		LicenceType string      `json:"licence_type,omitempty" doc:"Of set_licence; left out for none."`
		LockReason  int64       `json:"lock_reason,omitempty" doc:"Number of the lock reason of lock; left out for none."`
		Reason      string      `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
	} `nameHint:"BulkActionInput"`
}) (*made[BulkAction], error) {
	show := func(r directory.BulkRun) (BulkAction, string, int64) {
		return bulkActionOf(&r), "/bulk_actions/" + r.ID, 0
	}
	creates(x, show)
	b := &in.Body
	if err := x.setReason(b.Reason, "reason"); err != nil {
		return nil, err
	}
	deed := directory.BulkDeed{Verb: directory.DeedVerb(b.Verb), Users: b.Users, Company: b.Company, Group: b.Group, LicenceType: b.LicenceType, LockReason: b.LockReason}
	if b.Select != nil {
		var err error
		if deed.Select, err = b.Select.core(); err != nil {
			return nil, x.refuse(err)
		}
	}
	r, err := x.door.svc.CreateBulk(ctx, &x.call, directory.NewBulk{Kind: directory.BulkAction, DryRun: b.DryRun, Deed: deed})
	if err != nil {
		return nil, bodyOfBulk(err)
	}
	body, path, _ := show(r)
	x.setLocation(path)
	return &made[BulkAction]{Body: body}, nil
}

// bodyOfBulk makes what a body names and there is not the fault of its member.
func bodyOfBulk(err error) error {
	for reason, field := range map[directory.Reason]string{directory.ReasonCompanyNotFound: "company", directory.ReasonGroupNotFound: "group",
		directory.ReasonLockReasonNotFound: "lock_reason", directory.ReasonUserNotFound: "users"} {
		err = inBody(err, reason, field)
	}
	return err
}
