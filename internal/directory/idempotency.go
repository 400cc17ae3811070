package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

// AnswersKept is how long the answer to an idempotency key is kept.
const AnswersKept = 24 * time.Hour

// maxIdempotencyKey is the greatest length of a key in bytes.
const maxIdempotencyKey = 255

// Idempotency makes a creating use case happen once for a key of the caller
// (draft-ietf-httpapi-idempotency-key-header-07). What the first call answered
// is kept with the creation, in one transaction, and every repetition within
// AnswersKept fails with it, as a *Replay, having changed nothing.
type Idempotency struct {
	// Key is what the client chose, 1 to 255 visible ASCII characters.
	Key string
	// Request tells requests apart: a key that comes again with another is
	// idempotency.reused. A hash of method, path and body will do.
	Request []byte
	// Answer makes the answer to keep from what was created: what the use case
	// returns. It is called inside of the transaction and may be called twice.
	Answer func(created any) ([]byte, error)
}

// Replay is not a failure but the answer that an idempotency key had before.
type Replay struct{ Answer []byte }

// Error implements error.
func (*Replay) Error() string { return "directory: answered before" }

// Answer is the kept answer of an idempotency key.
type Answer struct {
	Tenant    TenantNo
	Caller    string // whose key it is: Actor.identity
	Key       []byte // SHA-256 of the key
	Request   []byte // SHA-256 of Idempotency.Request, sealed: a hash as fast as that gives a password away
	Sealed    []byte // the answer, which may hold a secret that is shown once
	CreatedAt time.Time
}

// once runs a transaction that creates something, under the call's idempotency
// key if it has one. fn returns what was created, as the use case will. What is
// still to be made has no version: a condition that asks for one, or for any, is
// not met. Errors: those of fn, *Replay, version.mismatch, idempotency.reused,
// idempotency.in_progress.
func (s *Service) once(ctx context.Context, call *Call, create func(tx Tx) (any, error)) error {
	fn := func(tx Tx) (any, error) {
		if err := call.If.checkAbsent(); err != nil {
			return nil, err
		}
		return create(tx)
	}
	if call.Idempotency == nil {
		return s.store.Update(ctx, func(tx Tx) error {
			_, err := fn(tx)
			return err
		})
	}
	answer, err := call.newAnswer(s.now())
	if err != nil {
		return err
	}
	release, ok := s.working.begin(&answer)
	if !ok {
		return Wrong(CodeConflict, ReasonIdempotencyInProgress, "A request with this idempotency key is being worked on.")
	}
	defer release()
	return s.store.Update(ctx, func(tx Tx) error {
		if err := s.replay(ctx, tx, &answer); err != nil {
			return err
		}
		created, err := fn(tx)
		if err != nil {
			return err
		}
		plain, err := call.Idempotency.Answer(created)
		if err != nil {
			return err
		}
		kept := answer
		if kept.Request, err = s.opts.Sealer.Seal(kept.requestPurpose(), answer.Request); err != nil {
			return err
		}
		if kept.Sealed, err = s.opts.Sealer.Seal(kept.purpose(), plain); err != nil {
			return err
		}
		return tx.InsertAnswer(ctx, kept)
	})
}

// replayed is the answer of a key that was answered before, as an error: asked
// first, so that a repetition costs no password hash. It answers nothing for a
// key that is new.
func (s *Service) replayed(ctx context.Context, call *Call) error {
	if call.Idempotency == nil {
		return nil
	}
	answer, err := call.newAnswer(s.now())
	if err != nil {
		return err
	}
	return s.store.Read(ctx, func(r Reader) error { return s.replay(ctx, r, &answer) })
}

// replay looks the answer of a key up.
func (s *Service) replay(ctx context.Context, r Reader, a *Answer) error {
	held, err := r.Answer(ctx, a.Tenant, a.Caller, a.Key)
	if errors.Is(err, ErrNotFound) || err == nil && a.CreatedAt.Sub(held.CreatedAt) >= AnswersKept {
		return nil
	}
	if err != nil {
		return err
	}
	request, err := s.opts.Sealer.Open(held.requestPurpose(), held.Request)
	if err != nil {
		return err
	}
	if !bytes.Equal(request, a.Request) {
		return Invalid("idempotency_key", ReasonIdempotencyReused, "This idempotency key was used for another request.")
	}
	plain, err := s.opts.Sealer.Open(held.purpose(), held.Sealed)
	if err != nil {
		return err
	}
	return &Replay{Answer: plain}
}

// newAnswer is the row of the call's key, without an answer, and with the hash of
// the request not sealed yet.
func (c *Call) newAnswer(now time.Time) (Answer, error) {
	key := c.Idempotency.Key
	if key == "" || len(key) > maxIdempotencyKey {
		return Answer{}, Invalid("idempotency_key", ReasonFieldLength, "An idempotency key has 1 to %d characters.", maxIdempotencyKey)
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return Answer{}, Invalid("idempotency_key", ReasonFieldFormat, "An idempotency key has visible ASCII characters only.")
		}
	}
	request := sha256.Sum256(c.Idempotency.Request)
	return Answer{Tenant: c.Actor.Tenant, Caller: c.Actor.identity(), Key: hashOf(key), Request: request[:], CreatedAt: now}, nil
}

// purpose binds a sealed answer to its key.
func (a *Answer) purpose() string {
	return fmt.Sprintf("answer %d %s %x", a.Tenant, a.Caller, a.Key)
}

// requestPurpose binds a sealed request to its key.
func (a *Answer) requestPurpose() string { return a.purpose() + " request" }

// working is the idempotency keys that this process is working on. Another
// process waits for the row instead, and then replays it.
type working struct{ keys sync.Map }

// begin reports whether nobody works on the key yet; release ends that.
func (w *working) begin(a *Answer) (release func(), ok bool) {
	name := a.purpose()
	if _, busy := w.keys.LoadOrStore(name, true); busy {
		return nil, false
	}
	return func() { w.keys.Delete(name) }, true
}
