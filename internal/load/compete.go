package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Figure is what was measured of one scenario. Times are in milliseconds,
// processor time is in microseconds for a request.
type Figure struct {
	Scenario    string  `json:"scenario"`
	Door        string  `json:"door"`
	Engine      string  `json:"engine,omitempty"`
	Users       int     `json:"users,omitempty"`
	Processes   int     `json:"processes,omitempty"`
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate,omitempty"` // of an open loop, a second

	Requests  int     `json:"requests"`
	PerSecond float64 `json:"per_second"`
	// The bare handler in the same rounds on as many connections, and the median of
	// the rounds' quotients with the least and the greatest of them; absent of an
	// open loop.
	BarePerSecond float64 `json:"bare_per_second,omitempty"`
	Ratio         float64 `json:"ratio,omitempty"`
	RatioLow      float64 `json:"ratio_low,omitempty"`
	RatioHigh     float64 `json:"ratio_high,omitempty"`

	CPU         float64 `json:"cpu_us,omitempty"`          // of the usher processes
	DatabaseCPU float64 `json:"database_cpu_us,omitempty"` // of PostgreSQL, where it is on this machine
	BareCPU     float64 `json:"bare_cpu_us,omitempty"`

	Latency Percentiles `json:"latency_ms"`
	// Corrected is the closed loop's, as if every connection had gone on sending at
	// its mean interval while an answer was late.
	Corrected *Percentiles `json:"corrected_latency_ms,omitempty"`

	Errors   map[int]int `json:"errors,omitempty"` // by status; 0: no answer
	FirstBad string      `json:"first_error,omitempty"`
	Unsent   int         `json:"unsent,omitempty"`
}

// Percentiles are times in milliseconds.
type Percentiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

func percentilesOf(h *Histogram) Percentiles {
	ms := func(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }
	return Percentiles{Mean: ms(h.Mean()), P50: ms(h.Quantile(0.5)), P90: ms(h.Quantile(0.9)), P99: ms(h.Quantile(0.99)), P999: ms(h.Quantile(0.999)), Max: ms(h.Max())}
}

// round keeps four digits: more are noise.
func round(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	// Divided by a power of ten, a number prints with few digits.
	if unit < 1 {
		return math.Round(x/unit) / math.Round(1/unit)
	}
	return math.Round(x/unit) * unit
}

// Contender is one load with its figures.
type Contender struct {
	Figure
	plan             *Plan
	own              bool // whom the plan changes was made for it
	site             *Site
	load             Load
	cpu, databaseCPU func() time.Duration
	rounds           []turn
	total            Result
}

// turn is what a load and the bare handler did in one round.
type turn struct {
	perSecond, bare, cpu, databaseCPU, bareCPU float64
}

// Rounds says how long is measured: a slice of each load in each round, after a
// shorter one of each that counts for nothing.
type Rounds struct {
	Rounds int
	Slice  time.Duration
	Warm   time.Duration
}

// Compete measures loads in alternate slices, beside the bare handler on as many
// connections unless bare is nil. Each begins a round in its turn, because what a
// slice leaves behind is paid for in the next one. An error is that something
// could not be measured; errors of servers are in the figures.
func Compete(ctx context.Context, bare *Process, list []*Contender, r Rounds) error {
	for round := range r.Rounds + 1 {
		slice := r.Slice
		if round == 0 {
			slice = r.Warm
		}
		if slice <= 0 {
			continue
		}
		bares := map[int]turn{}
		for at := range list {
			c := list[(at+round)%len(list)]
			if _, ok := bares[c.load.Conns]; !ok && bare != nil && c.load.Rate == 0 {
				b, err := measureBare(ctx, bare, c.load.Conns, slice)
				if err != nil {
					return err
				}
				bares[c.load.Conns] = b
			}
			if err := c.measure(ctx, slice, round > 0, bares[c.load.Conns]); err != nil {
				return fmt.Errorf("%s through %s: %w", c.Scenario, c.Door, err)
			}
		}
	}
	for _, c := range list {
		c.finish()
	}
	return nil
}

func measureBare(ctx context.Context, bare *Process, conns int, slice time.Duration) (b turn, err error) {
	get := Request{Method: "GET", Path: "/"}
	request := get.Append(nil, "bench")
	l := Load{Addrs: []string{bare.Addr}, Conns: conns, For: slice, Next: func(buf []byte, _, _ int) []byte { return append(buf, request...) }}
	before := bare.CPU()
	result, err := l.Run(ctx)
	if err != nil {
		return b, err
	}
	return turn{bare: result.PerSecond(), bareCPU: microseconds(bare.CPU()-before, result.Requests())}, nil
}

func microseconds(d time.Duration, requests int) float64 {
	if requests == 0 {
		return 0
	}
	return float64(d.Microseconds()) / float64(requests)
}

// measure puts the load on the servers for a slice.
func (c *Contender) measure(ctx context.Context, slice time.Duration, counts bool, r turn) error {
	l := c.load
	l.For = slice
	cpu, databaseCPU := c.cpu(), c.databaseCPU()
	result, err := l.Run(ctx)
	r.perSecond = result.PerSecond()
	r.cpu, r.databaseCPU = microseconds(c.cpu()-cpu, result.Requests()), microseconds(c.databaseCPU()-databaseCPU, result.Requests())
	if err := errors.Join(err, c.undo(ctx)); err != nil || !counts {
		return err
	}
	c.rounds = append(c.rounds, r)
	c.total.Open, c.total.Conns = result.Open, result.Conns
	c.total.Elapsed += result.Elapsed
	c.total.Merge(&result)
	return nil
}

// undo leaves the users as they were, so that the next load finds them so too,
// and also when the load was stopped. Whoever cannot be set back is in the
// *Unrestored, unless the people are the run's own, who are deleted at its end.
func (c *Contender) undo(ctx context.Context) error {
	if left := c.site.reverse(ctx, c.plan.Undo()); left != nil && !c.own {
		return left
	}
	return nil
}

// finish makes the figures.
func (c *Contender) finish() {
	c.PerSecond, c.CPU, c.DatabaseCPU = c.median(func(r turn) float64 { return r.perSecond }),
		c.median(func(r turn) float64 { return r.cpu }), c.median(func(r turn) float64 { return r.databaseCPU })
	c.BarePerSecond, c.BareCPU = c.median(func(r turn) float64 { return r.bare }), c.median(func(r turn) float64 { return r.bareCPU })
	if c.BarePerSecond > 0 {
		quotient := func(r turn) float64 { return r.perSecond / r.bare }
		c.Ratio = c.median(quotient)
		all := c.all(quotient)
		c.RatioLow, c.RatioHigh = round(slices.Min(all)), round(slices.Max(all))
	}
	c.Requests, c.Errors, c.FirstBad, c.Unsent = c.total.Requests(), c.total.Errors, c.total.FirstBad, c.total.Unsent
	c.Figure.Latency = percentilesOf(&c.total.Latency)
	if !c.total.Open {
		corrected := c.total.Corrected()
		p := percentilesOf(&corrected)
		c.Figure.Corrected = &p
	}
}

// Histogram is the times of all answers that counted.
func (c *Contender) Histogram() *Histogram { return &c.total.Latency }

func (c *Contender) all(of func(turn) float64) (list []float64) {
	for _, r := range c.rounds {
		list = append(list, of(r))
	}
	return list
}

func (c *Contender) median(of func(turn) float64) float64 { return round(Median(c.all(of))) }

// Median is the middle of some numbers, of an even count the greater of the two;
// 0 of none.
func Median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
