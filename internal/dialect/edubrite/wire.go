package edubrite

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentXML is the media type of every answer (dossier 4.1).
const contentXML = "text/xml;charset=UTF-8"

// The message codes of the vendor that go with success (dossier 4.2).
const (
	codeSuccess       = "0"
	codeAdded         = "0018"
	codeMemberAdded   = "0031"
	codeMemberRemoved = "0032"
	codeActivated     = "0092"
	codeDeactivated   = "0093"
	codeUpdated       = "0172"
)

// The texts that go with them. Some have a full stop and some have none, as the
// vendor prints them (dossier 5.7).
const (
	textSuccess       = "Success"
	textUserAdded     = "User(s) added successfully."
	textUserInGroups  = "User(s) added successfully"
	textMemberAdded   = "New member(s) added to group"
	textMemberRemoved = "Member(s) removed from group"
	textActivated     = "Activated successfully."
	textDeactivated   = "Deactivated successfully."
	textUpdated       = "User updated Successfully"
)

// noStore keeps answers out of caches: most are about people, and reads are GET
// as well.
var noStore = [2]string{"Cache-Control", "no-store"}

// success answers 200 with one message, and with the content of <data> unless
// it is nil.
func success(code, text string, data []byte) (web.Response, error) {
	b := appendEnvelope(make([]byte, 0, 160+len(data)), "0", code, text)
	if data != nil {
		b = append(append(append(b, "<data>"...), data...), "</data>"...)
	}
	return response(http.StatusOK, append(b, "</response>"...)), nil
}

// failure answers with the envelope of a refusal: the root's code is -1
// whenever the status is not 200 (dossier 5.14).
func failure(status int, code, text string) web.Response {
	return response(status, append(appendEnvelope(make([]byte, 0, 256), "-1", code, text), "</response>"...))
}

func response(status int, body []byte) web.Response {
	return web.Response{Status: status, ContentType: contentXML, Header: [][2]string{noStore}, Body: body}
}

// appendEnvelope appends the root and its message (seed, Response XML). There
// is no XML declaration, as in every sample of the vendor.
func appendEnvelope(b []byte, root, code, text string) []byte {
	b = append(append(append(b, `<response code="`...), root...), `"><msgs><msg><code>`...)
	b = append(append(b, code...), "</code>"...)
	b = appendText(b, "value", text)
	return append(b, "</msg></msgs>"...)
}

// appendText appends an element whose content is CDATA.
func appendText(b []byte, name, text string) []byte {
	b = append(append(append(b, '<'), name...), "><![CDATA["...)
	b = appendCDATA(b, text)
	return append(append(append(b, "]]></"...), name...), '>')
}

// appendCDATA appends text to a CDATA section: what would end the section is
// spread over two (dossier 4.1), and what XML 1.0 has no character for becomes
// U+FFFD.
func appendCDATA(b []byte, text string) []byte {
	for {
		head, tail, found := strings.Cut(text, "]]>")
		b = appendXMLText(b, head)
		if !found {
			return b
		}
		b = append(b, "]]]]><![CDATA[>"...)
		text = tail
	}
}

// appendXMLText appends text, each forbidden character as U+FFFD.
func appendXMLText(b []byte, text string) []byte {
	for _, r := range text {
		if !xmlRune(r) {
			r = utf8.RuneError
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// xmlRune reports whether XML 1.0 has a character (production 2, Char).
func xmlRune(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// appendAttribute appends an attribute with its value escaped.
func appendAttribute(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	for _, r := range value {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\t' || r == '\n' || r == '\r':
			b = append(strconv.AppendInt(append(b, "&#"...), int64(r), 10), ';')
		default:
			b = appendXMLText(b, string(r))
		}
	}
	return append(b, '"')
}

// appendUser appends a user (dossier 4.3). openId and timezone are never shown.
func appendUser(b []byte, u *directory.UserDetail, resetURL string) []byte {
	own := extrasOf(&u.User)
	b = append(b, "<user"...)
	b = appendAttribute(b, "id", u.User.ID)
	b = appendAttribute(b, "siteRole", siteRole(&u.User, own))
	b = appendAttribute(b, "status", status(&u.User))
	b = append(b, '>')
	b = appendText(b, "userName", u.User.UserName)
	b = appendText(b, "firstName", u.User.GivenName)
	b = appendText(b, "lastName", u.User.FamilyName)
	b = appendText(b, "email", u.User.Email)
	if u.Reset.Token != "" {
		b = appendText(b, "passwordToken", u.Reset.Token)
		b = appendText(b, "passwordResetUrl", resetURL+u.Reset.Token)
	}
	b = append(b, "<customProperties>"...)
	for _, member := range slices.Sorted(maps.Keys(own)) {
		name, ok := strings.CutPrefix(member, propertyPrefix)
		var value string
		if !ok || json.Unmarshal(own[member], &value) != nil {
			continue
		}
		b = appendText(append(b, "<prop>"...), "name", name)
		b = append(appendText(b, "value", value), "</prop>"...)
	}
	return append(b, "</customProperties></user>"...)
}

// appendUsers appends a page of users (dossier 4.4).
func appendUsers(b []byte, list *directory.DetailPage, p page, resetURL string) []byte {
	b = p.appendTag(b, "users", list.Total)
	for i := range list.Users {
		b = appendUser(b, &list.Users[i], resetURL)
	}
	return append(b, "</users>"...)
}

// appendGroup appends a group (dossier 3.4). The vendor's groups have an owner,
// which groups here have not.
func appendGroup(b []byte, g *directory.Group, size int64) []byte {
	b = append(b, "<group"...)
	b = append(appendAttribute(b, "id", g.ID), '>')
	b = appendText(b, "name", g.Name)
	b = appendText(b, "code", g.Key)
	b = appendText(b, "description", g.Description)
	b = appendText(b, "membercount", strconv.FormatInt(size, 10))
	b = appendText(b, "groupOwnerFirstName", "")
	b = appendText(b, "groupOwnerLastName", "")
	return append(b, "</group>"...)
}

// appendGroups appends a page of groups.
func appendGroups(b []byte, list *directory.GroupPage, p page) []byte {
	b = p.appendTag(b, "groups", list.Total)
	for i := range list.Groups {
		b = appendGroup(b, &list.Groups[i], list.Sizes[i])
	}
	return append(b, "</groups>"...)
}

// appendTag appends the start tag of a page: currPage is what the client sent,
// -1 if it sent none (dossier 5.9).
func (p page) appendTag(b []byte, name string, total int64) []byte {
	b = append(append(b, '<'), name...)
	b = appendAttribute(b, "numItems", strconv.FormatInt(total, 10))
	b = appendAttribute(b, "currPage", strconv.FormatInt(p.current, 10))
	b = appendAttribute(b, "pageSize", strconv.Itoa(p.size))
	return append(b, '>')
}

// appendSession appends the two halves of a person's session.
func appendSession(b []byte, pair directory.SessionPair) []byte {
	b = appendText(append(b, "<session>"...), "sessionId", pair.ID)
	return append(appendText(b, "sessionInfo", pair.Info), "</session>"...)
}

// The cookies of a session, by their exact names (dossier 2.2).
const (
	cookieID   = "SESSION_ID"
	cookieInfo = "SESSION_INFO"
)

// setCookie is one Set-Cookie line: no Domain, which clients that are given an
// address would refuse.
func setCookie(name, value string) [2]string {
	return [2]string{"Set-Cookie", name + "=" + value + "; Path=/; HttpOnly"}
}

// exchange is one request on its way through a handler.
type exchange struct {
	req    *web.Request
	params params
	call   directory.Call
}

func newExchange(r *web.Request) *exchange {
	return &exchange{req: r, call: directory.Call{Door: directory.DoorEduBrite, ActAs: actingUser(r.Header), Host: r.Host,
		Addr: r.Event.Addr, RequestID: r.Event.RequestID}}
}

// read reads the parameters and the session, which comes in two cookies, or as
// parameters from clients that cannot set cookies.
func (x *exchange) read(d *door) error {
	p, err := readParams(x.req, d.opts.MaxBody)
	x.params = p
	if pair := sessionOf(x.req.Request, p); pair.ID != "" && pair.Info != "" && !d.foreignPage(x.req.Request) {
		x.call.Secret = pair.Secret()
	}
	return err
}

// sessionOf is the session that a request presents, unverified.
func sessionOf(r *http.Request, p params) directory.SessionPair {
	var pair directory.SessionPair
	for name, half := range map[string]*string{cookieID: &pair.ID, cookieInfo: &pair.Info} {
		// Both Cookie lines of the Java client are read; $Version and $Path are
		// cookies of no interest (dossier 2.2).
		if cookie, err := r.Cookie(name); err == nil && sessionText(cookie.Value) {
			*half = cookie.Value
		}
	}
	if pair.ID == "" && pair.Info == "" && sessionText(p.get("sessionId")) && sessionText(p.get("sInfo")) {
		pair = directory.SessionPair{ID: p.get("sessionId"), Info: p.get("sInfo")}
	}
	return pair
}

// sessionText reports whether a text can be half of a session: the vendor's
// alphabet (dossier 2.2), bounded.
func sessionText(text string) bool {
	if text == "" || len(text) > 128 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '*':
		default:
			return false
		}
	}
	return true
}

// foreignPage reports whether a browser sent the request for a page of another
// site. Reads and changes are GET at this door, so that a link would be enough
// to make them in a person's name; no client of the API is a browser. Browsers
// leave Sec-Fetch-Site out over plain HTTP (W3C Fetch Metadata, 2), and older
// ones always: then the page is where Origin, or else Referer, says.
func (d *door) foreignPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	case "":
		page := r.Header.Get("Origin")
		if page == "" {
			page = r.Header.Get("Referer")
		}
		return page != "" && !d.ownPage(page, r.Host)
	}
	return false
}

// ownPage reports whether an address is of this server, as the client calls it
// or as public_url does.
func (d *door) ownPage(page, host string) bool {
	at, err := url.Parse(page)
	if err != nil || at.Host == "" { // "null", the origin of what has none
		return false
	}
	public, err := url.Parse(d.opts.PublicURL)
	return strings.EqualFold(at.Host, host) || err == nil && strings.EqualFold(at.Host, public.Host)
}

// actingUser is the user of REAL_UNAME: the part before the first '|' (dossier
// 2.3). Bytes that are not UTF-8 are ISO 8859-1, which is what older HTTP
// libraries send.
func actingUser(h http.Header) string {
	name, _, _ := strings.Cut(h.Get("REAL_UNAME"), "|")
	if !utf8.ValidString(name) {
		runes := make([]rune, len(name))
		for i := range len(name) {
			runes[i] = rune(name[i])
		}
		name = string(runes)
	}
	return strings.TrimSpace(name)
}

// refuse answers input that this door refuses by itself, once the core has
// verified the caller and counted the request.
func (x *exchange) refuse(d *door, err error) (web.Response, error) {
	if refused := d.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, err
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor, x.req.Event.OnBehalfOf = x.call.Actor.Name, x.call.Actor.OnBehalfOf
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// resetURL is what a reset token is appended to (dossier 3.2, pwToken).
func (d *door) resetURL(x *exchange) string {
	base := d.opts.PublicURL
	if base == "" {
		scheme := "http"
		if x.req.TLS != nil || d.opts.HTTPS {
			scheme = "https"
		}
		base = scheme + "://" + x.req.Host
	}
	return base + "/oltpublish/site/resetpasswd.do?token="
}
