package edubrite

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// The site roles (dossier 4.3). ADMIN is the rank of an administrator; the
// other two differ only here.
const (
	roleStudent    = "STUDENT"
	roleInstructor = "INSTRUCTOR"
	roleAdmin      = "ADMIN"
)

// The members of this door's extras: the site role of instructors, and each
// custom property under its name with a prefix, so that one can be set alone.
const (
	memberSiteRole = "siteRole"
	propertyPrefix = "prop."
)

// extrasOf are a user's own fields of this door.
func extrasOf(u *directory.User) map[string]json.RawMessage {
	raw, ok := u.Profile.Extras[directory.DoorEduBrite.String()]
	if !ok {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil // written by something that is not this door
	}
	return members
}

// siteRole is the word for a user's role.
func siteRole(u *directory.User, own map[string]json.RawMessage) string {
	var stored string
	switch {
	case u.Rank >= directory.RankAdministrator:
		return roleAdmin
	case json.Unmarshal(own[memberSiteRole], &stored) == nil && stored == roleInstructor:
		return roleInstructor
	}
	return roleStudent
}

// status is the word for a user's state (dossier 4.3).
func status(u *directory.User) string {
	if u.State == directory.StateActive {
		return "ACTIVE"
	}
	return "INACTIVE"
}

// user is the user that the parameters name: by id, else openId, else userName
// (dossier 5.1). Without any of them it is nobody (dossier 5.2).
func (p params) user() directory.UserRef {
	if id := p.get("id"); id != "" {
		return directory.ByID(id)
	}
	if openID := p.get("openId"); openID != "" {
		return directory.ByHandle(directory.SpaceOpenID, openID)
	}
	return directory.ByUserName(p.get("userName"))
}

// given is the patch of a value: an empty one changes nothing (dossier 5.3).
func given(value string) directory.Opt[string] {
	return directory.Opt[string]{Set: value != "", Value: value}
}

// newUser converts the parameters of create (dossier 3.2). Only password and
// openId are optional. The role is the vendor's default.
func (p params) newUser() directory.NewUser {
	var f faults
	in := directory.NewUser{Password: p.get("password"), Fields: directory.UserPatch{
		UserName:   directory.Some(p.get("userName")),
		GivenName:  given(p.get("firstName")),
		FamilyName: given(p.get("lastName")),
		Email:      given(p.get("email")),
		OpenID:     given(p.get("openId")),
	}}
	f.required(directory.FieldGivenName.String(), p.get("firstName"))
	f.required(directory.FieldFamilyName.String(), p.get("lastName"))
	f.required(directory.FieldEmail.String(), p.get("email"))
	in.Fields.ExtraFields = p.customProperties(&f)
	in.Rules.Faults = f
	return in
}

// userUpdate converts the parameters of update (dossier 3.2).
func (p params) userUpdate() (directory.UserPatch, directory.UpdateOptions) {
	var f faults
	patch := directory.UserPatch{
		GivenName:  given(p.get("firstName")),
		FamilyName: given(p.get("lastName")),
		Email:      given(p.get("email")),
		TimeZone:   given(p.get("timezone")),
	}
	patch.ExtraFields = p.customProperties(&f)
	role := p.get("siteRole")
	switch {
	case role == "":
	case isRole(role):
		patch.Administrator = directory.Some(role == roleAdmin)
		if patch.ExtraFields == nil {
			patch.ExtraFields = map[string]json.RawMessage{}
		}
		patch.ExtraFields[memberSiteRole] = json.RawMessage("null")
		if role == roleInstructor {
			patch.ExtraFields[memberSiteRole] = jsonText(role)
		}
	default:
		f.add("siteRole", directory.ReasonFieldValue, "siteRole must be STUDENT, INSTRUCTOR or ADMIN.")
	}
	return patch, directory.UpdateOptions{Rules: directory.DoorRules{Faults: f}}
}

// isRole reports whether a text is a role, of the site or in a group.
func isRole(text string) bool {
	return text == roleStudent || text == roleInstructor || text == roleAdmin
}

// customProperties converts customUpdPropMap['x'] (dossier 2.4). What XML could
// not show again is refused.
func (p params) customProperties(f *faults) map[string]json.RawMessage {
	list := p.properties("customUpdPropMap")
	if len(list) == 0 {
		return nil
	}
	members := make(map[string]json.RawMessage, len(list))
	for _, property := range list {
		if strings.ContainsFunc(property.value, func(r rune) bool { return !xmlRune(r) }) {
			f.add(directory.FieldExtras.String(), directory.ReasonFieldFormat, directory.FieldExtras.String()+" has a character that XML cannot show.")
			continue
		}
		members[propertyPrefix+property.name] = jsonText(property.value)
	}
	return members
}

// jsonText is a text as JSON.
func jsonText(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage("null") // no text fails to marshal
	}
	return b
}

// newUsers converts the parameters of signup: username_0, firstname_0 and so on
// (dossier 3.4). numbers are those of the parameters, for messages.
func (p params) newUsers() (users []directory.NewUser, numbers []int) {
	values := p.table()
	for _, user := range p.indexed("username_") {
		n := strconv.Itoa(user.number)
		var f faults
		for field, name := range map[directory.Field]string{directory.FieldGivenName: "firstname_", directory.FieldFamilyName: "lastname_",
			directory.FieldEmail: "email_"} {
			f.required(field.String(), values[name+n])
		}
		users = append(users, directory.NewUser{
			Password: values["password_"+n],
			Rules:    directory.DoorRules{Faults: f},
			Fields: directory.UserPatch{
				UserName:   directory.Some(user.value),
				GivenName:  given(values["firstname_"+n]),
				FamilyName: given(values["lastname_"+n]),
				Email:      given(values["email_"+n]),
			},
		})
		numbers = append(numbers, user.number)
	}
	return users, numbers
}

// groups are references to the vendor's groups by id.
func groups(ids []string) []directory.GroupRef {
	refs := make([]directory.GroupRef, len(ids))
	for i, id := range ids {
		refs[i] = directory.GroupRef{ID: id, Kind: directory.GroupPlain}
	}
	return refs
}

// groupChange converts groupId and groupRole of a change of memberships. No
// role makes an ordinary member, and leaves one who is in already as it is.
func (p params) groupChange(mode directory.GroupMode) (directory.GroupChange, error) {
	var f faults
	change := directory.GroupChange{Kind: directory.GroupPlain, Mode: mode, Groups: groups(p.list("groupId")), Role: p.get("groupRole")}
	if len(change.Groups) == 0 {
		f.required("groupId", "")
	}
	if change.Role != "" && !isRole(change.Role) {
		f.add("groupRole", directory.ReasonFieldValue, "groupRole must be STUDENT, INSTRUCTOR or ADMIN.")
	}
	return change, f.err()
}
