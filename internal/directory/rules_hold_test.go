package directory_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Each kind of hold blocks what it says and nothing else, until it is released.
func TestRulesHoldsBlockTheirVerbs(t *testing.T) {
	f := newFixture(t)
	blocks := map[directory.HoldKind][]string{
		directory.HoldOpenOrders:      {"deactivate", "delete"},
		directory.HoldAssignedVehicle: {"deactivate", "delete"},
		directory.HoldVehicleRemoved:  {"activate"},
		directory.HoldLegal:           {"delete", "purge"},
	}
	from := map[string]directory.State{"activate": inactive, "deactivate": active, "delete": active, "purge": deleted}
	for kind, verbs := range blocks {
		hold := directory.Hold{Kind: kind, Source: "orders", Ref: "4711"}
		for verb, state := range from {
			u := f.someone(withState(map[bool]directory.State{true: active, false: state}[state == deleted]))
			ref := directory.ByNumber(u.Number)
			if state != deleted {
				check(t, f.svc.PlaceHold(f.ctx, f.sys(), ref, hold))
			} else {
				// A hold that is there when its user is deleted: made before the
				// deletion for a kind that does not block it, else by the store.
				must(f.svc.DeleteUser(f.ctx, f.sys(), ref))(t)
				check(t, f.store.Update(f.ctx, func(tx directory.Tx) error {
					h := hold
					h.User, h.CreatedAt = u.Number, f.clock.now()
					_, err := tx.InsertHold(f.ctx, f.tenant.No, h)
					return err
				}))
			}
			if slices.Contains(verbs, verb) {
				dump := f.dump()
				err := acts[verb](f, f.sys(), ref)
				wantError(t, err, directory.CodeConflict, directory.ReasonUserHeld)
				if got := fieldReasons(err); !slices.Equal(got, []string{"hold:" + string(kind) + " user.held"}) {
					t.Errorf("%s with a hold %s: fields %v", verb, kind, got)
				}
				f.wantUnchanged(dump, verb+" of a held user")
				check(t, f.svc.ReleaseHold(f.ctx, f.sys(), ref, hold))
			}
			if err := acts[verb](f, f.sys(), ref); err != nil {
				t.Errorf("%s with a hold %s that does not block it: %v", verb, kind, err)
			}
		}
	}
}

// A refusal names every kind that blocks, each once.
func TestRulesHoldsAreAllNamed(t *testing.T) {
	f := newFixture(t)
	ref := directory.ByNumber(f.someone().Number)
	for _, h := range []directory.Hold{
		{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "1"}, {Kind: directory.HoldOpenOrders, Source: "orders", Ref: "2"},
		{Kind: directory.HoldAssignedVehicle, Source: "fleet", Ref: "van"}, {Kind: directory.HoldVehicleRemoved, Source: "fleet", Ref: "van"},
	} {
		check(t, f.svc.PlaceHold(f.ctx, f.sys(), ref, h))
	}
	_, err := f.svc.Deactivate(f.ctx, f.sys(), ref)
	if got := fieldReasons(err); !slices.Equal(got, []string{"hold:assigned_vehicle user.held", "hold:open_orders user.held"}) {
		t.Errorf("fields %v", got)
	}
}

// Placing and releasing are events, and a repeat is nothing.
func TestRulesHoldEvents(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	ref, hold := directory.ByNumber(u.Number), directory.Hold{Kind: directory.HoldOpenOrders, Source: "orders", Ref: "4711"}
	mark := f.mark()
	first := f.sys()
	check(t, f.svc.PlaceHold(f.ctx, first, ref, hold))
	f.wantEvents(mark, directory.EventHoldPlaced)
	f.clock.advance(time.Minute)
	dump, again := f.dump(), f.sys()
	check(t, f.svc.PlaceHold(f.ctx, again, ref, hold))
	if !first.Changed || again.Changed {
		t.Errorf("changed: %t, then %t", first.Changed, again.Changed)
	}
	other := hold
	other.Ref = "4712"
	check(t, f.svc.ReleaseHold(f.ctx, f.sys(), ref, other))
	f.wantUnchanged(dump, "the same hold again and the release of one that is not there")
	check(t, f.svc.PlaceHold(f.ctx, f.sys(), ref, other))
	list := must(f.svc.Holds(f.ctx, f.sys(), ref))(t)
	if len(list) != 2 || list[0].Ref != "4711" || list[1].Ref != "4712" || list[0].CreatedAt.Equal(list[1].CreatedAt) || list[0].User != u.Number {
		t.Errorf("holds %+v", list)
	}
	mark = f.mark()
	check(t, f.svc.ReleaseHold(f.ctx, f.sys(), ref, hold))
	f.wantEvents(mark, directory.EventHoldReleased)
	if got := f.stored(u.Number).Version; got != u.Version {
		t.Errorf("version %d after holds, %d before", got, u.Version)
	}
}

func TestRulesHoldInput(t *testing.T) {
	f := newFixture(t)
	ref, dump := directory.ByNumber(f.someone().Number), f.dump()
	long := strings.Repeat("x", 257)
	for want, h := range map[string]directory.Hold{
		"kind field.value":      {Kind: "other", Source: "orders", Ref: "1"},
		"source field.required": {Kind: directory.HoldLegal, Ref: "1"},
		"ref field.required":    {Kind: directory.HoldLegal, Source: "orders"},
		"ref field.length":      {Kind: directory.HoldLegal, Source: "orders", Ref: long},
		"source field.format":   {Kind: directory.HoldLegal, Source: "a\x00b", Ref: "1"},
		"kind field.value, ref field.required, source field.length": {Source: long},
	} {
		err := f.svc.PlaceHold(f.ctx, f.sys(), ref, h)
		if got := strings.Join(fieldReasons(err), ", "); got != want || directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%+v: %v, want %s", h, err, want)
		}
	}
	f.wantUnchanged(dump, "a refused hold")
	gone := f.inState(deleted)
	wantError(t, f.svc.PlaceHold(f.ctx, f.sys(), directory.ByNumber(gone.Number), directory.Hold{Kind: directory.HoldLegal, Source: "law", Ref: "1"}),
		directory.CodeNotFound, directory.ReasonUserDeleted)
}
