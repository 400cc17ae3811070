package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// exactly is the quantile of times by sorting them.
func exactly(times []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

// A quantile is never too low, and too high by less than 1 part in 128.
func TestQuantilesAreThoseOfSortedTimes(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		times := make([]time.Duration, 1+random.IntN(400))
		shift := random.IntN(rangeBits)
		for i := range times {
			// Times of one size, and times of all sizes.
			times[i] = time.Duration(random.Int64N(int64(longest)+1)) >> shift
			if seed%2 == 0 {
				times[i] >>= random.IntN(rangeBits)
			}
		}
		var whole, one, two Histogram
		for i, d := range times {
			whole.Record(d)
			if i%3 == 0 {
				one.Record(d)
			} else {
				two.Record(d)
			}
		}
		one.Add(&two)
		if whole.Count() != len(times) || whole.Max() != slices.Max(times) {
			t.Fatalf("seed %d: %d times with a maximum of %v became %d and %v", seed, len(times), slices.Max(times), whole.Count(), whole.Max())
		}
		for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1, random.Float64()} {
			got, want := whole.Quantile(q), exactly(times, q)
			if got < want || float64(got-want) > float64(want)/linear {
				t.Fatalf("seed %d: quantile %v is %v, want %v", seed, q, got, want)
			}
			if again := one.Quantile(q); again != got {
				t.Fatalf("seed %d: quantile %v of two histograms added is %v, of one %v", seed, q, again, got)
			}
		}
	}
}

// Every time is in one bucket, whose highest is the last that is in it.
func TestBucketsMeet(t *testing.T) {
	for bucket := range buckets - 1 {
		last := highest(bucket)
		if bucketOf(last) != bucket || bucketOf(last+1) != bucket+1 {
			t.Fatalf("bucket %d ends at %d, which is in %d, and %d is in %d", bucket, last, bucketOf(last), last+1, bucketOf(last+1))
		}
	}
	if bucketOf(uint64(longest)) != buckets-1 {
		t.Errorf("the longest time is in bucket %d of %d", bucketOf(uint64(longest)), buckets)
	}
}

func TestTimesOutOfRange(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 {
		t.Errorf("an empty histogram has %v, %v, %v", h.Quantile(0.5), h.Mean(), h.Max())
	}
	h.Record(-time.Second)
	h.Record(24 * time.Hour)
	if h.Quantile(0.5) != 0 || h.Quantile(1) != longest {
		t.Errorf("less than nothing and a day became %v and %v", h.Quantile(0.5), h.Quantile(1))
	}
}

// The correction adds for each late time those that would have waited too.
func TestCorrectionAddsWhatWasNotSent(t *testing.T) {
	var h Histogram
	for range 100 {
		h.Record(time.Millisecond)
	}
	h.Record(100 * time.Millisecond)
	corrected := h.Corrected(10 * time.Millisecond)
	if got, want := corrected.Count(), 100+10; got != want { // 100, 90, … 10 ms
		t.Errorf("%d times, want %d", got, want)
	}
	if got := corrected.Quantile(0.95); got < 40*time.Millisecond || got > 60*time.Millisecond {
		t.Errorf("the 95th percentile is %v, want that of 50 ms", got)
	}
	if same := h.Corrected(0); same.Count() != h.Count() || same.Max() != h.Max() {
		t.Errorf("without an interval %d times became %d", h.Count(), same.Count())
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	times := make([]time.Duration, 1024)
	for i := range times {
		times[i] = time.Duration(rand.Int64N(int64(time.Second)))
	}
	for i := 0; b.Loop(); i++ {
		h.Record(times[i%len(times)])
	}
}
