package storetest

import "maps"

func init() { maps.Copy(promises, amongPromises) }

// amongPromises are those of directory/store_among.go.
var amongPromises = map[string][]string{
	"AmongReader reads what many users belong to at once: of users by number, in order of their numbers.": {
		"belongings/GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user",
		"belongings/What nobody belongs to and who is not there are left out"},
	"GroupsAmong lists memberships, those of a user in any order.":      {"belongings/GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user"},
	"Of a group it has the Number alone: few groups have many members.": {"belongings/GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user"},
	"RolesAmong lists assignments of roles, those of a user by number.": {"belongings/GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user"},
	"LocationsAmong lists locations, those of a user by number.":        {"belongings/GroupsAmong, RolesAmong and LocationsAmong read what many users belong to, user by user"},
	"UserGroup is a membership and whose it is.":                        nil,
	"UserLocation is one location of one user.":                         nil,
}
