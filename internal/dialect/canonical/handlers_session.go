package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// signedIn is a sign-in with its token.
type signedIn struct {
	Token     string    `json:"token" doc:"The bearer token of this API and of the scim door; shown only here."`
	ExpiresAt time.Time `json:"expires_at"`
	User      userBody  `json:"user"`
}

// registerSessions adds signing in and out.
func registerSessions(d *door) {
	register(d, operation{id: "create_session", method: http.MethodPost, path: "/sessions", tag: "sessions", summary: "Sign in",
		description: "With a user name, or an e-mail address that is a login, and the password. The tenant is found by the host name, else it is the only one that has this door on. Whoever has a temporary password replaces it by a reset link first.",
		status:      http.StatusCreated, open: true,
		examples: []example{{name: "the sample administrator", body: `{"user_name":"admin","password":"usher-demo-password"}`}}},
		func(ctx context.Context, x *exchange, in *struct {
			Body struct {
				UserName string `json:"user_name" minLength:"1" maxLength:"256"`
				Password string `json:"password" minLength:"1" maxLength:"1024" writeOnly:"true"`
				Code     string `json:"code,omitempty" maxLength:"64" writeOnly:"true" doc:"Of who has a second factor: a code of the authenticator app, or a recovery code."`
			} `nameHint:"SignIn"`
		}) (*made[signedIn], error) {
			session, err := x.door.svc.OpenUserSession(ctx, &x.call, in.Body.UserName, directory.Secret(in.Body.Password), directory.Secret(in.Body.Code))
			if err != nil {
				return nil, err
			}
			x.setHeader("Cache-Control", "no-store")
			return &made[signedIn]{Body: signedIn{Token: session.Token, ExpiresAt: session.ExpiresAt.UTC(), User: userBody{x.show(&session.User)}}}, nil
		})
	register(d, removal("delete_session", "/sessions/current", "sessions", "Sign out",
		"Ends the session whose token is presented. A key has none: 404.", example{name: "a key has none", status: http.StatusNotFound}),
		func(ctx context.Context, x *exchange, _ *struct{}) (*nothing, error) {
			return nil, x.door.svc.EndOwnSession(ctx, &x.call)
		})
}
