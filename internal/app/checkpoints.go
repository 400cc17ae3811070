package app

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-id/usher/internal/directory"
)

// checkpoints signs where the chains of events stand, and writes that to a file
// outside of the database.
type checkpoints struct {
	service *directory.Service
	key     ed25519.PrivateKey
	path    string
	log     *slog.Logger
	written prometheus.Counter
	mu      sync.Mutex                   // guards known against through
	known   map[directory.TenantNo]int64 // the position that the file has last
}

// openCheckpoints makes what signs the state of the chains of events, where there
// is a key.
func (a *App) openCheckpoints(ctx context.Context) error {
	if a.auditKey == nil {
		return nil
	}
	c := &checkpoints{service: a.service, key: a.auditKey, path: a.cfg.CheckpointPath(), log: a.log, written: a.metrics.checkpoints()}
	if err := c.remember(ctx); err != nil {
		return err
	}
	a.checkpoints = c
	a.inBackground(func(ctx context.Context) error {
		every(ctx, a.cfg.CheckpointInterval, func() { c.sign(ctx) })
		return nil
	})
	return nil
}

// remember takes over what the file knows of the tenants of this database. A file
// that cannot be read cannot be written either, most likely: the log says so with
// the first checkpoint, and the doors serve meanwhile.
func (c *checkpoints) remember(ctx context.Context) error {
	c.known = map[directory.TenantNo]int64{}
	last, err := lastCheckpoints(c.path, c.key.Public().(ed25519.PublicKey)) // documented to be of that type
	if err != nil {
		c.log.Warn("the checkpoints of the events cannot be read", "file", c.path, "error", err)
		return nil
	}
	if len(last) == 0 {
		return nil
	}
	tenants, err := c.service.Tenants(ctx, directory.System(0, "checkpoints"))
	for _, t := range tenants {
		if point, ok := last[t.ID]; ok {
			c.known[t.No] = point.Position
		}
	}
	return err
}

// sign writes a checkpoint of each chain that has grown since the last.
func (c *checkpoints) sign(ctx context.Context) {
	list, err := c.service.MakeCheckpoints(ctx, directory.System(0, "checkpoints"), c.known)
	for i := range list {
		list[i].Sign(c.key)
	}
	if err == nil && len(list) > 0 {
		err = appendCheckpoints(c.path, list)
	}
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("checkpoints of the events cannot be written: until they can, only the chain itself protects what happens", "file", c.path, "error", err)
		}
		return
	}
	c.mu.Lock()
	for i := range list {
		c.known[list[i].Tenant] = list[i].Position
	}
	c.mu.Unlock()
	c.written.Add(float64(len(list)))
}

// checkpointedThrough is the last position of a tenant's chain that retention may
// remove: that of the last checkpoint, or every one where there are none.
func (a *App) checkpointedThrough(t directory.TenantNo) int64 {
	if a.checkpoints == nil {
		return math.MaxInt64 - 1
	}
	a.checkpoints.mu.Lock()
	defer a.checkpoints.mu.Unlock()
	return a.checkpoints.known[t]
}

// lastCheckpointTime bounds the last checkpoint of a server that stops.
const lastCheckpointTime = 5 * time.Second

// last signs what the last requests did, once nothing is in flight any more.
func (c *checkpoints) last() {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastCheckpointTime)
	defer cancel()
	c.sign(ctx)
}

// checkpoints counts what was signed and written.
func (m *metrics) checkpoints() prometheus.Counter {
	written := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "usher_checkpoints_total",
		Help: "Signed checkpoints of the events that were written to checkpoint_file.",
	})
	m.registry.MustRegister(written)
	return written
}
