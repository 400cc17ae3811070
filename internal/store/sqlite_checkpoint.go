package store

import (
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// The write-ahead log is copied into the database off the write path: a
// checkpoint inside of a commit costs two to three times the latency of the
// slowest writes.
const (
	checkpointEvery = 200 * time.Millisecond
	// walLimit is the length of the log in bytes above which it is cut, as soon
	// as no reader needs it.
	walLimit = 64 << 20
)

// checkpointer runs checkpoints on a connection of its own while there are
// commits.
type checkpointer struct {
	conn    *sqliteConn
	wal     string
	commits *atomic.Int64 // of the writer
	log     *slog.Logger
	stop    chan struct{}
	stopped chan struct{}
}

func startCheckpointer(conn *sqliteConn, wal string, commits *atomic.Int64, log *slog.Logger) *checkpointer {
	c := &checkpointer{conn: conn, wal: wal, commits: commits, log: log, stop: make(chan struct{}), stopped: make(chan struct{})}
	go c.run()
	return c
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	done := int64(-1) // the log may be left over from an earlier process
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		if n := c.commits.Load(); n != done && c.checkpoint("PASSIVE") {
			done = n
		}
		if info, err := os.Stat(c.wal); err == nil && info.Size() > walLimit {
			c.checkpoint("TRUNCATE")
		}
	}
}

// checkpoint reports whether everything in the log was copied. That it was
// not, because a reader still needs the older pages, is no error.
func (c *checkpointer) checkpoint(mode string) bool {
	all := false
	err := c.conn.query(noCancel, "PRAGMA wal_checkpoint("+mode+")", nil, func(r *row) {
		busy, log, copied := r.int(), r.int(), r.int()
		all = busy == 0 && log == copied
	})
	c.conn.broken = nil
	if err != nil {
		c.log.Error("checkpoint failed", "mode", mode, "error", err)
	}
	return err == nil && all
}

// close empties the log, so that the database is one file again.
func (c *checkpointer) close() error {
	close(c.stop)
	<-c.stopped
	c.checkpoint("TRUNCATE")
	return c.conn.close()
}
