package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/cloudevent"
	"github.com/usher-id/usher/internal/directory"
)

// The bounds of one exchange. Standard Webhooks recommends 15 to 30 s for the
// whole ("Request timeouts").
const (
	exchangeTimeout  = 15 * time.Second
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 10 * time.Second
	maxHead          = 16 << 10 // bytes of an answer's head
	maxBody          = 4 << 10  // bytes of an answer's body that are read, so that the connection can be used again
	bodyTimeout      = time.Second
	maxRetryAfter    = 24 * time.Hour
)

// Idle connections that are kept, of all endpoints and of one host.
const (
	maxIdle     = 256
	maxIdleHost = 16
	idleTimeout = 30 * time.Second
)

// CourierOptions are a Courier's settings.
type CourierOptions struct {
	// Source is what events come from, in envelopes: the address of the canonical
	// API. Required.
	Source string
	// Version of the program, for the header User-Agent.
	Version string
	// Networks are the addresses that may be sent to although they are not public.
	Networks []netip.Prefix
	// HTTP allows URLs without TLS.
	HTTP bool
	// Roots are the authorities that certificates must come from; nil is the
	// system's.
	Roots *x509.CertPool
	// Resolver finds the addresses of names; nil is the system's.
	Resolver *net.Resolver
	// Timeout ends an exchange; 0 is 15 s.
	Timeout time.Duration
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Courier makes single tries. It follows no redirects, keeps no cookies, and uses
// no proxy, whatever the environment says: a proxy would resolve names by itself,
// behind the guard. It may be used from several goroutines.
type Courier struct {
	source, agent string
	http          bool
	timeout       time.Duration
	now           func() time.Time
	guard         guard
	client        *http.Client
}

var _ directory.Courier = (*Courier)(nil)

// NewCourier makes a Courier.
func NewCourier(o CourierOptions) *Courier {
	if o.Source == "" {
		panic("webhook: a courier needs a source")
	}
	if o.Timeout <= 0 {
		o.Timeout = exchangeTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Courier{source: o.Source, agent: "usher/" + o.Version + " (webhook)", http: o.HTTP, timeout: o.Timeout, now: o.Now, guard: guard{allowed: o.Networks}}
	dialer := &net.Dialer{Timeout: min(dialTimeout, o.Timeout), Resolver: o.Resolver, ControlContext: c.guard.control}
	c.client = &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    min(handshakeTimeout, o.Timeout),
			MaxResponseHeaderBytes: maxHead,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdleHost,
			IdleConnTimeout:        idleTimeout,
			DisableCompression:     true, // a small answer could become a large one
			ForceAttemptHTTP2:      true,
			// A connection that has died would swallow every request of its host.
			HTTP2: &http.HTTP2Config{SendPingTimeout: o.Timeout, PingTimeout: dialTimeout},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Send tries once, within 15 s.
func (c *Courier) Send(ctx context.Context, m *directory.Message) directory.Receipt {
	start := time.Now()
	receipt := c.try(ctx, m)
	receipt.Duration = time.Since(start)
	return receipt
}

func (c *Courier) try(ctx context.Context, m *directory.Message) directory.Receipt {
	// A URL from before the settings were changed.
	if err := c.Check(m.Webhook.URL); err != nil {
		return directory.Receipt{Down: true, Error: "the URL is not allowed: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := c.request(ctx, m)
	if err != nil {
		return directory.Receipt{Down: true, Error: err.Error()}
	}
	response, err := c.client.Do(request)
	if err != nil {
		return directory.Receipt{Down: true, Error: c.explain(ctx, err)}
	}
	// What decides has been read. A body that does not come to its end costs a
	// little time and the connection.
	defer response.Body.Close()
	late := time.AfterFunc(bodyTimeout, cancel)
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, response.Body, maxBody+1)
	return c.receipt(response)
}

// request makes the signed request.
func (c *Courier) request(ctx context.Context, m *directory.Message) (*http.Request, error) {
	body := cloudevent.Append(make([]byte, 0, 2048), c.source, &m.Event)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("it is not a URL") // the error repeats it
	}
	timestamp := strconv.FormatInt(c.now().Unix(), 10)
	signatures, err := sign(m.Secrets, m.Event.ID, timestamp, body)
	if err != nil {
		return nil, err
	}
	h := request.Header
	h.Set("Content-Type", cloudevent.MediaType)
	h.Set("User-Agent", c.agent)
	h.Set(headerID, m.Event.ID)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, signatures)
	if m.Test {
		h.Set("Usher-Test", "true")
	}
	if m.Replay {
		h.Set("Usher-Replay", "true")
	}
	// Not sent: it tells the transport that the request may go once more over a new
	// connection when an idle one was closed meanwhile. The id makes that safe.
	h["X-Idempotency-Key"] = nil
	return request, nil
}

// receipt judges an answer.
func (c *Courier) receipt(r *http.Response) directory.Receipt {
	receipt := directory.Receipt{Status: r.StatusCode}
	switch status := r.StatusCode; {
	case status >= 200 && status <= 299:
		receipt.Delivered = true
		return receipt
	case status >= 300 && status <= 399:
		receipt.Error = fmt.Sprintf("redirects are not followed (status %d)", status)
	case status == http.StatusGone:
		receipt.Gone = true
		receipt.Error = "the endpoint wants no more (status 410)"
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway,
		status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		receipt.Down = true
		receipt.Error = fmt.Sprintf("the endpoint is overloaded or away (status %d)", status)
	default:
		receipt.Error = fmt.Sprintf("the endpoint answered with status %d", status)
	}
	receipt.RetryAfter = c.retryAfter(r.Header.Get("Retry-After"))
	return receipt
}

// retryAfter reads the header of that name (RFC 9110 section 10.2.3): seconds or a
// date, a day at most; 0 for anything else.
func (c *Courier) retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	moment, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(moment.Sub(c.now()), 0), maxRetryAfter)
}
