package crossdoor

import (
	"net/http"
)

// filler is a client that can set all that its door can set of a user, but for
// what only a creation sets.
type filler interface {
	fill(k known) error
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// fill sets every property of a PUT, and what has operations of its own.
func (c *iqmetrix) fill(k known) error {
	return first(
		c.replace(k, func(o map[string]any) {
			for name, value := range c.body(k, "Ivy", "Quill") {
				o[name] = value
			}
			delete(o, "Version")
		}),
		c.done(http.StatusNoContent, "PUT", c.path(k)+"/Locations("+number(c.w.office.Number)+")", nil),
		c.done(http.StatusOK, "POST", c.path(k)+"/AssignedRoles", map[string]any{"EntityId": c.company, "SecurityRoleId": c.w.role.Number}),
		c.done(http.StatusNoContent, "POST", c.path(k)+"/TemporaryPassword", map[string]any{"Password": newSecret}),
		c.done(http.StatusNoContent, "POST", c.path(k)+"/Lock", map[string]any{"LockReasonId": c.w.reason.Number}),
	)
}

// body is a PUT of every property that the vendor has.
func (c *iqmetrix) body(k known, given, family string) map[string]any {
	return map[string]any{
		"UserName": k.userName, "FirstName": given, "LastName": family, "Email": k.userName + ".iq@example.test", "JobTitle": "Manager",
		"ClientUserId": "IQ-" + k.userName, "ParentEntityId": c.company,
		"Address": map[string]any{"AddressLine1": "2 Side St", "AddressLine2": "Rear", "City": "Regina", "StateCode": "SK",
			"CountryCode": "CA", "Zip": "S4P 0A1"},
		"PhoneNumbers": []any{map[string]any{"Number": "3065550101", "Extension": "21", "Type": "Work"},
			map[string]any{"Number": "3065550102", "Extension": "22", "Type": "Home"}},
		"Picture": map[string]any{"Id": "8"}, "Attributes": map[string]any{"shoe": "9"},
	}
}

// fill sets every property of a PATCH but the password.
func (c *encore) fill(k known) error { return c.patch(k, c.body(k, "Enid", "Core")) }

// body is a PUT of every property that the vendor has but the password.
func (c *encore) body(k known, given, family string) map[string]any {
	return map[string]any{
		"UserName": k.userName, "FirstName": given, "LastName": family, "Email": k.userName + ".en@example.test", "EmployeeNumber": "EN-" + k.userName,
		"Phone": "8135550101", "RoleId": 5, "IsActive": true, "EPTTEnabled": true, "EPTTNumber": "5550009", "EPTTWebMDN": "M" + k.userName,
		"EPTTToken": "token-9", "GPSEnabled": true, "MobileOnly": true, "LicenseType": 1, "GroupName": otherGroup,
	}
}

// fill sets every parameter of an update, and a place in a group.
func (c *edubrite) fill(k known) error {
	return first(
		c.user("update", k, "firstName", "Edu", "lastName", "Brite", "email", k.userName+".ed@example.test", "timezone", "PST",
			"customUpdPropMap['address']", "3 Hill St", "siteRole", "INSTRUCTOR"),
		c.user("addToGroups", k, "groupId", c.group, "groupRole", "ADMIN"),
	)
}

// fill sets every property of a PUT, and what has operations of its own.
func (c *mobility) fill(k known) error {
	body := c.body(k, "Mo", "Bility")
	body["Locked"] = true
	return first(
		c.done("PUT", c.path(k.userName), body),
		c.done("PUT", c.path(k.userName)+"/ServiceTeams", map[string]any{"ServiceTeams": []string{otherTeam, crew}}),
		c.done("PUT", c.path(k.userName)+"/ChangeStorageLocation", map[string]any{"StorageLocationID": "TRUCK-" + k.userName}),
		c.done("POST", c.path(k.userName)+"/roles", map[string]any{"Roles": []string{"technician"}}),
	)
}

// done is a call that must succeed, without its answer.
func (c *mobility) done(method, path string, body any) error {
	return c.caller.done(http.StatusOK, method, path, body)
}

// body is a PUT of every property that the vendor has but the password.
func (c *mobility) body(k known, given, family string) map[string]any {
	return map[string]any{
		"Activated": true, "AuthenticationID": "sso-" + k.userName, "Deleted": false, "DGroupID": "D2", "Email": k.userName + ".sm@example.test",
		"EnableMobileDiagnostics": true, "Extensions": map[string]any{"van": "9"}, "FaceTime": "ft-9", "FirstName": given, "IsMobileWorker": true,
		"LanguageCode": "de", "LastName": family, "Locked": false, "Phones": []any{map[string]any{"PhoneNum": "6045550101", "PhoneType": "Work"}},
		"ServiceTeamID": otherTeam, "SMS": "6045550102", "Status": "Off duty", "StorageLocationID": "SHED-" + k.userName, "UserID": k.userName,
	}
}
