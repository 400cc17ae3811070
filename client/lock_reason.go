package client

import (
	"context"
	"iter"
	"net/http"
)

// LockReason is a text that a locked-out user is shown. It serves the users of its
// company and of all companies below it.
type LockReason struct {
	Head
	Number      int64  `json:"number"`
	Company     int64  `json:"company"`
	Name        string `json:"name"`
	Description string `json:"description"` // what the user is shown
	Version     int64  `json:"version"`
}

func (l *LockReason) setVersion() { l.ETag = etag(l.Version) }

// NewLockReason is a lock reason to be created.
type NewLockReason struct {
	Number      int64  `json:"number,omitzero"` // to keep; 0 is drawn
	Company     int64  `json:"company"`         // number
	Name        string `json:"name"`
	Description string `json:"description"` // what the user is shown
}

// LockReasonPatch changes some members of a lock reason.
type LockReasonPatch struct {
	Name        Opt[string] `json:"name,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
}

// LockReasonQuery is a list of lock reasons.
type LockReasonQuery struct {
	PageQuery
	Search  string // part of the name
	Company int64  // number: its own; 0 is all that the key can see
	Total   bool   // ask for Page.Total
}

// LockReasonService is the lock reasons.
type LockReasonService struct{ c *Client }

// List reads one page of lock reasons.
func (s *LockReasonService) List(ctx context.Context, q LockReasonQuery, options ...CallOption) (*Page[LockReason], error) {
	return read[Page[LockReason]](ctx, s.c, path("lock_reasons"), query{}.page(q.PageQuery).text("q", q.Search).number("company", q.Company).flag("total", q.Total), options)
}

// All goes over the lock reasons of all pages.
func (s *LockReasonService) All(ctx context.Context, q LockReasonQuery, options ...CallOption) iter.Seq2[LockReason, error] {
	return pages(q.Cursor, func(cursor string) (*Page[LockReason], error) {
		q.Cursor = cursor
		return s.List(ctx, q, options...)
	})
}

// Get reads a lock reason.
func (s *LockReasonService) Get(ctx context.Context, reason int64, options ...CallOption) (*LockReason, error) {
	return read[LockReason](ctx, s.c, path("lock_reasons", number(reason)), nil, options)
}

// Create makes a lock reason.
func (s *LockReasonService) Create(ctx context.Context, reason NewLockReason, options ...CallOption) (*LockReason, error) {
	return write[LockReason](ctx, s.c, &request{method: http.MethodPost, path: path("lock_reasons"), body: reason, creates: true}, options)
}

// Update changes some members of a lock reason.
func (s *LockReasonService) Update(ctx context.Context, reason int64, p LockReasonPatch, options ...CallOption) (*LockReason, error) {
	return write[LockReason](ctx, s.c, &request{method: http.MethodPatch, path: path("lock_reasons", number(reason)), body: p}, options)
}

// Delete removes a lock reason. Users who are locked with it stay locked.
func (s *LockReasonService) Delete(ctx context.Context, reason int64, options ...CallOption) error {
	return s.c.remove(ctx, path("lock_reasons", number(reason)), nil, options)
}
