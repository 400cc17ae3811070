package scim

// The URNs of schemas.
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	urnDirectory  = "urn:usher:params:scim:schemas:extension:directory:2.0:User"
)

// The types of resources.
var (
	userResource = (&resource{name: "User", endpoint: "/Users", about: "People and accounts.",
		core: userSchema, extensions: []*schema{enterpriseSchema, directorySchema}}).link()
	groupResource = (&resource{name: "Group", endpoint: "/Groups", about: "Named sets of users.", core: groupSchema}).link()
	resources     = []*resource{userResource, groupResource}
	schemas       = []*schema{userSchema, groupSchema, enterpriseSchema, directorySchema}
)

// common are the attributes of every resource (RFC 7643 section 3.1). They
// belong to no schema, and /Schemas does not list them.
var common = (&schema{attributes: []attribute{
	{id: atSchemas, name: "schemas", kind: typeReference, multi: true, required: true, caseExact: true, returned: always,
		references: []string{"uri"}, about: "The URNs of the schemas of which the resource has attributes."},
	{id: atID, name: "id", caseExact: true, mutability: readOnly, returned: always, uniqueness: perServer,
		about: "The identifier that the server has given the resource."},
	{id: atExternalID, name: "externalId", caseExact: true, uniqueness: perServer,
		about: "The identifier that the provisioning client has given the resource. Every client has its own."},
	{id: atMeta, name: "meta", kind: typeComplex, mutability: readOnly, about: "Data about the resource.", subs: []attribute{
		{id: atMetaResourceType, name: "resourceType", caseExact: true, about: "The name of the resource's type."},
		{id: atMetaCreated, name: "created", kind: typeDateTime, about: "When the resource was created."},
		{id: atMetaLastModified, name: "lastModified", kind: typeDateTime, about: "When the resource was last changed."},
		{id: atMetaLocation, name: "location", kind: typeReference, caseExact: true, references: []string{"uri"}, about: "The URI of the resource."},
		{id: atMetaVersion, name: "version", caseExact: true, about: "The version of the resource: its ETag."},
	}},
}}).link()

// userSchema is the core schema of users (RFC 7643 sections 4.1 and 8.7.1).
var userSchema = (&schema{urn: urnUser, name: "User", about: "A person or an account.", attributes: []attribute{
	{id: atUserName, name: "userName", required: true, uniqueness: perServer,
		about: "The name to sign in with. No other user of the tenant has it, as name or as address to sign in with."},
	{id: atName, name: "name", kind: typeComplex, about: "The parts of the person's name.", subs: []attribute{
		{id: atNameFormatted, name: "formatted", about: "The whole name as it is displayed."},
		{id: atNameFamilyName, name: "familyName", about: "The family name."},
		{id: atNameGivenName, name: "givenName", about: "The given name."},
		{id: atNameMiddleName, name: "middleName", caseExact: true, about: "The middle names."},
		{id: atNameHonorificPrefix, name: "honorificPrefix", about: "What stands before the name, as \"Dr.\"."},
		{id: atNameHonorificSuffix, name: "honorificSuffix", about: "What stands behind the name, as \"III\"."},
	}},
	{id: atDisplayName, name: "displayName", about: "The name to show to people."},
	{id: atNickName, name: "nickName", caseExact: true, about: "What the person is called in daily life."},
	{id: atProfileURL, name: "profileUrl", kind: typeReference, caseExact: true, references: []string{"external"}, about: "The URI of a page about the person."},
	{id: atTitle, name: "title", caseExact: true, about: "The person's title, as \"Vice President\"."},
	{id: atUserType, name: "userType", caseExact: true, about: "How the person stands to the organization, as \"Contractor\"."},
	{id: atPreferredLanguage, name: "preferredLanguage", canonical: []string{"de", "en", "en-GB", "en-US", "es", "fr", "it", "pt-BR"},
		about: "The language in which the person wants to read: any tag of BCP 47."},
	{id: atLocale, name: "locale", caseExact: true, about: "The region whose formats of dates, numbers and currencies the person uses, as \"en-GB\"."},
	{id: atTimezone, name: "timezone", about: "The time zone by its name in the IANA database, as \"Europe/Berlin\"."},
	{id: atActive, name: "active", kind: typeBoolean, required: true, about: "Whether the user may sign in. A locked user is active and cannot. A user that is created without is active."},
	{id: atPassword, name: "password", caseExact: true, mutability: writeOnly, returned: never, about: "The password to set, in clear text. It is never shown."},
	{id: atEmails, name: "emails", kind: typeComplex, multi: true, about: "The addresses of e-mail. The primary one is that to which messages go.",
		subs: plural(attribute{id: atEmailsValue, name: "value", about: "The address."},
			atEmailsDisplay, atEmailsType, atEmailsPrimary, "work", "home", "other")},
	{id: atPhoneNumbers, name: "phoneNumbers", kind: typeComplex, multi: true, about: "The telephone numbers.",
		subs: plural(attribute{id: atPhoneNumbersValue, name: "value", caseExact: true, about: "The number as the client wrote it."},
			atPhoneNumbersDisplay, atPhoneNumbersType, atPhoneNumbersPrimary, "work", "home", "mobile", "fax", "pager", "other")},
	{id: atIMs, name: "ims", kind: typeComplex, multi: true, about: "The addresses of instant messages.",
		subs: plural(attribute{id: atIMsValue, name: "value", about: "The address."},
			atIMsDisplay, atIMsType, atIMsPrimary, "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo")},
	{id: atPhotos, name: "photos", kind: typeComplex, multi: true, about: "Pictures of the person.",
		subs: plural(attribute{id: atPhotosValue, name: "value", kind: typeReference, caseExact: true, references: []string{"external"}, about: "The URI of the picture."},
			atPhotosDisplay, atPhotosType, atPhotosPrimary, "photo", "thumbnail")},
	{id: atAddresses, name: "addresses", kind: typeComplex, multi: true, about: "The postal addresses.", subs: []attribute{
		{id: atAddressesFormatted, name: "formatted", about: "The whole address as it is displayed or printed, with line breaks."},
		{id: atAddressesStreetAddress, name: "streetAddress", about: "Street and house number, with line breaks if need be."},
		{id: atAddressesLocality, name: "locality", about: "The city."},
		{id: atAddressesRegion, name: "region", about: "The state or region."},
		{id: atAddressesPostalCode, name: "postalCode", about: "The postal code."},
		{id: atAddressesCountry, name: "country", about: "The country: a code of ISO 3166-1 alpha-2."},
		{id: atAddressesType, name: "type", canonical: []string{"work", "home", "other"}, about: "What the address is for."},
		{id: atAddressesPrimary, name: "primary", kind: typeBoolean, about: "Whether it is the preferred one. At most one is."},
	}},
	{id: atGroups, name: "groups", kind: typeComplex, multi: true, mutability: readOnly,
		about: "The groups to which the user belongs. They are changed as members of a group.", subs: []attribute{
			{id: atGroupsValue, name: "value", caseExact: true, mutability: readOnly, about: "The id of the group."},
			{id: atGroupsRef, name: "$ref", kind: typeReference, caseExact: true, mutability: readOnly, references: []string{"Group"}, about: "The URI of the group."},
			{id: atGroupsDisplay, name: "display", mutability: readOnly, about: "The name of the group."},
			{id: atGroupsType, name: "type", canonical: []string{"direct"}, mutability: readOnly, about: "How the user belongs to the group."},
		}},
	{id: atEntitlements, name: "entitlements", kind: typeComplex, multi: true, about: "What the user is entitled to elsewhere. It means nothing here.",
		subs: plural(attribute{id: atEntitlementsValue, name: "value", about: "The entitlement."},
			atEntitlementsDisplay, atEntitlementsType, atEntitlementsPrimary)},
	{id: atRoles, name: "roles", kind: typeComplex, multi: true, about: "The roles of the user.",
		subs: plural(attribute{id: atRolesValue, name: "value", about: "The key of the role."},
			atRolesDisplay, atRolesType, atRolesPrimary)},
	{id: atX509Certificates, name: "x509Certificates", kind: typeComplex, multi: true, about: "The certificates of the user.",
		subs: plural(attribute{id: atX509CertificatesValue, name: "value", kind: typeBinary, caseExact: true, about: "The certificate: DER in Base64."},
			atX509CertificatesDisplay, atX509CertificatesType, atX509CertificatesPrimary)},
}}).link()

// plural are the sub-attributes that most multi-valued attributes have (RFC
// 7643 section 2.4), behind the value.
func plural(value attribute, display, kind, primary attributeID, types ...string) []attribute {
	return []attribute{value,
		{id: display, name: "display", about: "The value in words for people."},
		{id: kind, name: "type", canonical: types, about: "What kind of value it is."},
		{id: primary, name: "primary", kind: typeBoolean, about: "Whether it is the preferred one. At most one is."},
	}
}

// groupSchema is the core schema of groups (RFC 7643 sections 4.2 and 8.7.1).
var groupSchema = (&schema{urn: urnGroup, name: "Group", about: "A named set of users.", attributes: []attribute{
	{id: atGroupDisplayName, name: "displayName", required: true, uniqueness: perServer, about: "The name of the group. No other group of the tenant has it."},
	{id: atMembers, name: "members", kind: typeComplex, multi: true, about: "The members of the group.", subs: []attribute{
		{id: atMembersValue, name: "value", caseExact: true, mutability: immutable, about: "The id of the member."},
		{id: atMembersRef, name: "$ref", kind: typeReference, caseExact: true, mutability: immutable, references: []string{"User"}, about: "The URI of the member."},
		{id: atMembersType, name: "type", canonical: []string{"User"}, mutability: immutable, about: "The type of the member."},
		{id: atMembersDisplay, name: "display", mutability: readOnly, returned: requested, about: "The name of the member."},
	}},
}}).link()
