package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/mail"
)

const smtpPassword = "correct-horse-battery"

// mailServer is a real SMTP server that keeps what it gets and refuses what a
// test tells it to.
type mailServer struct {
	mechanisms []string
	refuse     map[string]*smtp.SMTPError // by step: auth, mail, rcpt, data

	options mail.SMTPOptions // for a client that gets through

	mu       sync.Mutex
	got      []received
	signedIn []string // mechanism and user of each that was right
	wire     bytes.Buffer
}

type received struct {
	From, To, User string
	Raw            string
	TLS            bool
}

// serve starts the server; implicit TLS wraps its listener.
func serve(t *testing.T, s *mailServer, mode mail.TLSMode, change func(*smtp.Server)) *mailServer {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
	t.Cleanup(web.Close)
	config := &tls.Config{Certificates: web.TLS.Certificates}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	server.Domain, server.ErrorLog, server.Debug = "mail.example.test", discard{}, &lockedWriter{s: s}
	server.AllowInsecureAuth = mode == mail.TLSNone
	if mode == mail.TLSStart {
		server.TLSConfig = config
	}
	if change != nil {
		change(server)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if mode == mail.TLSImplicit {
		ln = tls.NewListener(ln, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	s.options = mail.SMTPOptions{Host: "127.0.0.1", Port: port, TLS: mode, RootCAs: roots, Helo: "users.example.com"}
	return s
}

// signIn makes the options' client sign in.
func (s *mailServer) signIn() *mailServer {
	s.options.User, s.options.Password = "usher", smtpPassword
	return s
}

func (s *mailServer) send(t *testing.T, m directory.Mail) error {
	t.Helper()
	return mail.NewSMTP(s.options).Send(t.Context(), render(t, m))
}

func (s *mailServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// seen is everything that went over the wire, decrypted.
func (s *mailServer) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire.String()
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

type lockedWriter struct{ s *mailServer }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.wire.Write(p)
}

type session struct {
	server *mailServer
	conn   *smtp.Conn
	user   string
	from   string
	to     string
}

func (s *session) refused(step string) error {
	if err := s.server.refuse[step]; err != nil {
		return err
	}
	return nil
}

func (s *session) AuthMechanisms() []string { return s.server.mechanisms }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := s.refused("auth"); err != nil {
			return err
		}
		if user != "usher" || password != smtpPassword {
			return smtp.ErrAuthFailed
		}
		s.user = user
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.signedIn = append(s.server.signedIn, mechanism)
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the server's side of LOGIN, which go-sasl has no more.
type loginServer struct {
	check func(user, password string) error
	step  int
	user  string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(l.user, string(response))
	}
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.refused("mail")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.refused("rcpt")
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.refused("data"); err != nil {
		return err
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.got = append(s.server.got, received{From: s.from, To: s.to, User: s.user, Raw: string(raw), TLS: encrypted})
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func TestDelivery(t *testing.T) {
	for _, c := range []struct {
		name       string
		mode       mail.TLSMode
		mechanisms []string
		user       string
	}{
		{"STARTTLS and PLAIN", mail.TLSStart, []string{"PLAIN", "LOGIN"}, "usher"},
		{"STARTTLS and LOGIN", mail.TLSStart, []string{"LOGIN"}, "usher"},
		{"STARTTLS without signing in", mail.TLSStart, nil, ""},
		{"TLS from the beginning", mail.TLSImplicit, []string{"PLAIN"}, "usher"},
		{"no encryption", mail.TLSNone, nil, ""},
		{"no encryption, and a password all the same", mail.TLSNone, []string{"LOGIN", "PLAIN"}, "usher"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &mailServer{mechanisms: c.mechanisms}, c.mode, nil)
			if c.user != "" {
				s.signIn()
			}
			m := sample(directory.MailReset)
			if err := s.send(t, m); err != nil {
				t.Fatal(err)
			}
			want := []received{{From: "usher@example.com", To: "john@example.test", User: c.user, Raw: string(render(t, m).Raw), TLS: c.mode != mail.TLSNone}}
			if diff := cmp.Diff(want, s.received()); diff != "" {
				t.Errorf("received (-want +got):\n%s", diff)
			}
			if !strings.Contains(s.seen(), "EHLO users.example.com\r\n") || !strings.Contains(s.seen(), "QUIT") {
				t.Errorf("the conversation was\n%s", s.seen())
			}
		})
	}
}

// Dots at the beginning of a line are the protocol's own (RFC 5321, 4.5.2).
func TestDotsArriveAsTheyAre(t *testing.T) {
	s := serve(t, &mailServer{}, mail.TLSStart, nil)
	m := sample(directory.MailPassword)
	m.Password = "\n.\n..\n.x"
	if err := s.send(t, m); err != nil {
		t.Fatal(err)
	}
	if got := s.received(); len(got) != 1 || !strings.Contains(parse(t, []byte(got[0].Raw)).text, "\n.\n..\n.x\n") {
		t.Errorf("received %v", got)
	}
}

func TestRefusalsThatStayAreToldFromThoseThatPass(t *testing.T) {
	answer := func(code int, enhanced smtp.EnhancedCode) *smtp.SMTPError {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<john@example.test>: no; https://users.example.com/reset?token=abc is spam"}
	}
	for _, c := range []struct {
		step      string
		err       *smtp.SMTPError
		permanent bool
		want      string
	}{
		{"rcpt", answer(550, smtp.EnhancedCode{5, 1, 1}), true, "naming the recipient: the mail server answered 550 5.1.1"},
		{"rcpt", answer(553, smtp.NoEnhancedCode), true, "naming the recipient: the mail server answered 553"},
		{"rcpt", answer(451, smtp.EnhancedCode{4, 7, 1}), false, "naming the recipient: the mail server answered 451 4.7.1"},
		{"rcpt", answer(421, smtp.EnhancedCode{4, 3, 2}), false, "naming the recipient: the mail server answered 421 4.3.2"},
		{"data", answer(554, smtp.EnhancedCode{5, 7, 1}), true, "sending the message: the mail server answered 554 5.7.1"},
		{"data", answer(452, smtp.EnhancedCode{4, 3, 1}), false, "sending the message: the mail server answered 452 4.3.1"},
		{"mail", answer(550, smtp.EnhancedCode{5, 7, 1}), false, "naming the sender: the mail server answered 550 5.7.1"},
		{"auth", answer(535, smtp.EnhancedCode{5, 7, 8}), false, "signing in at the mail server: the mail server answered 535 5.7.8"},
	} {
		t.Run(fmt.Sprint(c.step, c.err.Code), func(t *testing.T) {
			s := serve(t, &mailServer{mechanisms: []string{"PLAIN"}, refuse: map[string]*smtp.SMTPError{c.step: c.err}}, mail.TLSStart, nil).signIn()
			err := s.send(t, sample(directory.MailReset))
			failure, ok := errors.AsType[*mail.Error](err)
			if !ok || failure.Permanent() != c.permanent || failure.Code != c.err.Code || err.Error() != c.want {
				t.Errorf("error = %v, permanent %t; want %q, %t", err, ok && failure.Permanent(), c.want, c.permanent)
			}
			if len(s.received()) != 0 {
				t.Error("the message arrived")
			}
		})
	}
}

func TestAServerThatIsAwayIsTriedAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	err = mail.NewSMTP(mail.SMTPOptions{Host: "127.0.0.1", Port: port}).Send(t.Context(), render(t, sample(directory.MailReset)))
	if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), "connecting to the mail server: ") {
		t.Errorf("error = %v", err)
	}
}

// Nothing secret leaves where the connection is not what was asked for.
func TestNothingIsSentWithoutTheEncryptionAskedFor(t *testing.T) {
	for _, c := range []struct {
		name   string
		server mail.TLSMode
		change func(*mail.SMTPOptions)
		want   string
	}{
		{"a server without STARTTLS", mail.TLSNone, func(o *mail.SMTPOptions) { o.TLS = "" }, "does not offer STARTTLS; nothing was sent"},
		{"a certificate of nobody we know", mail.TLSStart, func(o *mail.SMTPOptions) { o.RootCAs = x509.NewCertPool() }, "beginning encryption: "},
		{"a certificate for another name", mail.TLSStart, func(o *mail.SMTPOptions) { o.Host = "localhost" }, "beginning encryption: "},
		{"implicit TLS without a known certificate", mail.TLSImplicit, func(o *mail.SMTPOptions) { o.RootCAs = x509.NewCertPool() }, "connecting to the mail server: "},
		{"implicit TLS to a plain port", mail.TLSNone, func(o *mail.SMTPOptions) { o.TLS = mail.TLSImplicit }, "connecting to the mail server: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &mailServer{mechanisms: []string{"PLAIN", "LOGIN"}}, c.server, nil).signIn()
			c.change(&s.options)
			err := s.send(t, sample(directory.MailReset))
			if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if strings.Contains(s.seen(), "\nAUTH ") || strings.Contains(s.seen(), "MAIL FROM") || len(s.received()) != 0 {
				t.Errorf("something was sent:\n%s", s.seen())
			}
		})
	}
}

func TestNothingIsSentUnlessSignedIn(t *testing.T) {
	for _, c := range []struct {
		name       string
		mechanisms []string
		password   directory.Secret
		want       string
	}{
		{"no mechanism", nil, smtpPassword, "no way to sign in"},
		{"only foreign mechanisms", []string{"GSSAPI", "XOAUTH2"}, smtpPassword, "no way to sign in"},
		{"a wrong password by PLAIN", []string{"PLAIN"}, "wrong-horse", "answered 535 5.7.8"},
		{"a wrong password by LOGIN", []string{"LOGIN"}, "wrong-horse", "answered 535 5.7.8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &mailServer{mechanisms: c.mechanisms}, mail.TLSStart, nil).signIn()
			s.options.Password = c.password
			err := s.send(t, sample(directory.MailReset))
			if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), string(c.password)) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if strings.Contains(s.seen(), "MAIL FROM") {
				t.Errorf("something was sent:\n%s", s.seen())
			}
		})
	}
}

func TestAddressesOutsideOfASCII(t *testing.T) {
	m := sample(directory.MailReset)
	m.To = "zoë@bücher.test"
	able := serve(t, &mailServer{}, mail.TLSStart, func(s *smtp.Server) { s.EnableSMTPUTF8 = true })
	if err := able.send(t, m); err != nil {
		t.Fatal(err)
	}
	if got := able.received(); len(got) != 1 || got[0].To != m.To || parse(t, []byte(got[0].Raw)).to.Address != m.To {
		t.Errorf("received %v", got)
	}
	if err := able.send(t, sample(directory.MailReset)); err != nil || !strings.Contains(able.seen(), "MAIL FROM:<usher@example.com> BODY=8BITMIME\r\n") {
		t.Errorf("the extension was asked for without need: %v\n%s", err, able.seen())
	}
	unable := serve(t, &mailServer{}, mail.TLSStart, nil)
	err := unable.send(t, m)
	if failure, ok := errors.AsType[*mail.Error](err); !ok || !failure.Permanent() || strings.Contains(err.Error(), "zoë") {
		t.Errorf("error = %v", err)
	}
}

// converse accepts one connection and runs a server's side of it.
func converse(t *testing.T, script func(conn net.Conn, lines *bufio.Reader)) mail.SMTPOptions {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return // the test has ended
		}
		defer conn.Close()
		script(conn, bufio.NewReader(conn))
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return mail.SMTPOptions{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone}
}

// reply reads a line for each answer and gives the answer.
func reply(conn net.Conn, lines *bufio.Reader, answers ...string) {
	for _, answer := range answers {
		_, _ = lines.ReadString('\n')
		_, _ = io.WriteString(conn, answer+"\r\n")
	}
}

func TestAServerThatHangsIsLeft(t *testing.T) {
	for name, greeting := range map[string]string{"before its greeting": "", "after its greeting": "220 mail.example.test\r\n"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			o := converse(t, func(conn net.Conn, lines *bufio.Reader) {
				_, _ = io.WriteString(conn, greeting)
				if greeting != "" {
					_, _ = lines.ReadString('\n')
				}
				cancel()                          // as the runner does when the job's time is up
				_, _ = io.Copy(io.Discard, lines) // until the client hangs up
			})
			err := mail.NewSMTP(o).Send(ctx, render(t, sample(directory.MailReset)))
			if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), "canceled") {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestTheTimeoutCoversTheWholeConversation(t *testing.T) {
	o := converse(t, func(_ net.Conn, lines *bufio.Reader) { _, _ = io.Copy(io.Discard, lines) })
	o.Timeout = time.Millisecond
	err := mail.NewSMTP(o).Send(t.Context(), render(t, sample(directory.MailReset)))
	if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() {
		t.Errorf("error = %v", err)
	}
}

// Once the server has taken the message, what follows cannot undo it: a second
// message would.
func TestAConnectionThatBreaksAfterTheMessageIsNoFailure(t *testing.T) {
	o := converse(t, func(conn net.Conn, lines *bufio.Reader) {
		_, _ = io.WriteString(conn, "220 mail.example.test\r\n")
		reply(conn, lines, "250 mail.example.test", "250 OK", "250 OK", "354 Go on")
		for line := ""; line != ".\r\n"; {
			line, _ = lines.ReadString('\n')
		}
		_, _ = io.WriteString(conn, "250 OK\r\n")
	})
	if err := mail.NewSMTP(o).Send(t.Context(), render(t, sample(directory.MailReset))); err != nil {
		t.Errorf("error = %v", err)
	}
}

func TestOtherServersAreNoMailServers(t *testing.T) {
	o := converse(t, func(conn net.Conn, _ *bufio.Reader) {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request by john@example.test\r\n\r\n")
	})
	err := mail.NewSMTP(o).Send(t.Context(), render(t, sample(directory.MailReset)))
	if err == nil || err.Error() != "waiting for the mail server's greeting: the mail server's answer is not SMTP" {
		t.Errorf("error = %v", err)
	}
}

func TestUsualPorts(t *testing.T) {
	for mode, want := range map[mail.TLSMode]string{"": "mail.example.test:587", mail.TLSStart: "mail.example.test:587",
		mail.TLSImplicit: "mail.example.test:465", mail.TLSNone: "mail.example.test:25"} {
		if got := mail.NewSMTP(mail.SMTPOptions{Host: "mail.example.test", TLS: mode}).Addr(); got != want {
			t.Errorf("mode %q: %s, want %s", mode, got, want)
		}
	}
}
