package mail_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/mail"
)

const id = "019987aa-0000-7000-8000-000000000001"

var asked = time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)

// parsed is a message as a reader sees it.
type parsed struct {
	header     netmail.Header
	subject    string
	to         netmail.Address
	text, html string
}

// parse reads a message as mail programs do, and fails on what RFC 5322 and
// the MIME documents do not allow.
func parse(t testing.TB, raw []byte) parsed {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	p := parsed{header: msg.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	to, err := msg.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		t.Fatalf("To: %v, %v\n%s", to, err, raw)
	}
	p.to = *to[0]
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type: %q, %v", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, part := range []struct {
		kind string
		into *string
	}{{"text/plain; charset=UTF-8", &p.text}, {"text/html; charset=UTF-8", &p.html}} {
		next, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("%s: %v\n%s", part.kind, err, raw)
		}
		if got := next.Header.Get("Content-Type"); got != part.kind || next.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("part %v, want %s in quoted-printable", next.Header, part.kind)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(next))
		if err != nil {
			t.Fatal(err)
		}
		*part.into = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("more than two parts: %v\n%s", err, raw)
	}
	return p
}

func renderer(t testing.TB) *mail.Renderer {
	t.Helper()
	r, err := mail.NewRenderer("Usher <usher@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func render(t testing.TB, m directory.Mail) *mail.Message {
	t.Helper()
	msg, err := renderer(t).Render(m, id, asked)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// sample is a message of every kind with everything in it.
func sample(kind directory.MailKind) directory.Mail {
	return directory.Mail{Kind: kind, To: "john@example.test", Name: "John Bates", UserName: "johnb", Tenant: "Kentel",
		Password: "Kiwi-42-Lamp", Link: "https://users.example.com/reset?token=abc&x=1", Expires: asked.Add(24 * time.Hour)}
}

func TestAMessageOfEachKind(t *testing.T) {
	for kind, want := range map[directory.MailKind]struct {
		subject string
		holds   []string
		not     []string
	}{
		directory.MailWelcome: {"Your account at Kentel",
			[]string{"Hello John Bates,", "User name: johnb", "Password:  Kiwi-42-Lamp", "\nhttps://users.example.com/reset?token=abc&x=1\n", "05:06 UTC on 5 March 2026"}, nil},
		directory.MailPassword: {"Your new password at Kentel",
			[]string{"Hello John Bates,", "User name: johnb", "Password:  Kiwi-42-Lamp", "temporary", "05:06 UTC on 5 March 2026"}, nil},
		directory.MailReset: {"Set a new password at Kentel",
			[]string{"Hello John Bates,", "User name: johnb", "\nhttps://users.example.com/reset?token=abc&x=1\n", "05:06 UTC on 5 March 2026"}, []string{"Kiwi"}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			msg := render(t, sample(kind))
			p := parse(t, msg.Raw)
			if p.subject != want.subject || p.to != (netmail.Address{Name: "John Bates", Address: "john@example.test"}) {
				t.Errorf("subject %q to %v", p.subject, p.to)
			}
			for _, text := range want.holds {
				if !strings.Contains(p.text, text) {
					t.Errorf("no %q in\n%s", text, p.text)
				}
			}
			for _, text := range want.not {
				if strings.Contains(p.text+p.html, text) {
					t.Errorf("%q in\n%s\n%s", text, p.text, p.html)
				}
			}
			if strings.Contains(p.html, "<img") || strings.Contains(p.html, "src=") || strings.Count(p.html, "</html>") != 1 {
				t.Errorf("html\n%s", p.html)
			}
			for _, line := range strings.Split(p.text, "\n") {
				if len(line) > 80 || line != strings.TrimRight(line, " ") && line != "-- " {
					t.Errorf("line %q is too long or ends in spaces", line)
				}
			}
			if strings.Contains(p.text, "\n\n\n") || strings.HasPrefix(p.text, "\n") {
				t.Errorf("gaps in\n%s", p.text)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	msg := render(t, sample(directory.MailReset))
	p := parse(t, msg.Raw)
	want := netmail.Header{
		"From": {`"Usher" <usher@example.com>`}, "To": {`"John Bates" <john@example.test>`}, "Subject": {"Set a new password at Kentel"},
		"Message-Id": {"<" + id + "@example.com>"}, "Date": {"Wed, 04 Mar 2026 05:06:07 +0000"}, "Mime-Version": {"1.0"},
		"Auto-Submitted": {"auto-generated"}, "Content-Type": {"multipart/alternative; boundary=usher-" + id},
	}
	if diff := cmp.Diff(want, p.header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if msg.From != "usher@example.com" || msg.To != "john@example.test" || msg.ID != id || !msg.Date.Equal(asked) {
		t.Errorf("envelope %q to %q", msg.From, msg.To)
	}
}

// A second try is the same message, so that readers can tell.
func TestTheSameJobGivesTheSameBytes(t *testing.T) {
	one, two := render(t, sample(directory.MailReset)), render(t, sample(directory.MailReset))
	if diff := cmp.Diff(string(one.Raw), string(two.Raw)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsMissingLeavesNoTrace(t *testing.T) {
	m := sample(directory.MailWelcome)
	m.Name, m.Password, m.Link, m.Expires = "", "", "", time.Time{}
	p := parse(t, render(t, m).Raw)
	const want = `Hello,

An account has been created for you at Kentel.

User name: johnb

-- 
This message was sent because an account at Kentel has this e-mail address.
If it should not have come to you, please tell whoever manages accounts there.
`
	if diff := cmp.Diff(want, strings.TrimRight(p.text, "\n")+"\n"); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	for _, word := range []string{"Password", "href", "until"} {
		if strings.Contains(p.html, word) {
			t.Errorf("%s in\n%s", word, p.html)
		}
	}
	if p.to.Name != "" || !strings.Contains(p.html, "<p>Hello,</p>") {
		t.Errorf("to %v\n%s", p.to, p.html)
	}
}

func TestNamesOutsideOfASCII(t *testing.T) {
	m := sample(directory.MailWelcome)
	m.Name, m.Tenant, m.UserName = "Zoë Łukasiewicz 王", "Größe & Söhne “AG”", "zoë"
	msg := render(t, m)
	p := parse(t, msg.Raw)
	if p.to.Name != m.Name || p.subject != "Your account at "+m.Tenant {
		t.Errorf("to %q, subject %q", p.to.Name, p.subject)
	}
	if !strings.Contains(p.text, "Hello Zoë Łukasiewicz 王,") || !strings.Contains(p.text, "User name: zoë") ||
		!strings.Contains(p.html, "Größe &amp; Söhne “AG”") {
		t.Errorf("text\n%s\n%s", p.text, p.html)
	}
	if at := slices.IndexFunc(msg.Raw, func(b byte) bool { return b > 126 }); at >= 0 {
		t.Errorf("byte %d is not ASCII", at)
	}
}

func TestHTMLIsEscaped(t *testing.T) {
	m := sample(directory.MailPassword)
	m.Name, m.UserName, m.Tenant, m.Password = `<script>alert(1)</script>`, `"><img src=x>`, `A</title><b>`, `<b>&amp;"'`
	p := parse(t, render(t, m).Raw)
	for _, tag := range []string{"<script", "<img", "</title><b>", "<b>&amp;\""} {
		if strings.Contains(p.html, tag) {
			t.Errorf("%s in\n%s", tag, p.html)
		}
	}
	if !strings.Contains(p.html, "&lt;script&gt;alert(1)&lt;/script&gt;") || !strings.Contains(p.html, "&lt;b&gt;&amp;amp;&#34;&#39;") {
		t.Errorf("the texts are not there:\n%s", p.html)
	}
	if !strings.Contains(p.text, "Hello <script>alert(1)</script>,") || !strings.Contains(p.text, `Password:  <b>&amp;"'`) {
		t.Errorf("the plain text is escaped:\n%s", p.text)
	}
}

// A name cannot add headers, recipients, lines or an encoded word.
func TestNamesCannotInject(t *testing.T) {
	for _, name := range []string{
		"John\r\nBcc: eve@example.test", "John\nBcc: eve@example.test", "John\rBcc: x", "John\u2028Bcc: x", "John\u0085Bcc: x", "John\x00",
		`"John" <eve@example.test>, "x`, `John\" <eve@example.test>, \"`, "=?utf-8?q?John=0D=0ABcc=3A_eve?=", "\u202egnp.exe", "John\r\n\r\nHello, send me your password",
		strings.Repeat("long ", 500), strings.Repeat("x", 2000), "bad \xff\xfe bytes",
	} {
		m := sample(directory.MailReset)
		m.Name, m.Tenant, m.UserName = name, name, name
		msg := render(t, m)
		p := parse(t, msg.Raw)
		checkShape(t, msg, p)
		for _, text := range []string{p.subject, p.to.Name} {
			if strings.ContainsAny(text, "\r\n\x00\u2028\u0085\u202e") || strings.Contains(text, "=?") || len([]rune(text)) > 150 {
				t.Errorf("name %q became %q", name, text)
			}
		}
		if p.to.Address != m.To || strings.Contains(p.text, "\nHello, send") || strings.Contains(p.text, "\nBcc") {
			t.Errorf("name %q: to %v\n%s", name, p.to, p.text)
		}
	}
}

// checkShape: the headers are those of every message, once each, and lines end
// in CRLF and are short enough (RFC 5322, 2.1.1 and 2.3).
func checkShape(t testing.TB, msg *mail.Message, p parsed) {
	t.Helper()
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(p.header))); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	for name, values := range p.header {
		if len(values) != 1 {
			t.Errorf("header %s: %q", name, values)
		}
	}
	raw := string(msg.Raw)
	if n := strings.Count(raw, "\r\n"); n != strings.Count(raw, "\n") || n != strings.Count(raw, "\r") {
		t.Errorf("a line does not end in CRLF:\n%q", raw)
	}
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

func TestWhatCannotBeWrittenIsRefusedForGood(t *testing.T) {
	for name, change := range map[string]func(m *directory.Mail){
		"no address":            func(m *directory.Mail) { m.To = "" },
		"no domain":             func(m *directory.Mail) { m.To = "john" },
		"two addresses":         func(m *directory.Mail) { m.To = "a@example.test, b@example.test" },
		"a header":              func(m *directory.Mail) { m.To = "a@example.test\r\nBcc: b@example.test" },
		"a header in quotes":    func(m *directory.Mail) { m.To = "\"a\r\nBcc: b\"@example.test" },
		"a name in the address": func(m *directory.Mail) { m.To = "John <a@example.test>" },
		"a script for a link":   func(m *directory.Mail) { m.Link = "javascript:alert(1)" },
		"no link":               func(m *directory.Mail) { m.Link = "" },
		"no password":           func(m *directory.Mail) { m.Kind, m.Password = directory.MailPassword, "" },
		"a link to nowhere":     func(m *directory.Mail) { m.Link = "/reset" },
		"a link of two lines":   func(m *directory.Mail) { m.Link = "https://example.com/\r\nhttps://evil.example" },
	} {
		m := sample(directory.MailReset)
		change(&m)
		msg, err := renderer(t).Render(m, id, asked)
		failure, ok := errors.AsType[*mail.Error](err)
		if !ok || !failure.Permanent() {
			t.Errorf("%s: %v, %v", name, msg, err)
			continue
		}
		for _, secret := range []string{"example", "John", "token"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error %q tells too much", name, err)
			}
		}
	}
	for _, bad := range []string{"", "../x", "a b", "A\r\n", strings.Repeat("a", 65)} {
		if _, err := renderer(t).Render(sample(directory.MailReset), bad, asked); err == nil {
			t.Errorf("id %q is accepted", bad)
		}
	}
}

// A newer process may know the kind, so the job must stay for it.
func TestAnUnknownKindIsNotRefusedForGood(t *testing.T) {
	_, err := renderer(t).Render(sample("farewell"), id, asked)
	if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), `"farewell"`) {
		t.Errorf("error = %v", err)
	}
}

func TestSenders(t *testing.T) {
	for from, want := range map[string]string{
		"usher@example.com":             "<" + id + "@example.com>",
		"Usher <usher@[192.0.2.1]>":     "<" + id + "@localhost>",
		"Über uns <usher@bücher.test>":  "<" + id + "@localhost>",
		"\"a@b\" <usher@localhost>":     "<" + id + "@localhost>",
		"usher@localhost":               "<" + id + "@localhost>",
		"usher":                         "",
		"a@example.com, b@example.com":  "",
		"Usher <a@example.com>\r\nX: y": "",
	} {
		r, err := mail.NewRenderer(from)
		if (err != nil) != (want == "") {
			t.Errorf("sender %q: %v", from, err)
		}
		if err != nil {
			continue
		}
		msg, err := r.Render(sample(directory.MailReset), id, asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := parse(t, msg.Raw).header.Get("Message-Id"); got != want {
			t.Errorf("sender %q: Message-ID %q", from, got)
		}
	}
}

// Whatever people are called, a message is one message to one person.
func FuzzRender(f *testing.F) {
	for i, kind := range []string{"welcome", "password", "reset"} {
		f.Add(kind, "john@example.test", "John Bates", "johnb", "Kentel", "Kiwi-42", "https://example.com/?a=b", int64(i))
	}
	f.Add("reset", "\"a b\"@example.test", "a\r\nBcc: x@y", "=?utf-8?q?=0D=0A?=", "\xff\u2028", "<b>\r.\r\n", "https://example.com/ \"<", int64(0))
	f.Fuzz(func(t *testing.T, kind, to, name, userName, tenant, password, link string, expires int64) {
		m := directory.Mail{Kind: directory.MailKind(kind), To: to, Name: name, UserName: userName, Tenant: tenant, Password: password, Link: link}
		if expires != 0 {
			m.Expires = time.Unix(expires%1e11, 0)
		}
		msg, err := renderer(t).Render(m, id, asked)
		if err != nil {
			return
		}
		p := parse(t, msg.Raw)
		checkShape(t, msg, p)
		if p.to.Address != msg.To || fmt.Sprint(p.header["From"]) != `["Usher" <usher@example.com>]` {
			t.Errorf("to %v from %v", p.to, p.header["From"])
		}
		if strings.ContainsAny(p.subject+p.to.Name, "\r\n") {
			t.Errorf("subject %q, name %q", p.subject, p.to.Name)
		}
	})
}
