package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// PlaceHold puts a hold on a user; the same hold a second time changes
// nothing. Errors: user.not_found; field.value on an unknown kind.
func (s *Service) PlaceHold(ctx context.Context, call *Call, ref UserRef, h Hold) error {
	if err := s.enter(ctx, call, ActHold); err != nil {
		return err
	}
	return s.setHold(ctx, call, ref, h, true)
}

// ReleaseHold takes a hold from a user; one that is not there changes nothing.
// A deleted user's holds can be released too, so that it can be purged.
func (s *Service) ReleaseHold(ctx context.Context, call *Call, ref UserRef, h Hold) error {
	if err := s.enter(ctx, call, ActHold); err != nil {
		return err
	}
	return s.setHold(ctx, call, ref, h, false)
}

// setHold places or releases a hold. A hold is no field of the user: no
// version rises.
func (s *Service) setHold(ctx context.Context, call *Call, ref UserRef, h Hold, placed bool) error {
	if err := checkHold(&h); err != nil {
		return err
	}
	h.CreatedAt = s.now()
	changed := false
	err := s.store.Update(ctx, func(tx Tx) error {
		changed = false
		u, err := s.lockTarget(ctx, tx, call, ActHold, ref)
		if err != nil {
			return err
		}
		if err := call.If.check(u.Version); err != nil {
			return err
		}
		if placed && u.State == StateDeleted {
			return errDeleted()
		}
		next, event := h, EventHoldPlaced
		next.User = u.Number
		if placed {
			changed, err = tx.InsertHold(ctx, u.Tenant, next)
		} else {
			event = EventHoldReleased
			changed, err = tx.DeleteHold(ctx, u.Tenant, next)
		}
		if err != nil || !changed {
			return err
		}
		var diff changes
		diff.named("kind", onlyIf(!placed, string(h.Kind)), onlyIf(placed, string(h.Kind)))
		diff.named("source", onlyIf(!placed, h.Source), onlyIf(placed, h.Source))
		diff.named("ref", onlyIf(!placed, h.Ref), onlyIf(placed, h.Ref))
		return s.record(ctx, tx, call, event, onUser(&u), "hold:"+string(h.Kind), &diff)
	})
	call.Changed = err == nil && changed
	return err
}

func onlyIf(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

// checkHold validates a hold.
func checkHold(h *Hold) error {
	var bad violations
	if holdBlocks[h.Kind] == nil {
		bad = append(bad, FieldError{Field: "kind", Reason: ReasonFieldValue, Message: "There is no such kind of hold."})
	}
	for name, text := range map[string]string{"source": h.Source, "ref": h.Ref} {
		if text == "" {
			bad = append(bad, FieldError{Field: name, Reason: ReasonFieldRequired, Message: name + " is required."})
		} else {
			collect(&bad, CleanText(name, text, maxTextRunes))
		}
	}
	slices.SortFunc(bad, func(a, b FieldError) int { return cmp.Compare(a.Field, b.Field) })
	return bad.err()
}

// Holds lists the holds on a user, oldest first.
func (s *Service) Holds(ctx context.Context, call *Call, ref UserRef) ([]Hold, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return nil, err
	}
	var holds []Hold
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		holds, err = r.Holds(ctx, u.Tenant, u.Number)
		return err
	})
	return holds, err
}

// heldFor refuses a verb that holds on the user block, with every kind that
// does as a field.
func heldFor(ctx context.Context, r Reader, u *User, verb Verb) error {
	holds, err := r.Holds(ctx, u.Tenant, u.Number)
	if err != nil {
		return err
	}
	var kinds []HoldKind
	for _, h := range holds {
		if slices.Contains(holdBlocks[h.Kind], verb) {
			kinds = append(kinds, h.Kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	refusal := Wrong(CodeConflict, ReasonUserHeld, "The user is held (%s): another system must release it first.", joined(kinds))
	for _, kind := range kinds {
		refusal.Fields = append(refusal.Fields, FieldError{Field: "hold:" + string(kind), Reason: ReasonUserHeld,
			Message: fmt.Sprintf("A hold of kind %s does not let the user be %sd.", kind, verb)})
	}
	return refusal
}

// joined lists kinds of holds for a person to read.
func joined(kinds []HoldKind) string {
	texts := make([]string, len(kinds))
	for i, kind := range kinds {
		texts[i] = string(kind)
	}
	return strings.Join(texts, ", ")
}
