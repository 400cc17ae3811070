package scim

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// userView is how a caller sees users.
type userView struct {
	base       string // URI of the door, for locations and references
	credential string // whose external ids are shown
	show       projection
	stored     bool // nothing that is put together of something else
}

// included is which attributes take more than the user.
var included = []struct {
	id   attributeID
	with directory.Include
}{
	{atGroups, directory.IncludeGroups}, {atRoles, directory.IncludeRoles}, {atCompanyName, directory.IncludeCompany},
	{atLocations, directory.IncludeLocations}, {atHolds, directory.IncludeHolds}, {atManagerDisplayName, directory.IncludeManager},
}

// userWriter writes one user. Members of objects and elements of arrays are
// written with a comma behind them, which the end of the object takes away.
type userWriter struct {
	b    []byte
	v    *userView
	d    *directory.UserDetail
	kept web.Object // the door's own fields (dossier 4.2)
}

// appendUser appends a User resource (RFC 7643 section 4.1).
func (v *userView) appendUser(b []byte, d *directory.UserDetail) []byte {
	w := userWriter{b: make([]byte, 0, 512), v: v, d: d}
	if extras := d.User.Profile.Extras; len(extras) > 0 {
		w.kept, _ = web.ObjectOf(extras[doorName])
	}
	// The extensions come first, since the list of schemas depends on them.
	enterprise := w.extension(enterpriseSchema, (*userWriter).enterprise)
	directory := w.extension(directorySchema, (*userWriter).directory)
	extensions := w.b
	w.b = append(b, `{"schemas":["`+urnUser+`"`...)
	if enterprise {
		w.b = append(w.b, `,"`+urnEnterprise+`"`...)
	}
	if directory {
		w.b = append(w.b, `,"`+urnDirectory+`"`...)
	}
	w.b = append(w.b, `],`...)
	w.names()
	w.contacts()
	w.belongings()
	w.b = append(w.b, extensions...)
	w.meta()
	return w.end()
}

// doorName is the door's name in what the core keeps for it.
var doorName = directory.DoorSCIM.String()

// extension writes what is set of an extension and reports whether anything is.
func (w *userWriter) extension(s *schema, write func(*userWriter)) bool {
	if !w.v.show.showsAny(s) {
		return false
	}
	start := len(w.b)
	w.b = append(append(append(w.b, '"'), s.urn...), `":{`...)
	from := len(w.b)
	write(w)
	if len(w.b) == from {
		w.b = w.b[:start]
		return false
	}
	w.b = append(w.end(), ',')
	return true
}

// end ends an object.
func (w *userWriter) end() []byte {
	if n := len(w.b); w.b[n-1] == ',' {
		w.b = w.b[:n-1]
	}
	return append(w.b, '}')
}

// text writes a text that is not empty; key has its quotes and colon.
func (w *userWriter) text(id attributeID, key, value string) {
	if value != "" && w.v.show.shows(id) {
		w.b = append(web.AppendString(append(w.b, key...), value), ',')
	}
}

func (w *userWriter) number(id attributeID, key string, value int64) {
	if w.v.show.shows(id) {
		w.b = append(strconv.AppendInt(append(w.b, key...), value, 10), ',')
	}
}

func (w *userWriter) flag(id attributeID, key string, value bool) {
	if w.v.show.shows(id) {
		w.b = append(strconv.AppendBool(append(w.b, key...), value), ',')
	}
}

// moment writes a time that is set.
func (w *userWriter) moment(id attributeID, key string, value time.Time) {
	if !value.IsZero() && w.v.show.shows(id) {
		w.b = append(append(w.b, key...), '"')
		w.b = append(value.AppendFormat(w.b, time.RFC3339Nano), `",`...)
	}
}

// own writes a text that the door keeps by itself.
func (w *userWriter) own(id attributeID, key, name string) { w.ownOf(w.kept, id, key, name) }

func (w *userWriter) ownOf(kept web.Object, id attributeID, key, name string) {
	if raw, ok := kept.Get(name); ok && raw[0] == '"' && w.v.show.shows(id) {
		w.b = append(append(append(w.b, key...), raw...), ',')
	}
}

// object writes an object in which anything is; the key is "" in an array.
func (w *userWriter) object(key string, write func()) {
	start := len(w.b)
	w.b = append(append(w.b, key...), '{')
	from := len(w.b)
	write()
	if len(w.b) == from {
		w.b = w.b[:start]
		return
	}
	w.b = append(w.end(), ',')
}

// array writes an array in which anything is.
func (w *userWriter) array(id attributeID, key string, write func()) {
	if !w.v.show.shows(id) {
		return
	}
	start := len(w.b)
	w.b = append(append(w.b, key...), '[')
	from := len(w.b)
	write()
	if len(w.b) == from {
		w.b = w.b[:start]
		return
	}
	w.b = append(w.b[:len(w.b)-1], `],`...)
}

// names writes what the user is called and the plain attributes.
func (w *userWriter) names() {
	u := &w.d.User
	w.text(atID, `"id":`, u.ID)
	w.text(atExternalID, `"externalId":`, u.Profile.ExternalIDs[w.v.credential])
	w.text(atUserName, `"userName":`, u.UserName)
	if w.v.show.shows(atName) {
		w.object(`"name":`, w.name)
	}
	w.text(atDisplayName, `"displayName":`, u.DisplayName)
	w.own(atNickName, `"nickName":`, "nickName")
	w.own(atProfileURL, `"profileUrl":`, "profileUrl")
	w.text(atTitle, `"title":`, u.Title)
	w.own(atUserType, `"userType":`, "userType")
	w.text(atPreferredLanguage, `"preferredLanguage":`, u.Profile.Language)
	w.own(atLocale, `"locale":`, "locale")
	w.text(atTimezone, `"timezone":`, u.Profile.TimeZone)
	w.flag(atActive, `"active":`, u.State == directory.StateActive)
}

// name writes the parts of the name. The formatted one is what a client set,
// until given or family name are changed by somebody else; without it, it is
// put together (dossier 5.9).
func (w *userWriter) name() {
	u := &w.d.User
	kept, _ := w.kept.Object("name")
	if of, _ := kept.String("of"); of == nameOf(u) {
		w.ownOf(kept, atNameFormatted, `"formatted":`, "formatted")
	}
	if w.b[len(w.b)-1] == '{' && !w.v.stored {
		middle, _ := kept.String("middleName")
		w.text(atNameFormatted, `"formatted":`, joined(u.GivenName, middle, u.FamilyName))
	}
	w.text(atNameFamilyName, `"familyName":`, u.FamilyName)
	w.text(atNameGivenName, `"givenName":`, u.GivenName)
	w.ownOf(kept, atNameMiddleName, `"middleName":`, "middleName")
	w.ownOf(kept, atNameHonorificPrefix, `"honorificPrefix":`, "honorificPrefix")
	w.ownOf(kept, atNameHonorificSuffix, `"honorificSuffix":`, "honorificSuffix")
}

// nameOf is that for which a formatted name is good.
func nameOf(u *directory.User) string { return u.GivenName + "\n" + u.FamilyName }

// joined is a list of words without the empty ones.
func joined(words ...string) string {
	text := ""
	for _, word := range words {
		if word != "" && text != "" {
			text += " "
		}
		text += word
	}
	return text
}

// contacts writes how the user is reached. The first address of each kind is
// the core's own.
func (w *userWriter) contacts() {
	u := &w.d.User
	w.array(atEmails, `"emails":`, func() {
		if u.Email != "" {
			w.object("", func() {
				w.text(atEmailsValue, `"value":`, u.Email)
				w.labels("email", atEmailsDisplay, atEmailsType, atEmailsPrimary)
			})
		}
		w.elements("emails", atEmails)
	})
	w.array(atPhoneNumbers, `"phoneNumbers":`, w.phones)
	w.list(atIMs, `"ims":`, "ims")
	w.list(atPhotos, `"photos":`, "photos")
	w.array(atAddresses, `"addresses":`, func() {
		if _, kept := w.kept.Get("address"); kept || u.Address != (directory.Address{}) {
			w.object("", w.address)
		}
		w.elements("addresses", atAddresses)
	})
}

// labels writes what is kept of the core's own address: "work" and primary
// where another door has set it (dossier 5.8).
func (w *userWriter) labels(member string, display, kind, primary attributeID) {
	kept, state := w.kept.Object(member)
	if state != web.Present {
		w.text(kind, `"type":`, "work")
		w.flag(primary, `"primary":`, true)
		return
	}
	if words, _ := kept.String("display"); display != 0 {
		w.text(display, `"display":`, words)
	}
	typ, _ := kept.String("type")
	w.text(kind, `"type":`, typ)
	switch is, _ := kept.String("primary"); is {
	case "true", "false":
		w.flag(primary, `"primary":`, is == "true")
	}
}

// phones writes the telephone numbers, each with what is kept of it.
func (w *userWriter) phones() {
	kept, _ := w.kept.Array("phones")
	for i := range w.d.User.Phones {
		phone := &w.d.User.Phones[i]
		if phone.Number == "" {
			continue
		}
		w.object("", func() {
			w.text(atPhoneNumbersValue, `"value":`, phone.Number)
			of := labelOf(kept, phone)
			w.ownOf(of, atPhoneNumbersDisplay, `"display":`, "display")
			w.text(atPhoneNumbersType, `"type":`, phone.Type)
			if is, state := of.Bool("primary"); state == web.Present {
				w.flag(atPhoneNumbersPrimary, `"primary":`, is)
			}
		})
	}
}

// labelOf finds what is kept of a telephone number.
func labelOf(kept []json.RawMessage, phone *directory.Phone) web.Object {
	for _, raw := range kept {
		label, _ := web.ObjectOf(raw)
		value, _ := label.String("value")
		kind, _ := label.String("type")
		if value == phone.Number && kind == phone.Type {
			return label
		}
	}
	return web.Object{}
}

// address writes the core's own address.
func (w *userWriter) address() {
	a := &w.d.User.Address
	kept, _ := w.kept.Object("address")
	if of, _ := kept.String("of"); of == addressOf(a) {
		w.ownOf(kept, atAddressesFormatted, `"formatted":`, "formatted")
	}
	street := a.Line1
	if a.Line2 != "" {
		street += "\n" + a.Line2
	}
	w.text(atAddressesStreetAddress, `"streetAddress":`, street)
	w.text(atAddressesLocality, `"locality":`, a.City)
	w.text(atAddressesRegion, `"region":`, a.Region)
	w.text(atAddressesPostalCode, `"postalCode":`, a.Zip)
	w.text(atAddressesCountry, `"country":`, a.Country)
	w.labels("address", 0, atAddressesType, atAddressesPrimary)
}

// addressOf is that for which a formatted address is good.
func addressOf(a *directory.Address) string {
	return a.Line1 + "\n" + a.Line2 + "\n" + a.City + "\n" + a.Region + "\n" + a.Country + "\n" + a.Zip
}

// list writes a multi-valued attribute that the door keeps by itself.
func (w *userWriter) list(id attributeID, key, member string) {
	if _, ok := w.kept.Get(member); ok {
		w.array(id, key, func() { w.elements(member, id) })
	}
}

// elements writes the elements of such an attribute.
func (w *userWriter) elements(member string, id attributeID) {
	list, _ := w.kept.Array(member)
	for _, raw := range list {
		w.element(raw, id)
	}
}

// element writes one element, as far as it is shown.
func (w *userWriter) element(raw json.RawMessage, id attributeID) {
	kept, _ := web.ObjectOf(raw)
	w.object("", func() {
		for i := range userAttributeOf[id].subs {
			sub := &userAttributeOf[id].subs[i]
			if value, ok := kept.Get(sub.name); ok && w.v.show.shows(sub.id) {
				w.b = append(append(append(append(append(w.b, '"'), sub.name...), `":`...), value...), ',')
			}
		}
	})
}

// userAttributeOf finds an attribute of users by its number.
var userAttributeOf = func() (table [userAttributes]*attribute) {
	userResource.each(func(a *attribute) { table[a.id] = a })
	return table
}()

// belongings writes groups and roles, and what else the user has.
func (w *userWriter) belongings() {
	w.array(atGroups, `"groups":`, func() {
		for i := range w.d.Groups {
			g := &w.d.Groups[i].Group
			if g.Kind != directory.GroupPlain {
				continue
			}
			w.object("", func() {
				w.text(atGroupsValue, `"value":`, g.ID)
				if g.ID != "" { // an export has none
					w.text(atGroupsRef, `"$ref":`, w.v.base+"/Groups/"+g.ID)
				}
				w.text(atGroupsDisplay, `"display":`, g.Name)
				w.text(atGroupsType, `"type":`, "direct")
			})
		}
	})
	w.list(atEntitlements, `"entitlements":`, "entitlements")
	w.array(atRoles, `"roles":`, w.roles)
	w.list(atX509Certificates, `"x509Certificates":`, "x509Certificates")
}

// roles writes the tenant's roles that the user has, and the labels of identity
// providers that are none (dossier 5.12).
func (w *userWriter) roles() {
	kept, _ := w.kept.Array("roles")
	for i := range w.d.Roles {
		role := &w.d.Roles[i].Role
		if role.Company != 0 || heldBefore(w.d.Roles[:i], role.Number) {
			continue
		}
		if raw := elementOf(kept, role.Key); raw != nil {
			w.element(raw, atRoles)
			continue
		}
		w.object("", func() {
			w.text(atRolesValue, `"value":`, role.Key)
			w.text(atRolesDisplay, `"display":`, role.Name)
		})
	}
	labels, _ := w.kept.Array("roleLabels")
	for _, raw := range labels {
		label, _ := web.StringOf(raw)
		if raw := elementOf(kept, label); raw != nil {
			w.element(raw, atRoles)
		}
	}
}

// heldBefore reports whether a role was held for another company already.
func heldBefore(held []directory.HeldRole, role int64) bool {
	for i := range held {
		if held[i].Role.Number == role {
			return true
		}
	}
	return false
}

// elementOf finds the element with a value, nil for none.
func elementOf(list []json.RawMessage, value string) json.RawMessage {
	for _, raw := range list {
		element, _ := web.ObjectOf(raw)
		if have, _ := element.String("value"); have == value {
			return raw
		}
	}
	return nil
}

// enterprise writes the enterprise extension (RFC 7643 section 4.3).
func (w *userWriter) enterprise() {
	w.text(atEmployeeNumber, `"employeeNumber":`, w.d.User.EmployeeNumber)
	w.own(atCostCenter, `"costCenter":`, "costCenter")
	w.own(atOrganization, `"organization":`, "organization")
	w.own(atDivision, `"division":`, "division")
	w.own(atDepartment, `"department":`, "department")
	if manager, _ := w.kept.String("manager"); manager != "" && w.v.show.shows(atManager) {
		w.object(`"manager":`, func() {
			w.text(atManagerValue, `"value":`, manager)
			w.text(atManagerRef, `"$ref":`, w.v.base+"/Users/"+manager)
			m := &w.d.Manager
			w.text(atManagerDisplayName, `"displayName":`, cmp.Or(m.DisplayName, joined(m.GivenName, m.FamilyName), m.UserName))
		})
	}
}

// directory writes usher's own extension.
func (w *userWriter) directory() {
	u := &w.d.User
	w.text(atLicenceType, `"licenceType":`, u.LicenceType)
	w.number(atNumber, `"number":`, u.Number)
	w.text(atStatus, `"status":`, string(u.State))
	w.number(atCompany, `"company":`, u.Company)
	w.text(atCompanyName, `"companyName":`, w.d.Company.Name)
	w.array(atLocations, `"locations":`, func() {
		for i := range w.d.Locations {
			w.object("", func() {
				w.number(atLocationsValue, `"value":`, w.d.Locations[i].Number)
				w.text(atLocationsDisplay, `"display":`, w.d.Locations[i].Name)
			})
		}
	})
	w.flag(atLocked, `"locked":`, u.Locked)
	if u.LockReason != 0 {
		w.number(atLockReason, `"lockReason":`, u.LockReason)
	}
	w.array(atHolds, `"holds":`, func() {
		for i := range w.d.Holds {
			hold := &w.d.Holds[i]
			w.object("", func() {
				w.text(atHoldsKind, `"kind":`, string(hold.Kind))
				w.text(atHoldsSource, `"source":`, hold.Source)
				w.text(atHoldsRef, `"ref":`, hold.Ref)
			})
		}
	})
	w.flag(atMustChangePassword, `"mustChangePassword":`, u.MustChangePassword)
	w.moment(atValidFrom, `"validFrom":`, u.ValidFrom)
	w.moment(atExpiresAt, `"expiresAt":`, u.ExpiresAt)
}

// meta writes the resource's meta (RFC 7643 section 3.1).
func (w *userWriter) meta() {
	if !w.v.show.shows(atMeta) {
		return
	}
	u := &w.d.User
	w.object(`"meta":`, func() {
		w.text(atMetaResourceType, `"resourceType":`, userResource.name)
		w.moment(atMetaCreated, `"created":`, u.CreatedAt)
		w.moment(atMetaLastModified, `"lastModified":`, u.UpdatedAt)
		if w.v.show.shows(atMetaLocation) {
			w.b = append(append(w.b, `"location":"`...), w.v.base...)
			w.b = append(append(append(w.b, "/Users/"...), u.ID...), `",`...)
		}
		if w.v.show.shows(atMetaVersion) {
			w.b = append(strconv.AppendInt(append(w.b, `"version":"\"`...), u.Version, 10), `\"",`...)
		}
	})
}
