package directory

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// CursorLifetime is how long a cursor is good (RFC 9865 section 2.2,
// cursorTimeout).
const CursorLifetime = time.Hour

// maxCursor is the most characters of a cursor that is looked at. A place holds a
// folded text, for which the longest name there can be grows to 8 KiB.
const maxCursor = 16 << 10

// place is where a page ended: what a cursor says.
type place struct {
	Number  int64  `json:"n"`
	Value   string `json:"v,omitempty"` // SortValue of that user
	Skipped int    `json:"s,omitempty"` // how many came before, for what counts on
	Expires int64  `json:"e"`           // seconds

	// Of a chain of events: the position of the last one that was looked at, the
	// chain's epoch, and the beginning of that event's hash.
	Position int64  `json:"p,omitempty"`
	Epoch    int64  `json:"c,omitempty"`
	Hash     []byte `json:"h,omitempty"`
}

// sealCursor makes the text that continues a list of a kind and query for this
// caller and nobody else. It is encrypted: a place holds a value of a user.
func (s *Service) sealCursor(call *Call, kind, query string, at place) (string, error) {
	return s.sealCursorFor(call, kind, query, at, CursorLifetime)
}

// sealCursorFor is sealCursor for a list that clients come back to later.
func (s *Service) sealCursorFor(call *Call, kind, query string, at place, lifetime time.Duration) (string, error) {
	at.Expires = s.now().Add(lifetime).Unix()
	plain, err := json.Marshal(at)
	if err != nil {
		return "", fmt.Errorf("directory: cursor: %w", err)
	}
	sealed, err := s.cursors.Seal(cursorPurpose(call, kind, query), plain)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// openCursor reads a cursor that this caller was given for this query. Errors:
// cursor.invalid, cursor.expired.
func (s *Service) openCursor(call *Call, kind, query, text string) (place, error) {
	invalid := Invalid("cursor", ReasonCursorInvalid, "The cursor is not one that was given for this list and caller.")
	if len(text) > maxCursor {
		return place{}, invalid
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return place{}, invalid
	}
	plain, err := s.cursors.Open(cursorPurpose(call, kind, query), sealed)
	if err != nil {
		return place{}, invalid
	}
	var at place
	if err := json.Unmarshal(plain, &at); err != nil {
		return place{}, invalid
	}
	if s.now().Unix() >= at.Expires {
		return place{}, Invalid("cursor", ReasonCursorExpired, "The cursor has expired: begin the list again.")
	}
	return at, nil
}

// cursorPurpose binds a cursor to tenant, caller, kind of list and query.
func cursorPurpose(call *Call, kind, query string) string {
	sum := sha256.Sum256([]byte(query))
	return fmt.Sprintf("cursor %d %s %s %d %x", call.Actor.Tenant, call.Actor.identity(), kind, call.Actor.Root, sum)
}

// identity names the caller by what nobody else can have: the name of a key may
// be given again.
func (a *Actor) identity() string {
	if a.User != 0 {
		return fmt.Sprintf("user:%d", a.User)
	}
	if a.Credential != "" {
		return "credential:" + a.Credential
	}
	return a.Name
}

// origin is what events say of where a change came from. A person for whom a
// system acts has the system's: what the person does elsewhere is no echo of it.
func (a *Actor) origin() string {
	if a.through != "" {
		return "credential:" + a.through
	}
	return a.identity()
}

// processSealer seals cursors where the server has no key: they are good in
// this process only.
func processSealer() *Sealer {
	key := make([]byte, SecretKeyBytes)
	rand.Read(key) // never fails (crypto/rand)
	sealer, err := NewSealer(key)
	if err != nil {
		panic(err) // a key of the right length makes a sealer
	}
	return sealer
}
