package job

import (
	"testing"
	"time"
)

func TestPausesGrowAndEndWithinADay(t *testing.T) {
	var sum time.Duration
	for attempt := 1; attempt < maxAttempts; attempt++ {
		longest, shortest := pause(attempt, 0), pause(attempt, 0.999999)
		if shortest < longest*4/5 || shortest >= longest {
			t.Errorf("pause %d is between %s and %s", attempt, shortest, longest)
		}
		if attempt > 1 && longest < pause(attempt-1, 0) {
			t.Errorf("pause %d is shorter than the one before", attempt)
		}
		sum += longest
	}
	if sum > maxAge {
		t.Errorf("the tries take %s", sum)
	}
	if pause(0, 0) != pauses[0] || pause(99, 0) != pauses[len(pauses)-1] {
		t.Error("attempts outside of the table are not taken to its ends")
	}
}
