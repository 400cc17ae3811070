package config_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
)

func TestErrorsOfMailSettingsNameTheKey(t *testing.T) {
	const server = "smtp_host: mail.example.com\nsmtp_from: usher@example.com\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"a server and its sender are enough", server, ""},
		{"an IPv6 server", "smtp_host: '2001:db8::1'\nsmtp_from: Usher <usher@example.com>\n", ""},
		{"a sender for files", "smtp_from: usher@example.com", ""},
		{"no sender", "smtp_host: mail.example.com", "smtp_from: is needed with smtp_host"},
		{"bad sender", server[:len("smtp_host: mail.example.com\n")] + "smtp_from: usher", "smtp_from: not an address"},
		{"two senders", "smtp_from: a@example.com, b@example.com", "smtp_from: not an address"},
		{"server with a port", "smtp_host: mail.example.com:25\nsmtp_from: a@example.com", "smtp_host: write a name or an address alone"},
		{"server as a URL", "smtp_host: smtp://mail.example.com\nsmtp_from: a@example.com", "smtp_host: write a name or an address alone"},
		{"port out of range", server + "smtp_port: 65536", "smtp_port: 65536 is outside of 0 to 65535"},
		{"port without a server", "smtp_port: 25", "smtp_port: is for a mail server"},
		{"user without a server", "smtp_user: u\nsmtp_password: p", "smtp_user: is for a mail server"},
		{"user without a password", server + "smtp_user: u", "smtp_password: is needed with smtp_user"},
		{"password without a user", server + "smtp_password: p", "smtp_user: is needed with a password"},
		{"password in a file", server + "smtp_user: u\nsmtp_password_file: /run/secrets/smtp", ""},
		{"password twice", server + "smtp_user: u\nsmtp_password: p\nsmtp_password_file: f", "smtp_password_file: give the password once"},
		{"encryption", server + "smtp_tls: maybe", `smtp_tls: "maybe" is not one of starttls, implicit, none`},
		{"a folder and a server", server + "mail_dir: /tmp/x", "mail_dir: messages go to smtp_host"},
		{"base URL with a path", "public_url: https://example.com/users", ""},
		{"base URL without a scheme", "public_url: users.example.com", "public_url: not the base of a URL"},
		{"base URL of another kind", "public_url: javascript://x", "public_url: not the base of a URL"},
		{"base URL with a query", "public_url: 'https://example.com/?a=b'", "public_url: not the base of a URL"},
		{"base URL with a user", "public_url: https://u:p@example.com", "public_url: not the base of a URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.yaml, nil, nil)
			if c.want == "" {
				if err != nil {
					t.Fatalf("error = %v, want none", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestMailPasswordIsNeverPrintedAndNoFlag(t *testing.T) {
	const secret = "correct-horse-battery"
	environ := []string{"USHER_SMTP_HOST=mail.example.com", "USHER_SMTP_FROM=a@example.com", "USHER_SMTP_USER=u", "USHER_SMTP_PASSWORD=" + secret}
	got, err := load(t, "", environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := got.Write(&out); err != nil {
		t.Fatal(err)
	}
	if string(got.SMTPPassword) != secret || strings.Contains(out.String(), secret) ||
		!strings.Contains(out.String(), `smtp_password: "[redacted]"  # env`) {
		t.Errorf("smtp_password is not read or printed:\n%s", out.String())
	}
	for _, s := range config.Settings() {
		if s.Key == "smtp_password" && !strings.Contains(config.Markdown(), "| `smtp_password` | text |  | password of smtp_user; not a flag") {
			t.Errorf("smtp_password may be a flag: %+v", s)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ public, addr, cert, want string }{
		{"", "127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"", ":8080", "", "http://localhost:8080"},
		{"", "[::]:443", "cert.pem", "https://localhost:443"},
		{"https://users.example.com/", ":8080", "", "https://users.example.com"},
		{"https://example.com/users", ":8080", "", "https://example.com/users"},
	} {
		cfg := config.Config{PublicURL: c.public, Addr: c.addr, TLSCert: c.cert}
		if got := cfg.BaseURL(); got != c.want {
			t.Errorf("BaseURL of %+v = %q", c, got)
		}
	}
}

func TestMailFolder(t *testing.T) {
	for _, c := range []struct{ dir, database, want string }{
		{"", "sqlite:usher.db", "mail"},
		{"", "sqlite:/var/lib/usher/usher.db", "/var/lib/usher/mail"},
		{"", "postgres://db/usher", "mail"},
		{"/var/spool/usher", "sqlite:usher.db", "/var/spool/usher"},
	} {
		cfg := config.Config{MailDir: c.dir, Database: c.database}
		if got := cfg.MailFolder(); got != filepath.FromSlash(c.want) {
			t.Errorf("MailFolder of %+v = %q", c, got)
		}
	}
}
