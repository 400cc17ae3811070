package bench

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/load"
)

// everyDoor measures a scenario through every door at 100,000 users, in
// alternate slices beside the bare handler, which is short ones and many, so that
// what is compared is not far apart.
func everyDoor(b *testing.B, scenario string) []*load.Contender {
	b.Helper()
	installed, err := load.Install(b.Context(), load.Setup{Program: binary(b), Dir: directories(b), Users: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(installed.Close)
	var list []*load.Contender
	for _, door := range load.Doors() {
		c, err := installed.Contender(b.Context(), scenario, door, 0, 0)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, c)
	}
	if err := load.Compete(b.Context(), bare(b), list, load.Rounds{Rounds: 12, Slice: time.Second, Warm: time.Second}); err != nil {
		b.Fatal(err)
	}
	return list
}

// reportDoors reports each door, beside the one with the highest rate too. A
// door is as good as the others when its ratio to the fastest is 0.7 or more.
func reportDoors(b *testing.B, list []*load.Contender) {
	fastest := list[0]
	for _, c := range list {
		if c.PerSecond > fastest.PerSecond {
			fastest = c
		}
	}
	for _, c := range list {
		b.Run(c.Door, func(b *testing.B) {
			if len(c.Errors) > 0 {
				b.Errorf("%v: %s", c.Errors, c.FirstBad)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(c.PerSecond, "req/s")
			b.ReportMetric(c.CPU, "cpu-µs/req")
			b.ReportMetric(c.Latency.P50, "p50-ms")
			b.ReportMetric(c.Latency.P99, "p99-ms")
			b.ReportMetric(c.Ratio, "ratio-to-bare")
			b.ReportMetric(c.PerSecond/fastest.PerSecond, "ratio-to-fastest")
		})
	}
}

// BenchmarkActivation activates and deactivates users through every door,
// durably, and counts both.
func BenchmarkActivation(b *testing.B) { reportDoors(b, everyDoor(b, "state")) }

// BenchmarkGetByDoor reads one user through every door.
func BenchmarkGetByDoor(b *testing.B) { reportDoors(b, everyDoor(b, "read")) }
