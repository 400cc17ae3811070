package directory

import (
	"context"
	"encoding/hex"
	"strconv"
	"time"
)

// trimStep is how many events one transaction removes, and trimMost how many one
// go does, after which another job may come first.
const (
	trimStep = 500
	trimMost = 50_000
)

// Trim does a job of the kind retention: it removes events from the oldest on, up
// to the first that is not older than the tenant keeps them. What clocks that
// jumped have written between stays for longer, and never goes early. What an
// endpoint has not been sent yet stays, however long the endpoint is paused, and
// so does what no checkpoint covers, where the server makes checkpoints.
//
// Each step is one transaction, with an event of its own that says where the
// chain begins from then on: VerifyChain requires the last of them to agree with
// the chain's base to the position and the hash.
func (s *Service) Trim(ctx context.Context, call *Call, job Job) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	settings, err := s.jobSettings(ctx, job)
	if err != nil {
		return err
	}
	days := settings.EventDays
	if days == 0 {
		return s.tomorrow()
	}
	before := s.now().AddDate(0, 0, -days)
	for range trimMost / trimStep {
		head, last, err := s.oldEvents(ctx, job.Tenant, before)
		if err != nil {
			return err
		}
		if last == nil {
			return s.tomorrow()
		}
		if err := s.trimOnce(ctx, job.Tenant, &head, last); err != nil {
			return err
		}
	}
	return comesAgain{s.now()}
}

// oldEvents finds the last of at most trimStep events at the beginning of a chain
// that may go, all of them being from before a time; nil when there is none.
func (s *Service) oldEvents(ctx context.Context, t TenantNo, before time.Time) (head ChainHead, last *Event, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		last = nil
		if head, err = r.ChainHead(ctx, t); err != nil {
			return err
		}
		bound, err := s.neededFrom(ctx, r, t, head.Position+1)
		if err != nil {
			return err
		}
		events, err := r.Events(ctx, t, head.Base, trimStep)
		if err != nil {
			return err
		}
		more := false // than what earlier steps wrote: that would never end
		for i := range events {
			e := &events[i]
			if e.Position >= bound || !e.Time.Before(before) {
				break
			}
			last, more = e, more || e.Type != EventFeedTrimmed
		}
		if !more {
			last = nil
		}
		return nil
	})
	return head, last, err
}

// neededFrom is the first position that must not go, at most end.
func (s *Service) neededFrom(ctx context.Context, r Reader, t TenantNo, end int64) (int64, error) {
	if s.opts.CheckpointedThrough != nil {
		end = min(end, s.opts.CheckpointedThrough(t)+1)
	}
	hooks, err := r.Webhooks(ctx, t)
	if err != nil {
		return 0, err
	}
	for i := range hooks {
		w := &hooks[i]
		end = min(end, w.Position+1)
		if w.ReplayTo != 0 {
			end = min(end, w.ReplayFrom)
		}
		waiting, err := r.Deliveries(ctx, t, w.ID, DeliveryWaiting, 0, 1)
		if err != nil {
			return 0, err
		}
		if len(waiting) > 0 {
			end = min(end, waiting[0].Position)
		}
	}
	return end, nil
}

// trimOnce removes the events from a chain's base up to one of them.
func (s *Service) trimOnce(ctx context.Context, t TenantNo, head *ChainHead, last *Event) error {
	own := byItself(t, string(JobRetention))
	own.Reason = "event_days have passed"
	if err := s.enter(ctx, own, ActTenant); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		var diff changes
		diff.raw(trimBase, strconv.AppendInt(nil, head.Base, 10), strconv.AppendInt(nil, last.Position, 10))
		diff.named(trimBaseHash, hex.EncodeToString(head.BaseHash), hex.EncodeToString(last.Hash))
		if err := s.record(ctx, tx, own, EventFeedTrimmed, topic{}, "feed", &diff); err != nil {
			return err
		}
		n, err := tx.TrimEvents(ctx, t, last.Position, trimStep)
		if err == nil && int64(n) != last.Position-head.Base {
			err = Wrong(CodeConflict, ReasonJobLost, "Another process has removed events at the same time.")
		}
		return err
	})
}
