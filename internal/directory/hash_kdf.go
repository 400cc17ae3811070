package directory

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// maxBcryptCost is the ceiling of docs/decisions/0007; bcrypt itself ends at 31.
const maxBcryptCost = 14

// bcryptHash is $2b$12$ with 22 characters of salt and 31 of hash.
type bcryptHash []byte

// parseBcrypt reads the revisions whose result is the same for every password
// (2a, 2b, 2y); 2x marks hashes of a broken implementation.
func parseBcrypt(encoded string) (storedHash, Reason) {
	const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	if len(encoded) != 60 || encoded[3] != '$' || encoded[6] != '$' || !strings.ContainsRune("aby", rune(encoded[2])) ||
		strings.Trim(encoded[7:], alphabet) != "" || encoded[4] < '0' || encoded[4] > '3' || encoded[5] < '0' || encoded[5] > '9' {
		return nil, ReasonHashUnsupported
	}
	switch cost := int(encoded[4]-'0')*10 + int(encoded[5]-'0'); {
	case cost < bcrypt.MinCost || cost > bcrypt.MaxCost:
		return nil, ReasonHashUnsupported
	case cost > maxBcryptCost:
		return nil, ReasonHashTooCostly
	}
	return bcryptHash(encoded), ""
}

func (h bcryptHash) verify(password []byte) bool {
	return bcrypt.CompareHashAndPassword(h, password) == nil
}
func (h bcryptHash) memory() int64         { return 4 << 10 }
func (h bcryptHash) current(HashCost) bool { return false }
func (h bcryptHash) quick(HashCost) bool   { return h[4] == '0' && h[5] < '9' }

// Ceilings of an imported scrypt hash (RFC 7914): memory is 128·N·r bytes,
// work is N·r·p, and p·r also costs 128 bytes each.
const (
	maxScryptMemory = 128 << 20
	maxScryptWork   = 4 * maxScryptMemory / 128
	maxScryptLanes  = 1 << 13
)

// scryptHash is $scrypt$ln=17,r=8,p=1$salt$tag (PHC form, passlib).
type scryptHash struct {
	n, r, p int
	salt    []byte
	tag     []byte
}

func parseScrypt(encoded string) (storedHash, Reason) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 5 {
		return nil, ReasonHashUnsupported
	}
	v, ok := phcParameters(parts[2], "ln", "r", "p")
	if !ok || v["ln"] < 1 || v["r"] < 1 || v["p"] < 1 {
		return nil, ReasonHashUnsupported
	}
	salt, tag, ok := phcSecrets(base64.RawStdEncoding, parts[3], parts[4])
	if !ok {
		return nil, ReasonHashUnsupported
	}
	if v["ln"] > 20 || v["r"] > maxScryptMemory/128>>v["ln"] ||
		v["p"] > maxScryptLanes/v["r"] || v["p"] > maxScryptWork/(v["r"]<<v["ln"]) {
		return nil, ReasonHashTooCostly
	}
	return scryptHash{n: 1 << v["ln"], r: int(v["r"]), p: int(v["p"]), salt: salt, tag: tag}, ""
}

func (h scryptHash) verify(password []byte) bool {
	tag, err := scrypt.Key(password, h.salt, h.n, h.r, h.p, len(h.tag))
	return err == nil && equal(h.tag, tag)
}

func (h scryptHash) memory() int64         { return 128 * int64(h.r) * int64(h.n+h.p) }
func (h scryptHash) current(HashCost) bool { return false }
func (h scryptHash) quick(HashCost) bool   { return h.n*h.r*h.p < 1<<15 }

// maxPBKDF2Iterations is the ceiling of docs/decisions/0007, counted over all
// blocks of the output.
const maxPBKDF2Iterations = 2_000_000

// pbkdf2Hash is a PBKDF2 hash (RFC 8018 section 5.2) of either notation.
type pbkdf2Hash struct {
	hash       func() hash.Hash
	iterations int
	salt       []byte
	tag        []byte
}

// passlibBase64 writes "." for "+" (passlib's ab64_encode).
var passlibBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").WithPadding(base64.NoPadding)

// parsePBKDF2 reads $pbkdf2-sha256$29000$salt$tag (passlib; $pbkdf2$ is SHA-1)
// and $pbkdf2-sha256$i=600000,l=32$salt$tag (PHC), both base64 alphabets.
func parsePBKDF2(encoded string) (storedHash, Reason) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 5 {
		return nil, ReasonHashUnsupported
	}
	salt, tag, ok := phcSecrets(passlibBase64, strings.ReplaceAll(parts[3], "+", "."), strings.ReplaceAll(parts[4], "+", "."))
	if !ok {
		return nil, ReasonHashUnsupported
	}
	iterations, ok := decimal(parts[2])
	if !ok {
		v, found := phcParameters(parts[2], "i", "l")
		if !found {
			v, found = phcParameters(parts[2], "i")
		}
		if size, given := v["l"]; !found || (given && size != uint64(len(tag))) {
			return nil, ReasonHashUnsupported
		}
		iterations = v["i"]
	}
	return newPBKDF2(strings.TrimPrefix(strings.TrimPrefix(parts[1], "pbkdf2"), "-"), iterations, salt, tag)
}

// parseDjango reads pbkdf2_sha256$600000$salt$tag (Django,
// django.contrib.auth.hashers): the salt is text, the tag padded base64.
func parseDjango(encoded string) (storedHash, Reason) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 4 {
		return nil, ReasonHashUnsupported
	}
	digest := strings.TrimPrefix(parts[0], "pbkdf2_")
	iterations, ok := decimal(parts[1])
	tag, err := base64.StdEncoding.DecodeString(parts[3])
	salt := []byte(parts[2])
	if !ok || err != nil || digest == "" || !saneSizes(salt, tag) {
		return nil, ReasonHashUnsupported
	}
	return newPBKDF2(digest, iterations, salt, tag)
}

func newPBKDF2(digest string, iterations uint64, salt, tag []byte) (storedHash, Reason) {
	h := pbkdf2Hash{salt: salt, tag: tag}
	switch digest {
	case "", "sha1":
		h.hash = sha1.New
	case "sha256":
		h.hash = sha256.New
	case "sha512":
		h.hash = sha512.New
	default:
		return nil, ReasonHashUnsupported
	}
	if iterations < 1 {
		return nil, ReasonHashUnsupported
	}
	size := h.hash().Size()
	blocks := uint64((len(tag) + size - 1) / size)
	if iterations > maxPBKDF2Iterations/blocks {
		return nil, ReasonHashTooCostly
	}
	h.iterations = int(iterations)
	return h, ""
}

func (h pbkdf2Hash) verify(password []byte) bool {
	tag, err := pbkdf2.Key(h.hash, string(password), h.salt, h.iterations, len(h.tag))
	return err == nil && equal(h.tag, tag)
}

func (h pbkdf2Hash) memory() int64         { return 0 }
func (h pbkdf2Hash) current(HashCost) bool { return false }
func (h pbkdf2Hash) quick(HashCost) bool   { return h.iterations < 50_000 }
