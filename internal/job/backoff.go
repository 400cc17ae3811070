package job

import "time"

// When a job is given up: after maxAttempts claims, or when its next try would
// come later than maxAge after it was asked for. A message about a password is
// of no use to anybody after a day.
const (
	maxAttempts = 10
	maxAge      = 24 * time.Hour
)

// pauses are the waits after each try but the last. The first ones get past a
// server that restarts or that lets strangers wait (greylisting), the last ones
// past a night; together they stay below maxAge.
var pauses = [maxAttempts - 1]time.Duration{
	time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	4 * time.Hour, 4 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}

// pause is the wait after the given try, counted from 1, up to a fifth shorter
// by chance, which is a number from 0 to below 1: jobs that failed together do
// not come back together.
func pause(attempt int, chance float64) time.Duration {
	attempt = min(max(attempt, 1), len(pauses))
	p := pauses[attempt-1]
	return p - time.Duration(chance*float64(p/5))
}
