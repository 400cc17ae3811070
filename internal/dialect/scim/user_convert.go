package scim

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// userSetter sets an attribute of a patch from its JSON, nil for none.
type userSetter func(c *userConverter, raw json.RawMessage)

// userSetters are the attributes of users that can be written.
var userSetters = map[attributeID]userSetter{
	atExternalID: func(c *userConverter, raw json.RawMessage) { c.patch.ExternalID = c.text("externalId", raw) },
	atUserName:   (*userConverter).userName,
	atName:       (*userConverter).name,
	atDisplayName: func(c *userConverter, raw json.RawMessage) {
		c.patch.DisplayName = c.text("displayName", raw)
	},
	atNickName:   ownText("nickName"),
	atProfileURL: ownText("profileUrl"),
	atTitle:      func(c *userConverter, raw json.RawMessage) { c.patch.Title = c.text("title", raw) },
	atUserType:   ownText("userType"),
	atPreferredLanguage: func(c *userConverter, raw json.RawMessage) {
		c.patch.Language = c.text("preferredLanguage", raw)
	},
	atLocale:           ownText("locale"),
	atTimezone:         func(c *userConverter, raw json.RawMessage) { c.patch.TimeZone = c.text("timezone", raw) },
	atActive:           (*userConverter).active,
	atPassword:         (*userConverter).password,
	atEmails:           (*userConverter).emails,
	atPhoneNumbers:     (*userConverter).phones,
	atIMs:              ownList(atIMs),
	atPhotos:           ownList(atPhotos),
	atAddresses:        (*userConverter).addresses,
	atEntitlements:     ownList(atEntitlements),
	atRoles:            (*userConverter).roles,
	atX509Certificates: ownList(atX509Certificates),

	atEmployeeNumber: func(c *userConverter, raw json.RawMessage) {
		c.patch.EmployeeNumber = c.text("employeeNumber", raw)
	},
	atCostCenter:   ownText("costCenter"),
	atOrganization: ownText("organization"),
	atDivision:     ownText("division"),
	atDepartment:   ownText("department"),
	atManager:      (*userConverter).manager,

	atLicenceType: func(c *userConverter, raw json.RawMessage) { c.patch.LicenceType = c.text("licenceType", raw) },
}

// keptByReplace are the attributes that a replacement without them leaves as
// they are (dossier 5.4).
var keptByReplace = map[attributeID]bool{atActive: true, atPassword: true}

// userConverter makes a patch of the core from a User resource. It collects
// what is wrong, so that one answer names it all.
type userConverter struct {
	patch directory.UserPatch
	bad   []directory.FieldError
}

// ownText is an attribute that the door keeps by itself, under its own name.
func ownText(name string) userSetter {
	return func(c *userConverter, raw json.RawMessage) { c.keepText(name, c.text(name, raw).Value) }
}

// ownList is a multi-valued attribute that the door keeps by itself.
func ownList(id attributeID) userSetter {
	return func(c *userConverter, raw json.RawMessage) {
		a := userAttributeOf[id]
		list := c.elements(a, raw)
		kept := make([]map[string]json.RawMessage, len(list))
		for i := range list {
			kept[i] = list[i].raw
		}
		c.keepList(a.name, kept)
	}
}

// keep puts a member into what the door keeps by itself; nil takes it away.
func (c *userConverter) keep(name string, value json.RawMessage) {
	if c.patch.ExtraFields == nil {
		c.patch.ExtraFields = map[string]json.RawMessage{}
	}
	if value == nil {
		value = json.RawMessage("null")
	}
	c.patch.ExtraFields[name] = value
}

func (c *userConverter) keepText(name, text string) {
	if text == "" {
		c.keep(name, nil)
		return
	}
	c.keep(name, web.AppendString(nil, text))
}

func (c *userConverter) keepList(name string, list []map[string]json.RawMessage) {
	if len(list) == 0 {
		c.keep(name, nil)
		return
	}
	c.keep(name, asJSON(list))
}

// asJSON is a value of maps, lists and texts as JSON, which cannot fail.
func asJSON(value any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // what was read as JSON can be written as JSON
	}
	return raw
}

// wrong notes a violation under SCIM's own name of the field, which must not be
// taken for one of the core's.
func (c *userConverter) wrong(name, message string) {
	c.bad = append(c.bad, directory.FieldError{Field: "attribute:" + name, Reason: directory.ReasonFieldFormat, Message: name + " " + message})
}

// err is nil without violations.
func (c *userConverter) err() error {
	if len(c.bad) == 0 {
		return nil
	}
	return &directory.Error{Code: directory.CodeInvalid, Reason: c.bad[0].Reason, Message: c.bad[0].Message, Fields: c.bad}
}

// text reads a text; none and null are the empty one.
func (c *userConverter) text(name string, raw json.RawMessage) directory.Opt[string] {
	text, state := web.StringOf(single(raw))
	if state == web.Mistyped {
		c.wrong(name, "must be a text.")
	}
	return directory.Some(text)
}

// single is the element of an array of one, and any other value itself: some
// clients put every value into an array (dossier 5.3).
func single(raw json.RawMessage) json.RawMessage {
	if list, state := web.ArrayOf(raw); state == web.Present && len(list) == 1 {
		return list[0]
	}
	return raw
}

// truth reads a boolean, also one that is written as a text, as "True"
// (dossier 5.3).
func truth(raw json.RawMessage) (is bool, state web.State) {
	if is, state = web.BoolOf(raw); state != web.Mistyped {
		return is, state
	}
	text, state := web.StringOf(raw)
	if state != web.Present || !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
		return false, web.Mistyped
	}
	return strings.EqualFold(text, "true"), web.Present
}

func (c *userConverter) userName(raw json.RawMessage) {
	if c.patch.UserName = c.text("userName", raw); c.patch.UserName.Value == "" && len(c.bad) == 0 {
		c.bad = append(c.bad, directory.FieldError{Field: "userName", Reason: directory.ReasonFieldRequired, Message: "userName is required."})
	}
}

func (c *userConverter) name(raw json.RawMessage) {
	name, state := web.ObjectOf(single(raw))
	if state == web.Mistyped {
		c.wrong("name", "must be an object.")
		return
	}
	part := func(member string) string {
		value, _ := name.Get(member)
		return c.text("name."+member, value).Value
	}
	c.patch.GivenName, c.patch.FamilyName = directory.Some(part("givenName")), directory.Some(part("familyName"))
	kept := map[string]string{}
	for _, member := range []string{"formatted", "middleName", "honorificPrefix", "honorificSuffix"} {
		if text := part(member); text != "" {
			kept[member] = text
		}
	}
	if len(kept) == 0 {
		c.keep("name", nil)
		return
	}
	kept["of"] = c.patch.GivenName.Value + "\n" + c.patch.FamilyName.Value
	c.keep("name", asJSON(kept))
}

// active sets the state. Staged users are shown as not active, and stay staged
// when that is sent back (dossier 5.5).
func (c *userConverter) active(raw json.RawMessage) {
	switch is, state := truth(single(raw)); {
	case state == web.Mistyped:
		c.wrong("active", "must be true or false.")
	case state == web.Present && is:
		c.patch.State = directory.Some(directory.StateActive)
	case state == web.Present:
		c.patch.State = directory.Some(directory.StateInactive)
	}
}

// password sets the password; null takes it away.
func (c *userConverter) password(raw json.RawMessage) {
	text := c.text("password", raw)
	if text.Value == "" {
		c.patch.NoPassword = true
		return
	}
	c.patch.Password = text
}

// manager takes the id of the manager, as an object or as some clients send it,
// a text (dossier 5.3). Without value it is the last part of $ref.
func (c *userConverter) manager(raw json.RawMessage) {
	raw = single(raw)
	if text, state := web.StringOf(raw); state == web.Present {
		c.keepText("manager", text)
		return
	}
	object, state := web.ObjectOf(raw)
	if state == web.Mistyped {
		c.wrong("manager", "must be an object with a value.")
		return
	}
	value, _ := object.Get("value")
	id := c.text("manager.value", value).Value
	if ref, _ := object.String("$ref"); id == "" && ref != "" {
		id = ref[strings.LastIndexByte(ref, '/')+1:]
	}
	c.keepText("manager", id)
}

// newUser makes the input of CreateUser of a User resource.
func newUser(object web.Object) (directory.NewUser, error) {
	c, err := convertUser(object, func(a *attribute, present bool) bool { return present || a.id == atUserName })
	if err != nil {
		return directory.NewUser{}, err
	}
	in := directory.NewUser{Fields: c.patch, Password: c.patch.Password.Value}
	in.Fields.Password, in.Fields.NoPassword = directory.Opt[string]{}, false
	if c.patch.State.Set {
		in.State = c.patch.State.Value
	}
	return in, nil
}

// replacement makes the patch of a replacement: what is not sent is cleared. A
// password of null is one that is not sent (RFC 7643 section 2.5).
func replacement(object web.Object) (directory.UserPatch, error) {
	c, err := convertUser(object, func(a *attribute, present bool) bool { return present || !keptByReplace[a.id] })
	c.patch.NoPassword = false
	return c.patch, err
}

// putTogether are the attributes of which more is shown than is kept, as the
// formatted name or the type of an address that another door has set.
var putTogether = []attributeID{atName, atEmails, atPhoneNumbers, atAddresses, atRoles}

// replacementOf is replacement for a user as it is now. Of what is put together,
// an attribute that is sent back as it is shown stays as it is: kept, it would be
// there still when that of which it is put together has changed.
func replacementOf(object web.Object, now *directory.UserDetail, credential string) (directory.UserPatch, error) {
	v := userView{credential: credential}
	shown, err := web.DecodeObject(v.appendUser(nil, now), 0)
	if err != nil {
		return directory.UserPatch{}, err
	}
	stays := map[attributeID]bool{}
	for _, id := range putTogether {
		name := userAttributeOf[id].name
		sent, present := object.Get(name)
		have, _ := shown.Get(name)
		stays[id] = present && sameValue(sent, have)
	}
	c, err := convertUser(object, func(a *attribute, present bool) bool { return !stays[a.id] && (present || !keptByReplace[a.id]) })
	c.patch.NoPassword = false
	return c.patch, err
}

// sameValue reports whether two JSON texts mean the same.
func sameValue(a, b json.RawMessage) bool {
	x, err := decodeValue(a)
	if err != nil {
		return false
	}
	y, err := decodeValue(b)
	return err == nil && reflect.DeepEqual(x, y)
}

// convertUser sets the attributes that wanted chooses. What is read-only is
// ignored (RFC 7644 section 3.5.1), and so is what no schema has (dossier 5.2).
func convertUser(object web.Object, wanted func(a *attribute, present bool) bool) (*userConverter, error) {
	c := &userConverter{}
	if err := checkSchemas(object, userResource); err != nil {
		return c, err
	}
	for _, s := range []*schema{common, userSchema, enterpriseSchema, directorySchema} {
		from := object
		if s == enterpriseSchema || s == directorySchema {
			var state web.State
			if from, state = object.Object(s.urn); state == web.Mistyped {
				c.wrong(s.urn, "must be an object.")
				continue
			}
		}
		for i := range s.attributes {
			a := &s.attributes[i]
			set := userSetters[a.id]
			if set == nil || a.mutable() == readOnly {
				continue
			}
			raw, present := from.Get(a.name)
			if wanted(a, present) {
				set(c, raw)
			}
		}
	}
	return c, c.err()
}

// checkSchemas checks the list of schemas, if there is one: texts, and the
// resource's own among them (RFC 7643 section 3).
func checkSchemas(object web.Object, r *resource) error {
	list, state := object.Array("schemas")
	if state == web.Absent {
		return nil
	}
	if state != web.Present {
		return refuse(invalidSyntax, "schemas must be an array of URNs.")
	}
	own := false
	for _, raw := range list {
		urn, state := web.StringOf(raw)
		if state != web.Present {
			return refuse(invalidSyntax, "schemas must be an array of URNs.")
		}
		own = own || strings.EqualFold(urn, r.core.urn)
	}
	if !own {
		return refuse(invalidSyntax, "schemas must have %s.", r.core.urn)
	}
	return nil
}
