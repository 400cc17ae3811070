package pull

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/usher-id/usher/internal/web"
)

// Defaults of ClientOptions.
const (
	DefaultTimeout = time.Minute
	DefaultMaxBody = 64 << 20
	DefaultTries   = 8
)

// maxPause is the longest time that a server may ask to wait: who asks for more is
// asked again by whoever runs the command.
const maxPause = 15 * time.Minute

// ClientOptions say how another server is asked. The zero value works.
type ClientOptions struct {
	CAFile    string        // more certificates that are trusted, PEM
	Rate      float64       // requests a second; 0: as many as the server takes
	Timeout   time.Duration // of one request; 0: DefaultTimeout
	MaxBody   int64         // of one answer in bytes; 0: DefaultMaxBody
	Tries     int           // of one request; 0: DefaultTries
	UserAgent string
	// Note is told what is waited for, and "" when it goes on; nil for nobody.
	Note func(string)
	// Wait waits, or returns the context's error; nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	Now  func() time.Time // nil: time.Now
}

// Client asks another server: not faster than it may, again where that can help, and
// never following it to another host with a credential.
type Client struct {
	opts  ClientOptions
	http  *http.Client
	limit *rate.Limiter

	mu   sync.Mutex
	hold time.Time // no request before it
}

// NewClient makes a client. Errors are about CAFile.
func NewClient(o ClientOptions) (*Client, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Tries <= 0 {
		o.Tries = DefaultTries
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	roots, err := trusted(o.CAFile)
	if err != nil {
		return nil, err
	}
	c := &Client{opts: o, limit: rate.NewLimiter(rate.Inf, 1)}
	if o.Rate > 0 {
		c.limit = rate.NewLimiter(rate.Limit(o.Rate), max(1, int(o.Rate)))
	}
	c.http = &http.Client{
		Timeout: o.Timeout, // body included
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 15 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: sameHost,
	}
	return c, nil
}

// trusted are the system's certificates and those of a file; nil for the former alone.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return roots, nil
}

// errRedirect is a redirect that is not followed.
var errRedirect = errors.New("the server redirects elsewhere, where a credential is not taken: is the base URL right?")

// sameHost follows redirects within a host alone: net/http sends headers of its
// caller's own on to wherever it is led.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Scheme != first.Scheme || !strings.EqualFold(r.URL.Host, first.Host) || len(via) > 5 {
		return errRedirect
	}
	return nil
}

// wait waits for a time.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Ask is a web.Ask.
func (c *Client) Ask(ctx context.Context, r *web.RemoteRequest) (*web.RemoteAnswer, error) {
	for try := 1; ; try++ {
		if err := c.turn(ctx); err != nil {
			return nil, err
		}
		a, err := c.send(ctx, r)
		if err != nil && (ctx.Err() != nil || !mayHelp(err)) {
			return nil, named(r, err)
		}
		pause, again := c.pause(a, try)
		if err == nil && !again {
			return a, nil
		}
		switch {
		case pause > maxPause:
			return nil, r.Unusable(a, "the server asks to wait for %s: run the same command again later", pause.Round(time.Second))
		case try >= c.opts.Tries && err != nil:
			return nil, named(r, err)
		case try >= c.opts.Tries:
			return nil, r.Refused(a)
		case err != nil:
			c.opts.Note(fmt.Sprintf("no answer, trying again in %s", pause.Round(time.Second)))
		default:
			c.opts.Note(fmt.Sprintf("the answer is %d, trying again in %s", a.Status, pause.Round(time.Second)))
		}
		if err := c.opts.Wait(ctx, pause); err != nil {
			return nil, named(r, err)
		}
		c.opts.Note("")
	}
}

// named is an error with the request that it is about; what net/http says of it has
// the whole URL, secrets included, and goes.
func named(r *web.RemoteRequest, err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("%s: %w", r, err)
}

// turn waits until a request may be sent.
func (c *Client) turn(ctx context.Context) error {
	if err := c.limit.Wait(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	pause := c.hold.Sub(c.opts.Now())
	c.mu.Unlock()
	if pause <= 0 {
		return nil
	}
	c.opts.Note(fmt.Sprintf("the server's limit is reached, going on in %s", pause.Round(time.Second)))
	err := c.opts.Wait(ctx, pause)
	c.opts.Note("")
	return err
}

// errTooLarge is an answer beyond MaxBody.
type errTooLarge int64

// Error says how much would have been taken.
func (e errTooLarge) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", int64(e))
}

// send sends a request once and reads the whole answer.
func (c *Client) send(ctx context.Context, r *web.RemoteRequest) (*web.RemoteAnswer, error) {
	address := r.URL
	if len(r.Secret) > 0 {
		mark := "?"
		if strings.Contains(address, "?") {
			mark = "&"
		}
		address += mark + r.Secret.Encode()
	}
	q, err := http.NewRequestWithContext(ctx, r.Method, address, strings.NewReader(string(r.Body)))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		q.Header[name] = values // as they are: some servers want letters as their documents have them
	}
	if c.opts.UserAgent != "" {
		q.Header.Set("User-Agent", c.opts.UserAgent)
	}
	a, err := c.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(io.LimitReader(a.Body, c.opts.MaxBody+1))
	if err == nil && int64(len(body)) > c.opts.MaxBody {
		err = errTooLarge(c.opts.MaxBody)
	}
	if err != nil {
		return nil, err
	}
	c.observe(a.Header)
	return &web.RemoteAnswer{Status: a.StatusCode, Header: a.Header, Body: body}, nil
}

// mayHelp reports whether trying again may help against an error: not against a
// certificate that is not trusted, an address that is none, a redirect or a flood.
func mayHelp(err error) bool {
	_, large := errors.AsType[errTooLarge](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err) // plain HTTP where TLS was expected
	dns, lookup := errors.AsType[*net.DNSError](err)
	failed, ok := errors.AsType[*url.Error](err)
	malformed := ok && failed.Op == "parse"
	scheme := ok && strings.Contains(failed.Error(), "unsupported protocol scheme")
	return !large && !certificate && !record && !malformed && !scheme && !errors.Is(err, errRedirect) && !(lookup && dns.IsNotFound)
}

// observe keeps to a limit that the server tells beforehand: no request until it is
// reset when none is left (docs/dialects/iqmetrix.md 2.4, and others alike).
func (c *Client) observe(h http.Header) {
	left, err := strconv.Atoi(firstOf(h, "X-RateLimit-Remaining", "RateLimit-Remaining"))
	if err != nil || left > 0 {
		return
	}
	seconds, err := strconv.Atoi(firstOf(h, "X-RateLimit-ResetSeconds", "RateLimit-Reset"))
	if err != nil || seconds <= 0 || time.Duration(seconds)*time.Second > maxPause {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = c.opts.Now().Add(time.Duration(seconds) * time.Second)
}

func firstOf(h http.Header, names ...string) string {
	for _, name := range names {
		if text := h.Get(name); text != "" {
			return text
		}
	}
	return ""
}

// The waiting times between tries, without one that the server names.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = time.Minute
)

// pause is how long to wait before a request is tried again, and whether it is: after
// 429 and what is the server's failure as long as it says, else longer each time, the
// second half of it by chance, so that many do not come back at once. a is nil without
// an answer.
func (c *Client) pause(a *web.RemoteAnswer, try int) (pause time.Duration, again bool) {
	if a != nil && a.Status != http.StatusTooManyRequests && a.Status < 500 || a != nil && a.Status == http.StatusNotImplemented {
		return 0, false
	}
	if a != nil {
		if d, ok := retryAfter(a.Header.Get("Retry-After"), c.opts.Now()); ok {
			return d, true
		}
	}
	pause = min(firstPause<<min(try-1, 10), longestPause)
	return pause/2 + rand.N(pause/2+1), true
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110 section
// 10.2.3).
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}
