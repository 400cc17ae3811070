package servicemobility

import (
	"encoding/json"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// own are the properties of a User that only this door has. They are kept as
// the door's extras, the defaults left out, so that a user whom this door never
// wrote and one written with the defaults are the same.
type own struct {
	authentication string // "": a copy of UserID (dossier 4.3)
	dGroup         string
	faceTime       string
	language       string // a LanguageCode that is no BCP 47 tag
	sms            string
	status         string
	diagnostics    bool
	mobileWorker   bool
	extensions     []pair
}

// pair is a member of an object of texts, whose order is kept.
type pair struct{ key, value string }

// readOwn reads these properties of a body.
func readOwn(f *faults, o web.Object, userID string) own {
	p := own{
		authentication: f.ownText(o, "", "AuthenticationID"),
		dGroup:         f.ownText(o, "", "DGroupID"),
		faceTime:       f.ownText(o, "", "FaceTime"),
		sms:            f.ownText(o, "", "SMS"),
		status:         f.ownText(o, "", "Status"),
		diagnostics:    f.flag(o, "", "EnableMobileDiagnostics", false),
		mobileWorker:   f.flag(o, "", "IsMobileWorker", false),
		extensions:     f.pairs(o, "Extensions"),
	}
	if p.authentication == userID {
		p.authentication = ""
	}
	return p
}

// pairs reads an object of texts with customer-defined keys. Of two members of
// one name the last counts.
func (f *faults) pairs(o web.Object, name string) []pair {
	body, state := o.Object(name)
	if state == web.Mistyped {
		raw, _ := o.Get(name)
		f.wrongType(name, "an object", raw)
	}
	var list []pair
	index := map[string]int{}
	for key, raw := range body.Each {
		if len(f.list) > maxFaults {
			break // the answer is full
		}
		value, state := web.StringOf(raw)
		if state != web.Present {
			f.wrongType(name+"."+cut(key), "a string", raw)
			continue
		}
		if at, twice := index[key]; twice {
			list[at].value = value
			continue
		}
		index[key] = len(list)
		list = append(list, pair{key, value})
	}
	return list
}

// ownOf are the properties of a stored user.
func ownOf(u *directory.User) own {
	raw := u.Profile.Extras[directory.DoorServiceMobility.String()]
	if len(raw) == 0 {
		return own{}
	}
	o, err := web.DecodeObject(raw, maxDepth)
	if err != nil {
		return own{}
	}
	var f faults // what another way has put here in another type is not there
	p := readOwn(&f, o, u.UserName)
	p.language = f.text(o, "", "LanguageCode")
	return p
}

// json is the extras' form; empty when all are the defaults.
func (p *own) json() json.RawMessage {
	b := []byte{'{'}
	for _, text := range []pair{{"AuthenticationID", p.authentication}, {"DGroupID", p.dGroup}, {"FaceTime", p.faceTime},
		{"LanguageCode", p.language}, {"SMS", p.sms}, {"Status", p.status}} {
		if text.value != "" {
			b = append(appendName(b, text.key), ':')
			b = web.AppendString(b, text.value)
		}
	}
	if p.diagnostics {
		b = append(appendName(b, "EnableMobileDiagnostics"), `:true`...)
	}
	if p.mobileWorker {
		b = append(appendName(b, "IsMobileWorker"), `:true`...)
	}
	if len(p.extensions) > 0 {
		b = append(appendName(b, "Extensions"), ':')
		b = appendPairs(b, p.extensions)
	}
	if len(b) == 1 {
		return nil
	}
	return append(b, '}')
}

// appendName appends the name of the next member of an object.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return web.AppendString(b, name)
}

// appendPairs appends an object of texts.
func appendPairs(b []byte, pairs []pair) []byte {
	b = append(b, '{')
	for _, p := range pairs {
		b = append(appendName(b, p.key), ':')
		b = web.AppendString(b, p.value)
	}
	return append(b, '}')
}
