package store

import (
	"context"
	"fmt"
)

// Try implements directory.Tx: a savepoint, with changes of its own for what is
// written last. Whoever shares the transaction waits for the locks of a part that
// failed as for those of the others. What makes the whole transaction useless, a
// deadlock or a lost connection, ends it whatever fn's caller makes of it.
func (t *tx) Try(ctx context.Context, fn func() error) error {
	if _, err := t.q.exec(ctx, "SAVEPOINT part"); err != nil {
		return err
	}
	whole, part := t.pending, &changes{batch: t.pending}
	t.pending = part
	defer func() { t.pending = whole }() // also when fn panics
	err := fn()
	whole.keepFailure(part.failed)
	if err == nil {
		// Fails too if fn went on after a statement that ended the part.
		if _, err = t.q.exec(ctx, "RELEASE SAVEPOINT part"); err == nil {
			whole.merge(part)
			return nil
		}
	}
	switch errorClass(err) {
	case classAgain, classConnection:
		whole.keepFailure(err)
	}
	if e := t.e.undoPart(ctx, t.q); e != nil {
		whole.keepFailure(fmt.Errorf("store: undo a part of a transaction: %w", e))
	}
	return err
}

// undoPart takes back the innermost part of a transaction.
func undoPart(ctx context.Context, q querier) error {
	_, err := q.exec(ctx, "ROLLBACK TO SAVEPOINT part")
	if err == nil {
		_, err = q.exec(ctx, "RELEASE SAVEPOINT part")
	}
	return err
}

// undoBrokenPart is undoPart on a connection that may have refused to go on
// after a statement failed. If SQLite has rolled everything back by itself, it
// refuses again, and the closure's own savepoint is gone too.
func undoBrokenPart(ctx context.Context, q querier) error {
	q.(*sqliteConn).broken = nil
	return undoPart(ctx, q)
}

// keepFailure notes an error that the transaction must end with.
func (c *changes) keepFailure(err error) {
	if c.failed == nil {
		c.failed = err
	}
}
