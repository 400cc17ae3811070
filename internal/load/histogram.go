package load

import (
	"math"
	"math/bits"
	"time"
)

// A Histogram counts times in buckets: 128 of equal width between two powers of
// two, so that a quantile is too high by less than 1 part in 128, with 34 KiB
// however many times it holds. Times over 18 minutes count as that. The zero
// value is empty.
type Histogram struct {
	counts []uint64 // made by the first time
	total  uint64
	max    time.Duration
	sum    float64 // nanoseconds
}

const (
	linearBits = 7 // 2^7 buckets in each power of two
	linear     = 1 << linearBits
	rangeBits  = 40 // nanoseconds: 2^40 are 18 minutes
	buckets    = (rangeBits - linearBits + 1) * linear
	longest    = time.Duration(1)<<rangeBits - 1
)

// bucketOf is the bucket of a time in nanoseconds.
func bucketOf(ns uint64) int {
	if ns < linear {
		return int(ns)
	}
	shift := bits.Len64(ns) - linearBits - 1
	return (shift+1)*linear + int(ns>>shift) - linear
}

// highest is the longest time of a bucket in nanoseconds.
func highest(bucket int) uint64 {
	if bucket < linear {
		return uint64(bucket)
	}
	shift := bucket/linear - 1
	return uint64(bucket%linear+linear+1)<<shift - 1
}

// Record counts a time. One below zero counts as zero.
func (h *Histogram) Record(d time.Duration) { h.record(d, 1) }

func (h *Histogram) record(d time.Duration, times uint64) {
	d = min(max(d, 0), longest)
	if h.counts == nil {
		h.counts = make([]uint64, buckets)
	}
	h.counts[bucketOf(uint64(d))] += times
	h.total += times
	h.max = max(h.max, d)
	h.sum += float64(d) * float64(times)
}

// Add counts what another histogram has counted.
func (h *Histogram) Add(other *Histogram) {
	if other.total == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint64, buckets)
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
	h.sum += other.sum
}

// Count is how many times were recorded.
func (h *Histogram) Count() int { return int(h.total) }

// Max is the longest time.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the mean time; 0 of an empty histogram.
func (h *Histogram) Mean() time.Duration {
	if h.total == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.total))
}

// Quantile is the least time that the part q (0 to 1) of all did not exceed,
// rounded up to the end of its bucket; 0 of an empty histogram.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(min(max(q, 0), 1)*float64(h.total))), 1)
	var below uint64
	for bucket, n := range h.counts {
		if below += n; below >= rank {
			return min(time.Duration(highest(bucket)), h.max)
		}
	}
	return 0
}

// Corrected is what a closed loop would have recorded had its connections gone
// on sending every interval while one request took longer: for each time over
// the interval also those of the requests that were not sent meanwhile, shorter
// by one interval each. It is an estimate, as HdrHistogram makes it; an open
// loop measures instead.
func (h *Histogram) Corrected(interval time.Duration) Histogram {
	var out Histogram
	if interval <= 0 {
		out.Add(h)
		return out
	}
	for bucket, n := range h.counts {
		if n == 0 {
			continue
		}
		for d := min(time.Duration(highest(bucket)), h.max); ; d -= interval {
			out.record(d, n)
			if d <= interval {
				break
			}
		}
	}
	return out
}
