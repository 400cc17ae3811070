package directory

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// DefaultStrangersPerAddress is how many credentials that nobody has an address may
// present in a minute, with a burst of the same size: what a wrong setting in a few
// programs makes, or the sign-ins of an office that end with a new release.
const DefaultStrangersPerAddress = 300

// What an address meets that has presented more.
const (
	// strangerPause is the least time between two look-ups of what it presents.
	strangerPause = 250 * time.Millisecond
	// strangerLine is how many calls of it wait for their look-up.
	strangerLine = 16
	// strangerLines is how many wait of all addresses together.
	strangerLines = 512
	// recognisedSlots bounds how many credentials are remembered as valid.
	recognisedSlots = 1 << 16
)

// StrangerLimiter slows who tries credentials, by address of the client. An address
// that has presented too many that nobody has is refused, and what it presents is
// looked up one after another with pauses between; who finds the line full is refused
// without a look-up. A credential that was valid in this process a moment ago never
// waits, so that a program is not kept out by who else comes through the same proxy;
// one that is used for the first time is looked up in its turn.
//
// It decides nothing but whether to look: what is valid the database says with every
// call. It counts per process in bounded memory and is safe for concurrent use
// (docs/decisions/0047).
type StrangerLimiter struct {
	now        func() time.Time
	perMinute  int
	pause      time.Duration
	addresses  *otter.Cache[string, *strangers]
	waiting    atomic.Int64
	seed       maphash.Seed
	recognised [recognisedSlots]atomic.Uint64
}

// strangers is what is known of one address.
type strangers struct {
	failures *rate.Limiter
	turn     chan struct{} // holds one while somebody's credential is looked up
	waiting  atomic.Int64
}

// whose is what a look-up of a credential found.
type whose uint8

const (
	unlooked  whose = iota // it failed
	nobodys                // nobody has the credential
	somebodys              // somebody has it, or had it
)

// NewStrangerLimiter makes a StrangerLimiter; now is the clock. A limit of 0 or less
// is DefaultStrangersPerAddress.
func NewStrangerLimiter(perMinute int, now func() time.Time) *StrangerLimiter {
	if perMinute <= 0 {
		perMinute = DefaultStrangersPerAddress
	}
	return &StrangerLimiter{now: now, perMinute: perMinute, pause: strangerPause, seed: maphash.MakeSeed(),
		addresses: otter.Must(&otter.Options[string, *strangers]{MaximumSize: trackedKeys})}
}

// mark is the fingerprint of a credential, which is never 0, and where it is kept. The
// seed is this process's own: nobody can choose a text that is taken for another, and
// if it were, it would be looked up like any.
func (l *StrangerLimiter) mark(name string, secret Secret) (slot *atomic.Uint64, mark uint64) {
	mark = maphash.String(l.seed, string(secret))
	if name != "" {
		mark ^= maphash.String(l.seed, name) * 31
	}
	mark |= 1
	return &l.recognised[mark>>1%recognisedSlots], mark
}

// Recognise remembers a credential that this process has just given: its first use
// is not a stranger's.
func (l *StrangerLimiter) Recognise(name string, secret Secret) {
	slot, mark := l.mark(name, secret)
	slot.Store(mark)
}

// Recognises reports whether a credential was valid in this process; name is "" where
// the credential is not a pair.
func (l *StrangerLimiter) Recognises(name string, secret Secret) bool {
	slot, mark := l.mark(name, secret)
	return slot.Load() == mark
}

// turn is what Leave gives back; the zero value is of who did not have to wait.
type turn struct{ of *strangers }

// Enter comes before the look-up of a credential from an address, and Leave after it.
// An error is limit.credentials, without a look-up: the line is full, or the caller has
// gone. "" stands for no address and is not limited.
func (l *StrangerLimiter) Enter(ctx context.Context, addr, name string, secret Secret) (turn, error) {
	if addr == "" || l.Recognises(name, secret) {
		return turn{}, nil
	}
	at, _ := l.addresses.GetIfPresent(addressKey(addr))
	if at == nil || at.failures.TokensAt(l.now()) >= 1 {
		return turn{}, nil
	}
	return turn{at}, l.wait(ctx, at)
}

// Leave notes what the look-up found. It returns limit.credentials where nobody has the
// credential and the address had presented too many before.
func (l *StrangerLimiter) Leave(t turn, addr, name string, secret Secret, found whose) error {
	if t.of == nil || found != nobodys {
		l.note(addr, name, secret, found)
		if t.of != nil {
			<-t.of.turn
		}
		return nil
	}
	time.AfterFunc(l.pause, func() { <-t.of.turn })
	return TooManyStrangers(t.of.retryAfter(l.now()))
}

// wait waits for the turn of a call from an address.
func (l *StrangerLimiter) wait(ctx context.Context, at *strangers) error {
	defer l.waiting.Add(-1)
	defer at.waiting.Add(-1)
	// Both are added, whichever is too many: what is added is taken away.
	if all, here := l.waiting.Add(1), at.waiting.Add(1); all > strangerLines || here > strangerLine {
		return TooManyStrangers(time.Second)
	}
	select {
	case at.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return TooManyStrangers(time.Second).Because(context.Cause(ctx))
	}
}

// note remembers how a look-up ended.
func (l *StrangerLimiter) note(addr, name string, secret Secret, found whose) {
	slot, mark := l.mark(name, secret)
	if found == somebodys && slot.Load() != mark { // a write of what is there would cost every core its copy
		slot.Store(mark)
	}
	if found != nobodys {
		return
	}
	slot.CompareAndSwap(mark, 0)
	if addr == "" {
		return
	}
	at, _ := l.addresses.ComputeIfAbsent(addressKey(addr), func() (*strangers, bool) {
		every := rate.Every(time.Minute / time.Duration(l.perMinute))
		return &strangers{failures: rate.NewLimiter(every, l.perMinute), turn: make(chan struct{}, 1)}, false
	})
	at.failures.AllowN(l.now(), 1)
}

// retryAfter is how long until a wrong credential of the address is nothing special.
func (s *strangers) retryAfter(now time.Time) time.Duration {
	return time.Duration((1 - s.failures.TokensAt(now)) / float64(s.failures.Limit()) * float64(time.Second))
}

// TooManyStrangers is the error for a credential that nobody has, from an address that
// has presented too many of them.
func TooManyStrangers(retryAfter time.Duration) *Error {
	e := Wrong(CodeRateLimited, ReasonTooManyStrangers, "Too many invalid credentials from this address. Try again later.")
	e.Retry = retryAfter
	return e
}
