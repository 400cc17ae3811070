package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// userSession is one sign-in of a user.
type userSession struct {
	ID        string           `json:"id" format:"uuid"`
	Door      string           `json:"door" doc:"Through which API the user signed in."`
	Client    nullable[string] `json:"client" doc:"Id of the credential through which it was opened; null for none."`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at" doc:"When its last token ends."`
}

// registerUserSessions adds the sign-ins of a user.
func registerUserSessions(d *door) {
	register(d, operation{id: "list_user_sessions", method: http.MethodGet, path: "/users/{id}/sessions", tag: "sessions", summary: "Sessions of a user",
		description: "Sign-ins that have not ended, the newest first.", examples: []example{{name: "sessions", path: "/users/" + exampleUser + "/sessions"}}},
		func(ctx context.Context, x *exchange, in *struct{ UserPath }) (*listOutput[userSession], error) {
			list, err := x.door.svc.Sessions(ctx, &x.call, directory.ByID(in.ID))
			if err != nil {
				return nil, err
			}
			var items []userSession
			for _, s := range list {
				item := userSession{ID: s.ID, Door: s.Door.String(), CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC()}
				if s.Client != "" {
					item.Client = some(s.Client)
				}
				items = append(items, item)
			}
			return listAnswer(items), nil
		})
	register(d, operation{id: "end_user_sessions", method: http.MethodDelete, path: "/users/{id}/sessions", tag: "sessions", summary: "End all sessions of a user",
		description: "The same as the action sign_out."},
		func(ctx context.Context, x *exchange, in *struct{ UserPath }) (*nothing, error) {
			return nil, x.door.svc.SignOutEverywhere(ctx, &x.call, directory.ByID(in.ID))
		})
	register(d, operation{id: "end_user_session", method: http.MethodDelete, path: "/users/{id}/sessions/{session}", tag: "sessions", summary: "End one session of a user",
		description: "Its tokens are refused from the next request on."},
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			Session string `path:"session" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a12" doc:"The session's id, a UUID."`
		}) (*nothing, error) {
			return nil, x.door.svc.EndSession(ctx, &x.call, directory.ByID(in.ID), in.Session)
		})
}
