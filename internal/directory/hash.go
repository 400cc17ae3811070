package directory

import "context"

// HashCost is the argon2id cost.
type HashCost struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
}

// Hasher hashes and verifies passwords in a bounded number of slots.
type Hasher struct{}

// NewHasher makes a Hasher.
func NewHasher(cost HashCost) *Hasher { return &Hasher{} }

// Hash makes an encoded argon2id hash.
func (h *Hasher) Hash(ctx context.Context, password string, administrator bool) (string, error) {
	panic("stub")
}

// Verify compares; rehash reports that the hash is weaker than the current cost or of an imported format.
func (h *Hasher) Verify(ctx context.Context, password, encoded string, administrator bool) (ok, rehash bool, err error) {
	panic("stub")
}

// VerifyNothing does the work of a Verify that fails, for users who do not exist or have no password.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error { panic("stub") }

// CheckImportable refuses a hash whose format is unknown or whose cost passes the ceiling.
func (h *Hasher) CheckImportable(encoded string) error { panic("stub") }

// CheckPassword applies a tenant's policy; minLength is the door's own.
func CheckPassword(p PasswordPolicy, u *User, password string, minLength int) error { panic("stub") }
