package client

import (
	"context"
	"net/http"
	"time"
)

// act sends an action that answers with the user.
func (s *UserService) act(ctx context.Context, id, action string, body any, options []CallOption) (*User, error) {
	return write[User](ctx, s.c, &request{method: http.MethodPost, path: path("users", id, action), body: body}, options)
}

// Activate lets a user in, which takes a licence seat.
func (s *UserService) Activate(ctx context.Context, id string, options ...CallOption) (*User, error) {
	return s.act(ctx, id, "activate", nil, options)
}

// Deactivate keeps a user out, everywhere and at once: the seat is free and every
// session ends. The user keeps its names, addresses and keys.
func (s *UserService) Deactivate(ctx context.Context, id string, options ...CallOption) (*User, error) {
	return s.act(ctx, id, "deactivate", nil, options)
}

// Lock locks a user out, beside its status. lockReason is the number of a lock
// reason, whose text the user is shown; 0 for none.
func (s *UserService) Lock(ctx context.Context, id string, lockReason int64, options ...CallOption) (*User, error) {
	return s.act(ctx, id, "lock", struct {
		LockReason int64 `json:"lock_reason,omitzero"`
	}{lockReason}, options)
}

// Unlock lets a locked user in again; one that is not locked stays as it is.
func (s *UserService) Unlock(ctx context.Context, id string, options ...CallOption) (*User, error) {
	return s.act(ctx, id, "unlock", nil, options)
}

// Restore takes a user out of the recycle bin. The user becomes inactive, unless
// somebody else has its name, address or a key now, which is a conflict.
func (s *UserService) Restore(ctx context.Context, id string, options ...CallOption) (*User, error) {
	return s.act(ctx, id, "restore", nil, options)
}

// Purge erases a user that is in the recycle bin, for ever.
func (s *UserService) Purge(ctx context.Context, id string, options ...CallOption) error {
	return s.c.post(ctx, path("users", id, "purge"), nil, options)
}

// SignOut ends every session, token and reset link of a user.
func (s *UserService) SignOut(ctx context.Context, id string, options ...CallOption) error {
	return s.c.post(ctx, path("users", id, "sign_out"), nil, options)
}

// SetPassword sets a user's password, which ends the user's sessions. A temporary
// one lets its owner do nothing but replace it.
func (s *UserService) SetPassword(ctx context.Context, id string, password Secret, temporary bool, options ...CallOption) error {
	return s.c.post(ctx, path("users", id, "password"), struct {
		Password  Secret `json:"password"`
		Temporary bool   `json:"temporary,omitzero"`
	}{password, temporary}, options)
}

// GeneratePassword mails the user a temporary password that nobody else sees.
func (s *UserService) GeneratePassword(ctx context.Context, id string, options ...CallOption) error {
	return s.c.post(ctx, path("users", id, "generate_password"), nil, options)
}

// MailReset mails the user a link to set a new password.
func (s *UserService) MailReset(ctx context.Context, id string, options ...CallOption) error {
	return s.c.post(ctx, path("users", id, "mail_reset"), nil, options)
}

// Token is a token that is shown once.
type Token struct {
	Token     Secret    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ResetToken makes a token with which a page of one's own sets a new password,
// once.
func (s *UserService) ResetToken(ctx context.Context, id string, options ...CallOption) (*Token, error) {
	return write[Token](ctx, s.c, &request{method: http.MethodPost, path: path("users", id, "reset_token")}, options)
}

// Impersonate makes a token that acts as the user, in the name of the
// administrator whose session the client has. An API key is nobody, and is
// refused. why is required.
func (s *UserService) Impersonate(ctx context.Context, id, why string, options ...CallOption) (*Token, error) {
	body := struct {
		Reason string `json:"reason"`
	}{why}
	return write[Token](ctx, s.c, &request{method: http.MethodPost, path: path("users", id, "impersonate"), body: body}, options)
}
