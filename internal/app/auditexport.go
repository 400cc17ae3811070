package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// ExportedEvent is an event as an export has it: with the names that the canonical
// API has, and its tenant and hash.
type ExportedEvent struct {
	Tenant     string          `json:"tenant"`
	Position   int64           `json:"position"`
	Time       time.Time       `json:"time"`
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	User       *int64          `json:"user"`
	UserID     *string         `json:"user_id"`
	Company    *int64          `json:"company"`
	Subject    string          `json:"subject"`
	Door       string          `json:"door"`
	Actor      string          `json:"actor"`
	Origin     string          `json:"origin"`
	OnBehalfOf string          `json:"on_behalf_of"`
	Reason     string          `json:"reason"`
	RequestID  string          `json:"request_id"`
	Erased     bool            `json:"erased"`
	Version    *int64          `json:"version"`
	Changes    json.RawMessage `json:"changes"` // an object; null once it is erased
	Hash       string          `json:"hash"`    // hexadecimal
}

func exported(tenant string, e *directory.Event) (ExportedEvent, error) {
	out := ExportedEvent{Tenant: tenant, Position: e.Position, Time: e.Time.UTC(), ID: e.ID, Type: string(e.Type), User: orNone(e.User),
		UserID: orNone(e.UserID), Company: orNone(e.Company), Subject: e.Subject, Door: e.Door.String(), Actor: e.Actor, Origin: e.Origin,
		OnBehalfOf: e.OnBehalfOf, Reason: e.Reason, RequestID: e.RequestID, Erased: e.Erased(), Hash: hex.EncodeToString(e.Hash)}
	if len(e.Payload) == 0 {
		return out, nil
	}
	var payload struct {
		Version int64
		Changes json.RawMessage
	}
	err := json.Unmarshal(e.Payload, &payload)
	out.Version, out.Changes = orNone(payload.Version), payload.Changes
	return out, err
}

// orNone is nil for the zero value.
func orNone[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// ExportEvents calls each with the events of a tenant, or of all tenants one after
// another, in a period: from from, before to; a zero time is no bound.
func (a *Admin) ExportEvents(ctx context.Context, tenant string, from, to time.Time, each func(*ExportedEvent) error) error {
	tenants, err := a.audited(ctx, tenant)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		err := a.service.ExportEvents(ctx, a.call(t.No), from, to, func(e *directory.Event) error {
			out, err := exported(t.Name, e)
			if err != nil {
				return err
			}
			return each(&out)
		})
		if err != nil {
			return forPeople(err)
		}
	}
	return nil
}
