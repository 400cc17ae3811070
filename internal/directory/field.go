package directory

// Field names one attribute of a user: in filters, in change sets of events,
// in field errors and in the lists of what a door shows. The order is free;
// the names are stored in events and never change.
type Field uint8

// The fields of a user.
const (
	FieldNone Field = iota
	FieldID
	FieldNumber
	FieldState
	FieldLocked
	FieldLockReason
	FieldMustChangePassword
	FieldPassword
	FieldValidFrom
	FieldExpiresAt
	FieldUserName
	FieldEmail
	FieldGivenName
	FieldFamilyName
	FieldDisplayName
	FieldTitle
	FieldCompany
	FieldEmployeeNumber
	FieldOpenID
	FieldWebMDN
	FieldClientUserID
	FieldExternalID
	FieldLicenceType
	FieldPhones
	FieldAddress
	FieldPicture
	FieldLanguage
	FieldTimeZone
	FieldAttributes
	FieldExtras
	FieldRank
	FieldLocations
	FieldRoles
	FieldGroups
	FieldCreatedAt
	FieldUpdatedAt
	FieldVersion
	FieldMobileOnly
	FieldStorageLocation
	fieldCount
)

var fieldNames = [fieldCount]string{
	FieldID: "id", FieldNumber: "number", FieldState: "status", FieldLocked: "locked", FieldLockReason: "lock_reason",
	FieldMustChangePassword: "must_change_password", FieldPassword: "password", FieldValidFrom: "valid_from",
	FieldExpiresAt: "expires_at", FieldUserName: "user_name", FieldEmail: "email", FieldGivenName: "given_name",
	FieldFamilyName: "family_name", FieldDisplayName: "display_name", FieldTitle: "title", FieldCompany: "company",
	FieldEmployeeNumber: "employee_number", FieldOpenID: "open_id", FieldWebMDN: "web_mdn",
	FieldClientUserID: "client_user_id", FieldExternalID: "external_id", FieldLicenceType: "licence_type",
	FieldPhones: "phones", FieldAddress: "address", FieldPicture: "picture", FieldLanguage: "language",
	FieldTimeZone: "time_zone", FieldAttributes: "attributes", FieldExtras: "extras", FieldRank: "rank",
	FieldLocations: "locations", FieldRoles: "roles", FieldGroups: "groups", FieldCreatedAt: "created_at",
	FieldUpdatedAt: "updated_at", FieldVersion: "version",
	FieldMobileOnly: "mobile_only", FieldStorageLocation: "storage_location",
}

// String is the field's canonical name in snake_case.
func (f Field) String() string {
	if f >= fieldCount {
		return ""
	}
	return fieldNames[f]
}

// FieldSet is a set of fields.
type FieldSet uint64

// Fields makes a set.
func Fields(fields ...Field) FieldSet {
	var s FieldSet
	for _, f := range fields {
		s |= 1 << f
	}
	return s
}

// Has reports whether the set holds the field.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// doorVersionFields are the fields whose change raises User.DoorVersion, the
// counter that the iqmetrix door shows as Version: exactly the fields which
// that door shows (docs/dialects/iqmetrix.md 4.1, 5.13 and 5.18).
var doorVersionFields = Fields(FieldState, FieldUserName, FieldEmail, FieldGivenName, FieldFamilyName, FieldTitle,
	FieldCompany, FieldClientUserID, FieldPhones, FieldAddress, FieldPicture, FieldAttributes)
