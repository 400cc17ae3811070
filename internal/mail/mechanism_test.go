package mail

import (
	"strings"
	"testing"

	"github.com/wneessen/go-mail/smtp"
)

// The password shows itself to the server only if nothing better is offered,
// and on an open connection only if that was asked for.
func TestTheBestMechanismIsChosen(t *testing.T) {
	for _, c := range []struct {
		mode          TLSMode
		offered, want string
	}{
		{TLSStart, "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", "SCRAM-SHA-256"},
		{TLSStart, "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1", "SCRAM-SHA-1"},
		{TLSStart, "CRAM-MD5 LOGIN PLAIN", "PLAIN"},
		{TLSImplicit, "CRAM-MD5 LOGIN", "LOGIN"},
		{TLSImplicit, "CRAM-MD5", "CRAM-MD5"},
		{TLSStart, "XOAUTH2 NTLM", ""},
		{TLSNone, "LOGIN PLAIN CRAM-MD5", "CRAM-MD5"},
		{TLSNone, "LOGIN PLAIN", "PLAIN"},
		{TLSNone, "LOGIN", "LOGIN"},
	} {
		s := NewSMTP(SMTPOptions{Host: "mail.example.test", TLS: c.mode, User: "usher", Password: "secret"})
		auth := s.mechanism(strings.Fields(c.offered))
		if auth == nil {
			if c.want != "" {
				t.Errorf("%s, %s: nothing is chosen", c.mode, c.offered)
			}
			continue
		}
		name, _, err := auth.Start(&smtp.ServerInfo{Name: "mail.example.test", TLS: c.mode != TLSNone, Auth: strings.Fields(c.offered)})
		if name != c.want || err != nil {
			t.Errorf("%s, %s: %s, %v; want %s", c.mode, c.offered, name, err, c.want)
		}
		// The same on a connection that turns out to be open.
		if _, _, err := auth.Start(&smtp.ServerInfo{Name: "mail.example.test"}); (err == nil) != (c.mode == TLSNone) && (c.want == "PLAIN" || c.want == "LOGIN") {
			t.Errorf("%s, %s on an open connection: %v", c.mode, c.offered, err)
		}
	}
}
