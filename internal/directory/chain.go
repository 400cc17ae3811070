package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// ChainHead is the end of a tenant's chain of events: where the next one goes.
// Its zero value, with the tenant, is the head of an empty chain.
type ChainHead struct {
	Tenant   TenantNo
	Position int64  // of the last event; 0 for none
	Hash     []byte // of the last event; nil for none
	// Epoch rises when a history is declared to go on from another point than the
	// one that readers and checkpoints know, as after a restore (RestartChain).
	Epoch int64
	// Base is the position through which retention has removed events, and
	// BaseHash that event's hash, from which the chain goes on. 0 and nil for none.
	Base     int64
	BaseHash []byte
	// Indexed is the position through which events can be found by what they say.
	Indexed int64
}

// chainVersion begins every hashed envelope: another encoding gets another one.
const chainVersion = "usher.event.1"

// Append puts an event behind the last one: it sets its Position, PayloadHash
// and Hash and moves the head.
func (h *ChainHead) Append(e *Event) {
	e.Position = h.Position + 1
	e.PayloadHash = contentsHash(e)
	e.Hash = chainHash(h.Hash, e)
	h.Position, h.Hash = e.Position, e.Hash
}

// contentsHash is the salted hash of what can be erased.
func contentsHash(e *Event) []byte {
	out := make([]byte, 0, len(e.Salt)+len(e.Reason)+len(e.Payload)+12)
	out = appendSized(out, e.Salt)
	out = appendSized(out, []byte(e.Reason))
	out = appendSized(out, e.Payload)
	sum := sha256.Sum256(out)
	return sum[:]
}

// chainHash is the hash of an event behind one with the hash before. Every
// member has its length before it, so that no two envelopes have one encoding.
func chainHash(before []byte, e *Event) []byte {
	out := make([]byte, 0, 512)
	out = appendSized(out, []byte(chainVersion))
	out = appendSized(out, before)
	for _, n := range [...]int64{int64(e.Tenant), e.Position, e.Seq, e.User, e.Company, int64(e.Door), e.Time.UnixMicro()} {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	for _, text := range [...]string{e.ID, string(e.Type), e.UserID, e.Subject, e.Actor, e.Origin, e.OnBehalfOf, e.RequestID} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
		out = append(out, text...)
	}
	out = appendSized(out, e.PayloadHash)
	sum := sha256.Sum256(out)
	return sum[:]
}

func appendSized(out, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(value))), value...)
}

// follows reports whether an event that was read is what Append made behind a
// hash. Erased contents cannot be compared: whoever asks decides whether they
// may be erased.
func (e *Event) follows(before []byte) bool {
	switch {
	case e.Erased() && (e.Reason != "" || len(e.Payload) > 0):
		return false
	case !e.Erased() && !bytes.Equal(e.PayloadHash, contentsHash(e)):
		return false
	}
	return bytes.Equal(e.Hash, chainHash(before, e))
}
