package directory

import "context"

// maxOwnAudit is how long a chain VerifyOwnChain reads: about ten seconds.
const maxOwnAudit = 1_000_000

// VerifyOwnChain verifies the chain of the caller's own tenant, as far as the chain by
// itself can show it: what only checkpoints outside of the database can show is what
// VerifyChain is for. What is wrong is no error but in the report. One at a time runs
// in a process. Errors: feed.busy, audit.too_long.
func (s *Service) VerifyOwnChain(ctx context.Context, call *Call) (AuditReport, error) {
	if err := s.enterWhole(ctx, call, ActReadEvents); err != nil {
		return AuditReport{}, err
	}
	if !s.auditing.TryLock() {
		return AuditReport{}, Wrong(CodeUnavailable, ReasonFeedBusy, "Somebody else is verifying the history: try again in a minute.")
	}
	defer s.auditing.Unlock()
	if err := s.store.Seal(ctx, call.Actor.Tenant); err != nil {
		return AuditReport{}, err
	}
	a := newAudit(call.tenant, nil)
	for !a.done {
		err := s.store.View(ctx, func(r Reader) error { return a.read(ctx, r) })
		if err != nil {
			return AuditReport{}, err
		}
		if a.head.Position-a.head.Base > maxOwnAudit {
			return AuditReport{}, Wrong(CodeConflict, ReasonAuditTooLong, "The history has %d events, which is too long to be verified here: run usher audit verify.", a.head.Position-a.head.Base)
		}
	}
	return a.report, nil
}
