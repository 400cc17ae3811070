package directory

import (
	"crypto/ed25519"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options are what a Service needs from outside. The zero value is a working
// default.
type Options struct {
	Now   func() time.Time // default time.Now; the core cuts it to UTC microseconds
	NewID func() string    // default UUID v7
	// HashCost is the cost of new password hashes; the zero value is argon2id
	// with 19 MiB, t=2, p=1 (OWASP's minimum).
	HashCost HashCost
	// Logins are the limits of sign-in attempts; the zero value is the default.
	Logins LoginLimits
	// Strangers is how many credentials that nobody has an address may present in a
	// minute; 0 is DefaultStrangersPerAddress.
	Strangers int
	// Sealer seals what must be read back: signing keys and mail. Without one,
	// the use cases that need it answer secret_key.missing.
	Sealer *Sealer
	// JobAdded, if set, is called after a change that asked for a job, so that
	// the job is done at once where the same process does jobs.
	JobAdded func()
	// Logger gets what an operator should know of; without one nobody does.
	Logger *slog.Logger
	// CheckpointedThrough, if set, is the last position of a tenant's chain that a
	// signed checkpoint covers: retention keeps what comes after it.
	CheckpointedThrough func(t TenantNo) int64
	// PublicURL is the base of links in messages, without a slash at the end.
	PublicURL string
	// CheckpointKey signs checkpoints of the chains of events. Without one
	// LatestCheckpoint answers audit.no_key.
	CheckpointKey ed25519.PrivateKey
	// Courier sends webhooks. Without one, endpoints can be made and nothing is
	// sent to them: TestWebhook answers webhook.off.
	Courier Courier
	// WebhooksChanged, if set, is called after a change that may have given an
	// endpoint something to do, so that it is done at once where the same process
	// sends webhooks.
	WebhooksChanged func()
	// QueryTime is how long a list, search or filter of users or groups may look; 0
	// is DefaultQueryTime.
	QueryTime time.Duration
	// MaxBulkFile is the greatest length in bytes of the file of an import, before it
	// is compressed; 0 is DefaultMaxBulkFile.
	MaxBulkFile int64
}

// Service is the directory: every use case, and with it every rule.
type Service struct {
	store     Store
	opts      Options
	hasher    *Hasher
	requests  *RequestCounter
	logins    *LoginLimiter
	strangers *StrangerLimiter
	walks     walks
	tenants   sync.Map // TenantNo -> *Tenant, as of the version last seen
	lostKeys  sync.Map // ids of signing keys that could not be opened and were logged
	cursors   *Sealer
	working   working
	feed      *feedHub
	searches  searchBounds
	turns     *searchGate // of searches for events
	walkers   *searchGate // of lists that look at users one by one
	auditing  sync.Mutex  // held while VerifyOwnChain reads
	trying    sync.Map    // endpoints that TestWebhook is sending something to
}

// New makes a Service over a store.
func New(store Store, opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.QueryTime <= 0 {
		opts.QueryTime = DefaultQueryTime
	}
	s := &Service{store: store, opts: opts, hasher: NewHasher(opts.HashCost), requests: NewRequestCounter(), walks: newWalks(), feed: newFeedHub(),
		searches: searchBounds{scan: maxEventScan, near: nearEvents}, turns: newSearchGate(searchTurns()), walkers: newSearchGate(runtime.GOMAXPROCS(0))}
	s.logins = NewLoginLimiter(opts.Logins, s.now)
	s.strangers = NewStrangerLimiter(opts.Strangers, s.now)
	if s.cursors = opts.Sealer; s.cursors == nil {
		s.cursors = processSealer()
	}
	return s
}

// now is the current time as the directory keeps it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }
