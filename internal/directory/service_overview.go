package directory

import (
	"context"
	"time"
)

// PoolDay is the seats of a pool as they were last noted on a day.
type PoolDay struct {
	Type  string
	Day   int64 // since 1970
	Used  int64
	Total int64
}

// EventDay is how much happened on a day.
type EventDay struct {
	Day    int64 // since 1970
	Events int64
}

// Bounds of an overview.
const (
	// OverviewDays is how far back its lines go, today included.
	OverviewDays = 90
	// overviewEvents and overviewJobs are how many it has of the last of each.
	overviewEvents = 10
	overviewJobs   = 5
	// overviewCount is where it stops to count what there are few of.
	overviewCount = 1000
)

// Overview is what the console shows first. What a caller may not see, by its rank,
// scopes or company, is not set.
type Overview struct {
	People  map[State]int64 // of the caller's company and below, or of the tenant
	Locked  int64           // at most overviewCount is counted
	Today   int64           // the day of now, since 1970
	Pools   Opt[[]PoolLine] // by type
	Changes Opt[[]EventDay] // of OverviewDays days, the last of which is today, without gaps
	Recent  Opt[[]Event]    // the newest first
	Failed  Opt[FailedJobs]
	// PausedWebhooks are endpoints to which nothing is sent any more.
	PausedWebhooks Opt[[]Webhook]
	Health         Opt[Health]
}

// PoolLine is a pool with its past. Days are those that were noted, oldest first, and
// today as it is now.
type PoolLine struct {
	Pool
	Days []PoolDay
}

// FailedJobs are the jobs that were given up.
type FailedJobs struct {
	Count int64 // at most overviewCount is counted
	Last  []Job // the newest, without payloads
}

// Health is how the server and what it keeps are.
type Health struct {
	Answered time.Duration // how long the database took to answer
	// Unindexed is how many events cannot be found yet by what they say.
	Unindexed int64
	// Unproved is how many events no signed checkpoint covers; not set where nobody
	// keeps checkpoints.
	Unproved Opt[int64]
	// SecretKey says that the server can seal and open what must be read back: keys,
	// mail, second factors.
	SecretKey bool
	// PeopleWithoutFactor says that the tenant asks nobody for a second factor.
	PeopleWithoutFactor bool
}

// dayOf is the day since 1970 of a time.
func dayOf(t time.Time) int64 {
	const day = int64(24 * time.Hour / time.Second)
	seconds := t.Unix()
	if seconds < 0 {
		return (seconds+1)/day - 1
	}
	return seconds / day
}

// Overview tells how a tenant is. A caller that is bound to a company is told about the
// people of that company and below, and of nothing that belongs to the whole tenant.
func (s *Service) Overview(ctx context.Context, call *Call) (Overview, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return Overview{}, err
	}
	health := Health{SecretKey: s.opts.Sealer != nil, PeopleWithoutFactor: call.Settings.SecondFactor == "" || call.Settings.SecondFactor == SecondFactorOptional}
	begun := s.now()
	if err := s.store.Ping(ctx); err != nil {
		return Overview{}, err
	}
	health.Answered = s.now().Sub(begun)
	o := Overview{}
	err := s.store.View(ctx, func(r Reader) (err error) {
		o = Overview{People: map[State]int64{}, Today: dayOf(begun)}
		for _, state := range States {
			if o.People[state], err = r.UserTotal(ctx, call.Actor.Tenant, call.Actor.Root, StatesOf(state)); err != nil {
				return err
			}
		}
		if o.Locked, err = r.CountLocked(ctx, call.Actor.Tenant, call.Actor.Root, overviewCount); err != nil || call.Actor.Root != 0 {
			return err
		}
		return s.overviewOfTenant(ctx, r, call, &o, health)
	})
	return o, err
}

// may reports whether a caller that is in may do something else too.
func (c *Call) may(action Action) bool {
	asked := *c
	return asked.permit(action) == nil && !asked.Actor.selfOnly
}

// overviewOfTenant adds what belongs to the whole tenant, as far as the caller may see
// it.
func (s *Service) overviewOfTenant(ctx context.Context, r Reader, call *Call, o *Overview, health Health) error {
	head, err := r.ChainHead(ctx, call.Actor.Tenant)
	if err != nil {
		return err
	}
	health.Unindexed = max(head.Position-max(head.Indexed, head.Base), 0)
	for _, part := range []struct {
		action Action
		add    func() error
	}{
		{ActReadCompany, func() error { return overviewPools(ctx, r, call, o) }},
		{ActReadEvents, func() error { return overviewEventsOf(ctx, r, call, o, &head) }},
		{ActReadJobs, func() error { return s.overviewJobs(ctx, r, call, o) }},
		{ActWebhooks, func() error { return overviewWebhooks(ctx, r, call, o) }},
		{ActTenant, func() error {
			if s.opts.CheckpointedThrough != nil {
				health.Unproved = Some(max(head.Position-s.opts.CheckpointedThrough(call.Actor.Tenant), 0))
			}
			o.Health = Some(health)
			return nil
		}},
	} {
		if !call.may(part.action) {
			continue
		}
		if err := part.add(); err != nil {
			return err
		}
	}
	return nil
}

// overviewPools adds the licence pools and their past.
func overviewPools(ctx context.Context, r Reader, call *Call, o *Overview) error {
	pools, err := r.Pools(ctx, call.Actor.Tenant)
	if err != nil {
		return err
	}
	days, err := r.PoolDays(ctx, call.Actor.Tenant, o.Today-OverviewDays+1)
	if err != nil {
		return err
	}
	lines := make([]PoolLine, len(pools))
	for i, p := range pools {
		lines[i].Pool = p
		for _, d := range days {
			if d.Type == p.Type && d.Day < o.Today {
				lines[i].Days = append(lines[i].Days, d)
			}
		}
		lines[i].Days = append(lines[i].Days, PoolDay{Type: p.Type, Day: o.Today, Used: p.Used, Total: p.Total})
	}
	o.Pools = Some(lines)
	return nil
}

// overviewEventsOf adds the changes by day and the last events. What is not indexed yet
// is of today: the index follows within moments.
func overviewEventsOf(ctx context.Context, r Reader, call *Call, o *Overview, head *ChainHead) error {
	first := o.Today - OverviewDays + 1
	counted, err := r.EventDays(ctx, call.Actor.Tenant, first)
	if err != nil {
		return err
	}
	days := make([]EventDay, OverviewDays)
	for i := range days {
		days[i].Day = first + int64(i)
	}
	for _, d := range counted {
		if at := d.Day - first; at >= 0 && at < OverviewDays {
			days[at].Events = d.Events
		}
	}
	days[OverviewDays-1].Events += max(head.Position-max(head.Indexed, head.Base), 0)
	o.Changes = Some(days)
	events, err := r.Events(ctx, call.Actor.Tenant, max(head.Position-overviewEvents, head.Base), overviewEvents)
	if err != nil {
		return err
	}
	recent := make([]Event, len(events))
	for i := range events {
		recent[len(events)-1-i] = events[i]
	}
	o.Recent = Some(recent)
	return nil
}

// overviewJobs adds the jobs that were given up.
func (s *Service) overviewJobs(ctx context.Context, r Reader, call *Call, o *Overview) error {
	n, err := r.CountFailedJobs(ctx, call.Actor.Tenant, overviewCount)
	if err != nil {
		return err
	}
	last, err := r.Jobs(ctx, call.Actor.Tenant, JobSelection{State: JobFailed, Now: s.now(), Limit: overviewJobs})
	if err != nil {
		return err
	}
	o.Failed = Some(FailedJobs{Count: n, Last: last})
	return nil
}

// overviewWebhooks adds the endpoints that are paused.
func overviewWebhooks(ctx context.Context, r Reader, call *Call, o *Overview) error {
	all, err := r.Webhooks(ctx, call.Actor.Tenant)
	if err != nil {
		return err
	}
	paused := []Webhook{}
	for _, w := range all {
		if w.State == WebhookPaused {
			w.Secrets = nil
			paused = append(paused, w)
		}
	}
	o.PausedWebhooks = Some(paused)
	return nil
}
