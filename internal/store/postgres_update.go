package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usher-id/usher/internal/directory"
)

// The bounds of retries.
const (
	maxTries     = 8
	firstBackoff = 5 * time.Millisecond
	commitWithin = 30 * time.Second
)

// errCommitUnknown is a COMMIT that was sent and not answered.
type errCommitUnknown struct{ cause error }

func (e *errCommitUnknown) Error() string { return "store: no answer to COMMIT: " + e.cause.Error() }
func (e *errCommitUnknown) Unwrap() error { return e.cause }

// Update implements directory.Store. What failed without an effect is tried
// again: serialization failures and deadlocks, a unique key once (the second
// run finds the row by look-up), and a lost connection as long as COMMIT was
// not sent. After that the last event of the transaction tells what happened.
func (db *postgresDB) Update(ctx context.Context, fn func(directory.Tx) error) error {
	pending := &changes{}
	duplicates := 0
	began := time.Now()
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		pending.reset()
		err := db.attempt(ctx, fn, pending)
		if err == nil {
			db.wakeSealer(pending)
			return nil
		}
		if unknown, ok := errors.AsType[*errCommitUnknown](err); ok {
			committed, e := db.outcome(ctx, pending.event)
			if e != nil {
				return outcomeUnknown(errors.Join(unknown, e))
			}
			if committed {
				db.wakeSealer(pending)
				return nil
			}
		} else if again, final := retry(ctx, err, &duplicates); !again {
			return final
		}
		if try == maxTries || db.opts.Patience > 0 && time.Since(began) >= db.opts.Patience {
			return busy(err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// retry decides about an error that had no effect on the database.
func retry(ctx context.Context, err error, duplicates *int) (again bool, final error) {
	switch {
	case ctx.Err() != nil:
		return false, err
	case errors.Is(err, directory.ErrDuplicate):
		*duplicates++
		if *duplicates == 2 {
			return false, writeConflict(err)
		}
		return true, nil
	}
	switch errorClass(err) {
	case classAgain, classConnection:
		return true, nil
	}
	return false, err
}

// pause waits longer after each try, at random, so that two transactions that
// have met do not meet again.
func pause(ctx context.Context, try int) error {
	limit := firstBackoff << (try - 1)
	wait := time.NewTimer(limit/2 + rand.N(limit))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt runs fn in one transaction.
func (db *postgresDB) attempt(ctx context.Context, fn func(directory.Tx) error, pending *changes) error {
	end, guard := endAfter(ctx, db.opts.Patience)
	conn, err := db.pool.Conn(end)
	guard.stop()
	if err != nil {
		return wait(ctx, err)
	}
	defer conn.Close() // back to the pool, when the transaction has ended
	end, guard = steady(ctx, db.opts.Patience)
	defer guard.stop()
	t, err := conn.BeginTx(end, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return wait(ctx, err)
	}
	defer t.Rollback() // also when fn panics; after a commit it does nothing
	guard.rest()
	q := copyQuerier{sqlQuerier{t, db.opts.Patience}, conn}
	err = fn(&tx{reader{e: db.engine, q: q, pending: pending}})
	if pending.failed != nil {
		return pending.failed
	}
	if err != nil {
		return err
	}
	pending.settleEvents()
	if err := pending.flush(ctx, db.engine, q); err != nil {
		return err
	}
	guard.again()
	return db.commit(ctx, t)
}

// commit ends the transaction. A caller who leaves does not stop it: nobody
// would know the outcome.
func (db *postgresDB) commit(ctx context.Context, t *sql.Tx) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := t.Commit()
	if err == nil {
		return nil
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); answered && errorClass(err) != classConnection {
		return err // the server said that it did not commit
	}
	return &errCommitUnknown{err}
}

func outcomeUnknown(cause error) error {
	return directory.Wrong(directory.CodeUnavailable, directory.ReasonOutcomeUnknown,
		"The change was sent, but whether it was made is not known. Read again before you repeat it.").Because(cause)
}
