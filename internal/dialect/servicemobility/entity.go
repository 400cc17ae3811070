package servicemobility

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// addressKeys are the texts of an address, in the seed's order. Lat and Lon are
// texts too.
var addressKeys = [...]string{"AddrLine1", "AddrLine2", "AddrLine3", "AddrLine4", "AddrType", "City", "Country", "Intersection",
	"Lat", "Lon", "Region", "Zip"}

// entity is the User Entity object without SystemID: what the doors keep of the
// tenant itself (dossier 4.4).
type entity struct {
	addresses [][len(addressKeys)]string
	contacts  []contact
	name      string
}

type contact struct {
	email, given, family string
	primary              bool
	phones               []directory.Phone
}

// readEntity converts the body of a PUT to an entity. SystemID is the server's
// own; it must be the one of the path.
func readEntity(x *exchange, o web.Object) entity {
	if id := x.faults.text(o, "", "SystemID"); id != "" && !strings.EqualFold(id, x.ids[0]) {
		x.faults.mismatch("SystemID", id, x.ids[0])
	}
	return x.faults.entity(o)
}

// readUserEntity converts the body of a PUT through a user, whose path does not
// name the entity: SystemID is not looked at.
func readUserEntity(x *exchange, o web.Object) entity { return x.faults.entity(o) }

// entity converts a User Entity object (dossier 4.4).
func (f *faults) entity(o web.Object) entity {
	e := entity{name: f.ownText(o, "", "Name")}
	e.addresses = objects(f, o, "", "Addresses", func(o web.Object, place string) (a [len(addressKeys)]string) {
		for i, key := range addressKeys {
			a[i] = f.ownText(o, place, key)
		}
		return a
	})
	e.contacts = objects(f, o, "", "Contacts", func(o web.Object, place string) contact {
		c := contact{email: f.ownText(o, place, "Email"), given: f.ownText(o, place, "FirstName"), family: f.ownText(o, place, "LastName"),
			primary: f.flag(o, place, "IsPrimary", false), phones: f.phones(o, place)}
		for _, p := range c.phones {
			f.clean(place+"Phones", p.Number, maxText)
			f.clean(place+"Phones", p.Type, maxText)
		}
		return c
	})
	return e
}

// entityOf is the entity of a tenant; of one that was never described, its name.
func entityOf(t *directory.Tenant) entity {
	o, err := web.DecodeObject([]byte(t.Entity), maxDepth)
	if err != nil {
		return entity{name: t.Name}
	}
	var f faults // what another way has put here in another type is not there
	return f.entity(o)
}

// appendMembers appends the object, still open.
func (e *entity) appendMembers(b []byte) []byte {
	b = append(b, `{"Addresses":[`...)
	for i := range e.addresses {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for j, key := range addressKeys {
			b = append(appendName(b, key), ':')
			b = web.AppendString(b, e.addresses[i][j])
		}
		b = append(b, '}')
	}
	b = append(b, `],"Contacts":[`...)
	for i := range e.contacts {
		if i > 0 {
			b = append(b, ',')
		}
		c := &e.contacts[i]
		b = appendText(b, `{"Email":`, c.email)
		b = appendText(b, `,"FirstName":`, c.given)
		b = appendFlag(b, `,"IsPrimary":`, c.primary)
		b = appendText(b, `,"LastName":`, c.family)
		b = appendPhones(append(b, `,"Phones":`...), c.phones)
		b = append(b, '}')
	}
	return appendText(b, `],"Name":`, e.name)
}

// json is the form in which the directory keeps an entity.
func (e *entity) json() string { return string(append(e.appendMembers(nil), '}')) }

// appendEntity appends the User Entity object of a tenant.
func appendEntity(b []byte, t *directory.Tenant) []byte {
	e := entityOf(t)
	b = appendText(e.appendMembers(b), `,"SystemID":`, t.ID)
	return append(b, '}')
}
