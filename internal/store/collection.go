package store

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// Phones and addresses are on every page of users, external ids on every user
// that was provisioned, and encoding/json takes as long for one user's as SQLite
// for the whole row. Nearly all of them have the very form in which encode writes
// them, with no escape in any text: that form is read here by comparing, and any
// other by encoding/json.

// decodePhones reads the next column as a list of phones.
func decodePhones(r *row, phones *[]directory.Phone) {
	text := r.text()
	if text == "" {
		return
	}
	if !plainPhones(text, phones) {
		*phones = nil
		decode(r, text, phones)
	}
}

// decodeAddress reads the next column as an address.
func decodeAddress(r *row, a *directory.Address) {
	text := r.text()
	if text == "" {
		return
	}
	if !plainAddress(text, a) {
		*a = directory.Address{}
		decode(r, text, a)
	}
}

// decodeProfile reads the next column as a profile.
func decodeProfile(r *row, p *directory.Profile) {
	text := r.text()
	if text == "" {
		return
	}
	if !plainProfile(text, p) {
		*p = directory.Profile{}
		decode(r, text, p)
	}
}

// plain reads a text from the front.
type plain struct{ rest string }

// skip passes over a literal, if it comes next.
func (p *plain) skip(literal string) bool {
	rest, ok := strings.CutPrefix(p.rest, literal)
	if ok {
		p.rest = rest
	}
	return ok
}

// value reads what stands up to the next quote; ok is false for an escape.
func (p *plain) value(into *string) bool {
	end := strings.IndexByte(p.rest, '"')
	if end < 0 || strings.IndexByte(p.rest[:end], '\\') >= 0 {
		return false
	}
	*into, p.rest = p.rest[:end], p.rest[end+1:]
	return true
}

// member reads an optional member whose text opens with the literal.
func (p *plain) member(opening string, into *string) bool {
	return !p.skip(opening) || p.value(into)
}

func plainPhones(text string, phones *[]directory.Phone) bool {
	p := plain{text}
	if !p.skip("[") {
		return false
	}
	list := make([]directory.Phone, 0, 2)
	for {
		var phone directory.Phone
		if !p.skip(`{"number":"`) || !p.value(&phone.Number) || !p.member(`,"extension":"`, &phone.Extension) ||
			!p.member(`,"type":"`, &phone.Type) || !p.skip("}") {
			return false
		}
		list = append(list, phone)
		if p.rest == "]" {
			*phones = list
			return true
		}
		if !p.skip(",") {
			return false
		}
	}
}

func plainAddress(text string, a *directory.Address) bool {
	p := plain{text}
	if !p.skip(`{"set":true`) {
		return false
	}
	a.Set = true
	return p.member(`,"line1":"`, &a.Line1) && p.member(`,"line2":"`, &a.Line2) && p.member(`,"city":"`, &a.City) &&
		p.member(`,"region":"`, &a.Region) && p.member(`,"country":"`, &a.Country) && p.member(`,"zip":"`, &a.Zip) && p.rest == "}"
}

// plainProfile reads a profile that has external ids and nothing else.
func plainProfile(text string, profile *directory.Profile) bool {
	p := plain{text}
	if !p.skip(`{"external_ids":{`) {
		return false
	}
	ids := make(map[string]string, 1)
	for {
		var credential, id string
		if !p.skip(`"`) || !p.value(&credential) || !p.skip(`:"`) || !p.value(&id) {
			return false
		}
		ids[credential] = id
		if p.rest == "}}" {
			profile.ExternalIDs = ids
			return true
		}
		if !p.skip(",") {
			return false
		}
	}
}
