package directory

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"
)

// AuditReport is what VerifyChain found.
type AuditReport struct {
	Tenant      TenantNo
	Name        string
	Events      int64
	First, Last int64 // positions; 0 and 0 for none
	Erased      int64 // events whose contents were erased because their user was purged
	// Waiting is how many events are committed and have no position yet: they are
	// not in the chain.
	Waiting int
	// Checkpoints is how many agree, and Covered the last position that one of them
	// covers, as of CoveredAt: what comes after it, only the chain itself protects.
	Checkpoints int
	Covered     int64
	CoveredAt   time.Time
	// Broken is the first position at which something is wrong, 0 for none, and
	// Problem what, in words.
	Broken  int64
	Problem string
}

// auditPage is how many events one snapshot of an audit or an export reads: none
// lasts long enough to hold up the writers' checkpoints.
const auditPage = 1000

// VerifyChain reads a tenant's whole chain and compares it with checkpoints, whose
// signatures have been verified; those of other tenants are left aside. It may run
// beside any number of servers. What the chain itself shows to be wrong is no
// error but in the report. Only the operator can. Errors: tenant.not_found.
func (s *Service) VerifyChain(ctx context.Context, call *Call, checkpoints []Checkpoint) (AuditReport, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return AuditReport{}, err
	}
	if !call.trusted {
		return AuditReport{}, errOperator()
	}
	tenant, err := s.auditedTenant(ctx, call.Actor.Tenant)
	if err != nil {
		return AuditReport{}, err
	}
	a := newAudit(&tenant, checkpoints)
	for !a.done {
		err := s.store.View(ctx, func(r Reader) error { return a.read(ctx, r) })
		if err != nil {
			return AuditReport{}, err
		}
	}
	return a.report, nil
}

func (s *Service) auditedTenant(ctx context.Context, no TenantNo) (Tenant, error) {
	var t Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		t, err = r.Tenant(ctx, no)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, Wrong(CodeNotFound, ReasonTenantNotFound, "There is no such tenant.")
	}
	return t, err
}

// chainsAtOnce is how many chains MakeCheckpoints reads at a time.
const chainsAtOnce = 500

// MakeCheckpoints is a checkpoint, unsigned, of each chain that has grown since
// the positions in last. Of a chain that has become shorter, which only a backup
// that was restored or somebody at the database does, it tells the log. Only the
// server itself can.
func (s *Service) MakeCheckpoints(ctx context.Context, call *Call, last map[TenantNo]int64) ([]Checkpoint, error) {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return nil, err
	}
	if !call.trusted {
		return nil, errOperator()
	}
	tenants, err := s.sealAll(ctx)
	if err != nil {
		return nil, err
	}
	var made []Checkpoint
	for after := TenantNo(0); ; {
		var heads []ChainHead
		err := s.store.Read(ctx, func(r Reader) (err error) {
			heads, err = r.ChainHeads(ctx, after, chainsAtOnce)
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := range heads {
			head := &heads[i]
			after = head.Tenant
			tenant, known := tenants[head.Tenant]
			if head.Position < last[head.Tenant] {
				s.opts.Logger.Warn("the events of a tenant end before its last checkpoint: run `usher audit verify`, and after a backup was restored `usher audit restart`",
					"tenant", tenant.Name, "position", head.Position, "checkpoint", last[head.Tenant])
			}
			if known && head.Position > last[head.Tenant] {
				made = append(made, s.checkpointOf(&tenant, head))
			}
		}
		if len(heads) < chainsAtOnce {
			return made, nil
		}
	}
}

// sealAll gives positions to what is committed: a server that stops may be the last
// one, and nobody would do it after its last requests.
func (s *Service) sealAll(ctx context.Context) (map[TenantNo]Tenant, error) {
	var list []Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		list, err = r.Tenants(ctx)
		return err
	})
	tenants := make(map[TenantNo]Tenant, len(list))
	for _, t := range list {
		if tenants[t.No] = t; err == nil {
			err = s.store.Seal(ctx, t.No)
		}
	}
	return tenants, err
}

// checkpointOf is the unsigned checkpoint of a chain's end.
func (s *Service) checkpointOf(t *Tenant, head *ChainHead) Checkpoint {
	return Checkpoint{Tenant: t.No, TenantID: t.ID, Name: t.Name, Epoch: head.Epoch, Position: head.Position, Hash: head.Hash, Time: s.now()}
}

// LatestCheckpoint is a signed checkpoint of the caller's tenant, made now: it
// covers what the caller did before. A caller that is bound to a company gets
// none. Errors: audit.no_key.
func (s *Service) LatestCheckpoint(ctx context.Context, call *Call) (Checkpoint, error) {
	if err := s.enterWhole(ctx, call, ActReadEvents); err != nil {
		return Checkpoint{}, err
	}
	if s.opts.CheckpointKey == nil {
		return Checkpoint{}, Wrong(CodeUnavailable, ReasonAuditNoKey, "The server has no key to sign checkpoints with.")
	}
	tenant, err := s.auditedTenant(ctx, call.Actor.Tenant)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := s.store.Seal(ctx, tenant.No); err != nil {
		return Checkpoint{}, err
	}
	var head ChainHead
	err = s.store.Read(ctx, func(r Reader) (err error) {
		head, err = r.ChainHead(ctx, tenant.No)
		return err
	})
	if err != nil {
		return Checkpoint{}, err
	}
	c := s.checkpointOf(&tenant, &head)
	c.Sign(s.opts.CheckpointKey)
	return c, nil
}

// RestartChain declares that a tenant's history goes on from where its chain ends
// now, whatever readers and checkpoints know of another one, as after a backup was
// restored: its epoch rises, cursors answer feed.reset, and the checkpoint that is
// returned, unsigned, says why. Only the operator can.
func (s *Service) RestartChain(ctx context.Context, call *Call, why string) (Checkpoint, error) {
	if err := s.enterServer(ctx, call); err != nil {
		return Checkpoint{}, err
	}
	if n := utf8.RuneCountInString(why); n == 0 || n > maxRestartReason || !utf8.ValidString(why) {
		return Checkpoint{}, Invalid("reason", ReasonFieldLength, "Say why in 1 to %d characters.", maxRestartReason)
	}
	tenant, err := s.auditedTenant(ctx, call.Actor.Tenant)
	if err != nil {
		return Checkpoint{}, err
	}
	inside := *call
	inside.Reason = why
	var before ChainHead
	var epoch int64
	err = s.store.Update(ctx, func(tx Tx) error {
		head, err := tx.ChainHead(ctx, tenant.No)
		if err != nil {
			return err
		}
		// The lost history may have had epochs that this database knows nothing of.
		before, epoch = head, max(head.Epoch+1, s.now().Unix())
		var diff changes
		diff.raw(restartEpoch, strconv.AppendInt(nil, head.Epoch, 10), strconv.AppendInt(nil, epoch, 10))
		if err := s.record(ctx, tx, &inside, EventFeedRestarted, topic{}, "tenant:"+tenant.ID, &diff); err != nil {
			return err
		}
		return tx.SetChainEpoch(ctx, tenant.No, epoch)
	})
	if err != nil {
		return Checkpoint{}, err
	}
	call.Changed = true
	c, err := s.restarted(ctx, &tenant, before.Position, epoch)
	c.Restart = why
	return c, err
}

// restarted is the checkpoint of the event of a restart, which is behind a
// position. Other processes may have written others meanwhile.
func (s *Service) restarted(ctx context.Context, t *Tenant, after, epoch int64) (Checkpoint, error) {
	if err := s.store.Seal(ctx, t.No); err != nil {
		return Checkpoint{}, err
	}
	for {
		var page []Event
		err := s.store.Read(ctx, func(r Reader) (err error) {
			page, err = r.Events(ctx, t.No, after, auditPage)
			return err
		})
		if err != nil {
			return Checkpoint{}, err
		}
		for i := range page {
			e := &page[i]
			if after = e.Position; e.Type == EventFeedRestarted && restartOf(e) == epoch {
				return s.checkpointOf(t, &ChainHead{Tenant: t.No, Position: e.Position, Hash: e.Hash, Epoch: epoch}), nil
			}
		}
		if len(page) == 0 {
			return Checkpoint{}, errors.New("directory: the event of the restart is not in the chain")
		}
	}
}

// ExportEvents calls each with every event of a period, in order, with contents as
// far as they are not erased: from from, before to; a zero time is no bound. It may
// run beside any number of servers. Only the operator can.
func (s *Service) ExportEvents(ctx context.Context, call *Call, from, to time.Time, each func(*Event) error) error {
	if err := s.enter(ctx, call, ActReadEvents); err != nil {
		return err
	}
	if !call.trusted {
		return errOperator()
	}
	if to.IsZero() {
		to = endOfTime
	}
	if !from.Before(to) {
		return Invalid("to", ReasonFieldValue, "The period ends before it begins.")
	}
	t := call.Actor.Tenant
	var first, last int64
	err := s.store.Read(ctx, func(r Reader) (err error) {
		first, last, err = r.EventPeriod(ctx, t, from, to)
		return err
	})
	if err != nil || last == 0 {
		return err
	}
	for after := first - 1; after < last; {
		var page []Event
		err := s.store.Read(ctx, func(r Reader) (err error) {
			page, err = r.Events(ctx, t, after, auditPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Position
		for i := range page {
			e := &page[i]
			if e.Position > last || e.Time.Before(from) || !e.Time.Before(to) {
				continue
			}
			if err := each(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// endOfTime is after every event.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// The members of the payloads of events about the chain itself.
const (
	restartEpoch = "epoch"     // of feed.restarted: numbers
	trimBase     = "base"      // of feed.trimmed: positions
	trimBaseHash = "base_hash" // of feed.trimmed: in hexadecimal
)

// payloadChange is what an event's payload says of one member, as JSON.
func payloadChange(e *Event, member string) (after json.RawMessage) {
	var payload struct {
		Changes map[string][]json.RawMessage `json:"changes"`
	}
	if err := json.Unmarshal(e.Payload, &payload); err != nil || len(payload.Changes[member]) != 2 {
		return nil // not written by this program: whoever asks finds nothing
	}
	return payload.Changes[member][1]
}

// restartOf is the epoch that a feed.restarted event says; 0 for none.
func restartOf(e *Event) int64 {
	epoch, err := strconv.ParseInt(string(payloadChange(e, restartEpoch)), 10, 64)
	if err != nil {
		return 0
	}
	return epoch
}
