package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var webhookChecks = []check{
	{"An endpoint's fields round trip", webhookRoundTrip},
	{"Webhooks lists a tenant's by time of creation", webhookList},
	{"UpdateWebhook replaces the row", webhookUpdate},
	{"LockWebhook reads an endpoint for change", webhookLock},
	{"DeleteWebhook erases an endpoint with its deliveries", webhookDelete},
	{"ClaimWebhooks leases active endpoints that have something to do", webhookClaim},
	{"Fence rises with each claim", webhookFence},
	{"ClaimWebhooks passes over tenants that are disabled", webhookDisabled},
	{"A lease or a wait that no clock can have meant is over", webhookClock},
	{"Whose lease ended first is claimed first", webhookTurn},
	{"A delivery's fields round trip and PutDelivery replaces it", deliveryRoundTrip},
	{"Deliveries lists those in a state by position", deliveryList},
	{"DeliveriesDue lists those that wait for a time by that time", deliveryDue},
	{"UsersWaiting counts by user and CountDeliveries stops at limit", deliveryCount},
	{"SettleDeliveries lets the first of a user's have a time and no other", deliverySettle},
	{"HurryDeliveries makes all due that wait for a later time", deliveryHurry},
	{"A tenant's endpoints and deliveries are its own", webhookIsolation},
	{"Erasing a user leaves its deliveries", deliveryOfErased},
}

var webhookRaces = []check{
	{"Two that claim at once never get the same endpoint", raceWebhookClaims},
	{"Progress of an endpoint that many change at once is not lost", raceWebhookLock},
}

// webhook is an endpoint with nothing to do, not stored yet.
func (s *sample) webhook(name string) directory.Webhook {
	return directory.Webhook{Tenant: s.tenant, ID: uuid.NewString(), Name: name, URL: "https://example.com/" + name, State: directory.WebhookActive,
		Secrets:   []directory.WebhookSecret{{ID: "s1", Sealed: []byte{0, 1, 255}, CreatedAt: noon}},
		CreatedAt: noon, UpdatedAt: noon, Version: 1, Position: s.head().Position}
}

// addWebhooks stores endpoints until the check ends: claims reach across tenants.
func (s *sample) addWebhooks(list ...directory.Webhook) {
	s.t.Helper()
	for _, w := range list {
		s.update(func(tx directory.Tx) error { return tx.InsertWebhook(s.ctx, w) })
		s.t.Cleanup(func() {
			err := s.store.Update(context.Background(), func(tx directory.Tx) error { return tx.DeleteWebhook(context.Background(), w.Tenant, w.ID) })
			if err != nil && !errors.Is(err, directory.ErrNotFound) {
				s.t.Errorf("DeleteWebhook: %v", err)
			}
		})
	}
}

// grow adds events that have positions.
func (s *sample) grow(n int) {
	s.t.Helper()
	for range n {
		s.update(func(tx directory.Tx) error {
			return tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserUpdated))
		})
	}
	s.seal()
}

func (s *sample) storedWebhook(id string) directory.Webhook {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) (directory.Webhook, error) {
		return r.Webhook(ctx, s.tenant, id)
	})
}

// setWebhook changes a stored endpoint.
func (s *sample) setWebhook(id string, change func(w *directory.Webhook)) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		w, err := tx.LockWebhook(s.ctx, s.tenant, id)
		if err != nil {
			return err
		}
		change(&w)
		return tx.UpdateWebhook(s.ctx, w)
	})
}

// take claims for a minute at noon + at, and returns the names.
func (s *sample) take(owner string, at time.Duration, limit int) (names []string) {
	s.t.Helper()
	now := noon.Add(at)
	due := look(s.t, s, func(ctx context.Context, r directory.Reader) (bool, error) { return r.WebhooksDue(ctx, now) })
	list := s.takeWebhooks(owner, at, limit)
	if limit > 0 && due != (len(list) > 0) {
		s.t.Errorf("WebhooksDue says %t, ClaimWebhooks found %d", due, len(list))
	}
	for _, w := range list {
		if w.LeaseOwner != owner || !w.LeaseUntil.Equal(now.Add(time.Minute)) {
			s.t.Errorf("%s is leased to %q until %s", w.Name, w.LeaseOwner, w.LeaseUntil)
		}
		names = append(names, w.Name)
	}
	slices.Sort(names)
	return names
}

func (s *sample) takeWebhooks(owner string, at time.Duration, limit int) (list []directory.Webhook) {
	s.t.Helper()
	now := noon.Add(at)
	s.update(func(tx directory.Tx) (err error) {
		list, err = tx.ClaimWebhooks(s.ctx, owner, now, now.Add(time.Minute), limit)
		return err
	})
	return list
}

func webhookRoundTrip(t *testing.T, s *sample) {
	w := s.webhook("full")
	w.Types = []directory.EventType{directory.EventUserCreated, "group.*"}
	w.Companies, w.ExceptOrigins = []int64{7, 1}, []string{"credential:é<&>", "user:1"}
	w.State, w.PauseReason = directory.WebhookPaused, "because"
	w.Secrets = append(w.Secrets, directory.WebhookSecret{ID: "s2", Sealed: []byte("x"), CreatedAt: noon.Add(time.Microsecond)})
	w.UpdatedAt, w.Position, w.ReplayFrom, w.ReplayTo = noon.Add(1), 11, 3, 9
	w.UpdatedAt = noon.Add(time.Microsecond)
	w.Failures, w.FailingSince, w.NextAt = 4, noon.Add(-time.Hour), noon.Add(time.Hour)
	w.LastError, w.LastStatus, w.LastSuccess = "no route", 503, noon.Add(-2*time.Hour)
	w.LeaseOwner, w.LeaseUntil, w.Fence = "me", noon.Add(time.Minute), 5
	wantNoZero(t, w)
	bare := s.webhook("bare")
	bare.Secrets, bare.CreatedAt = nil, noon.Add(time.Second)
	s.addWebhooks(w, bare)
	wantSame(t, "full", s.storedWebhook(w.ID), w)
	wantSame(t, "bare", s.storedWebhook(bare.ID), bare)
	wantConflict(t, "the same id again", s.try(func(tx directory.Tx) error { return tx.InsertWebhook(s.ctx, w) }))
}

func webhookList(t *testing.T, s *sample) {
	late, early := s.webhook("late"), s.webhook("early")
	late.CreatedAt = noon.Add(time.Microsecond)
	s.addWebhooks(late, early)
	wantSame(t, "endpoints", look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Webhook, error) {
		return r.Webhooks(ctx, s.tenant)
	}),
		[]directory.Webhook{early, late})
}

func webhookUpdate(t *testing.T, s *sample) {
	w, other := s.webhook("one"), s.webhook("other")
	s.addWebhooks(w, other)
	next := s.webhook("changed")
	next.ID, next.Types, next.Version, next.State, next.Fence, next.Secrets = w.ID, []directory.EventType{"user.*"}, 2, directory.WebhookPaused, 3, nil
	s.update(func(tx directory.Tx) error { return tx.UpdateWebhook(s.ctx, next) })
	wantSame(t, "changed", s.storedWebhook(w.ID), next)
	wantSame(t, "the other", s.storedWebhook(other.ID), other)
	next.ID = uuid.NewString()
	wantNotFound(t, "one that is not there", s.try(func(tx directory.Tx) error { return tx.UpdateWebhook(s.ctx, next) }))
}

func webhookLock(t *testing.T, s *sample) {
	w := s.webhook("one")
	s.addWebhooks(w)
	s.update(func(tx directory.Tx) error {
		got, err := tx.LockWebhook(s.ctx, s.tenant, w.ID)
		wantSame(t, "locked", got, w)
		_, missing := tx.LockWebhook(s.ctx, s.tenant, uuid.NewString())
		wantNotFound(t, "LockWebhook of another", missing)
		return err
	})
}

func webhookDelete(t *testing.T, s *sample) {
	gone, kept := s.webhook("gone"), s.webhook("kept")
	s.addWebhooks(gone, kept)
	s.putDeliveries(s.delivery(gone.ID, 1, 1), s.delivery(kept.ID, 1, 1))
	s.update(func(tx directory.Tx) error { return tx.DeleteWebhook(s.ctx, s.tenant, gone.ID) })
	wantNotFound(t, "again", s.try(func(tx directory.Tx) error { return tx.DeleteWebhook(s.ctx, s.tenant, gone.ID) }))
	wantSame(t, "deliveries of what is gone", s.deliveries(gone.ID, ""), nil)
	if len(s.deliveries(kept.ID, "")) != 1 || s.storedWebhook(kept.ID).Name != "kept" {
		t.Error("another endpoint lost something")
	}
}

func webhookClaim(t *testing.T, s *sample) {
	s.grow(2)
	idle, behind, ahead, replay, retry, later := s.webhook("idle"), s.webhook("behind"), s.webhook("ahead"), s.webhook("replay"), s.webhook("retry"), s.webhook("later")
	paused, resting, lanes, dead := s.webhook("paused"), s.webhook("resting"), s.webhook("lanes"), s.webhook("dead")
	behind.Position, ahead.Position, paused.Position, resting.Position = 1, 9, 1, 1
	replay.ReplayFrom, replay.ReplayTo = 1, 2
	paused.State, resting.NextAt = directory.WebhookPaused, noon.Add(time.Second)
	s.addWebhooks(idle, behind, ahead, replay, retry, later, paused, resting, lanes, dead)
	due, soon, second, given := s.delivery(retry.ID, 1, 1), s.delivery(later.ID, 1, 1), s.delivery(lanes.ID, 1, 1), s.delivery(dead.ID, 1, 1)
	due.NextAt, soon.NextAt, second.NextAt = noon, noon.Add(2*time.Second), time.Time{}
	given.State = directory.DeliveryDead
	s.putDeliveries(due, soon, second, given)
	wantSame(t, "none", s.take("me", 0, 0), nil)
	wantSame(t, "what has something to do", s.take("me", 0, 100), []string{"ahead", "behind", "replay", "retry"})
	wantSame(t, "what is leased", s.take("another", 0, 100), nil)
	wantSame(t, "when a wait is over", s.take("another", time.Second, 100), []string{"resting"})
	wantSame(t, "when a delivery is due", s.take("another", 2*time.Second, 100), []string{"later"})
	wantSame(t, "when leases have ended", s.take("another", time.Minute, 100), []string{"ahead", "behind", "replay", "retry"})
}

func webhookFence(t *testing.T, s *sample) {
	s.grow(1)
	w := s.webhook("one")
	w.Position, w.Fence = 0, 6
	s.addWebhooks(w)
	for i := range int64(3) {
		at := time.Duration(i) * time.Hour
		want := w
		want.Fence, want.LeaseOwner, want.LeaseUntil = 7+i, "me", noon.Add(at+time.Minute)
		wantSame(t, "claimed", s.takeWebhooks("me", at, 5), []directory.Webhook{want})
		wantSame(t, "stored", s.storedWebhook(w.ID), want)
	}
}

func webhookDisabled(t *testing.T, s *sample) {
	s.grow(1)
	w := s.webhook("one")
	w.Position = 0
	s.addWebhooks(w)
	set := func(disabled bool) {
		s.update(func(tx directory.Tx) error {
			tenant, err := tx.LockTenant(s.ctx, s.tenant)
			tenant.Disabled = disabled
			return errors.Join(err, tx.UpdateTenant(s.ctx, tenant))
		})
	}
	set(true)
	wantSame(t, "of a disabled tenant", s.take("me", 0, 5), nil)
	set(false)
	wantSame(t, "of the tenant again", s.take("me", 0, 5), []string{"one"})
}

func webhookClock(t *testing.T, s *sample) {
	s.grow(1)
	lease, wait, retry := s.webhook("lease"), s.webhook("wait"), s.webhook("retry")
	lease.Position, lease.LeaseOwner, lease.LeaseUntil = 0, "you", noon.Add(directory.MaxWebhookLease)
	wait.Position, wait.NextAt = 0, noon.Add(directory.MaxWebhookWait)
	s.addWebhooks(lease, wait, retry)
	far := s.delivery(retry.ID, 1, 1)
	far.NextAt = noon.Add(directory.MaxWebhookWait)
	s.putDeliveries(far)
	wantSame(t, "what can be meant", s.take("me", 0, 5), nil)
	wantSame(t, "what cannot", s.take("me", -time.Microsecond, 5), []string{"lease", "retry", "wait"})
}

func webhookTurn(t *testing.T, s *sample) {
	s.grow(1)
	for i := range 4 {
		w := s.webhook(fmt.Sprint(i))
		w.Position, w.LeaseUntil = 0, noon.Add(time.Duration(-i)*time.Second)
		s.addWebhooks(w)
	}
	wantSame(t, "the first two", s.take("me", 0, 2), []string{"2", "3"})
	wantSame(t, "the others", s.take("me", 0, 2), []string{"0", "1"})
}

// delivery is one that waits for noon, not stored yet.
func (s *sample) delivery(webhook string, position, user int64) directory.Delivery {
	return directory.Delivery{Tenant: s.tenant, Webhook: webhook, Position: position, Event: fmt.Sprint("event ", position), Type: directory.EventUserUpdated,
		User: user, State: directory.DeliveryWaiting, Attempts: 1, NextAt: noon, LastError: "refused", LastStatus: 500, CreatedAt: noon}
}

func (s *sample) putDeliveries(list ...directory.Delivery) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, d := range list {
			if err := tx.PutDelivery(s.ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) deliveries(webhook string, state directory.DeliveryState) []directory.Delivery {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Delivery, error) {
		return r.Deliveries(ctx, s.tenant, webhook, state, 0, 100)
	})
}

func deliveryRoundTrip(t *testing.T, s *sample) {
	d := s.delivery("hook", 3, 7)
	wantNoZero(t, d)
	s.putDeliveries(d)
	read := func(position int64) (directory.Delivery, error) {
		return tryLook(s, func(ctx context.Context, r directory.Reader) (directory.Delivery, error) {
			return r.Delivery(ctx, s.tenant, "hook", position)
		})
	}
	got, err := read(3)
	wantSame(t, "stored", got, d)
	d.State, d.NextAt, d.Attempts, d.LastError, d.LastStatus, d.User, d.Type = directory.DeliveryDead, time.Time{}, 9, "", 0, 0, "x"
	s.putDeliveries(d)
	again, err2 := read(3)
	wantSame(t, "replaced", again, d)
	if err := errors.Join(err, err2); err != nil {
		t.Error(err)
	}
	s.update(func(tx directory.Tx) error { return tx.DeleteDelivery(s.ctx, s.tenant, "hook", 3) })
	_, err = read(3)
	wantNotFound(t, "deleted", err)
	wantNotFound(t, "deleted again", s.try(func(tx directory.Tx) error { return tx.DeleteDelivery(s.ctx, s.tenant, "hook", 3) }))
}

func deliveryList(t *testing.T, s *sample) {
	a, b, c := s.delivery("hook", 9, 1), s.delivery("hook", 2, 1), s.delivery("hook", 5, 2)
	c.State = directory.DeliveryDead
	s.putDeliveries(a, b, c, s.delivery("another", 1, 1))
	wantSame(t, "all", s.deliveries("hook", ""), []directory.Delivery{b, c, a})
	wantSame(t, "waiting", s.deliveries("hook", directory.DeliveryWaiting), []directory.Delivery{b, a})
	wantSame(t, "dead", s.deliveries("hook", directory.DeliveryDead), []directory.Delivery{c})
	wantSame(t, "after 2, one", look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Delivery, error) {
		return r.Deliveries(ctx, s.tenant, "hook", "", 2, 1)
	}), []directory.Delivery{c})
}

func deliveryDue(t *testing.T, s *sample) {
	late, early, behind, dead := s.delivery("hook", 1, 1), s.delivery("hook", 2, 2), s.delivery("hook", 3, 2), s.delivery("hook", 4, 3)
	late.NextAt, behind.NextAt, dead.State = noon.Add(time.Hour), time.Time{}, directory.DeliveryDead
	same := s.delivery("hook", 9, 4)
	s.putDeliveries(late, same, early, behind, dead)
	due := func(limit int) []directory.Delivery {
		return look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Delivery, error) {
			return r.DeliveriesDue(ctx, s.tenant, "hook", limit)
		})
	}
	wantSame(t, "all", due(9), []directory.Delivery{early, same, late})
	wantSame(t, "two", due(2), []directory.Delivery{early, same})
}

func deliveryCount(t *testing.T, s *sample) {
	dead := s.delivery("hook", 9, 1)
	dead.State = directory.DeliveryDead
	s.putDeliveries(s.delivery("hook", 1, 1), s.delivery("hook", 2, 1), s.delivery("hook", 3, 0), dead, s.delivery("another", 1, 5))
	wantSame(t, "by user", look(t, s, func(ctx context.Context, r directory.Reader) (map[int64]int64, error) {
		return r.UsersWaiting(ctx, s.tenant, "hook")
	}), map[int64]int64{0: 1, 1: 2})
	for limit, want := range map[int64]int64{0: 0, 2: 2, 3: 3, 9: 3} {
		if got := look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) {
			return r.CountDeliveries(ctx, s.tenant, "hook", directory.DeliveryWaiting, limit)
		}); got != want {
			t.Errorf("counted %d up to %d, want %d", got, limit, want)
		}
	}
}

func deliverySettle(t *testing.T, s *sample) {
	first, second, third, others := s.delivery("hook", 1, 1), s.delivery("hook", 2, 1), s.delivery("hook", 3, 1), s.delivery("hook", 2, 2)
	others.Position, others.NextAt = 4, time.Time{}
	second.NextAt, third.NextAt = time.Time{}, noon.Add(time.Hour)
	s.putDeliveries(first, second, third, others)
	settle := func() {
		s.update(func(tx directory.Tx) error {
			return tx.SettleDeliveries(s.ctx, s.tenant, "hook", 1, noon.Add(time.Minute))
		})
	}
	settle()
	third.NextAt = time.Time{}
	wantSame(t, "the first keeps its time, the others have none", s.deliveries("hook", ""), []directory.Delivery{first, second, third, others})
	s.update(func(tx directory.Tx) error { return tx.DeleteDelivery(s.ctx, s.tenant, "hook", 1) })
	settle()
	second.NextAt = noon.Add(time.Minute)
	wantSame(t, "the next one is due", s.deliveries("hook", ""), []directory.Delivery{second, third, others})
	second.State, second.NextAt = directory.DeliveryDead, time.Time{}
	s.putDeliveries(second)
	settle()
	third.NextAt = noon.Add(time.Minute)
	wantSame(t, "a dead one is in nobody's way", s.deliveries("hook", ""), []directory.Delivery{second, third, others})
}

func deliveryHurry(t *testing.T, s *sample) {
	now, later, behind, dead := s.delivery("hook", 1, 1), s.delivery("hook", 2, 2), s.delivery("hook", 3, 2), s.delivery("hook", 4, 3)
	later.NextAt, behind.NextAt, dead.State = noon.Add(time.Hour), time.Time{}, directory.DeliveryDead
	other := s.delivery("another", 1, 1)
	other.NextAt = noon.Add(time.Hour)
	s.putDeliveries(now, later, behind, dead, other)
	s.update(func(tx directory.Tx) error { return tx.HurryDeliveries(s.ctx, s.tenant, "hook", noon.Add(time.Minute)) })
	later.NextAt = noon.Add(time.Minute)
	wantSame(t, "hurried", s.deliveries("hook", ""), []directory.Delivery{now, later, behind, dead})
	wantSame(t, "another endpoint's", s.deliveries("another", ""), []directory.Delivery{other})
}

func webhookIsolation(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	w := s.webhook("mine")
	theirs := w
	theirs.Tenant, theirs.Name = other.tenant, "theirs"
	s.addWebhooks(w)
	other.addWebhooks(theirs)
	d := s.delivery(w.ID, 1, 1)
	foreign := d
	foreign.Tenant = other.tenant
	s.putDeliveries(d)
	other.putDeliveries(foreign)
	other.setWebhook(w.ID, func(w *directory.Webhook) { w.Name = "changed" })
	for _, change := range []func(tx directory.Tx) error{
		func(tx directory.Tx) error { return tx.SettleDeliveries(s.ctx, other.tenant, w.ID, 1, noon) },
		func(tx directory.Tx) error {
			return tx.HurryDeliveries(s.ctx, other.tenant, w.ID, noon.Add(-time.Hour))
		},
		func(tx directory.Tx) error { return tx.DeleteDelivery(s.ctx, other.tenant, w.ID, 1) },
		func(tx directory.Tx) error { return tx.DeleteWebhook(s.ctx, other.tenant, w.ID) },
	} {
		other.update(change)
	}
	wantSame(t, "mine", s.storedWebhook(w.ID), w)
	wantSame(t, "my deliveries", s.deliveries(w.ID, ""), []directory.Delivery{d})
	other.grow(1)
	wantSame(t, "another tenant's events are not mine", s.take("me", -time.Hour, 5), nil)
}

func deliveryOfErased(t *testing.T, s *sample) {
	s.addUser(1)
	d := s.delivery("hook", 1, 1)
	s.putDeliveries(d)
	s.update(func(tx directory.Tx) error { return tx.DeleteUser(s.ctx, s.locked(tx, 1)) })
	wantSame(t, "deliveries", s.deliveries("hook", ""), []directory.Delivery{d})
}

func raceWebhookClaims(t *testing.T, s *sample) {
	const rivals, hooks = 8, 24
	s.grow(1)
	for i := range hooks {
		w := s.webhook(fmt.Sprint(i))
		w.Position = 0
		s.addWebhooks(w)
	}
	var claims [hooks]atomic.Int64
	wantRace(t, race(rivals, func(i int) error {
		for range hooks {
			var list []directory.Webhook
			err := s.try(func(tx directory.Tx) (err error) {
				list, err = tx.ClaimWebhooks(s.ctx, fmt.Sprint("rival ", i), noon, noon.Add(time.Minute), 2)
				return err
			})
			if err != nil {
				return err
			}
			for _, w := range list {
				var n int
				if _, err := fmt.Sscan(w.Name, &n); err != nil || w.Fence != 1 {
					return fmt.Errorf("claimed %q with fence %d: %w", w.Name, w.Fence, err)
				}
				claims[n].Add(1)
			}
		}
		return nil
	}))
	for i := range claims {
		if n := claims[i].Load(); n != 1 {
			t.Errorf("endpoint %d was claimed %d times", i, n)
		}
	}
}

func raceWebhookLock(t *testing.T, s *sample) {
	const rivals, rounds = 6, 10
	w := s.webhook("one")
	s.addWebhooks(w)
	wantRace(t, race(rivals, func(int) error {
		for range rounds {
			err := s.try(func(tx directory.Tx) error {
				w, err := tx.LockWebhook(s.ctx, s.tenant, w.ID)
				if err != nil {
					return err
				}
				w.Failures++
				return tx.UpdateWebhook(s.ctx, w)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	if got := s.storedWebhook(w.ID).Failures; got != rivals*rounds {
		t.Errorf("%d changes are left of %d", got, rivals*rounds)
	}
}
