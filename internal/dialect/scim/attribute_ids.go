package scim

// attributeID is an attribute or sub-attribute of the tables: what an encoder
// asks a projection for. Users and groups have numbers of their own behind the
// common ones, so that a set of them is small.
type attributeID uint8

// The common attributes.
const (
	atSchemas attributeID = iota
	atID
	atExternalID
	atMeta
	atMetaResourceType
	atMetaCreated
	atMetaLastModified
	atMetaLocation
	atMetaVersion
)

// The attributes of users: core, enterprise extension, own extension.
const (
	atUserName attributeID = firstOwn + iota
	atName
	atNameFormatted
	atNameFamilyName
	atNameGivenName
	atNameMiddleName
	atNameHonorificPrefix
	atNameHonorificSuffix
	atDisplayName
	atNickName
	atProfileURL
	atTitle
	atUserType
	atPreferredLanguage
	atLocale
	atTimezone
	atActive
	atPassword
	atEmails
	atEmailsValue
	atEmailsDisplay
	atEmailsType
	atEmailsPrimary
	atPhoneNumbers
	atPhoneNumbersValue
	atPhoneNumbersDisplay
	atPhoneNumbersType
	atPhoneNumbersPrimary
	atIMs
	atIMsValue
	atIMsDisplay
	atIMsType
	atIMsPrimary
	atPhotos
	atPhotosValue
	atPhotosDisplay
	atPhotosType
	atPhotosPrimary
	atAddresses
	atAddressesFormatted
	atAddressesStreetAddress
	atAddressesLocality
	atAddressesRegion
	atAddressesPostalCode
	atAddressesCountry
	atAddressesType
	atAddressesPrimary
	atGroups
	atGroupsValue
	atGroupsRef
	atGroupsDisplay
	atGroupsType
	atEntitlements
	atEntitlementsValue
	atEntitlementsDisplay
	atEntitlementsType
	atEntitlementsPrimary
	atRoles
	atRolesValue
	atRolesDisplay
	atRolesType
	atRolesPrimary
	atX509Certificates
	atX509CertificatesValue
	atX509CertificatesDisplay
	atX509CertificatesType
	atX509CertificatesPrimary

	atEmployeeNumber
	atCostCenter
	atOrganization
	atDivision
	atDepartment
	atManager
	atManagerValue
	atManagerRef
	atManagerDisplayName

	atNumber
	atStatus
	atCompany
	atCompanyName
	atLocations
	atLocationsValue
	atLocationsDisplay
	atLicenceType
	atLocked
	atLockReason
	atHolds
	atHoldsKind
	atHoldsSource
	atHoldsRef
	atMustChangePassword
	atValidFrom
	atExpiresAt

	userAttributes
)

// The attributes of groups.
const (
	atGroupDisplayName attributeID = firstOwn + iota
	atMembers
	atMembersValue
	atMembersRef
	atMembersType
	atMembersDisplay
)

// firstOwn is the first number behind the common attributes.
const firstOwn = atMetaVersion + 1
