package smartapp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentJSON is the Content-Type of every answer with a body.
const contentJSON = "application/json"

// included is what a User of the vendor shows besides the core's user.
const included = directory.IncludeCompany | directory.IncludeLocations | directory.IncludeGroups | directory.IncludeRoles

// The append functions write the answers with the keys in the vendor's order.

// appendUser appends a User (dossier 4.2).
func appendUser(b []byte, d *directory.UserDetail) []byte {
	u := &d.User
	extras := extrasOf(u)
	b = appendText(b, `{"uniqueID":`, u.ID)
	b = appendText(b, `,"globalUserID":`, extras.globalID)
	b = appendText(b, `,"firstName":`, u.GivenName)
	b = appendText(b, `,"lastName":`, u.FamilyName)
	b = appendText(b, `,"displayName":`, orElse(u.DisplayName, u.UserName))
	b = appendText(b, `,"email":`, u.Email)
	b = appendText(b, `,"status":`, statusOf(u.State))
	b = appendUserCompany(append(b, `,"company":`...), d)
	b = appendText(b, `,"licenceType":`, licenceText(u.LicenceType))
	b = append(append(b, `,"metadata":`...), extras.metadata...)
	b = appendNames(b, `,"applicationRoles":`, roleNames(d.Roles))
	b = appendNames(b, `,"groups":`, groupNames(d.Groups, directory.GroupPlain))
	b = appendNames(b, `,"dashboardGroups":`, groupNames(d.Groups, directory.GroupDashboard))
	b = appendText(b, `,"fax":`, phoneOf(u, "fax"))
	b = appendText(b, `,"mobile":`, phoneOf(u, "mobile"))
	b = appendText(b, `,"phone":`, phoneOf(u, "phone"))
	b = appendText(b, `,"userName":`, u.UserName)
	return append(b, '}')
}

// appendUsers appends a page of users (dossier 3.3).
func appendUsers(b []byte, page *directory.DetailPage) []byte {
	b = strconv.AppendInt(append(b, `{"totalCount":`...), page.Total, 10)
	b = append(b, `,"users":[`...)
	for i := range page.Users {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUser(b, &page.Users[i])
	}
	return append(b, "]}"...)
}

// appendUserRef appends how other objects refer to a user (seed).
func appendUserRef(b []byte, email, id, globalID string) []byte {
	b = appendText(b, `{"email":`, email)
	b = appendText(b, `,"userID":`, id)
	b = appendText(b, `,"globalUserID":`, globalID)
	return append(b, '}')
}

// appendUserCompany appends the user's company and the first location that the
// user has there; the latter is left out where there is none (dossier 4.2).
func appendUserCompany(b []byte, d *directory.UserDetail) []byte {
	b = appendNamed(append(b, `{"company":`...), d.Company.Name, d.Company.ID)
	for i := range d.Locations {
		if d.Locations[i].Company == d.User.Company {
			b = appendNamed(append(b, `,"companyLocation":`...), d.Locations[i].Name, d.Locations[i].ID)
			break
		}
	}
	return append(b, '}')
}

func appendNamed(b []byte, name, id string) []byte {
	b = appendText(b, `{"name":`, name)
	b = appendText(b, `,"uniqueID":`, id)
	return append(b, '}')
}

// appendCompany appends a Company (dossier 4.5).
func appendCompany(b []byte, d *directory.CompanyDetail) []byte {
	b = appendText(b, `{"name":`, d.Company.Name)
	b = appendText(b, `,"uniqueID":`, d.Company.ID)
	b = appendText(b, `,"website":`, d.Company.Website)
	b = appendAuthors(b, &d.Owner)
	b = append(append(b, `,"metadata":`...), orElse(d.Company.Metadata, "{}")...)
	b = appendLocations(append(b, `,"locations":`...), d)
	return append(b, '}')
}

// appendLocations appends the locations of a company.
func appendLocations(b []byte, d *directory.CompanyDetail) []byte {
	b = append(b, '[')
	for i := range d.Locations {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendLocation(b, &d.Locations[i], d.Company.ID, &d.Owner)
	}
	return append(b, ']')
}

// appendLocation appends a CompanyLocation (dossier 4.6).
func appendLocation(b []byte, l *directory.Location, company string, owner *directory.UserSummary) []byte {
	b = appendText(b, `{"name":`, l.Name)
	b = appendText(b, `,"uniqueID":`, l.ID)
	b = appendText(b, `,"companyUniqueID":`, company)
	b = strconv.AppendBool(append(b, `,"isHeadquarters":`...), l.Headquarters)
	b = appendText(b, `,"street1":`, l.Address.Line1)
	b = appendText(b, `,"street2":`, l.Address.Line2)
	b = appendText(b, `,"city":`, l.Address.City)
	b = appendText(b, `,"state":`, l.Address.Region)
	b = appendText(b, `,"country":`, l.Address.Country)
	b = appendText(b, `,"zip":`, l.Address.Zip)
	b = appendText(b, `,"fax":`, l.Fax)
	b = appendText(b, `,"phone":`, l.Phone)
	return append(appendAuthors(b, owner), '}')
}

// appendAuthors appends createdBy and modifiedBy: the account owner, since
// companies are changed by keys, which are nobody (dossier 5.9).
func appendAuthors(b []byte, owner *directory.UserSummary) []byte {
	b = appendUserRef(append(b, `,"createdBy":`...), owner.Email, owner.ID, owner.ID)
	return appendUserRef(append(b, `,"modifiedBy":`...), owner.Email, owner.ID, owner.ID)
}

// appendText appends a key, written with its quotes and colon, and a text.
func appendText(b []byte, key, value string) []byte {
	return web.AppendString(append(b, key...), value)
}

func appendNames(b []byte, key string, names []string) []byte {
	b = append(append(b, key...), '[')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = web.AppendString(b, name)
	}
	return append(b, ']')
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// statusOf is the vendor's word for a state: whoever is not active is inactive
// (dossier 4.2).
func statusOf(state directory.State) string {
	if state == directory.StateActive {
		return "Active"
	}
	return "Inactive"
}

// licenceText is a licence type as answers spell it, "" for none and for the
// types of other doors (dossier 4.3).
func licenceText(licence string) string {
	for _, known := range licenceTypes {
		if known.core == licence {
			return known.out
		}
	}
	return ""
}

// roleNames are the tenant's own roles of a user, each once: those that this
// door sets. One that is not known by its name is shown by its key, so that
// what is shown can be sent (dossier 4.7).
func roleNames(held []directory.HeldRole) []string {
	var names []string
	for i := range held {
		role := &held[i].Role
		if role.Company != 0 || role.Key == "" {
			continue
		}
		name := role.Key
		if directory.NameKey(role.Name) == role.Key {
			name = role.Name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// groupNames are the names of a user's groups of a kind.
func groupNames(groups []directory.Membership, kind directory.GroupKind) []string {
	var names []string
	for i := range groups {
		if groups[i].Group.Kind == kind {
			names = append(names, groups[i].Group.Name)
		}
	}
	return names
}

// phoneOf is the first telephone number of a type, "" for none.
func phoneOf(u *directory.User, kind string) string {
	for i := range u.Phones {
		if strings.EqualFold(u.Phones[i].Type, kind) {
			return u.Phones[i].Number
		}
	}
	return ""
}

// extras are the fields of a user that only this door has.
type extras struct {
	globalID string // across tenants; the user's own id where none was imported
	metadata []byte // a JSON object
}

// extrasOf reads this door's extras; what is missing is empty.
func extrasOf(u *directory.User) extras {
	e := extras{globalID: u.ID, metadata: []byte("{}")}
	raw := u.Profile.Extras[directory.DoorSmartapp.String()]
	if len(raw) == 0 {
		return e
	}
	o, err := web.DecodeObject(raw, 2*maxDepth)
	if err != nil {
		return e
	}
	if id, _ := o.String("globalUserID"); id != "" {
		e.globalID = id
	}
	if metadata, ok := o.Get("metadata"); ok {
		if _, state := web.ObjectOf(metadata); state == web.Present {
			e.metadata = metadata
		}
	}
	return e
}

// userRefResponse answers a creation or an update of a user.
func userRefResponse(u *directory.User) (web.Response, error) {
	return jsonResponse(appendUserRef(make([]byte, 0, 192), u.Email, u.ID, extrasOf(u).globalID))
}

// jsonResponse answers with a representation; a creation too is 200.
func jsonResponse(body []byte) (web.Response, error) {
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: body}, nil
}

// messageResponse is the one place that knows the shape of an error body: the
// vendor published none, so this is dossier 4.8's decision.
func messageResponse(status int, text string) web.Response {
	body := append(make([]byte, 0, len(text)+16), `{"message":`...)
	body = append(web.AppendString(body, text), '}')
	return web.Response{Status: status, ContentType: contentJSON, Body: body}
}
