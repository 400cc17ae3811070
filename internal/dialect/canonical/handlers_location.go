package canonical

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
)

// Location is a place of a company.
type Location struct {
	Number       int64                  `json:"number" minimum:"1" maximum:"2147483647" example:"14202"`
	ID           string                 `json:"id" format:"uuid"`
	Company      int64                  `json:"company" doc:"Number of the company."`
	Name         string                 `json:"name" example:"Regina Downtown"`
	Headquarters bool                   `json:"headquarters" doc:"At most one location of a company is."`
	Address      nullable[wholeAddress] `json:"address"`
	Phone        string                 `json:"phone"`
	Fax          string                 `json:"fax"`
	Version      int64                  `json:"version" minimum:"1" doc:"The ETag."`
	CreatedAt    time.Time              `json:"created_at"`
}

// showLocation is a location of the core as it is shown.
func showLocation(l *directory.Location) Location {
	shown := Location{Number: l.Number, ID: l.ID, Company: l.Company, Name: l.Name, Headquarters: l.Headquarters,
		Phone: l.Phone, Fax: l.Fax, Version: l.Version, CreatedAt: l.CreatedAt.UTC()}
	if a := l.Address; a != (directory.Address{}) {
		shown.Address = some(wholeAddress(a))
	}
	return shown
}

// wholeAddress is an address in an answer: every member is there.
type wholeAddress directory.Address

// MarshalJSON implements json.Marshaler.
func (a wholeAddress) MarshalJSON() ([]byte, error) {
	return appendAddress(nil, (*directory.Address)(&a)), nil
}

// Schema implements huma.SchemaProvider.
func (wholeAddress) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[Address](), false, "")
}

// LocationFields are the members of a location that a client can write, but its
// name and place.
type LocationFields struct {
	Headquarters opt[bool]    `json:"headquarters,omitempty" doc:"True takes it from the location that was."`
	Address      opt[Address] `json:"address,omitempty"`
	Phone        opt[string]  `json:"phone,omitempty" maxLength:"64"`
	Fax          opt[string]  `json:"fax,omitempty" maxLength:"64"`
}

// registerLocations adds the operations on locations.
func registerLocations(d *door) {
	const tag, path = "locations", "/locations/{location}"
	register(d, operation{id: "list_locations", method: http.MethodGet, path: "/locations", tag: tag, summary: "List locations",
		description: "Locations of companies that the credential can see, by number.",
		examples:    []example{{name: "locations of a company", path: "/locations?company=14146&total=true"}}},
		func(ctx context.Context, x *exchange, in *struct {
			TreeQuery
			Company int64 `query:"company" minimum:"1" maximum:"2147483647" example:"14146" doc:"Number of a company: its own locations."`
		}) (*pageOutput[Location], error) {
			list, err := x.door.svc.ListLocations(ctx, &x.call, in.core(x, "company", in.Company))
			if err != nil {
				return nil, renamed(err, queryFields)
			}
			return treePage(list, in.Total, showLocation), nil
		})
	register(d, operation{id: "create_location", method: http.MethodPost, path: "/locations", tag: tag, summary: "Create a location",
		description: "Names are unique in the company.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "a location", body: `{"number":20002,"company":14146,"name":"Moose Jaw","address":{"city":"Moose Jaw","country":"CA"}}`}}}, createLocation)
	register(d, operation{id: "get_location", method: http.MethodGet, path: path, tag: tag, summary: "Read a location", versioned: true,
		description: "By number or by id.", examples: []example{{name: "by number", path: "/locations/20002"}}},
		func(ctx context.Context, x *exchange, in *struct{ LocationPath }) (*made[Location], error) {
			l, err := x.door.svc.LocationOf(ctx, &x.call, locationRefOf(in.Location))
			if err != nil {
				return nil, err
			}
			return answer(x, showLocation(&l), l.Version), nil
		})
	register(d, operation{id: "update_location", method: http.MethodPatch, path: path, tag: tag, summary: "Change a location",
		description: "A merge patch (RFC 7396): members that are left out stay, null resets. A location stays with its company.", versioned: true, patch: true,
		examples: []example{{name: "a telephone", path: "/locations/20002", body: `{"phone":"306 555 0100"}`}}}, updateLocation)
	register(d, removal("delete_location", path, tag, "Delete a location", "One that nobody is assigned to, not even a user in the recycle bin: else 409.",
		example{name: "delete", path: "/locations/20002"}),
		func(ctx context.Context, x *exchange, in *struct{ LocationPath }) (*nothing, error) {
			return nil, x.door.svc.DeleteLocation(ctx, &x.call, locationRefOf(in.Location))
		})
}

func createLocation(ctx context.Context, x *exchange, in *struct {
	Body struct {
		LocationFields
		Number  opt[int64]  `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"Drawn if left out."`
		ID      opt[string] `json:"id,omitempty" doc:"A UUID; drawn if left out."`
		Company int64       `json:"company" minimum:"1" maximum:"2147483647" doc:"Number of the company."`
		Name    string      `json:"name" minLength:"1" maxLength:"256"`
	} `nameHint:"NewLocation"`
}) (*made[Location], error) {
	creates(x, func(l directory.Location) (Location, string, int64) {
		return showLocation(&l), numbered("/locations", l.Number), l.Version
	})
	b := &in.Body
	next := directory.Location{Number: b.Number.or(0), ID: b.ID.or(""), Company: b.Company, Name: b.Name,
		Headquarters: b.Headquarters.or(false), Phone: b.Phone.or(""), Fax: b.Fax.or("")}
	if b.Address.set && !b.Address.null {
		next.Address = placed(&b.Address.value)
	}
	l, err := x.door.svc.CreateLocation(ctx, &x.call, next)
	if err != nil {
		return nil, err
	}
	return created(x, showLocation(&l), numbered("/locations", l.Number), l.Version), nil
}

// placed is the address of a location: there, if it says anything.
func placed(a *Address) directory.Address {
	address := a.core()
	address.Set = false
	return address
}

func updateLocation(ctx context.Context, x *exchange, in *struct {
	LocationPath
	Body struct {
		LocationFields
		Name opt[string] `json:"name,omitempty" minLength:"1" maxLength:"256"`
	} `nameHint:"LocationChange"`
}) (*made[Location], error) {
	b := &in.Body
	patch := directory.LocationPatch{Name: b.Name.reset(), Headquarters: b.Headquarters.reset(), Phone: b.Phone.reset(), Fax: b.Fax.reset()}
	if b.Address.set {
		patch.Address = func(now *directory.Address) { *now = mergeAddress(now, &b.Address) }
	}
	l, err := x.door.svc.EditLocation(ctx, &x.call, locationRefOf(in.Location), patch)
	if err != nil {
		return nil, err
	}
	return answer(x, showLocation(&l), l.Version), nil
}

// mergeAddress is a location's address after a merge patch.
func mergeAddress(now *directory.Address, patch *opt[Address]) directory.Address {
	var merged Address
	if patch.null || json.Unmarshal(mergeValue(appendAddress(nil, now), patch.value.raw), &merged) != nil {
		return directory.Address{} // what was read once is an address after a patch too
	}
	return placed(&merged)
}
