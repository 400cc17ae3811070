package encore

import "github.com/usher-id/usher/internal/directory"

// The codes that the program names. Those up to lastRequestCode say that the
// request is malformed and go with 400, all others with 422 (dossier 6).
const (
	codeExternalIDMissing = 1
	codeInternalID        = 2
	codeFormat            = 3
	codeExternalIDEmpty   = 4
	lastRequestCode       = 4

	codeAlreadyInactive = 106
	codeNoSeat          = 108
	codeOwner           = 127
)

// messages are the texts of the seed's catalogue, letter for letter but with
// plain spaces (dossier 5.4). 138 is of the later page that has PATCH.
var messages = map[int]string{
	1:   "use-external-id is not provided",
	2:   "InternalId is not valid. Should be numeric value.",
	3:   "Invalid data format.",
	4:   "ExternalId is empty.",
	101: "Employee number already exists",
	102: "EmployeeNumber length is not valid",
	103: "License Violation",
	104: "Email format is not valid",
	105: "Email length is not valid",
	106: "User already deleted or deactivated",
	107: "Group does not exist or deleted",
	108: "Not enough Licenses",
	109: "Web MDN already exists",
	110: "EPTT WebMDN length is not valid",
	111: "EPTT Token length is not valid",
	112: "EPTT Number length is not valid",
	113: "Role is not found",
	114: "UserName is required",
	115: "UserName already exists",
	116: "UserName format is not valid",
	117: "UserName length is not valid",
	118: "Password is require",
	119: "Password format is not valid",
	120: "Password length is not valid",
	121: "FirstName length is not valid",
	122: "LastName length is not valid",
	123: "Phone length is not valid",
	124: "Phone format is not valid",
	125: "User has open orders",
	126: "User has assigned vehicle",
	127: "Account owner changing is forbidden.",
	128: "User not found or deleted.",
	129: "Vehicle was deleted or deactivated.",
	130: "Account owner cannot be 'Mobile only'.",
	131: "'Web only' user cannot be 'Mobile only'.",
	132: "Invalid license type.",
	133: "License type required.",
	138: "Property name not found.",
}

// fieldProperty stands for the name of a property in a PATCH.
const fieldProperty = "property"

// violation is what is wrong with a field, whether the core or this door found
// it.
type violation struct {
	field  string
	reason directory.Reason
}

// codeByReason are the codes of reasons that say by themselves what is wrong.
var codeByReason = map[directory.Reason]int{
	directory.ReasonEmployeeNumberTaken: 101,
	directory.ReasonSeatNotEntitled:     103,
	directory.ReasonGroupNotFound:       107,
	directory.ReasonSeatExhausted:       108,
	directory.ReasonWebMDNTaken:         109,
	directory.ReasonRoleNotFound:        113,
	directory.ReasonUserNameTaken:       115,
	directory.ReasonPasswordBlocked:     119,
	directory.ReasonPasswordContext:     119,
	directory.ReasonPasswordTooShort:    120,
	directory.ReasonPasswordTooLong:     120,
	directory.ReasonOwnerProtected:      127,
	directory.ReasonUserDeleted:         128,
	directory.ReasonOwnerMobile:         130,
	directory.ReasonLicenceMobile:       131,
	directory.ReasonLicenceRequired:     133,
}

// codeByField are the codes of the other reasons, by field.
var codeByField = map[violation]int{
	{directory.FieldEmployeeNumber.String(), directory.ReasonFieldLength}: 102,
	{directory.FieldEmail.String(), directory.ReasonFieldFormat}:          104,
	{directory.FieldEmail.String(), directory.ReasonFieldLength}:          105,
	{directory.FieldWebMDN.String(), directory.ReasonFieldLength}:         110,
	{"EPTTToken", directory.ReasonFieldLength}:                            111,
	{"EPTTNumber", directory.ReasonFieldLength}:                           112,
	{directory.FieldRoles.String(), directory.ReasonFieldValue}:           113,
	{directory.FieldRank.String(), directory.ReasonRankTooLow}:            113,
	{directory.FieldUserName.String(), directory.ReasonFieldRequired}:     114,
	{directory.FieldUserName.String(), directory.ReasonFieldFormat}:       116,
	{directory.FieldUserName.String(), directory.ReasonFieldLength}:       117,
	{directory.FieldPassword.String(), directory.ReasonFieldRequired}:     118,
	{directory.FieldPassword.String(), directory.ReasonFieldFormat}:       119,
	{directory.FieldPassword.String(), directory.ReasonFieldLength}:       120,
	{directory.FieldGivenName.String(), directory.ReasonFieldLength}:      121,
	{directory.FieldFamilyName.String(), directory.ReasonFieldLength}:     122,
	{directory.FieldPhones.String(), directory.ReasonFieldLength}:         123,
	{directory.FieldPhones.String(), directory.ReasonFieldFormat}:         124,
	{holdField(directory.HoldOpenOrders), directory.ReasonUserHeld}:       125,
	{holdField(directory.HoldAssignedVehicle), directory.ReasonUserHeld}:  126,
	{holdField(directory.HoldVehicleRemoved), directory.ReasonUserHeld}:   129,
	{directory.FieldLicenceType.String(), directory.ReasonFieldValue}:     132,
	{fieldProperty, directory.ReasonFieldValue}:                           138,
}

// holdField is the field under which the core reports a kind of hold.
func holdField(kind directory.HoldKind) string { return "hold:" + string(kind) }

// codesOf are the codes of an error and of all its fields, in no order. A field
// of which the vendor has no code for what is wrong makes the data malformed.
func codesOf(e *directory.Error) []int {
	var codes []int
	for _, f := range e.Fields {
		if code, ok := codeByReason[f.Reason]; ok {
			codes = append(codes, code)
		} else if code, ok := codeByField[violation{f.Field, f.Reason}]; ok {
			codes = append(codes, code)
		} else {
			codes = append(codes, codeFormat)
		}
	}
	if len(codes) == 0 {
		if code, ok := codeByReason[e.Reason]; ok {
			codes = append(codes, code)
		}
	}
	return codes
}
