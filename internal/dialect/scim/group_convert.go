package scim

import (
	"encoding/json"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// groupInput is what a Group resource says, as a client sent it.
type groupInput struct {
	name       string
	externalID string
	members    []directory.UserRef
}

// readGroup reads a Group resource. What is read-only is ignored (RFC 7644
// section 3.5.1), and so is what no schema has (dossier 5.2).
func readGroup(resource web.Object) (groupInput, error) {
	if err := checkSchemas(resource, groupResource); err != nil {
		return groupInput{}, err
	}
	var in groupInput
	raw, _ := resource.Get("displayName")
	var err error
	if in.name, err = textValue("displayName", raw); err != nil {
		return groupInput{}, err
	}
	if in.name == "" {
		return groupInput{}, refuse(invalidValue, "displayName is required.")
	}
	raw, _ = resource.Get("externalId")
	if in.externalID, err = textValue("externalId", raw); err != nil {
		return groupInput{}, err
	}
	raw, _ = resource.Get("members")
	in.members, err = readMembers(raw)
	return in, err
}

// textValue reads a text; none and null are the empty one.
func textValue(name string, raw json.RawMessage) (string, error) {
	text, state := web.StringOf(single(raw))
	if state == web.Mistyped {
		return "", refuse(invalidValue, "%s must be a text.", name)
	}
	return text, nil
}

// readMembers reads members: an array, or one member alone; each an object, or
// its id as a text (dossier 5.31). None and null are the empty list.
func readMembers(raw json.RawMessage) ([]directory.UserRef, error) {
	list, state := web.ArrayOf(raw)
	if state == web.Mistyped {
		list = []json.RawMessage{raw}
	}
	refs := make([]directory.UserRef, 0, len(list))
	for _, raw := range list {
		id, err := readMember(raw)
		if err != nil {
			return nil, err
		}
		if isUUID(id) {
			refs = append(refs, directory.ByID(id))
		}
	}
	return refs, nil
}

// readMember reads the id of a member. Without value it is the last part of
// $ref.
func readMember(raw json.RawMessage) (string, error) {
	id, state := web.StringOf(raw)
	if state == web.Mistyped {
		member, isObject := web.ObjectOf(raw)
		if isObject != web.Present {
			return "", refuse(invalidValue, "members must be objects with a value.")
		}
		if kind, state := member.String("type"); state == web.Present && kind != "" && !strings.EqualFold(kind, userResource.name) {
			return "", refuse(invalidValue, "members.type must be User: groups have no groups as members.")
		}
		id, state = member.String("value")
		if state == web.Mistyped {
			return "", refuse(invalidValue, "members.value must be a text.")
		}
		if ref, _ := member.String("$ref"); id == "" && ref != "" {
			id = ref[strings.LastIndexByte(ref, '/')+1:]
		}
	}
	if id = strings.TrimSpace(id); id == "" {
		return "", refuse(invalidValue, "members must have a value: the id of a user.")
	}
	return id, nil
}

// isUUID reports whether a text has the form of an id. A text of another form is
// no user's id and never will be: as a member it is passed over, where an id of
// nobody is an error (dossier 5.32).
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i] | 0x20
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if text[i] != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
