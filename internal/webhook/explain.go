package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// explain says what went wrong with an exchange, in words of its own: the errors
// of the libraries repeat URLs, addresses and bytes of the answer.
func (c *Courier) explain(ctx context.Context, err error) string {
	var no refused
	var dns *net.DNSError
	switch {
	case errors.As(err, &no):
		return no.Error()
	case errors.As(err, &dns):
		return explainName(dns)
	}
	if text := explainTLS(err); text != "" {
		return text
	}
	var operation *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to the address"
	case errors.As(err, &operation) && operation.Op == "dial" && operation.Timeout():
		return fmt.Sprintf("no connection within %s", min(dialTimeout, c.timeout))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", c.timeout)
	case ctx.Err() != nil:
		return "the server was stopped before the answer came"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no connection in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	}
	return "the answer is no HTTP, or its head is too long"
}

func explainName(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "the host's name has no address"
	case err.IsTimeout:
		return "the host's name could not be looked up in time"
	default:
		return "the host's name could not be looked up"
	}
}

// explainTLS explains what TLS and certificates can fail by; "" for anything else.
func explainTLS(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "the certificate is signed by nobody whom this machine trusts"
	case errors.As(err, &name):
		return "the certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired, or is not valid yet"
	case errors.As(err, &verification):
		return "the certificate is not valid"
	case errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"): // crypto/tls names alerts so
		return "the TLS handshake failed: the endpoint and this server have no version or method in common"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the endpoint does not speak TLS at this port"
	}
	return ""
}
