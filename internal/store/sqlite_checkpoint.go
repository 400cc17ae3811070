package store

import (
	"log/slog"
	"os"
	"time"
)

// The write-ahead log is copied into the database off the write path: a
// checkpoint inside of a commit costs two to three times the latency of the
// slowest writes. SQLite begins the log anew only when all of it was copied,
// which never happens by itself under load; a log that goes on growing makes
// every sync of a commit dearer, since the file's length is synced too. So the
// writer is asked, when the log is long, to copy the last few pages itself.
const (
	checkpointEvery = 200 * time.Millisecond
	// longLog is the length of the log in pages above which the writer is asked.
	longLog = 4000
	// walLimit is the length of the log file in bytes above which it is cut when
	// nothing has been written for idleTicks.
	walLimit  = 64 << 20
	idleTicks = 25
)

// checkpointer runs checkpoints on a connection of its own while there are
// commits.
type checkpointer struct {
	conn    *sqliteConn
	wal     string
	writer  *writer
	log     *slog.Logger
	stop    chan struct{}
	stopped chan struct{}
}

func startCheckpointer(conn *sqliteConn, wal string, w *writer, log *slog.Logger) *checkpointer {
	c := &checkpointer{conn: conn, wal: wal, writer: w, log: log, stop: make(chan struct{}), stopped: make(chan struct{})}
	go c.run()
	return c
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	done := int64(-1) // the log may be left over from an earlier process
	idle := 0
	for turn := 0; ; turn++ {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.forgetErased()
		if c.writer.loading.Load() && turn%loadCheckpoint > 0 {
			continue
		}
		n := c.writer.commits.Load()
		if idle++; n != done {
			idle = 0
			all, pages := c.checkpoint("PASSIVE")
			if all {
				done = n
			}
			if pages > c.writer.longLog() {
				c.checkpoint("PASSIVE") // what was written during the first
				c.writer.catchUp.Store(true)
			}
		}
		if idle == idleTicks {
			if info, err := os.Stat(c.wal); err == nil && info.Size() > walLimit {
				c.checkpoint("TRUNCATE")
			}
		}
	}
}

// forgetErased cuts the log when it may still hold what was erased since the last
// time. When that cannot be, because somebody reads or writes, the writer is asked
// to do it behind its next batch.
func (c *checkpointer) forgetErased() {
	chains := c.writer.engine.chains
	if !chains.shredded.CompareAndSwap(true, false) {
		return
	}
	if all, _ := c.checkpoint("TRUNCATE"); !all {
		chains.shredded.Store(true)
		c.writer.cut.Store(true)
	}
}

// checkpoint reports whether everything in the log was copied, and the length
// of the log in pages. That not all was copied, because a reader still needs
// older pages or the writer goes on, is no error.
func (c *checkpointer) checkpoint(mode string) (all bool, pages int64) {
	err := c.conn.query(noCancel, "PRAGMA wal_checkpoint("+mode+")", nil, func(r *row) {
		busy, log, copied := r.int(), r.int(), r.int()
		all, pages = busy == 0 && log == copied, log
	})
	c.conn.broken = nil
	if err != nil {
		c.log.Error("checkpoint failed", "mode", mode, "error", err)
	}
	return err == nil && all, pages
}

// close empties the log, so that the database is one file again.
func (c *checkpointer) close() error {
	close(c.stop)
	<-c.stopped
	c.checkpoint("TRUNCATE")
	return c.conn.close()
}
