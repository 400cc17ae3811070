package store

import "time"

// troubleEvery is how often the log says that the disk does not take changes.
const troubleEvery = time.Minute

// trouble tells the log that a batch was not committed: callers are only told to try
// again, and the operator must learn why.
func (w *writer) trouble(err error) {
	if now := w.engine.now(); w.troubled.IsZero() || now.Sub(w.troubled) >= troubleEvery {
		w.troubled = now
		w.log.Error("changes cannot be written to the database; clients are asked to try again", "error", err)
	}
}

// recovered tells the log that changes are written again.
func (w *writer) recovered() {
	if !w.troubled.IsZero() {
		w.troubled = time.Time{}
		w.log.Warn("changes are written to the database again")
	}
}
