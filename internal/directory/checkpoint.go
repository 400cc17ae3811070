package directory

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
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

// MaxCheckpointLine is the most bytes of a checkpoint's JSON.
const MaxCheckpointLine = 4 << 10

// maxRestartReason is the most characters of Restart: JSON may write six bytes
// for each, and the line has to hold them.
const maxRestartReason = 500

// checkpointVersion begins what is signed: another encoding gets another one.
const checkpointVersion = "usher.checkpoint.1"

// KeyID names the key of a checkpoint: the first eight bytes of the SHA-256 of
// the public key, in hexadecimal.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Sign sets Key and Signature.
func (c *Checkpoint) Sign(key ed25519.PrivateKey) {
	c.Key = KeyID(key.Public().(ed25519.PublicKey)) // documented to be of that type
	c.Signature = ed25519.Sign(key, c.signed())
}

// Verify reports whether one of the keys has signed this checkpoint as it is.
func (c *Checkpoint) Verify(keys ...ed25519.PublicKey) error {
	for _, key := range keys {
		if len(key) != ed25519.PublicKeySize || KeyID(key) != c.Key {
			continue
		}
		if !ed25519.Verify(key, c.signed(), c.Signature) {
			return errors.New("the signature is not that of what it says")
		}
		return nil
	}
	return fmt.Errorf("it is signed with the key %q, whose public key is not given", c.Key)
}

// signed is what the signature covers: every member but the signature, each text
// with its length before it, so that no two checkpoints have one encoding.
func (c *Checkpoint) signed() []byte {
	out := appendSized(make([]byte, 0, 512), []byte(checkpointVersion))
	for _, n := range [...]int64{int64(c.Tenant), c.Epoch, c.Position, c.Time.UnixMicro()} {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	for _, text := range [...]string{c.TenantID, c.Name, c.Restart, c.Key} {
		out = appendSized(out, []byte(text))
	}
	return appendSized(out, c.Hash)
}

// checkpointJSON is how a checkpoint is written: one line.
type checkpointJSON struct {
	Tenant    int64     `json:"tenant"`
	TenantID  string    `json:"tenant_id"`
	Name      string    `json:"name"`
	Epoch     int64     `json:"epoch"`
	Position  int64     `json:"position"`
	Hash      string    `json:"hash"`
	Time      time.Time `json:"time"`
	Restart   string    `json:"restart,omitempty"`
	Key       string    `json:"key"`
	Signature string    `json:"signature"`
}

// MarshalJSON writes one line: the hash in hexadecimal, the signature in base64.
func (c Checkpoint) MarshalJSON() ([]byte, error) {
	return json.Marshal(checkpointJSON{Tenant: int64(c.Tenant), TenantID: c.TenantID, Name: c.Name, Epoch: c.Epoch, Position: c.Position,
		Hash: hex.EncodeToString(c.Hash), Time: c.Time.UTC(), Restart: c.Restart, Key: c.Key, Signature: base64.StdEncoding.EncodeToString(c.Signature)})
}

// ParseCheckpoint reads what MarshalJSON wrote. It refuses what is longer than
// MaxCheckpointLine, has members that it does not know or lacks one; whether the
// signature is right only Verify says.
func ParseCheckpoint(line []byte) (Checkpoint, error) {
	if len(line) > MaxCheckpointLine {
		return Checkpoint{}, fmt.Errorf("a checkpoint has at most %d bytes", MaxCheckpointLine)
	}
	if !utf8.Valid(line) {
		return Checkpoint{}, errors.New("a checkpoint is UTF-8")
	}
	in := json.NewDecoder(bytes.NewReader(line))
	in.DisallowUnknownFields()
	var read checkpointJSON
	if err := in.Decode(&read); err != nil {
		return Checkpoint{}, fmt.Errorf("not a checkpoint: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Checkpoint{}, errors.New("not a checkpoint: something follows it")
	}
	hash, err := hex.DecodeString(read.Hash)
	if err != nil || len(hash) != sha256.Size {
		return Checkpoint{}, errors.New("hash: not 32 bytes in hexadecimal")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(read.Signature)
	if err != nil || len(signature) != ed25519.SignatureSize {
		return Checkpoint{}, errors.New("signature: not 64 bytes in base64")
	}
	c := Checkpoint{Tenant: TenantNo(read.Tenant), TenantID: read.TenantID, Name: read.Name, Epoch: read.Epoch, Position: read.Position,
		Hash: hash, Time: read.Time.UTC(), Restart: read.Restart, Key: read.Key, Signature: signature}
	switch {
	case c.Tenant <= 0 || c.TenantID == "":
		return Checkpoint{}, errors.New("tenant, tenant_id: must name a tenant")
	case c.Position <= 0 || c.Epoch < 0:
		return Checkpoint{}, errors.New("position, epoch: not those of a chain that has an event")
	case !c.Time.Equal(c.Time.Truncate(time.Microsecond)) || c.Time.Year() < 1970 || c.Time.Year() > 9999:
		return Checkpoint{}, errors.New("time: not from 1970 to 9999 in whole microseconds")
	}
	return c, nil
}
