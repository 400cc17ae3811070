package directory

import (
	"context"
	"errors"
	"slices"
	"time"
)

// DefaultQueryTime is how long a list, search or filter may look unless the
// service was given another time: a hundred times what any of them takes that an
// index answers, with a million users.
const DefaultQueryTime = 10 * time.Second

// search is View for what callers ask in words of their own: filters that no index
// answers, sorts, places far down in a list. Their cost rises with the directory, so
// they end at Options.QueryTime, as query.too_costly, and cannot take a connection,
// and a core with it, for as long as a client likes. It is a time and not a number
// of rows: the work behind a row differs more than machines do.
func (s *Service) search(ctx context.Context, fn func(ctx context.Context, r Reader) error) error {
	return s.within(ctx, func(ctx context.Context) error {
		return s.store.View(ctx, func(r Reader) error { return fn(ctx, r) })
	})
}

// searchUsers is search for a list of users. Those that look at users one by one
// have few turns, so that however many of them a client sends, connections and cores
// are left for everybody else: who waits for a turn too long is told that the
// directory is busy.
func (s *Service) searchUsers(ctx context.Context, call *Call, q *UserQuery, fn func(ctx context.Context, r Reader) error) error {
	if !q.walks() {
		return s.search(ctx, fn)
	}
	patient, cancel := context.WithTimeout(ctx, s.opts.QueryTime)
	leave, err := s.walkers.enter(patient, call.Actor.Tenant)
	cancel()
	if err == nil {
		defer leave()
		return s.search(ctx, fn)
	}
	if ctx.Err() != nil {
		return err
	}
	busy := Wrong(CodeUnavailable, ReasonBusy, "Too many lists that no index answers are being read. Try again in a moment.")
	busy.Retry = time.Second
	return busy.Because(err)
}

// within runs what may take as long as Options.QueryTime.
func (s *Service) within(ctx context.Context, fn func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.opts.QueryTime)
	defer cancel()
	err := fn(bounded)
	if err == nil || ctx.Err() != nil || !errors.Is(bounded.Err(), context.DeadlineExceeded) || CodeOf(err) != CodeInternal {
		return err
	}
	return Wrong(CodeUnavailable, ReasonQueryTooCostly, "Looking for this took longer than %s. "+
		"Ask by user name, e-mail address, external id or company, go on from page to page by cursor, or leave out the sort.", s.opts.QueryTime)
}

// farDown is the offset beyond which a page takes its turn.
const farDown = 10_000

// walks reports whether a list may look at many more users than it shows.
func (q *UserQuery) walks() bool {
	sorted := q.Sort != FieldNone && q.Sort != FieldUserName && q.Sort != FieldEmail && q.Sort != FieldFamilyName
	return sorted || q.Skip > farDown || q.Filter != nil && !indexed(q.Filter)
}

// indexed reports whether an index leads to the matches of a filter: all that it is
// and'ed with is tested on those alone (docs/growth.md).
func indexed(f Filter) bool {
	switch f := f.(type) {
	case And:
		return slices.ContainsFunc(f, indexed)
	case Text:
		names := f.Field == FieldUserName || f.Field == FieldEmail
		return f.Op == OpEqual && (names || f.Field == FieldFamilyName || f.Field == FieldID || f.Field == FieldClientUserID) || f.Op == OpPrefix && names
	case External:
		return f.Op == OpEqual || f.Op == OpPrefix
	}
	return false
}
