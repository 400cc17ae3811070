package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// round is one batch of messages on its way.
type round struct {
	s        *session
	ctx      context.Context // ends with the dispatcher, or with the round's time: no further try begins
	work     context.Context // ends the tries
	stopped  atomic.Bool     // the endpoint is to be left alone
	messages []directory.DueMessage
	outcomes []directory.Outcome // by message
	tried    []bool
	queues   chan []int // places of messages: each is a user's, in order
}

// round sends what is due: the messages of a user one after another, laneCount
// users at once. A message that fails keeps the later ones of its user back; a
// failure that is the endpoint's ends the round. What was not tried has no
// outcome. Those that wait for an earlier one from before have one, without a try.
func (s *session) round(ctx, work context.Context, next *directory.Dispatch) []directory.Outcome {
	if len(next.Messages) == 0 {
		return nil
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, roundLength)
	defer cancel()
	n := len(next.Messages)
	r := &round{s: s, ctx: ctx, work: work, messages: next.Messages, outcomes: make([]directory.Outcome, n), tried: make([]bool, n)}
	queues := r.split()
	if s.probe && len(queues) > 0 {
		r.try(queues[0][0])
		s.probe = false
		queues[0] = r.rest(queues[0])
	}
	r.run(queues)
	s.stopped = r.stopped.Load()
	s.resize(time.Since(start), n)
	return r.gather()
}

// resize decides how many messages the next round asks for, after one of n that
// took a time.
func (s *session) resize(took time.Duration, n int) {
	switch {
	case took > slowRound:
		s.size = max(s.size/2, leastRound)
	case took < quickRound && n >= s.size:
		s.size = min(s.size*2, mostRound)
	}
}

// split sorts the messages into queues, by user in order of first appearance.
func (r *round) split() [][]int {
	var queues [][]int
	of := map[int64]int{} // by user
	for i := range r.messages {
		m := &r.messages[i]
		if m.Behind {
			continue
		}
		q, there := of[m.Event.User]
		if !there {
			q = len(queues)
			of[m.Event.User] = q
			queues = append(queues, nil)
		}
		queues[q] = append(queues[q], i)
	}
	return queues
}

// run works the queues off in lanes.
func (r *round) run(queues [][]int) {
	r.queues = make(chan []int, len(queues))
	for _, queue := range queues {
		if len(queue) > 0 {
			r.queues <- queue
		}
	}
	close(r.queues)
	var lanes sync.WaitGroup
	for range min(laneCount, len(r.queues)) {
		lanes.Go(func() {
			for queue := range r.queues {
				for len(queue) > 0 && r.try(queue[0]) {
					queue = queue[1:]
				}
			}
		})
	}
	lanes.Wait()
}

// rest is what is left of a queue whose first message was tried: nothing after a
// failure.
func (r *round) rest(queue []int) []int {
	if !r.outcomes[queue[0]].Receipt.Delivered {
		return nil
	}
	return queue[1:]
}

// try sends one message, if something may still be sent. It reports whether the
// next one of its user may follow.
func (r *round) try(i int) bool {
	if r.stopped.Load() || r.ctx.Err() != nil {
		return false
	}
	leave, ok := r.s.d.gates.request(r.ctx, r.s.w.Tenant)
	if !ok {
		return false
	}
	defer leave()
	if r.stopped.Load() {
		return false
	}
	m := r.messages[i]
	receipt := r.s.d.send(r.work, r.s.log, &m.Message)
	if !receipt.Delivered && r.work.Err() != nil {
		return false // it was broken off: nobody knows
	}
	r.outcomes[i], r.tried[i] = directory.Outcome{Message: m, Receipt: receipt}, true
	if receipt.Down || receipt.Gone {
		r.stopped.Store(true)
	}
	return receipt.Delivered
}

// gather lists what the Source is told, in the order of the messages.
func (r *round) gather() []directory.Outcome {
	outcomes := make([]directory.Outcome, 0, len(r.messages))
	for i, m := range r.messages {
		switch {
		case r.tried[i]:
			outcomes = append(outcomes, r.outcomes[i])
		case m.Behind:
			outcomes = append(outcomes, directory.Outcome{Message: m})
		}
	}
	return outcomes
}
