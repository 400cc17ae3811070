package directory

import (
	"encoding/base64"
	"strings"

	xargon2 "github.com/go-crypt/x/argon2"
	"golang.org/x/crypto/argon2"
)

// Ceilings of an imported argon2 hash. maxArgon2Work bounds memory × passes:
// four passes over the greatest memory.
const (
	maxArgon2KiB   = 256 << 10
	maxArgon2Work  = 4 * maxArgon2KiB
	maxArgon2Lanes = 16
)

// argon2Hash is $argon2id$v=19$m=19456,t=2,p=1$salt$tag (PHC string format).
type argon2Hash struct {
	variant string
	cost    HashCost
	salt    []byte
	tag     []byte
}

// parseArgon2 reads version 1.3 (19), the only one in use since 2016. The
// PHC options keyid and data are not supported.
func parseArgon2(encoded string, own HashCost) (storedHash, Reason) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[2] != "v=19" {
		return nil, ReasonHashUnsupported
	}
	h := argon2Hash{variant: parts[1]}
	switch h.variant {
	case "argon2id", "argon2i", "argon2d":
	default:
		return nil, ReasonHashUnsupported
	}
	p, ok := phcParameters(parts[3], "m", "t", "p")
	if !ok || p["t"] < 1 || p["p"] < 1 || p["m"] < 8*p["p"] { // RFC 9106 section 3.1
		return nil, ReasonHashUnsupported
	}
	if h.salt, h.tag, ok = phcSecrets(base64.RawStdEncoding, parts[4], parts[5]); !ok {
		return nil, ReasonHashUnsupported
	}
	maxMemory := max(maxArgon2KiB, uint64(own.MemoryKiB))
	maxWork := max(maxArgon2Work, own.work())
	if p["p"] > max(maxArgon2Lanes, uint64(own.Parallelism)) || p["m"] > maxMemory || p["t"] > maxWork/p["m"] {
		return nil, ReasonHashTooCostly
	}
	h.cost = HashCost{MemoryKiB: uint32(p["m"]), Iterations: uint32(p["t"]), Parallelism: uint8(p["p"])}
	return h, ""
}

func (h argon2Hash) verify(password []byte) bool {
	c, size := h.cost, uint32(len(h.tag))
	switch h.variant {
	case "argon2id":
		return equal(h.tag, argon2.IDKey(password, h.salt, c.Iterations, c.MemoryKiB, c.Parallelism, size))
	case "argon2i":
		return equal(h.tag, argon2.Key(password, h.salt, c.Iterations, c.MemoryKiB, c.Parallelism, size))
	default: // x/crypto has no argon2d
		return equal(h.tag, xargon2.DKey(password, h.salt, c.Iterations, c.MemoryKiB, uint32(c.Parallelism), size))
	}
}

func (h argon2Hash) memory() int64 { return h.cost.bytes() }

func (h argon2Hash) quick(cost HashCost) bool { return h.cost.work() < cost.work()/4 }

// work is the memory written in all passes, in KiB.
func (c HashCost) work() uint64 { return uint64(c.MemoryKiB) * uint64(c.Iterations) }

func (h argon2Hash) current(cost HashCost) bool {
	return h.variant == "argon2id" && h.cost == cost && len(h.salt) == saltBytes && len(h.tag) == tagBytes
}

// maxParameter keeps products of two parameters within uint64.
const maxParameter = 1<<32 - 1

// phcParameters reads "m=19456,t=2,p=1": each name once, in any order, all
// present, no other.
func phcParameters(text string, names ...string) (map[string]uint64, bool) {
	values := make(map[string]uint64, len(names))
	for pair := range strings.SplitSeq(text, ",") {
		name, digits, _ := strings.Cut(pair, "=")
		value, ok := decimal(digits)
		if _, twice := values[name]; !ok || twice {
			return nil, false
		}
		values[name] = value
	}
	if len(values) != len(names) {
		return nil, false
	}
	for _, name := range names {
		if _, found := values[name]; !found {
			return nil, false
		}
	}
	return values, true
}

// decimal reads a number without sign or leading zeros, as the PHC string
// format demands; what passes maxParameter counts as that, so that it is
// refused as too costly and not as unreadable.
func decimal(digits string) (uint64, bool) {
	if digits == "" || (digits[0] == '0' && len(digits) > 1) {
		return 0, false
	}
	var n uint64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+uint64(c-'0'), maxParameter)
	}
	return n, true
}

// Sizes that a salt and a tag may have, in bytes. A shorter tag could be met
// by guessing, a longer one is in no system's use.
const (
	minSalt, maxSalt = 4, 64
	minTag, maxTag   = 16, 64
)

// phcSecrets decodes a salt and a tag and checks their sizes.
func phcSecrets(enc *base64.Encoding, salt64, tag64 string) (salt, tag []byte, ok bool) {
	salt, saltErr := enc.DecodeString(salt64)
	tag, tagErr := enc.DecodeString(tag64)
	return salt, tag, saltErr == nil && tagErr == nil && saneSizes(salt, tag)
}

func saneSizes(salt, tag []byte) bool {
	return len(salt) >= minSalt && len(salt) <= maxSalt && len(tag) >= minTag && len(tag) <= maxTag
}
