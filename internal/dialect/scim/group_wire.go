package scim

import (
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// groupView is how a caller sees groups.
type groupView struct {
	base string // URI of the door, for locations and references
	show projection
}

// members reports whether anything of the members is shown: without, they are
// not read.
func (v *groupView) members() bool { return v.show.shows(atMembers) }

// appendGroup appends a Group resource (RFC 7643 section 4.2). An empty group
// has no attribute members (RFC 7643 section 2.5).
func (v *groupView) appendGroup(b []byte, d *directory.GroupDetail) []byte {
	g := &d.Group
	b = append(b, `{"schemas":["`+urnGroup+`"],"id":"`...)
	b = append(append(b, g.ID...), '"')
	if d.ExternalID != "" && v.show.shows(atExternalID) {
		b = web.AppendString(append(b, `,"externalId":`...), d.ExternalID)
	}
	if v.show.shows(atGroupDisplayName) {
		b = web.AppendString(append(b, `,"displayName":`...), g.Name)
	}
	if len(d.Members) > 0 && v.members() {
		b = append(b, `,"members":[`...)
		for i := range d.Members {
			b = append(v.appendMember(b, &d.Members[i]), ',')
		}
		b[len(b)-1] = ']'
	}
	if v.show.shows(atMeta) {
		b = v.appendMeta(b, g)
	}
	return append(b, '}')
}

// appendMember appends an element of members, whose display is the name to show
// or else the user name.
func (v *groupView) appendMember(b []byte, m *directory.MemberRef) []byte {
	start := len(b)
	if v.show.shows(atMembersValue) {
		b = append(append(append(b, `,"value":"`...), m.ID...), '"')
	}
	if v.show.shows(atMembersRef) {
		b = append(append(b, `,"$ref":"`...), v.base...)
		b = append(append(append(b, "/Users/"...), m.ID...), '"')
	}
	if v.show.shows(atMembersType) {
		b = append(b, `,"type":"User"`...)
	}
	if v.show.shows(atMembersDisplay) {
		name := m.DisplayName
		if name == "" {
			name = m.UserName
		}
		b = web.AppendString(append(b, `,"display":`...), name)
	}
	return object(b, start)
}

// object makes an object of the members that follow start, each with a comma
// before it.
func object(b []byte, start int) []byte {
	if len(b) == start {
		return append(b, "{}"...)
	}
	b[start] = '{'
	return append(b, '}')
}

// appendMeta appends the resource's meta (RFC 7643 section 3.1).
func (v *groupView) appendMeta(b []byte, g *directory.Group) []byte {
	b = append(b, `,"meta":`...)
	start := len(b)
	if v.show.shows(atMetaResourceType) {
		b = append(b, `,"resourceType":"Group"`...)
	}
	if v.show.shows(atMetaCreated) {
		b = append(g.CreatedAt.AppendFormat(append(b, `,"created":"`...), time.RFC3339Nano), '"')
	}
	if v.show.shows(atMetaLastModified) {
		b = append(g.UpdatedAt.AppendFormat(append(b, `,"lastModified":"`...), time.RFC3339Nano), '"')
	}
	if v.show.shows(atMetaLocation) {
		b = append(append(b, `,"location":"`...), v.base...)
		b = append(append(append(b, "/Groups/"...), g.ID...), '"')
	}
	if v.show.shows(atMetaVersion) {
		b = append(strconv.AppendInt(append(b, `,"version":"\"`...), g.Version, 10), `\""`...)
	}
	return object(b, start)
}
