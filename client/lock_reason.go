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
	Company     int64  `json:"company,omitzero"`
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
}

// LockReasonPatch changes some members of a lock reason.
type LockReasonPatch struct {
	Name        Opt[string] `json:"name,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
}

// LockReasonService is the lock reasons.
type LockReasonService struct{ c *Client }

// List reads one page of lock reasons.
func (s *LockReasonService) List(ctx context.Context, q OwnedQuery, options ...CallOption) (*Page[LockReason], error) {
	return read[Page[LockReason]](ctx, s.c, path("lock_reasons"), q.query(), options)
}

// All goes over the lock reasons of all pages.
func (s *LockReasonService) All(ctx context.Context, q OwnedQuery, options ...CallOption) iter.Seq2[LockReason, error] {
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

// Delete removes a lock reason.
func (s *LockReasonService) Delete(ctx context.Context, reason int64, options ...CallOption) error {
	return s.c.remove(ctx, path("lock_reasons", number(reason)), nil, options)
}
