package client

import (
	"context"
	"iter"
	"net/http"
)

// The verbs of bulk actions.
const (
	ActionActivate    = "activate"
	ActionDeactivate  = "deactivate"
	ActionLock        = "lock" // LockReason, 0 for none
	ActionUnlock      = "unlock"
	ActionMove        = "move"         // Company
	ActionAddGroup    = "add_group"    // Group
	ActionRemoveGroup = "remove_group" // Group
	ActionSetLicence  = "set_licence"  // LicenceType, "" for none
	ActionSignOut     = "sign_out"
	ActionDelete      = "delete"
	ActionRestore     = "restore"
)

// UserSelect selects users as a UserQuery does; the zero value is everybody.
type UserSelect struct {
	Search  string   `json:"q,omitempty"`
	Filter  string   `json:"filter,omitempty"`
	Company int64    `json:"company,omitempty"`
	Groups  []string `json:"groups,omitempty"` // ids
	Status  []string `json:"status,omitempty"`
}

// NewBulkAction is something to be done to many users: those of Users, or those of
// Select.
type NewBulkAction struct {
	Verb        string      `json:"verb"`
	Users       []int64     `json:"users,omitempty"` // numbers
	Select      *UserSelect `json:"select,omitempty"`
	DryRun      bool        `json:"dry_run,omitempty"`
	Company     int64       `json:"company,omitempty"`
	Group       int64       `json:"group,omitempty"` // number
	LicenceType string      `json:"licence_type,omitempty"`
	LockReason  int64       `json:"lock_reason,omitempty"`
}

// BulkAction is one thing that is done to many users.
type BulkAction struct {
	BulkRun
	Verb        string `json:"verb"`
	Company     int64  `json:"company"`
	Group       int64  `json:"group"`
	LicenceType string `json:"licence_type"`
	LockReason  int64  `json:"lock_reason"`
}

// BulkActionService is what is done to many users at once.
type BulkActionService struct{ c *Client }

// Create asks for an action, which the server does beside the requests.
func (s *BulkActionService) Create(ctx context.Context, a NewBulkAction, options ...CallOption) (*BulkAction, error) {
	if len(a.Users) == 0 && a.Select == nil {
		return nil, errNoSelection
	}
	return write[BulkAction](ctx, s.c, &request{method: http.MethodPost, path: path("bulk_actions"), body: a, creates: true}, options)
}

// Get reads an action.
func (s *BulkActionService) Get(ctx context.Context, id string, options ...CallOption) (*BulkAction, error) {
	return read[BulkAction](ctx, s.c, path("bulk_actions", id), nil, options)
}

// List reads a page of actions, the newest first.
func (s *BulkActionService) List(ctx context.Context, q PageQuery, options ...CallOption) (*Page[BulkAction], error) {
	return read[Page[BulkAction]](ctx, s.c, path("bulk_actions"), query{}.page(q), options)
}

// All goes over the actions of all pages.
func (s *BulkActionService) All(ctx context.Context, q PageQuery, options ...CallOption) iter.Seq2[BulkAction, error] {
	return pages(q.Cursor, func(cursor string) (*Page[BulkAction], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Cancel ends an action; what was done stays.
func (s *BulkActionService) Cancel(ctx context.Context, id string, options ...CallOption) (*BulkAction, error) {
	return write[BulkAction](ctx, s.c, &request{method: http.MethodPost, path: path("bulk_actions", id, "cancel")}, options)
}

// Wait waits until an action has ended. progress, if set, is called with it every now
// and then.
func (s *BulkActionService) Wait(ctx context.Context, id string, progress func(*BulkAction)) (*BulkAction, error) {
	return waitFor(ctx, s.c, func() (*BulkAction, bool, error) {
		a, err := s.Get(ctx, id)
		if err != nil {
			return nil, false, err
		}
		if progress != nil {
			progress(a)
		}
		return a, a.Ended() || a.State == BulkStopped, nil
	})
}

// Verdicts reads a page of what became of each user, in the order in which they were
// done. A page may be short or empty although others follow.
func (s *BulkActionService) Verdicts(ctx context.Context, id string, q VerdictQuery, options ...CallOption) (*Page[RowVerdict], error) {
	return read[Page[RowVerdict]](ctx, s.c, path("bulk_actions", id, "verdicts"), q.query(), options)
}

// AllVerdicts goes over the verdicts of all pages.
func (s *BulkActionService) AllVerdicts(ctx context.Context, id string, q VerdictQuery, options ...CallOption) iter.Seq2[RowVerdict, error] {
	return pages(q.Cursor, func(cursor string) (*Page[RowVerdict], error) {
		q.Cursor = cursor
		return s.Verdicts(ctx, id, q, options...)
	})
}
