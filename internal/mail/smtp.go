package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/usher-id/usher/internal/directory"
)

// TLSMode is how a connection to a mail server is encrypted.
type TLSMode string

// The modes. There is none that encrypts if it can: whoever sits between the
// two could then see to it that they cannot.
const (
	TLSStart    TLSMode = "starttls" // RFC 3207; nothing is sent before
	TLSImplicit TLSMode = "implicit" // from the first byte (RFC 8314)
	TLSNone     TLSMode = "none"     // not at all, the password included
)

// port is the usual port of a mode.
func (m TLSMode) port() int {
	switch m {
	case TLSImplicit:
		return 465
	case TLSNone:
		return 25
	default:
		return 587
	}
}

// SMTPOptions say which mail server to use and how.
type SMTPOptions struct {
	Host     string           // name or address; the certificate must be for it
	Port     int              // 0 is the usual one of TLS
	TLS      TLSMode          // "" is TLSStart
	User     string           // "" does not sign in
	Password directory.Secret // of User
	Helo     string           // name to greet with; "" is localhost
	RootCAs  *x509.CertPool   // who may sign the server's certificate; nil is the system's list
	Timeout  time.Duration    // of one message as a whole; 0 is five minutes
}

// SMTP hands messages to a mail server (RFC 5321), one connection a message.
type SMTP struct {
	options SMTPOptions
	addr    string
	tls     *tls.Config
}

// NewSMTP makes a transport; it does not connect.
func NewSMTP(o SMTPOptions) *SMTP {
	if o.TLS == "" {
		o.TLS = TLSStart
	}
	if o.Port == 0 {
		o.Port = o.TLS.port()
	}
	if o.Helo == "" {
		o.Helo = "localhost"
	}
	if o.Timeout == 0 {
		// Servers look at a message before they take it, and RFC 5321 (4.5.3.2)
		// wants clients to be patient: who leaves too early sends it twice.
		o.Timeout = 5 * time.Minute
	}
	return &SMTP{
		options: o,
		addr:    net.JoinHostPort(o.Host, strconv.Itoa(o.Port)),
		tls:     &tls.Config{ServerName: o.Host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
	}
}

// Addr is the server's address as host:port.
func (s *SMTP) Addr() string { return s.addr }

// Send hands the message over. When it returns nil the server has taken
// responsibility; when the connection ends before its last answer nobody knows,
// and the message may arrive twice, with one Message-ID.
func (s *SMTP) Send(ctx context.Context, m *Message) error {
	return s.talk(ctx, func(client *smtp.Client) *Error { return transfer(client, m) })
}

// Try does all that comes before a message and then takes its leave: it connects,
// greets, encrypts and signs in.
func (s *SMTP) Try(ctx context.Context) error {
	return s.talk(ctx, func(*smtp.Client) *Error { return nil })
}

// talk has a conversation in which say comes once the server knows who asks.
func (s *SMTP) talk(ctx context.Context, say func(*smtp.Client) *Error) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return failed("connecting to the mail server", err)
	}
	defer func() { _ = conn.Close() }() // closed twice after QUIT
	// The client has no context: a deadline in the past ends what it waits for.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.hand(conn, say); err != nil {
		if err.Code == 0 && ctx.Err() != nil {
			return failed("talking to the mail server", context.Cause(ctx))
		}
		return err
	}
	return nil
}

// connecting bounds the time for a connection, and for its encryption where
// that comes first.
const connecting = 30 * time.Second

func (s *SMTP) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	if s.options.TLS == TLSImplicit {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
}

// hand has the whole conversation.
func (s *SMTP) hand(conn net.Conn, say func(*smtp.Client) *Error) *Error {
	client, err := smtp.NewClient(conn, s.options.Host)
	if err != nil {
		return failed("waiting for the mail server's greeting", err)
	}
	if err := client.Hello(s.options.Helo); err != nil {
		return failed("greeting the mail server", err)
	}
	if s.options.TLS == TLSStart {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return &Error{text: "the mail server does not offer STARTTLS; nothing was sent"}
		}
		if err := client.StartTLS(s.tls); err != nil {
			return failed("beginning encryption", err)
		}
	}
	if err := s.signIn(client); err != nil {
		return err
	}
	if err := say(client); err != nil {
		return err
	}
	_ = client.Quit() // the message is the server's now, whatever it says
	return nil
}

// transfer sends the envelope and the message.
func transfer(client *smtp.Client, m *Message) *Error {
	beyondASCII := !isASCII(m.From + m.To)
	if beyondASCII {
		if offered, _ := client.Extension("SMTPUTF8"); !offered {
			return permanent("the mail server does not take addresses outside of ASCII")
		}
	}
	client.SkipSMTPUTF8(!beyondASCII)
	if err := client.Mail(path(m.From)); err != nil {
		return failed("naming the sender", err)
	}
	if err := client.Rcpt(path(m.To)); err != nil {
		return refusedIf5("naming the recipient", err)
	}
	data, err := client.Data()
	if err != nil {
		return refusedIf5("announcing the message", err)
	}
	if _, err := data.Write(m.Raw); err != nil {
		return failed("sending the message", err)
	}
	if err := data.Close(); err != nil {
		return refusedIf5("sending the message", err)
	}
	return nil
}

// path is an address as the envelope has it (RFC 5321, 4.1.2).
func path(address string) string { return (&netmail.Address{Address: address}).String() }

// signIn proves who usher is, if it was told to. Refusals are not permanent:
// they are about the settings and not about the message.
func (s *SMTP) signIn(client *smtp.Client) *Error {
	if s.options.User == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	auth := s.mechanism(strings.Fields(strings.ToUpper(offered)))
	if auth == nil {
		return &Error{text: "the mail server offers no way to sign in that usher knows; nothing was sent"}
	}
	err := client.Auth(auth)
	if err == nil {
		return nil
	}
	_, answered := errors.AsType[net.Error](err)
	if e := failed("signing in at the mail server", err); e.Code != 0 || answered {
		return e
	}
	// What a mechanism says may quote the exchange.
	return &Error{text: "signing in at the mail server: the exchange failed"}
}

// mechanism chooses the best of the offered ways to sign in, or nil. Those
// that do not show the password come first; CRAM-MD5 does not either, but
// servers offer it that do not keep what it needs, so that an encrypted
// connection does without it if it can.
func (s *SMTP) mechanism(offered []string) smtp.Auth {
	user, password, host, open := s.options.User, string(s.options.Password), s.options.Host, s.options.TLS == TLSNone
	order := []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"}
	if open {
		order = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	for _, name := range order {
		if !slices.Contains(offered, name) {
			continue
		}
		switch name {
		case "SCRAM-SHA-256":
			return smtp.ScramSHA256Auth(user, password)
		case "SCRAM-SHA-1":
			return smtp.ScramSHA1Auth(user, password)
		case "PLAIN":
			return smtp.PlainAuth("", user, password, host, open)
		case "LOGIN":
			return smtp.LoginAuth(user, password, host, open)
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(user, password)
		}
	}
	return nil
}
