package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Session is a sign-in.
type Session struct {
	Token     Secret    `json:"token"` // what New takes as key
	ExpiresAt time.Time `json:"expires_at"`
	User      *User     `json:"user"`
}

// SessionService is signing in and out.
type SessionService struct{ c *Client }

// SecondFactor is a code of a person who has a second factor, for SessionService.Create:
// one of the authenticator app, or a recovery code. Without it the reason of the error
// is second_factor.required.
func SecondFactor(code Secret) CallOption {
	return func(o *callOptions) { o.code = code }
}

// Create signs a person in with a user name, or an address, and a password. It
// needs no key.
func (s *SessionService) Create(ctx context.Context, userName string, password Secret, options ...CallOption) (*Session, error) {
	given := callOptions{header: http.Header{}, query: url.Values{}}
	for _, option := range options {
		option(&given)
	}
	body := struct {
		UserName string `json:"user_name"`
		Password Secret `json:"password"`
		Code     Secret `json:"code,omitempty"`
	}{userName, password, given.code}
	return write[Session](ctx, s.c, &request{method: http.MethodPost, path: path("sessions"), body: body}, options)
}

// End ends the session whose token the client has.
func (s *SessionService) End(ctx context.Context, options ...CallOption) error {
	return s.c.remove(ctx, path("sessions", "current"), nil, options)
}
