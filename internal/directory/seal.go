package directory

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// SecretKeyBytes is the length of a key of a Sealer: AES-256.
const SecretKeyBytes = 32

// A sealed text is a version byte, the id of the key (the first bytes of the
// key's SHA-256), a random nonce and the ciphertext with its tag.
const (
	sealVersion  = 1
	sealKeyBytes = 8
	sealNonce    = 12 // NIST SP 800-38D section 8.2.1: 96 bits
	sealTag      = 16
	sealOverhead = 1 + sealKeyBytes + sealNonce + sealTag
)

// sealError is why a sealed text cannot be opened. It is an internal failure: a
// sealed text never comes from a client.
type sealError string

func (e sealError) Error() string { return string(e) }

// Permanent says that no repetition opens it, so that a job is given up.
func (sealError) Permanent() bool { return true }

const (
	errSealed  sealError = "directory: a sealed text is damaged, of an unknown version, or was sealed for another purpose"
	errSealKey sealError = "directory: a sealed text was sealed with a key that is not there; give the older key too"
)

// isSealError reports that a sealed text will never open with the keys that are
// there.
func isSealError(err error) bool {
	_, ok := errors.AsType[sealError](err)
	return ok
}

// sealKeyID names a key in what it sealed.
type sealKeyID [sealKeyBytes]byte

// Sealer encrypts what must be kept and read back (AES-256-GCM). A sealed text
// names the key that sealed it, so that keys can be exchanged: the current key
// seals, the older ones only open. A nil Sealer answers secret_key.missing to
// everything. It is safe for concurrent use.
type Sealer struct {
	current sealKeyID
	keys    map[sealKeyID]cipher.AEAD
}

// NewSealer makes a Sealer of keys of SecretKeyBytes random bytes each.
func NewSealer(current []byte, older ...[]byte) (*Sealer, error) {
	s := &Sealer{current: idOfKey(current), keys: make(map[sealKeyID]cipher.AEAD, 1+len(older))}
	for _, key := range append([][]byte{current}, older...) {
		if len(key) != SecretKeyBytes {
			return nil, fmt.Errorf("a secret key has %d bytes, not %d", SecretKeyBytes, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("directory: secret key: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("directory: secret key: %w", err)
		}
		s.keys[idOfKey(key)] = aead
	}
	return s, nil
}

func idOfKey(key []byte) sealKeyID {
	sum := sha256.Sum256(key)
	return sealKeyID(sum[:sealKeyBytes])
}

// Seal encrypts a text for a purpose, which must be named again to open it: so
// that what was sealed as one thing cannot be put in the place of another.
// Errors: secret_key.missing.
func (s *Sealer) Seal(purpose string, plain []byte) ([]byte, error) {
	if s == nil {
		return nil, errNoSecretKey()
	}
	sealed := make([]byte, 1+sealKeyBytes+sealNonce, sealOverhead+len(plain))
	sealed[0] = sealVersion
	copy(sealed[1:], s.current[:])
	nonce := sealed[1+sealKeyBytes:]
	rand.Read(nonce) // never fails (crypto/rand)
	return s.keys[s.current].Seal(sealed, nonce, plain, sealedFor(sealed[:1+sealKeyBytes], purpose)), nil
}

// Open decrypts what Seal made for the same purpose. Errors:
// secret_key.missing; internal when the text is damaged or its key unknown.
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	if s == nil {
		return nil, errNoSecretKey()
	}
	if len(sealed) < sealOverhead || sealed[0] != sealVersion {
		return nil, errSealed
	}
	head, rest := sealed[:1+sealKeyBytes], sealed[1+sealKeyBytes:]
	aead, known := s.keys[sealKeyID(head[1:])]
	if !known {
		return nil, errSealKey
	}
	plain, err := aead.Open(nil, rest[:sealNonce], rest[sealNonce:], sealedFor(head, purpose))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// sealedFor is the associated data: the head and the purpose.
func sealedFor(head []byte, purpose string) []byte {
	return append(append(make([]byte, 0, len(head)+len(purpose)), head...), purpose...)
}

func errNoSecretKey() error {
	return Wrong(CodeUnavailable, ReasonSecretKey, "The server has no secret key and cannot do this until its operator gives it one.")
}
