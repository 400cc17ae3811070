package job

import (
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// policy is how often a job is tried that fails, and for how long. The first
// pauses get past a server that restarts or that lets strangers wait
// (greylisting), the last ones past a night.
type policy struct {
	// pauses are the waits after each try. The last one repeats.
	pauses []time.Duration
	// attempts is how many claims there are before the job is given up, 0 for no
	// bound. maxAge gives it up when its next try would come later than that after
	// it was asked for; 0 for no bound.
	attempts int
	maxAge   time.Duration
}

// policies are those of each kind. No pause comes near directory.MaxJobPause.
var policies = map[directory.JobKind]policy{
	// A message about a password is of no use to anybody after a day.
	directory.JobMail: {attempts: 10, maxAge: 24 * time.Hour, pauses: []time.Duration{
		time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		4 * time.Hour, 4 * time.Hour, 6 * time.Hour, 6 * time.Hour}},
	// Three days, in which a hold is released or a seat becomes free. From when it
	// was asked for to when it is due may be years.
	directory.JobExpiry: {attempts: 12, pauses: []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 20 * time.Hour, 24 * time.Hour}},
	// Whoever works on a run ends it when it fails too often; a process that dies over
	// it again and again is not to do so without end.
	directory.JobBulk: {attempts: 40, pauses: []time.Duration{
		time.Second, 5 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}},
	directory.JobRecycle:   forever,
	directory.JobRetention: forever,
}

// forever is the policy of jobs that every tenant has: nothing would come after
// them.
var forever = policy{pauses: []time.Duration{
	5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour}}

// pause is the wait after the given try, counted from 1, up to a fifth shorter
// by chance, which is a number from 0 to below 1: jobs that failed together do
// not come back together.
func (p *policy) pause(attempt int, chance float64) time.Duration {
	attempt = min(max(attempt, 1), len(p.pauses))
	wait := p.pauses[attempt-1]
	return wait - time.Duration(chance*float64(wait/5))
}

// over reports that a job is not tried again whose next try would be at a time.
func (p *policy) over(job *directory.Job, next time.Time) bool {
	return p.attempts > 0 && job.Attempts >= p.attempts || p.maxAge > 0 && next.After(job.CreatedAt.Add(p.maxAge))
}
