package store

import (
	"context"
	"errors"
	"time"
)

// The bounds of the search for what became of a COMMIT.
const (
	outcomeWithin = 5 * time.Second
	outcomeEvery  = 100 * time.Millisecond
)

// outcome finds out whether a transaction was committed, from the event that
// it wrote last. Only a primary's answer counts: a standby may be behind.
func (db *postgresDB) outcome(ctx context.Context, event committedEvent) (bool, error) {
	if event.seq == 0 {
		return false, errors.New("store: the transaction wrote no event to look for")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWithin)
	defer cancel()
	for {
		found, err := db.lookForEvent(ctx, event)
		if err == nil {
			return found, nil
		}
		wait := time.NewTimer(outcomeEvery)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return false, errors.Join(err, ctx.Err())
		}
	}
}

// lookForEvent asks a primary once. A COMMIT that waited for a synchronous standby
// and was interrupted shows its rows before the standby has them (PostgreSQL
// documentation, 27.2.8.3), and a promotion would lose them: the event counts when a
// later record of the log has been acknowledged as every commit is.
func (db *postgresDB) lookForEvent(ctx context.Context, event committedEvent) (bool, error) {
	var standby bool
	var found int
	// In one statement: between two it could move from one table to the other.
	err := db.pool.QueryRowContext(ctx, `SELECT pg_is_in_recovery(), (SELECT count(*) FROM events_new WHERE tenant = $3 AND seq = $1 AND id = $2)
		+ (SELECT count(*) FROM events WHERE seq = $1 AND id = $2)`, event.seq, event.id, int64(event.tenant)).Scan(&standby, &found)
	if err != nil {
		return false, err
	}
	if standby {
		return false, errors.New("store: connected to a standby")
	}
	if found > 0 {
		_, err = db.pool.ExecContext(ctx, "SELECT pg_logical_emit_message(true, 'usher', '')")
	}
	return found > 0, err
}
