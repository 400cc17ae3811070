package directory

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// MaxPasswordBytes is the greatest length of a password: docs/decisions/0007.
// It bounds what a request can make the server normalise and hash.
const MaxPasswordBytes = 1024

// DefaultHashCost is OWASP's minimum for argon2id (Password Storage Cheat
// Sheet): 19 MiB, two iterations, one lane.
var DefaultHashCost = HashCost{MemoryKiB: 19 * 1024, Iterations: 2, Parallelism: 1}

// Sizes of new hashes: RFC 9106 section 3.1 recommends a salt of 16 bytes and
// section 4 a tag of 32.
const (
	saltBytes = 16
	tagBytes  = 32
)

// hashMemory is what all hashing of a process may use at once, in bytes.
const hashMemory = 256 << 20

// hashWait is the longest wait for a slot.
const hashWait = 2 * time.Second

// errStoredHash is an internal failure: a stored hash that CheckImportable
// would refuse. It never carries the hash.
var errStoredHash = errors.New("directory: the stored password hash is of an unknown format or past the cost ceiling")

// HashCost is the argon2id cost of new hashes: memory in KiB, passes over it
// and lanes (RFC 9106 section 3.1: m, t, p). A zero member takes
// DefaultHashCost's.
type HashCost struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
}

func (c HashCost) orDefault() HashCost {
	if c.MemoryKiB == 0 {
		c.MemoryKiB = DefaultHashCost.MemoryKiB
	}
	if c.Iterations == 0 {
		c.Iterations = DefaultHashCost.Iterations
	}
	if c.Parallelism == 0 {
		c.Parallelism = DefaultHashCost.Parallelism
	}
	c.MemoryKiB = max(c.MemoryKiB, 8*uint32(c.Parallelism)) // RFC 9106 section 3.1
	return c
}

func (c HashCost) bytes() int64 { return int64(c.MemoryKiB) << 10 }

// Hasher hashes and verifies passwords in a bounded number of slots:
// min(cores, 256 MiB ÷ memory of the cost), at least one. With more than one
// slot, one is kept for administrators; administrators also go first in the
// queue. Who waits longer than two seconds, or meets a full queue, is told
// unavailable password.queue_full with a Retry; a done context ends the wait
// with the same code and the context's error as cause.
//
// A Hasher is safe for concurrent use.
type Hasher struct {
	cost  HashCost
	slots *hashSlots
	done  atomic.Int64 // hashes computed so far: what sign-ins cost must not tell who exists
}

// NewHasher makes a Hasher for the cores of this process.
func NewHasher(cost HashCost) *Hasher {
	return newHasher(cost, runtime.GOMAXPROCS(0))
}

func newHasher(cost HashCost, cores int) *Hasher {
	cost = cost.orDefault()
	slots := max(1, min(cores, int(hashMemory/cost.bytes())))
	return &Hasher{cost: cost, slots: newHashSlots(slots, max(hashMemory, cost.bytes()))}
}

// Hash makes an argon2id hash in PHC string form of the normalised password.
// A password over MaxPasswordBytes is invalid password.too_long.
func (h *Hasher) Hash(ctx context.Context, password string, administrator bool) (string, error) {
	if len(password) > MaxPasswordBytes {
		return "", passwordTooLong()
	}
	release, err := h.slots.acquire(ctx, h.cost.bytes(), administrator)
	if err != nil {
		return "", err
	}
	defer release()
	h.done.Add(1)
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails (crypto/rand)
	tag := argon2.IDKey([]byte(normalisePassword(password)), salt, h.cost.Iterations, h.cost.MemoryKiB, h.cost.Parallelism, tagBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.MemoryKiB, h.cost.Iterations, h.cost.Parallelism, b64.EncodeToString(salt), b64.EncodeToString(tag)), nil
}

// Verify compares a password with a stored hash of any format that
// CheckImportable accepts, in constant time. rehash reports, when ok, that the
// hash is of an imported format, of another cost than the current one, or of
// the password's raw bytes. A password over MaxPasswordBytes is wrong after
// the work of VerifyNothing. A stored hash of an unknown format is an internal
// error; it can only come from outside of the core.
func (h *Hasher) Verify(ctx context.Context, password, encoded string, administrator bool) (ok, rehash bool, err error) {
	if len(password) > MaxPasswordBytes {
		return false, false, h.nothing(ctx, password, administrator)
	}
	stored, reason := parseHash(encoded, h.cost)
	if reason != "" {
		return false, false, errStoredHash
	}
	release, err := h.slots.acquire(ctx, stored.memory(), administrator)
	if err != nil {
		return false, false, err
	}
	normal := normalisePassword(password)
	ok = h.verify(stored, normal)
	raw := false
	if !ok && normal != password {
		// Other systems hashed what was typed.
		raw = h.verify(stored, password)
		ok = raw
	}
	release()
	if !ok && stored.quick(h.cost) {
		return false, false, h.nothing(ctx, password, administrator)
	}
	return ok, ok && (raw || !stored.current(h.cost)), nil
}

// VerifyNothing does the work of a Verify that fails, for users who do not
// exist or have no password, so that time does not tell who exists.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	return h.nothing(ctx, password, false)
}

func (h *Hasher) nothing(ctx context.Context, password string, administrator bool) error {
	password = password[:min(len(password), MaxPasswordBytes)]
	release, err := h.slots.acquire(ctx, h.cost.bytes(), administrator)
	if err != nil {
		return err
	}
	defer release()
	nobody := argon2Hash{variant: "argon2id", cost: h.cost, salt: make([]byte, saltBytes), tag: make([]byte, tagBytes)}
	normal := normalisePassword(password)
	h.verify(nobody, normal)
	if normal != password {
		h.verify(nobody, password)
	}
	return nil
}

// verify computes one hash.
func (h *Hasher) verify(stored storedHash, password string) bool {
	h.done.Add(1)
	return stored.verify([]byte(password))
}

// CheckImportable refuses a hash whose format is not known (invalid
// password.hash_unsupported) or whose cost passes the ceiling (invalid
// password.hash_too_costly; docs/decisions/0007). It does no hashing. The
// formats: argon2id, argon2i, argon2d, scrypt and PBKDF2 in PHC form, bcrypt
// ($2a$, $2b$, $2y$), Django's PBKDF2, LDAP's {SSHA}, {SSHA256}, {SSHA512}.
func (h *Hasher) CheckImportable(encoded string) error {
	switch _, reason := parseHash(encoded, h.cost); reason {
	case "":
		return nil
	case ReasonHashTooCostly:
		return Invalid(FieldPassword.String(), reason,
			"The password hash costs too much to verify. At most: bcrypt cost 14, scrypt 128 MiB, PBKDF2 2,000,000 iterations, argon2 256 MiB.")
	default:
		return Invalid(FieldPassword.String(), reason,
			"The password hash has no supported format. Supported: argon2, scrypt and PBKDF2 in PHC form, bcrypt, Django PBKDF2, {SSHA}, {SSHA256}, {SSHA512}.")
	}
}

// storedHash is a parsed password hash within the cost ceilings.
type storedHash interface {
	// verify compares in constant time; password may hold any bytes.
	verify(password []byte) bool
	// memory is what verify uses, in bytes.
	memory() int64
	// current reports whether Hash would make this kind of hash now.
	current(cost HashCost) bool
	// quick reports so little work that a fast failure would tell who exists.
	quick(cost HashCost) bool
}

// maxEncodedHash is longer than any encoding of the accepted sizes.
const maxEncodedHash = 512

// parseHash reads an encoded hash; the reason is "" or why it is refused.
// Nothing is allocated or computed in proportion to a cost here. own is this
// server's cost, which is allowed whatever the ceilings say.
func parseHash(encoded string, own HashCost) (storedHash, Reason) {
	if len(encoded) > maxEncodedHash {
		return nil, ReasonHashUnsupported
	}
	switch {
	case strings.HasPrefix(encoded, "$argon2"):
		return parseArgon2(encoded, own)
	case strings.HasPrefix(encoded, "$2"):
		return parseBcrypt(encoded)
	case strings.HasPrefix(encoded, "$scrypt$"):
		return parseScrypt(encoded)
	case strings.HasPrefix(encoded, "$pbkdf2"):
		return parsePBKDF2(encoded)
	case strings.HasPrefix(encoded, "pbkdf2_"):
		return parseDjango(encoded)
	case strings.HasPrefix(encoded, "{"):
		return parseLDAP(encoded)
	}
	return nil, ReasonHashUnsupported
}

// normalisePassword makes one password of the ways to type it: every space is
// U+0020 and the text is NFC, as the OpaqueString profile of RFC 8265 section
// 4.2.1 has it. Case and width stay. What is not UTF-8 stays too.
func normalisePassword(password string) string {
	if isPrintableASCII(password) || !utf8.ValidString(password) {
		return password
	}
	if strings.ContainsFunc(password, isOtherSpace) {
		password = strings.Map(func(r rune) rune {
			if isOtherSpace(r) {
				return ' '
			}
			return r
		}, password)
	}
	return norm.NFC.String(password)
}

func isOtherSpace(r rune) bool { return r != ' ' && unicode.Is(unicode.Zs, r) }

// equal compares tags in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
