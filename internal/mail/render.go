package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	netmail "net/mail"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/usher-id/usher/internal/directory"
)

//go:embed templates
var templates embed.FS

// maxName is the most characters of a name in a message: enough for a name,
// too few for a text that somebody wants to have sent.
const maxName = 100

// Message is a message ready to leave.
type Message struct {
	ID   string    // of the job that asked for it; the Message-ID is made of it
	From string    // address of the sender, for the envelope
	To   string    // address of the recipient, for the envelope
	Date time.Time // when it was asked for
	Raw  []byte    // the message as RFC 5322 has it, in ASCII but for addresses that are not; lines end in CRLF
}

// Renderer writes messages. It is safe for concurrent use.
type Renderer struct {
	from  netmail.Address
	texts map[directory.MailKind]*texttemplate.Template
	pages map[directory.MailKind]*htmltemplate.Template
}

// NewRenderer makes a Renderer whose messages come from an address, perhaps
// with a name: usher@example.com or Usher <usher@example.com>. The error is
// about that.
func NewRenderer(from string) (*Renderer, error) {
	address, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, errors.New("not an address: write usher@example.com or Usher <usher@example.com>")
	}
	r := &Renderer{from: *address, texts: map[directory.MailKind]*texttemplate.Template{},
		pages: map[directory.MailKind]*htmltemplate.Template{}}
	r.from.Name = oneLine(r.from.Name)
	for _, kind := range []directory.MailKind{directory.MailWelcome, directory.MailPassword, directory.MailReset} {
		text, page := "templates/"+string(kind)+".txt", "templates/"+string(kind)+".html"
		r.texts[kind] = texttemplate.Must(texttemplate.New(string(kind)+".txt").ParseFS(templates, "templates/footer.txt", text))
		r.pages[kind] = htmltemplate.Must(htmltemplate.New("layout.html").ParseFS(templates, "templates/layout.html", page))
	}
	return r, nil
}

// content is what the templates see. Every text in it is one line.
type content struct {
	Subject, Name, UserName, Tenant, Password, Link, Expires string
}

// Render writes a message. The same id and date give the same bytes. The error
// is an *Error: permanent for an address that is none, not for a kind that this
// version of the program does not know, since a newer one may.
func (r *Renderer) Render(m directory.Mail, id string, date time.Time) (*Message, error) {
	if !plainID(id) {
		return nil, permanent("the id of the job is not fit for a Message-ID")
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Name != "" || strings.ContainsFunc(to.Address, unicode.IsControl) {
		return nil, permanent("the recipient's address cannot be written")
	}
	c, err := contentOf(m)
	if err != nil {
		return nil, err
	}
	text, page, err := r.bodies(m.Kind, c)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("usher-"+id))
	msg.FromMailAddress(&r.from)
	msg.ToMailAddress(&netmail.Address{Name: c.Name, Address: to.Address})
	msg.Subject(c.Subject)
	msg.SetDateWithValue(date.UTC())
	msg.SetMessageIDWithValue(id + "@" + r.domain())
	// No out-of-office reply comes to a message that says so (RFC 3834, 5).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, page)
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		return nil, failed("writing the message", err)
	}
	return &Message{ID: id, From: r.from.Address, To: to.Address, Date: date, Raw: raw.Bytes()}, nil
}

// bodies fills the two templates of a kind, and the subject in c.
func (r *Renderer) bodies(kind directory.MailKind, c *content) (text, page string, err error) {
	texts, pages := r.texts[kind], r.pages[kind]
	if texts == nil {
		return "", "", &Error{text: fmt.Sprintf("this version has no template for messages of kind %q", oneLine(string(kind)))}
	}
	var subject, plain, html strings.Builder
	err = texts.ExecuteTemplate(&subject, "subject", c)
	c.Subject = oneLine(subject.String())
	if err = errors.Join(err, texts.Execute(&plain, c), pages.Execute(&html, c)); err != nil {
		// What the engines say may quote what they were given.
		return "", "", &Error{text: "the templates of the message do not fit it"}
	}
	return plain.String(), html.String(), nil
}

// contentOf makes what people have written fit for a message.
func contentOf(m directory.Mail) (*content, error) {
	c := &content{Name: oneLine(m.Name), UserName: oneLine(m.UserName), Tenant: oneLine(m.Tenant), Password: m.Password}
	if c.Tenant == "" { // the sentences need a place
		c.Tenant = "usher"
	}
	if !m.Expires.IsZero() {
		c.Expires = m.Expires.UTC().Format("15:04 UTC on 2 January 2006")
	}
	if m.Kind == directory.MailReset && m.Link == "" || m.Kind == directory.MailPassword && m.Password == "" {
		return nil, permanent("the message lacks the link or the password that it is about")
	}
	if m.Link != "" {
		link, err := url.Parse(m.Link)
		if err != nil || link.Scheme != "http" && link.Scheme != "https" || link.Host == "" {
			return nil, permanent("the link of the message is not a URL of the web")
		}
		c.Link = link.String()
	}
	return c, nil
}

// domain is the part after @ of the sender's address, for the Message-ID.
func (r *Renderer) domain() string {
	domain := r.from.Address[strings.LastIndexByte(r.from.Address, '@')+1:]
	if !isASCII(domain) || strings.HasPrefix(domain, "[") {
		return "localhost"
	}
	return domain
}

// oneLine makes a text of people fit for a header and for a line of a message:
// what is invisible or ends a line becomes a space, spaces in a row become one,
// and maxName cuts it. The beginning of an encoded word (RFC 2047, 2) is taken
// apart: decoded, it could hold all that was just removed.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "=?", "= ?"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxName {
		text = strings.TrimSpace(string(runes[:maxName-1])) + "…"
	}
	return text
}

// plainID reports whether an id can stand in a header and in a file's name.
func plainID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "-0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}
