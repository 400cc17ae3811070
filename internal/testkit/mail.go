package testkit

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mailPatience is how long a message may take that was asked for.
const mailPatience = 10 * time.Second

// Mail waits for the message that the server writes to an address into its
// mail_dir, and returns its subject and its plain text. An address is written
// to once in a test, so that the message cannot be an older one.
func (s *Server) Mail(t testing.TB, to string) (subject, text string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(mailPatience)
	for {
		files, err := filepath.Glob(filepath.Join(s.Config.MailFolder(), "*.eml"))
		if err != nil {
			t.Fatalf("testkit: %v", err)
		}
		for _, file := range files {
			if subject, text, ok := message(t, file, to); ok {
				return subject, text
			}
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("testkit: no message to %s after %v", to, mailPatience)
		}
	}
}

// message reads a file, if its message is to an address.
func message(t testing.TB, file, to string) (subject, text string, ok bool) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("testkit: %s: %v", file, err)
	}
	address, err := m.Header.AddressList("To")
	if err != nil || len(address) != 1 {
		t.Fatalf("testkit: %s: To is %q: %v", file, m.Header.Get("To"), err)
	}
	if address[0].Address != to {
		return "", "", false
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatalf("testkit: %s: %v", file, err)
	}
	return subject, plainText(t, file, m), true
}

// plainText is the part of a message that is read without a browser.
func plainText(t testing.TB, file string, m *mail.Message) string {
	t.Helper()
	_, arguments, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("testkit: %s: %v", file, err)
	}
	for parts := multipart.NewReader(m.Body, arguments["boundary"]); ; {
		part, err := parts.NextPart() // decodes quoted-printable
		if err != nil {
			t.Fatalf("testkit: %s has no plain text: %v", file, err)
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatalf("testkit: %s: %v", file, err)
		}
		return strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}
