package directory

import (
	"context"
	"time"
)

// Checkpoint says, signed, where a tenant's chain stood at a time. It is kept
// where whoever can write the database cannot.
type Checkpoint struct {
	Tenant    TenantNo
	TenantID  string
	Name      string // the tenant's
	Epoch     int64
	Position  int64
	Hash      []byte
	Time      time.Time
	Restart   string // why the chain goes on from here whatever earlier ones say; "" for none
	Key       string // id of the key: KeyID of the public one
	Signature []byte // Ed25519
}

// AuditReport is what VerifyChain found.
type AuditReport struct {
	Tenant      TenantNo
	Name        string
	Events      int64
	First, Last int64 // positions; 0 and 0 for none
	Erased      int64 // events whose contents were erased because their user was purged
	// Checkpoints is how many agree, and Covered the last position that one of them
	// covers: what comes after it, only the chain itself protects.
	Checkpoints int
	Covered     int64
	// Broken is the first position at which something is wrong, 0 for none, and
	// Problem what, in words.
	Broken  int64
	Problem string
}

// VerifyChain reads a tenant's whole chain and compares it with checkpoints, whose
// signatures have been verified. Only the operator can.
func (s *Service) VerifyChain(ctx context.Context, call *Call, checkpoints []Checkpoint) (AuditReport, error) {
	panic("VerifyChain")
}

// MakeCheckpoints is a checkpoint, unsigned, of each chain that has grown since
// the positions in last. Only the server itself can.
func (s *Service) MakeCheckpoints(ctx context.Context, call *Call, last map[TenantNo]int64) ([]Checkpoint, error) {
	panic("MakeCheckpoints")
}

// LatestCheckpoint is a signed checkpoint of the caller's tenant, made now.
// Errors: audit.no_key.
func (s *Service) LatestCheckpoint(ctx context.Context, call *Call) (Checkpoint, error) {
	panic("LatestCheckpoint")
}

// RestartChain declares that a tenant's history goes on from where its chain ends
// now, whatever readers and checkpoints know of another one, as after a backup was
// restored: its epoch rises, cursors answer feed.reset, and the checkpoint that is
// returned, unsigned, says why. Only the operator can.
func (s *Service) RestartChain(ctx context.Context, call *Call, why string) (Checkpoint, error) {
	panic("RestartChain")
}

// ExportEvents calls each with every event of a period, in order, with contents as
// far as they are not erased. Only the operator can.
func (s *Service) ExportEvents(ctx context.Context, call *Call, from, to time.Time, each func(*Event) error) error {
	panic("ExportEvents")
}
