package smartapp

import (
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// maxWebsite bounds the address of a company's web site in characters.
const maxWebsite = 2000

// company reads a new company (dossier 4.5). What the vendor's description says
// of http is not demanded: its own sample has none.
func (in *input) company() (directory.Company, []directory.Location) {
	name := in.text(nameField, "name", maxText)
	c := directory.Company{
		Name:     name.Value,
		Website:  in.text("website", "website", maxWebsite).Value,
		Metadata: string(in.metadata(directory.FieldAttributes.String())),
	}
	elements, state := in.values.body.Array("locations")
	if state == web.Mistyped {
		in.fault(directory.FieldLocations.String(), directory.ReasonFieldFormat, "locations must be an array.")
	}
	if len(elements) > maxLocations {
		in.fault(directory.FieldLocations.String(), directory.ReasonFieldLength, "locations has more than %d elements.", maxLocations)
		return c, nil
	}
	locations := make([]directory.Location, 0, len(elements))
	for _, raw := range elements {
		object, state := web.ObjectOf(raw)
		if state != web.Present {
			in.fault(directory.FieldLocations.String(), directory.ReasonFieldFormat, "locations must be an array of objects.")
			return c, nil
		}
		element := &input{values: &values{body: object}}
		location := element.location()
		if location.Name == "" && len(element.faults) == 0 {
			element.fault(directory.FieldLocations.String(), directory.ReasonFieldRequired, "name of a location is required.")
		}
		locations = append(locations, location)
		// The text about a company's name is not for that of a location.
		for _, f := range element.faults {
			in.fault(directory.FieldLocations.String(), f.Reason, "locations: %s", f.Message)
		}
	}
	return c, locations
}

// maxLocations is how many locations the core makes with a company.
const maxLocations = 500

// location reads a new location, in the shape of requests or of answers: zipCode
// or zip, phoneNumber or phone (dossier 4.6).
func (in *input) location() directory.Location {
	p := in.locationPatch()
	l := directory.Location{Name: p.Name.Value, Headquarters: p.Headquarters.Value, Phone: p.Phone.Value, Fax: p.Fax.Value}
	p.Address(&l.Address)
	return l
}

// locationPatch reads the fields of a location that the request names.
func (in *input) locationPatch() directory.LocationPatch {
	p := directory.LocationPatch{
		Name:         in.text(nameField, "name", maxText),
		Headquarters: in.flag("isHeadquarters", "isHeadquarters"),
		Phone:        in.either("phone", "phoneNumber", maxPhone),
		Fax:          in.text("fax", "fax", maxPhone),
	}
	street1, street2 := in.text("street1", "street1", maxText), in.text("street2", "street2", maxText)
	city, state, country := in.text("city", "city", maxText), in.text("state", "state", maxText), in.text("country", "country", maxText)
	zip := in.either("zip", "zipCode", maxText)
	p.Address = func(a *directory.Address) {
		for _, f := range []struct {
			value directory.Opt[string]
			to    *string
		}{{street1, &a.Line1}, {street2, &a.Line2}, {city, &a.City}, {state, &a.Region}, {country, &a.Country}, {zip, &a.Zip}} {
			if f.value.Set {
				*f.to = f.value.Value
				a.Set = true
			}
		}
	}
	return p
}

// either reads a text by the name that requests have for it or, without that,
// by the name that answers have.
func (in *input) either(answer, request string, most int) directory.Opt[string] {
	if value := in.text(request, request, most); value.Set {
		return value
	}
	return in.text(answer, answer, most)
}
