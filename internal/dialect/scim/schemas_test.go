package scim

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/filter"
)

// TestEveryAttributeHasItsOwnNumber: in a resource no two attributes share one,
// none is left out, and all fit into a projection.
func TestEveryAttributeHasItsOwnNumber(t *testing.T) {
	for r, last := range map[*resource]attributeID{userResource: userAttributes - 1, groupResource: atMembersDisplay} {
		seen := map[attributeID]string{}
		r.each(func(a *attribute) {
			if seen[a.id] != "" {
				t.Errorf("%s: %s and %s are both number %d", r.name, seen[a.id], a.path(), a.id)
			}
			seen[a.id] = a.path()
		})
		for id := range last + 1 {
			if seen[id] == "" {
				t.Errorf("%s has no attribute of the number %d", r.name, id)
			}
		}
		if len(seen) != int(last)+1 || len(seen) > 64*len(projection{}.bits) {
			t.Errorf("%s has %d attributes", r.name, len(seen))
		}
	}
}

// namesOfTheRFC are the attributes that RFC 7643 section 8.7.1 prints for the
// three schemas.
var namesOfTheRFC = map[*schema]string{
	userSchema: `userName name name.formatted name.familyName name.givenName name.middleName name.honorificPrefix
		name.honorificSuffix displayName nickName profileUrl title userType preferredLanguage locale timezone active password
		emails emails.value emails.display emails.type emails.primary
		phoneNumbers phoneNumbers.value phoneNumbers.display phoneNumbers.type phoneNumbers.primary
		ims ims.value ims.display ims.type ims.primary photos photos.value photos.display photos.type photos.primary
		addresses addresses.formatted addresses.streetAddress addresses.locality addresses.region addresses.postalCode
		addresses.country addresses.type addresses.primary groups groups.value groups.$ref groups.display groups.type
		entitlements entitlements.value entitlements.display entitlements.type entitlements.primary
		roles roles.value roles.display roles.type roles.primary
		x509Certificates x509Certificates.value x509Certificates.display x509Certificates.type x509Certificates.primary`,
	groupSchema: `displayName members members.value members.$ref members.type members.display`,
	enterpriseSchema: `employeeNumber costCenter organization division department manager manager.value manager.$ref
		manager.displayName`,
}

func TestSchemasOfTheRFCAreWhole(t *testing.T) {
	for s, names := range namesOfTheRFC {
		var have []string
		for i := range s.attributes {
			a := &s.attributes[i]
			have = append(have, a.name)
			for j := range a.subs {
				have = append(have, a.name+"."+a.subs[j].name)
			}
		}
		want := strings.Fields(names)
		slices.Sort(have)
		slices.Sort(want)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.urn, diff)
		}
	}
}

// TestAttributesAreSound: what RFC 7643 section 7 says of the characteristics.
func TestAttributesAreSound(t *testing.T) {
	types := []string{typeString, typeBoolean, typeInteger, typeDateTime, typeBinary, typeReference, typeComplex}
	for _, s := range append([]*schema{common}, schemas...) {
		for i := range s.attributes {
			a := &s.attributes[i]
			for _, a := range append([]*attribute{a}, pointers(a.subs)...) {
				kind := a.dataType()
				switch {
				case a.about == "" || !strings.HasSuffix(a.about, "."):
					t.Errorf("%s: the description is %q", a.path(), a.about)
				case !slices.Contains(types, kind):
					t.Errorf("%s is of type %q", a.path(), kind)
				case (kind == typeComplex) != (len(a.subs) > 0) || a.parent != nil && kind == typeComplex:
					t.Errorf("%s: complex attributes, and no others, have sub-attributes", a.path())
				case (kind == typeReference) != (len(a.references) > 0):
					t.Errorf("%s: references, and no others, say to what", a.path())
				case (kind == typeReference || kind == typeBinary) && !a.caseExact:
					t.Errorf("%s: the letter case counts (RFC 7643 sections 2.3.6 and 2.3.7)", a.path())
				case !slices.Contains([]string{readWrite, readOnly, immutable, writeOnly}, a.mutable()), a.required && a.mutable() == readOnly:
					t.Errorf("%s is %s", a.path(), a.mutable())
				case (a.mutable() == writeOnly) != (a.returns() == never):
					t.Errorf("%s is %s and returned %s", a.path(), a.mutable(), a.returns())
				}
			}
		}
	}
}

func pointers(subs []attribute) []*attribute {
	var list []*attribute
	for i := range subs {
		list = append(list, &subs[i])
	}
	return list
}

// TestResolve finds attributes by every way of writing them.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		resource *resource
		path     string
		want     string // path of what is found, "" for nothing, a URN for a schema
		mutable  string
	}{
		{userResource, "userName", "userName", readWrite},
		{userResource, "USERNAME", "userName", readWrite},
		{userResource, urnUser + ":userName", "userName", readWrite},
		{userResource, strings.ToUpper(urnUser) + ":username", "userName", readWrite},
		{userResource, "name.familyname", "name.familyName", readWrite},
		{userResource, urnUser + ":name.familyName", "name.familyName", readWrite},
		{userResource, `emails[type eq "work"].value`, "emails.value", readWrite},
		{userResource, `emails[type eq "work"]`, "emails", readWrite},
		{userResource, "id", "id", readOnly},
		{userResource, urnUser + ":meta.lastModified", "meta.lastModified", readOnly},
		{userResource, "groups.display", "groups.display", readOnly},
		{userResource, "password", "password", writeOnly},
		{userResource, urnEnterprise + ":employeeNumber", urnEnterprise + ":employeeNumber", readWrite},
		{userResource, urnEnterprise + ":manager.displayName", urnEnterprise + ":manager.displayName", readOnly},
		{userResource, urnEnterprise + ":manager.$ref", urnEnterprise + ":manager.$ref", readWrite},
		{userResource, urnDirectory + ":number", urnDirectory + ":number", readOnly},
		{userResource, urnDirectory + ":holds.kind", urnDirectory + ":holds.kind", readOnly},
		{userResource, urnEnterprise, urnEnterprise, ""},
		{userResource, strings.ToLower(urnUser), urnUser, ""},
		{userResource, "employeeNumber", "", ""},
		{userResource, "userName.value", "", ""},
		{userResource, "name.middle", "", ""},
		{userResource, "members", "", ""},
		{userResource, urnGroup + ":displayName", "", ""},
		{userResource, urnGroup, "", ""},
		{userResource, "urn:x:userName", "", ""},
		{userResource, urnEnterprise + ":id", "", ""},
		{userResource, urnEnterprise + `[value eq "x"]`, "", ""},
		{groupResource, "displayName", "displayName", readWrite},
		{groupResource, `members[value eq "x"]`, "members", readWrite},
		{groupResource, "members.value", "members.value", immutable},
		{groupResource, "externalId", "externalId", readWrite},
		{groupResource, urnEnterprise + ":employeeNumber", "", ""},
	} {
		path, err := filter.ParsePath(c.path, filter.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		found, ok := c.resource.resolve(path)
		got, mutable := "", ""
		switch {
		case ok && found.leaf() != nil:
			got, mutable = found.leaf().path(), found.leaf().mutable()
		case ok:
			got = found.schema.urn
		}
		if got != c.want || mutable != c.mutable {
			t.Errorf("%s: %q (%s), want %q (%s)", c.path, got, mutable, c.want, c.mutable)
		}
	}
	if _, ok := userResource.resolveName(`emails[type eq "work"]`); ok {
		t.Error("a name has a value filter")
	}
	if _, ok := userResource.resolveName("a b"); ok {
		t.Error("a name has a blank")
	}
	if found, ok := userResource.resolveName("name.familyName"); !ok || found.sub == nil || found.sub.id != atNameFamilyName {
		t.Error("name.familyName is not found")
	}
}
