package directory

import (
	"context"
	"errors"
	"time"
)

// DefaultQueryTime is how long a list, search or filter may look unless the
// service was given another time: a hundred times what any of them takes that an
// index answers, with a million users.
const DefaultQueryTime = 10 * time.Second

// search is View for what callers ask in words of their own: filters that no index
// answers, sorts, places far down in a list. Their cost rises with the directory,
// so they end at Options.QueryTime, as query.too_costly, and cannot take a
// connection, and a core with it, for as long as a client likes. It is a time and
// not a number of rows: the work behind a row differs more than machines do.
func (s *Service) search(ctx context.Context, fn func(ctx context.Context, r Reader) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.opts.QueryTime)
	defer cancel()
	err := s.store.View(bounded, func(r Reader) error { return fn(bounded, r) })
	if err == nil || ctx.Err() != nil || !errors.Is(bounded.Err(), context.DeadlineExceeded) || CodeOf(err) != CodeInternal {
		return err
	}
	return Wrong(CodeUnavailable, ReasonQueryTooCostly, "Looking for this took longer than %s. "+
		"Ask by user name, e-mail address, external id or company, go on from page to page by cursor, or leave out the sort.", s.opts.QueryTime)
}
