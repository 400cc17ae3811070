package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// databaseSettings judges what the database said of itself.
func (x *examination) databaseSettings(context.Context) error {
	for _, f := range x.database.Faults {
		if f.Fatal {
			x.fail(f.Seen, f.Remedy)
		} else {
			x.warn(f.Seen, f.Remedy)
		}
	}
	if len(x.database.Faults) == 0 {
		x.ok("the database is whole and keeps what it acknowledges")
	}
	return nil
}

// How far clocks may be apart: tokens and validity dates are good to the second.
const (
	someSkew  = 2 * time.Second
	greatSkew = time.Minute
)

// clock compares this machine's clock with the database's, or with the times of what
// was written: a clock that was set back shows in them.
func (x *examination) clock(ctx context.Context) error {
	const remedy = "Let a time service (chrony, systemd-timesyncd) set the clocks of this machine and of the database."
	if !x.database.Clock.IsZero() {
		skew := x.opened.Sub(x.database.Clock).Abs()
		text := fmt.Sprintf("this machine and the database are %s apart", skew.Round(time.Millisecond))
		switch {
		case skew > greatSkew:
			x.fail(text, remedy)
		case skew > someSkew:
			x.warn(text, remedy)
		default:
			x.ok("%s", text)
		}
		return nil
	}
	latest := time.Time{}
	if info, err := os.Stat(strings.TrimPrefix(x.cfg.Database, "sqlite:")); err == nil {
		latest = info.ModTime()
	}
	for _, t := range x.tenants {
		at, err := x.auditor.latestEvent(ctx, t.No)
		if err != nil {
			return err
		}
		if at.After(latest) {
			latest = at
		}
	}
	if ahead := latest.Sub(x.opened); ahead > greatSkew {
		x.fail(fmt.Sprintf("the clock says %s, and something was written at %s", x.opened.UTC().Format(time.RFC3339), latest.UTC().Format(time.RFC3339)), remedy)
		return nil
	}
	x.ok("the clock says %s, and nothing was written later", x.opened.UTC().Format(time.RFC3339))
	return nil
}

// latestEvent is the time of a tenant's last event; zero for none.
func (a *Admin) latestEvent(ctx context.Context, no directory.TenantNo) (at time.Time, err error) {
	err = a.db.View(ctx, func(r directory.Reader) error {
		head, err := r.ChainHead(ctx, no)
		if err != nil || head.Position == 0 {
			return err
		}
		page, err := r.Events(ctx, no, head.Position-1, 1)
		if err == nil && len(page) > 0 {
			at = page[0].Time
		}
		return err
	})
	return at, err
}

// counters judges whether totals are those of the rows.
func (x *examination) counters(context.Context) error {
	for _, c := range x.database.Counters {
		x.fail(c, "Something else has written into the database, or it was damaged: make a backup, and restore the last good one if users are missing.")
	}
	if len(x.database.Counters) == 0 {
		x.ok("totals of companies and seats are those of the users")
	}
	return nil
}

// history verifies the chains of events against the checkpoints.
func (x *examination) history(ctx context.Context) error {
	audit, err := x.auditor.VerifyEvents(ctx, x.cfg, "", "")
	if err != nil {
		x.fail(err.Error(), "Put the file and its key where the settings say, and run `usher audit verify`.")
		return nil
	}
	events, behind := int64(0), 0
	for i := range audit.Reports {
		r := &audit.Reports[i]
		events += r.Events
		if r.Broken != 0 {
			x.fail(fmt.Sprintf("the history of tenant %q is broken at position %d: %s", r.Name, r.Broken, r.Problem),
				"Keep the database and the checkpoints as they are, and find out who wrote into it; after a restored backup run `usher audit restart`.")
		}
		if r.Checkpoints > 0 && r.Last > r.Covered && x.o.Now().Sub(r.CoveredAt) > 3*x.cfg.CheckpointInterval+time.Minute {
			behind++
			x.warn(fmt.Sprintf("the last checkpoint of tenant %q is of %s, and %d events came after it", r.Name, r.CoveredAt.UTC().Format(time.RFC3339), r.Last-r.Covered),
				"Start the server, and look in its log why checkpoints are not written.")
		}
	}
	for _, p := range audit.Problems {
		x.fail(p, "Restore the tenant from a backup, or move the old checkpoints away if it was removed on purpose.")
	}
	for _, w := range audit.Warnings {
		x.warn(w, "Keep the checkpoints, and the key that signs them, where nobody who can write the database can write them; `usher serve` signs while it runs.")
	}
	if !audit.Broken() {
		x.ok("%d events of %d tenants verify", events, len(audit.Reports))
	}
	return nil
}

// sharedDoors looks for tenants that a sign-in by name alone cannot tell apart.
func (x *examination) sharedDoors(context.Context) error {
	if len(x.tenants) == 0 {
		x.warn("there is no tenant yet", "Run `usher tenant create NAME`.")
		return nil
	}
	sharing, nameless := sharingDoor(x.tenants)
	if x.serves(directory.DoorServiceMobility) && len(sharing) > 1 && len(nameless) > 0 {
		x.warn(fmt.Sprintf("tenants %s share the servicemobility door, and %s have no host: nobody can sign in there by name and password", strings.Join(sharing, ", "), strings.Join(nameless, ", ")),
			"Give each a host, or close the door: usher tenant set NAME hosts=… or doors=….")
		return nil
	}
	for _, t := range x.tenants {
		if t.Owner == 0 && !t.Disabled {
			x.warn(fmt.Sprintf("tenant %q has no account owner", t.Name), "Name one: usher user owner --tenant NAME --user WHO.")
		}
	}
	if x.findings[len(x.findings)-1].Check != x.check {
		x.ok("%d tenants can be told apart", len(x.tenants))
	}
	return nil
}

// pools looks for more seats in use than there are.
func (x *examination) pools(ctx context.Context) error {
	before := len(x.findings)
	for _, t := range x.tenants {
		list, err := x.auditor.service.Pools(ctx, x.auditor.call(t.No))
		if err != nil {
			return err
		}
		for _, p := range list {
			if p.Used > p.Total {
				x.warn(fmt.Sprintf("tenant %q uses %d seats of %q, and has %d", t.Name, p.Used, p.Type, p.Total),
					"Buy seats and raise the total (usher licence set), or deactivate users: nobody is let in until enough seats are free.")
			}
		}
	}
	if len(x.findings) == before {
		x.ok("no pool has more seats in use than it has")
	}
	return nil
}

// failedJobs looks for what was given up.
func (x *examination) failedJobs(ctx context.Context) error {
	before := len(x.findings)
	for _, t := range x.tenants {
		page, err := x.auditor.service.Jobs(ctx, x.auditor.call(t.No), directory.JobQuery{State: directory.JobFailed, Limit: directory.MaxLimit})
		if err != nil {
			return err
		}
		if n := len(page.Jobs); n > 0 {
			more := ""
			if page.Next != "" {
				more = "or more "
			}
			x.warn(fmt.Sprintf("%d %sjobs of tenant %q have failed, the last (%s) with: %s", n, more, t.Name, page.Jobs[0].Kind, page.Jobs[0].LastError),
				"See them with `usher job list --state failed`, put right what they say, and do them again with `usher job retry`.")
		}
	}
	if len(x.findings) == before {
		x.ok("no job has failed")
	}
	return nil
}

// pausedWebhooks looks for endpoints to which nothing is sent.
func (x *examination) pausedWebhooks(ctx context.Context) error {
	before := len(x.findings)
	for _, t := range x.tenants {
		list, err := x.auditor.service.Webhooks(ctx, x.auditor.call(t.No))
		if err != nil {
			return err
		}
		for i := range list {
			w := &list[i]
			if w.State == directory.WebhookPaused {
				x.warn(fmt.Sprintf("endpoint %q of tenant %q is paused (%s), %d events behind", w.Name, t.Name, w.PauseReason, w.Behind),
					"Repair the receiver, try it with `usher webhook test`, and let it go on with `usher webhook resume`.")
			} else if w.Dead > 0 {
				x.warn(fmt.Sprintf("endpoint %q of tenant %q has not taken %d events that were given up", w.Name, t.Name, w.Dead),
					"See them with `usher webhook deliveries --state dead`, and send them again with --retry or `usher webhook replay`.")
			}
		}
	}
	if len(x.findings) == before {
		x.ok("no endpoint is paused, and nothing was given up")
	}
	return nil
}
