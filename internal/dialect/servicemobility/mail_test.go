package servicemobility_test

import (
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// mailServer is a real one on loopback, which hands out each message that it
// takes, its recipient first.
type mailServer struct{ arrived chan string }

// NewSession begins a connection.
func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m}, nil
}

type mailSession struct {
	server *mailServer
	to     string
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *mailSession) Reset()                                    {}
func (s *mailSession) Logout() error                             { return nil }
func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err == nil {
		s.server.arrived <- s.to + "\n" + string(text)
	}
	return err
}

// startMail starts a mail server and returns its port.
func startMail(t *testing.T) (*mailServer, int) {
	t.Helper()
	m := &mailServer{arrived: make(chan string, 10)}
	server := smtp.NewServer(m)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return m, listener.Addr().(*net.TCPAddr).Port
}

// next is the next message, which must go to an address.
func (m *mailServer) next(t *testing.T, to string) string {
	t.Helper()
	select {
	case text := <-m.arrived:
		if !strings.HasPrefix(text, to+"\n") {
			t.Fatalf("not to %s: %s", to, text)
		}
		return strings.ReplaceAll(text, "=\r\n", "") // soft line breaks (RFC 2045 section 6.7)
	case <-t.Context().Done():
		t.Fatal("no message")
		return ""
	}
}

// TestMail: what the calls mail, and that it is true: a new user's name and
// password, given or made (dossier 5.6), a made password (seed, Reset a User's
// Password) and a link (dossier 3.2).
func TestMail(t *testing.T) {
	mail, port := startMail(t)
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.SMTPHost, c.SMTPPort, c.SMTPTLS, c.SMTPFrom = "127.0.0.1", port, "none", "usher@example.test"
	}})
	call := func(method, path, body string) {
		t.Helper()
		if status, _, answer := send(t, server.URL, method, path, "usher-demo-key", []byte(body)); status != 200 || answer != `{"code":200}` {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
	}
	signsIn := func(name, password string, want int) {
		t.Helper()
		status, _, answer := send(t, server.URL, "POST", "/createjwt", "", []byte(`{"username":"`+name+`","password":"`+password+`"}`))
		if status != want {
			t.Errorf("%s: %d %s, want %d", name, status, answer, want)
		}
	}
	call("PUT", users+"given.user?emailNotification=true", `{"Email":"given@example.test","Password":"given-password"}`)
	if text := mail.next(t, "given@example.test"); !strings.Contains(text, "given.user") || !strings.Contains(text, "given-password") {
		t.Errorf("the message of a new user: %s", text)
	}
	signsIn("given.user", "given-password", 200)

	call("PUT", users+"made.user?emailNotification=true", `{"Email":"made@example.test"}`)
	first := passwordIn(t, mail.next(t, "made@example.test"))
	signsIn("made.user", first, 200)

	// An update tells nobody, and a PUT without the parameter neither.
	call("PUT", users+"made.user?emailNotification=true", `{"Email":"made@example.test","FirstName":"Made"}`)
	call("PUT", users+"quiet.user", `{"Email":"quiet@example.test","Password":"quiet-password"}`)

	call("PUT", users+"made.user/ResetPassword", "")
	second := passwordIn(t, mail.next(t, "made@example.test"))
	signsIn("made.user", first, 401)
	signsIn("made.user", second, 200)

	call("PUT", users+"given.user/SendResetPasswordEmail", "")
	if text := mail.next(t, "given@example.test"); !strings.Contains(text, "/reset?token=") {
		t.Errorf("the message with a link: %s", text)
	}
	signsIn("given.user", "given-password", 200)
}

// passwordIn is the made password in a message, on a line of its own or behind
// a colon.
func passwordIn(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)[Pp]assword:?\s+(\S+)\r?$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no password in %s", text)
	}
	return found[1]
}
