package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// session is the time for which an endpoint is leased.
type session struct {
	d   *Dispatcher
	log *slog.Logger
	w   directory.Webhook
	// size is how many messages the next round asks for.
	size int
	// probe makes the next round begin with one message alone, since nobody knows
	// whether the endpoint answers.
	probe bool
	// stopped says that the last round ended because the endpoint is to be left
	// alone for a while, or for ever.
	stopped bool
}

// run does rounds until there has been nothing for a while, the endpoint is to be
// left alone, its turn is over, or ctx is done. Its error is the Source's.
func (s *session) run(ctx, work context.Context) error {
	idle, began := 0, time.Now()
	for {
		next, err := s.next(work)
		if err != nil {
			return err
		}
		outcomes := s.round(ctx, work, &next)
		if len(next.Messages) > 0 {
			idle = 0
		}
		rest := !next.More
		over := time.Since(began) > s.d.o.Turn && len(s.d.places) == cap(s.d.places)
		last := s.stopped || ctx.Err() != nil || over || rest && idle == len(lingers)
		if last || len(outcomes) > 0 || next.Replaying || next.Through != s.w.Position {
			if err := s.note(work, outcomes, &next, last); err != nil || last || s.w.State != directory.WebhookActive {
				return err
			}
		}
		if rest {
			pause(ctx, lingers[idle])
			idle++
		}
	}
}

func (s *session) next(work context.Context) (next directory.Dispatch, err error) {
	err = s.d.ask(work, func(ctx context.Context) (err error) {
		next, err = s.d.source.NextDispatch(ctx, call(), s.w, s.size)
		return err
	})
	return next, err
}

// note tells the Source what became of a round, several times if need be, also
// when the dispatcher's time is over.
func (s *session) note(work context.Context, outcomes []directory.Outcome, next *directory.Dispatch, done bool) error {
	work = context.WithoutCancel(work)
	for try := 0; ; try++ {
		var after directory.Webhook
		err := s.d.ask(work, func(ctx context.Context) (err error) {
			after, err = s.d.source.NoteDispatch(ctx, call(), s.w, outcomes, next, done)
			return err
		})
		if err == nil {
			s.report(&after)
			s.w = after
			return nil
		}
		code := directory.CodeOf(err)
		if code == directory.CodeConflict || code == directory.CodeNotFound || try == len(notePauses) {
			return err // another process has the endpoint, or nobody
		}
		pause(work, notePauses[try])
	}
}

// report logs what has changed for the endpoint.
func (s *session) report(after *directory.Webhook) {
	switch {
	case after.State == directory.WebhookPaused && s.w.State != directory.WebhookPaused:
		s.log.Warn("a webhook is paused", "reason", after.PauseReason, "failures", after.Failures)
	case after.Failures > 0 && s.w.Failures == 0:
		s.log.Warn("a webhook fails", "error", after.LastError, "status", after.LastStatus)
	case after.Failures == 0 && s.w.Failures > 0:
		s.log.Info("a webhook works again", "failures", s.w.Failures)
	}
}

// pause waits, or until ctx is done.
func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
