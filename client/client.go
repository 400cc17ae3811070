package client

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls one server with one key. It is safe for use by many goroutines.
type Client struct {
	// Users are people: their lifecycle, passwords and memberships.
	Users *UserService
	// Companies are the tree of companies.
	Companies *CompanyService
	// Locations belong to companies; users are assigned to them.
	Locations *LocationService
	// Groups are groups of every kind and their members.
	Groups *GroupService
	// Roles give ranks.
	Roles *RoleService
	// LockReasons are what a locked-out user is told.
	LockReasons *LockReasonService
	// LicencePools are the seats of licence types.
	LicencePools *LicencePoolService
	// Credentials are API keys, OAuth clients, API users and customers.
	Credentials *CredentialService
	// Tenant is the tenant that the key belongs to.
	Tenant *TenantService
	// Me is who asks.
	Me *MeService
	// Sessions are sign-ins with name and password.
	Sessions *SessionService
	// Events are what has changed.
	Events *EventService
	// Webhooks are endpoints that are sent what changes.
	Webhooks *WebhookService
	// Jobs are what the server does beside the requests.
	Jobs *JobService
	// Imports bring users in from files.
	Imports *ImportService
	// BulkActions do one thing to many users.
	BulkActions *BulkActionService

	base      string // without a slash at the end
	authorize func(http.Header)
	http      *http.Client
	agent     string
	limit     int64
	retry     retryPolicy
}

// defaultAgent is the User-Agent unless WithUserAgent says otherwise.
const defaultAgent = "usher-go-client/1"

// defaultLimit is the largest answer in bytes. A page of 200 users, each with the
// largest picture and attributes, is half of it.
const defaultLimit = 64 << 20

// defaultTimeout bounds one attempt.
const defaultTimeout = 30 * time.Second

// New makes a client of the server at baseURL, as in https://users.example.com.
// key is an API key, or the token of a session; "" is for the calls that need
// none, such as Sessions.Create. Nothing is sent yet.
func New(baseURL, key string, options ...Option) (*Client, error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("client: the key has a character that no key has, such as a space or a line end")
	}
	c := &Client{base: base, agent: defaultAgent, limit: defaultLimit, http: &http.Client{Timeout: defaultTimeout}, retry: defaultRetry()}
	// The key is kept in a function, so that no way of printing a Client shows it.
	c.authorize = func(h http.Header) {
		if key != "" {
			h.Set("Authorization", "Bearer "+key)
		}
	}
	for _, o := range options {
		o(c)
	}
	// An answer of this API never leads elsewhere, and what does is not given the key.
	following := *c.http
	following.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &following
	c.connect()
	return c, nil
}

// connect makes the services.
func (c *Client) connect() {
	c.Users = &UserService{c}
	c.Companies = &CompanyService{c}
	c.Locations = &LocationService{c}
	c.Groups = &GroupService{c}
	c.Roles = &RoleService{c}
	c.LockReasons = &LockReasonService{c}
	c.LicencePools = &LicencePoolService{c}
	c.Credentials = &CredentialService{c}
	c.Tenant = &TenantService{c}
	c.Me = &MeService{c}
	c.Sessions = &SessionService{c}
	c.Events = &EventService{c}
	c.Webhooks = &WebhookService{c}
	c.Jobs = &JobService{c}
	c.Imports = &ImportService{c}
	c.BulkActions = &BulkActionService{c}
}

// parseBase checks the address of a server. Its errors do not show the address,
// which may hold a password.
func parseBase(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("client: the server's address is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", errors.New("client: the server's address must begin with https:// or http://, as in https://users.example.com")
	case u.User != nil:
		return "", errors.New("client: the server's address must not hold a name or a password")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("client: the server's address must have no ? and no #")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// String names the server, and never the key.
func (c *Client) String() string { return "usher client of " + c.base }

// Option changes how a Client works.
type Option func(*Client)

// WithHTTPClient uses another http.Client, with its timeout for one attempt and
// its transport. Redirects are never followed.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) {
		copied := *h
		c.http = &copied
	}
}

// WithTLS sets how the server is recognised, for one with a certificate of a
// private authority.
func WithTLS(config *tls.Config) Option {
	return func(c *Client) {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
		if usual, ok := http.DefaultTransport.(*http.Transport); ok {
			transport = usual.Clone()
		}
		transport.TLSClientConfig = config
		copied := *c.http
		copied.Transport = transport
		c.http = &copied
	}
}

// WithUserAgent sets the User-Agent, as in "payroll-sync/2.1".
func WithUserAgent(agent string) Option { return func(c *Client) { c.agent = agent } }

// WithMaxAnswer bounds the size of an answer in bytes; a larger one is
// ErrAnswerTooLarge. It is 64 MiB unless set.
func WithMaxAnswer(bytes int64) Option { return func(c *Client) { c.limit = bytes } }

// WithAttempts sets how often a call that can be repeated is sent at most: 4 unless
// set; 1 never repeats.
func WithAttempts(n int) Option { return func(c *Client) { c.retry.attempts = max(1, n) } }

// WithMaxWait sets the longest pause before a repetition: a minute unless set. A
// server that asks for a longer one gets no repetition, and the call fails.
func WithMaxWait(d time.Duration) Option { return func(c *Client) { c.retry.longest = d } }
