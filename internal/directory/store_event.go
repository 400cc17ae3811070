package directory

import (
	"context"
	"time"
)

// EventReader reads what happened. Only events that have a position are there.
type EventReader interface {
	// ChainHead is the end of a tenant's chain; of a tenant without events one
	// with nothing but the tenant.
	ChainHead(ctx context.Context, t TenantNo) (ChainHead, error)
	// ChainHeads lists the chains that have an event, by tenant, greater than after.
	ChainHeads(ctx context.Context, after TenantNo, limit int) ([]ChainHead, error)
	// Events lists a tenant's events after a position, in order.
	Events(ctx context.Context, t TenantNo, after int64, limit int) ([]Event, error)
	// UnsealedEvents lists a tenant's events that are committed and have no position
	// yet, in order of Seq, with no more than Seq, Tenant, ID, Type, User and Time.
	UnsealedEvents(ctx context.Context, t TenantNo, limit int) ([]Event, error)
	// FindEvents lists those that q selects. Where q has keys they are found as far
	// as IndexEvents has come.
	FindEvents(ctx context.Context, t TenantNo, q EventSelection) (EventsFound, error)
	// EventPeriod is a range of positions outside of which no event has a time from
	// from and before to; 0 and 0 if there is none. It goes by hours, as far as
	// IndexEvents has come: what is not indexed is inside.
	EventPeriod(ctx context.Context, t TenantNo, from, to time.Time) (first, last int64, err error)
}

// EventSelection is an EventQuery as the store takes it. Events match that lie in
// the range of positions and equal every member that is set.
type EventSelection struct {
	User   int64
	Actor  string
	Reason string
	Door   Door
	Type   EventType
	Origin string
	// From and To bound the time: from From, before To. Zero is no bound.
	From, To time.Time
	// After and Before bound the position: greater than After, less than Before; 0
	// is no bound.
	After, Before int64
	Descending    bool
	Limit         int
	// Scan is the most events, or index rows, that are looked at.
	Scan int
}

// EventsFound is what a search for events came to.
type EventsFound struct {
	Events []Event
	// Seen is the last position that was looked at, or the bound at which the search
	// began, and More says that it ended there because of Limit or Scan.
	Seen int64
	More bool
}

// EventWriter records changes.
type EventWriter interface {
	// InsertEvent writes an event, without position and hashes: those it gets when
	// it is committed. It may be written at the end of the transaction: nothing in
	// it reads events.
	InsertEvent(ctx context.Context, e Event) error
	// EraseEvents erases the contents of all events of a user, those of this
	// transaction too, and whatever finds them by what was erased. It looks
	// through what is not indexed: whoever erases has that done first.
	EraseEvents(ctx context.Context, t TenantNo, number int64) error
	// IndexEvents makes at most limit events of a tenant findable by what they say
	// (FindEvents, EventPeriod) and reports how many it did; 0 when all are.
	IndexEvents(ctx context.Context, t TenantNo, limit int) (int, error)
	// TrimEvents removes at most limit of the oldest events, up to a position, moves
	// the chain's base, and returns how many it removed.
	TrimEvents(ctx context.Context, t TenantNo, through int64, limit int) (int, error)
	// SetChainEpoch sets the epoch of a tenant's chain.
	SetChainEpoch(ctx context.Context, t TenantNo, epoch int64) error
}
