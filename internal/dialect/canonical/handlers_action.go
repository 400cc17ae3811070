package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// because is the body of actions that need nothing else; it may be left out.
type because struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
}

// actionInput is the input of an action on a user.
type actionInput struct {
	UserPath
	Body *because
}

// setBody takes the reason of a body that may be left out.
func (x *exchange) setBody(b *because) error {
	if b == nil {
		return nil
	}
	return x.setReason(b.Reason, "reason")
}

// action is a use case that changes a user and answers with it.
type action func(*directory.Service, context.Context, *directory.Call, directory.UserRef) (directory.User, error)

// registerActions adds what is done to a user.
func registerActions(d *door) {
	registerRemoval(d)
	for _, a := range []struct {
		name, summary, description string
		do                         action
	}{
		{"activate", "Let a user in", "The user takes a seat of its licence type. An active user stays as it is.", (*directory.Service).Activate},
		{"deactivate", "Keep a user out", "Everywhere, at once: the seat is free, every session ends. The user keeps its name, addresses and keys.", (*directory.Service).Deactivate},
		{"unlock", "Unlock a user", "A user that is not locked stays as it is.", (*directory.Service).Unlock},
		{"restore", "Take a user out of the recycle bin", "The user becomes inactive, with its name, addresses and keys, unless somebody else has one of them now (409).", (*directory.Service).RestoreUser},
	} {
		register(d, operation{id: a.name + "_user", method: http.MethodPost, path: "/users/{id}/" + a.name, tag: "users", summary: a.summary,
			description: a.description, versioned: true,
			examples: []example{{name: a.name, path: exampleFor(a.name), body: `{"reason":"ticket 4711"}`}}},
			func(ctx context.Context, x *exchange, in *actionInput) (*userOutput, error) {
				if err := x.setBody(in.Body); err != nil {
					return nil, err
				}
				u, err := a.do(x.door.svc, ctx, &x.call, directory.ByID(in.ID))
				if err != nil {
					return nil, err
				}
				return x.userAnswer(&u), nil
			})
	}
	registerLock(d)
	registerActing(d)
}

// exampleFor is the path of an action's example: on a user who can be restored
// where that is what it does.
func exampleFor(name string) string {
	if name == "restore" {
		return "/users/" + exampleDeleted + "/restore"
	}
	return "/users/" + exampleUser + "/" + name
}

// The users of the examples: one of the sample directory, and one that the
// examples' own tests have put into the recycle bin.
const (
	exampleUser    = "9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"
	exampleDeleted = "a570e68e-2134-11e6-b63c-6ce229284b01"
)

// lockInput is the input of lock.
type lockInput struct {
	UserPath
	Body *struct {
		LockReason int64  `json:"lock_reason,omitempty" minimum:"1" maximum:"2147483647" doc:"Number of a lock reason of the user's company or of one above it: its text is shown to the user."`
		Reason     string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
	} `nameHint:"UserLock"`
}

func registerLock(d *door) {
	register(d, operation{id: "lock_user", method: http.MethodPost, path: "/users/{id}/lock", tag: "users", summary: "Lock a user out",
		description: "Beside the status: a locked user keeps its seat and loses every session. Of a locked user the lock reason is replaced.", versioned: true,
		examples: []example{{name: "lock", path: exampleFor("lock"), body: `{"reason":"lost phone"}`}}},
		func(ctx context.Context, x *exchange, in *lockInput) (*userOutput, error) {
			var number int64
			if in.Body != nil {
				number = in.Body.LockReason
				if err := x.setReason(in.Body.Reason, "reason"); err != nil {
					return nil, err
				}
			}
			u, err := x.door.svc.Lock(ctx, &x.call, directory.ByID(in.ID), number)
			if directory.IsReason(err, directory.ReasonLockReasonNotFound) {
				err = directory.Invalid("lock_reason", directory.ReasonLockReasonNotFound, "There is no such lock reason for the user's company.")
			}
			if err != nil {
				return nil, err
			}
			return x.userAnswer(&u), nil
		})
}

// nothing is the output of operations that answer 204.
type nothing struct{}

func registerRemoval(d *door) {
	register(d, operation{id: "delete_user", method: http.MethodDelete, path: "/users/{id}", tag: "users", summary: "Put a user into the recycle bin",
		description: "Its name, addresses and keys are free at once; `restore` takes it out again.",
		examples:    []example{{name: "delete", path: "/users/" + exampleDeleted}}},
		func(ctx context.Context, x *exchange, in *struct{ UserPath }) (*nothing, error) {
			_, err := x.door.svc.DeleteUser(ctx, &x.call, directory.ByID(in.ID))
			return nil, err
		})
	for _, a := range []struct {
		name, summary, description string
		do                         func(*directory.Service, context.Context, *directory.Call, directory.UserRef) error
	}{
		{"purge", "Erase a user", "Of a user in the recycle bin nothing is left but that its id and number are never given again.", (*directory.Service).PurgeUser},
		{"sign_out", "Sign a user out everywhere", "Every session, token and reset link of the user ends.", (*directory.Service).SignOutEverywhere},
	} {
		register(d, operation{id: a.name + "_user", method: http.MethodPost, path: "/users/{id}/" + a.name, tag: "users", summary: a.summary, description: a.description},
			func(ctx context.Context, x *exchange, in *actionInput) (*nothing, error) {
				err := x.setBody(in.Body)
				if err == nil {
					err = a.do(x.door.svc, ctx, &x.call, directory.ByID(in.ID))
				}
				return nil, err
			})
	}
}

// secretToken is a token that is shown once.
type secretToken struct {
	Token     string    `json:"token" doc:"Shown only here."`
	ExpiresAt time.Time `json:"expires_at"`
}

// tokenOutput is the answer of operations that make a token, which nobody keeps
// (RFC 6749 section 5.1).
type tokenOutput struct{ Body secretToken }

// tokenAnswer answers with a token.
func (x *exchange) tokenAnswer(token string, until time.Time) *tokenOutput {
	x.setHeader("Cache-Control", "no-store")
	return &tokenOutput{Body: secretToken{Token: token, ExpiresAt: until.UTC()}}
}

func registerActing(d *door) {
	register(d, operation{id: "impersonate_user", method: http.MethodPost, path: "/users/{id}/impersonate", tag: "users", summary: "Act as a user",
		description: "A signed-in administrator gets a token that acts as the user for an hour, in the administrator's name: the history has both. It cannot change passwords or rights. An API key is nobody, and is refused.",
		examples:    []example{{name: "a key cannot", path: exampleFor("impersonate"), body: `{"reason":"ticket 4711"}`, status: http.StatusForbidden}}},
		func(ctx context.Context, x *exchange, in *struct {
			UserPath
			Body struct {
				Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why: required here."`
			} `nameHint:"Impersonation"`
		}) (*tokenOutput, error) {
			if err := x.setReason(in.Body.Reason, "reason"); err != nil {
				return nil, err
			}
			token, until, err := x.door.svc.ActAsUser(ctx, &x.call, directory.ByID(in.ID))
			if err != nil {
				return nil, err
			}
			return x.tokenAnswer(token, until), nil
		})
}
