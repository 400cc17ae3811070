package job

import (
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Each kind of job has a policy: its pauses grow, and the store would take a
// longer one than directory.MaxJobPause for the trace of a wrong clock.
func TestPausesGrow(t *testing.T) {
	for _, kind := range directory.JobKinds() {
		p := policies[kind]
		if len(p.pauses) == 0 || !slices.IsSorted(p.pauses) || p.pauses[len(p.pauses)-1] >= directory.MaxJobPause {
			t.Errorf("%s: pauses %v", kind, p.pauses)
		}
		for attempt, longest := range p.pauses {
			if shortest := p.pause(attempt+1, 0.999999); shortest < longest*4/5 || shortest >= longest || p.pause(attempt+1, 0) != longest {
				t.Errorf("%s: pause %d is between %s and %s", kind, attempt+1, shortest, longest)
			}
		}
		if p.pause(0, 0) != p.pauses[0] || p.pause(99, 0) != p.pauses[len(p.pauses)-1] {
			t.Errorf("%s: attempts outside of the table are not taken to its ends", kind)
		}
	}
}

// What has an end is tried for the whole of its time.
func TestPausesFillTheirTime(t *testing.T) {
	for kind, want := range map[directory.JobKind]time.Duration{directory.JobMail: 24 * time.Hour, directory.JobExpiry: 72 * time.Hour} {
		p := policies[kind]
		var sum time.Duration
		for _, pause := range p.pauses {
			sum += pause
		}
		if p.attempts != len(p.pauses)+1 || sum > want || sum < want*98/100 {
			t.Errorf("%s: %d tries take %s, want nearly %s", kind, p.attempts, sum, want)
		}
	}
}

func TestDailyJobsAreNeverGivenUp(t *testing.T) {
	for _, kind := range []directory.JobKind{directory.JobRecycle, directory.JobRetention} {
		p := policies[kind]
		if p.over(&directory.Job{Kind: kind, Attempts: 1 << 30}, time.Now().AddDate(99, 0, 0)) {
			t.Errorf("%s is given up", kind)
		}
	}
}
