package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// registerPasswords adds what is done to a user's password.
func registerPasswords(d *door) {
	register(d, operation{id: "set_password", method: http.MethodPost, path: "/users/{id}/password", tag: "passwords", summary: "Set a password",
		description: "Ends the user's sessions. A temporary one lets its owner do nothing but replace it.",
		examples:    []example{{name: "a temporary password", path: "/users/" + exampleUser + "/password", body: `{"password":"quarry-lantern-57","temporary":true}`}}},
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			Body struct {
				Password  string `json:"password" minLength:"1" maxLength:"1024" writeOnly:"true"`
				Temporary bool   `json:"temporary,omitempty" doc:"Its owner must replace it."`
				Reason    string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
			} `nameHint:"NewPassword"`
		}) (*nothing, error) {
			err := x.setReason(in.Body.Reason, "reason")
			if err == nil {
				err = x.door.svc.SetPassword(ctx, &x.call, directory.ByID(in.ID), directory.NewPassword{Password: in.Body.Password, Temporary: in.Body.Temporary})
			}
			return nil, err
		})
	for _, a := range []struct {
		name, summary, description string
		do                         func(*directory.Service, context.Context, *directory.Call, directory.UserRef) error
	}{
		{"generate_password", "Mail a new password", "A temporary password is made and mailed to the user; nobody else sees it. 409 with `user.no_email` without an address.", (*directory.Service).GeneratePassword},
		{"mail_reset", "Mail a reset link", "The user is mailed a link to set a new password; the old one stays good until then.", (*directory.Service).MailReset},
	} {
		register(d, operation{id: a.name, method: http.MethodPost, path: "/users/{id}/" + a.name, tag: "passwords", summary: a.summary, description: a.description,
			examples: []example{{name: a.name, path: "/users/" + exampleUser + "/" + a.name}}},
			func(ctx context.Context, x *exchange, in *actionInput) (*nothing, error) {
				err := x.setBody(in.Body)
				if err == nil {
					err = a.do(x.door.svc, ctx, &x.call, directory.ByID(in.ID))
				}
				return nil, err
			})
	}
	register(d, operation{id: "make_reset_token", method: http.MethodPost, path: "/users/{id}/reset_token", tag: "passwords", summary: "Make a reset token",
		description: "For a page of one's own that sets a new password. The token is good once, and shown only here.", status: http.StatusCreated,
		examples: []example{{name: "a token", path: "/users/" + exampleUser + "/reset_token"}}},
		func(ctx context.Context, x *exchange, in *actionInput) (*tokenOutput, error) {
			if err := x.setBody(in.Body); err != nil {
				return nil, err
			}
			made, err := x.door.svc.MakeReset(ctx, &x.call, directory.ByID(in.ID))
			if err != nil {
				return nil, err
			}
			return x.tokenAnswer(made.Token, made.ExpiresAt), nil
		})
}
