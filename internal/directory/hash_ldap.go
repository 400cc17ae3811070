package directory

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"
)

// ldapHash is {SSHA}base64(SHA-1(password ‖ salt) ‖ salt) as OpenLDAP writes
// userPassword (RFC 2307 section 5.3 for the form), with SHA-256 and SHA-512
// for its later schemes.
type ldapHash struct {
	hash func() hash.Hash
	tag  []byte
	salt []byte
}

// parseLDAP reads the salted schemes. Their names do not depend on case; the
// unsalted ones are refused.
func parseLDAP(encoded string) (storedHash, Reason) {
	scheme, text, _ := strings.Cut(encoded[1:], "}")
	var h ldapHash
	switch strings.ToUpper(scheme) {
	case "SSHA":
		h.hash = sha1.New
	case "SSHA256":
		h.hash = sha256.New
	case "SSHA512":
		h.hash = sha512.New
	default:
		return nil, ReasonHashUnsupported
	}
	joined, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	size := h.hash().Size()
	if err != nil || len(joined) < size+minSalt || len(joined) > size+maxSalt {
		return nil, ReasonHashUnsupported
	}
	h.tag, h.salt = joined[:size], joined[size:]
	return h, ""
}

func (h ldapHash) verify(password []byte) bool {
	d := h.hash()
	d.Write(password)
	d.Write(h.salt)
	return equal(h.tag, d.Sum(nil))
}

func (h ldapHash) memory() int64         { return 0 }
func (h ldapHash) current(HashCost) bool { return false }
func (h ldapHash) quick(HashCost) bool   { return true }
