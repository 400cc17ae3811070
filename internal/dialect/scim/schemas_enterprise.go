package scim

// enterpriseSchema is the enterprise extension (RFC 7643 sections 4.3 and
// 8.7.1).
var enterpriseSchema = (&schema{urn: urnEnterprise, name: "EnterpriseUser", about: "What organizations say of their people.", attributes: []attribute{
	{id: atEmployeeNumber, name: "employeeNumber", uniqueness: perServer, about: "The number that the organization has given the person. No other user of the tenant has it."},
	{id: atCostCenter, name: "costCenter", caseExact: true, about: "The name of the cost centre."},
	{id: atOrganization, name: "organization", caseExact: true, about: "The name of the organization."},
	{id: atDivision, name: "division", caseExact: true, about: "The name of the division."},
	{id: atDepartment, name: "department", caseExact: true, about: "The name of the department."},
	{id: atManager, name: "manager", kind: typeComplex, about: "The person's manager.", subs: []attribute{
		{id: atManagerValue, name: "value", caseExact: true, about: "The id of the manager, who is a user."},
		{id: atManagerRef, name: "$ref", kind: typeReference, caseExact: true, references: []string{"User"}, about: "The URI of the manager."},
		{id: atManagerDisplayName, name: "displayName", mutability: readOnly, returned: requested, about: "The name of the manager."},
	}},
}}).link()

// directorySchema is usher's own extension: what the core has and the RFC has
// no word for. But for the licence it is there to be read, and only on request:
// whoever provisions people does not decide where they belong nor who is locked
// (dossier 5.20).
var directorySchema = (&schema{urn: urnDirectory, name: "DirectoryUser", about: "What usher keeps of a user beside the attributes of RFC 7643.", attributes: []attribute{
	{id: atLicenceType, name: "licenceType", caseExact: true, about: "The licence of which an active user takes a seat."},
	{id: atNumber, name: "number", kind: typeInteger, mutability: readOnly, returned: requested, uniqueness: perServer, about: "The number that the server has given the user."},
	{id: atStatus, name: "status", canonical: []string{"staged", "active", "inactive"}, mutability: readOnly, returned: requested,
		about: "Where the user stands in its life; \"active\" is true in the state active alone."},
	{id: atCompany, name: "company", kind: typeInteger, mutability: readOnly, returned: requested,
		about: "The number of the company to which the user belongs. A user is made in that of the key, or else in the tenant's default company."},
	{id: atCompanyName, name: "companyName", mutability: readOnly, returned: requested, about: "The name of that company."},
	{id: atLocations, name: "locations", kind: typeComplex, multi: true, mutability: readOnly, returned: requested, about: "The locations at which the user works.", subs: []attribute{
		{id: atLocationsValue, name: "value", kind: typeInteger, mutability: readOnly, about: "The number of the location."},
		{id: atLocationsDisplay, name: "display", mutability: readOnly, about: "The name of the location."},
	}},
	{id: atLocked, name: "locked", kind: typeBoolean, mutability: readOnly, returned: requested, about: "Whether the user is kept from signing in, whatever its status."},
	{id: atLockReason, name: "lockReason", kind: typeInteger, mutability: readOnly, returned: requested, about: "The number of the reason for the lock."},
	{id: atHolds, name: "holds", kind: typeComplex, multi: true, mutability: readOnly, returned: requested,
		about: "What other systems have put on the user, so that it cannot be deactivated, activated or deleted.", subs: []attribute{
			{id: atHoldsKind, name: "kind", caseExact: true, mutability: readOnly, canonical: []string{"open_orders", "assigned_vehicle", "vehicle_removed", "legal"},
				about: "Why the user is held, and with it what the hold blocks."},
			{id: atHoldsSource, name: "source", caseExact: true, mutability: readOnly, about: "The system that has put the hold."},
			{id: atHoldsRef, name: "ref", caseExact: true, mutability: readOnly, about: "What it is about there, as the number of an order."},
		}},
	{id: atMustChangePassword, name: "mustChangePassword", kind: typeBoolean, mutability: readOnly, returned: requested,
		about: "Whether the password is temporary and has to be replaced at the next sign-in."},
	{id: atValidFrom, name: "validFrom", kind: typeDateTime, mutability: readOnly, returned: requested, about: "The moment before which the user cannot sign in."},
	{id: atExpiresAt, name: "expiresAt", kind: typeDateTime, mutability: readOnly, returned: requested, about: "The moment from which the user cannot sign in any more."},
}}).link()
