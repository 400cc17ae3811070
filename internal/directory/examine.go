package directory

import (
	"encoding/json"
	"strconv"
)

// What follows from a user's own fields and is stored beside them as well, for those
// who compare the two (usher doctor --deep).

// HandlesDue are the handles that a user is due, in order of space and key: the rows
// of the name space that point to it. A deleted user is due none.
func HandlesDue(u *User) []Handle { return handlesOf(u) }

// DueSeat reports whether a user has to hold a seat of its licence type: an active
// one with a licence type does, and nobody else.
func DueSeat(u *User) bool { return holdsSeat(u) }

// UserVersion is the version that a user had after an event, and 0 where the event
// raised none or its contents are erased.
func (e *Event) UserVersion() int64 {
	var payload struct {
		Version json.Number `json:"version"`
	}
	if len(e.Payload) == 0 || json.Unmarshal(e.Payload, &payload) != nil {
		return 0 // the chain says whether the contents are those that were written
	}
	n, err := strconv.ParseInt(payload.Version.String(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
