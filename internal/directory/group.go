package directory

import "time"

// Group is a named set of users. Kind keeps the vendors' kinds apart.
type Group struct {
	Tenant      TenantNo
	Number      int64
	ID          string
	Kind        GroupKind
	Key         string // unique in its kind: the folded name, or a vendor's own id
	Name        string
	Description string
	Parent      int64 // number of a group of the same kind; 0: none
	// ExternalIDs are what provisioning credentials call the group, by
	// credential id.
	ExternalIDs map[string]string
	Version     int64 // rises when the group changes or somebody joins or leaves by EditGroup
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// GroupKind is a vendor's kind of group.
type GroupKind string

// The kinds of groups. Their texts are stored.
const (
	// GroupPlain are Encore's, Smartapp's and EduBrite's groups: the same ones.
	GroupPlain     GroupKind = "group"
	GroupDashboard GroupKind = "dashboard"
	// GroupServiceTeam is keyed by the vendor's id with every letter's case. Who
	// joins one from the team's side leaves the team before
	// (docs/dialects/servicemobility.md 3.3).
	GroupServiceTeam GroupKind = "service_team"
)

// GroupRef names a group: by its number, its id, or by name (service teams: key) in a
// kind.
type GroupRef struct {
	Number int64 `json:",omitempty"`
	ID     string
	Kind   GroupKind
	Name   string
	// Parent, if set, is the id of the group that it must stand directly below
	// (docs/dialects/edubrite.md 3.4).
	Parent string
}

// GroupMode is what a GroupChange does with the groups that it names.
type GroupMode uint8

// The modes of a GroupChange.
const (
	GroupsAdd GroupMode = iota + 1
	GroupsRemove
	GroupsReplace // these and no others of the kind, in this order
	// GroupsReplaceFirst exchanges the first of the user's groups of the kind,
	// for doors that see only one; no name removes it.
	GroupsReplaceFirst
)

// GroupChange changes a user's memberships of one kind. An unknown group is
// group.not_found on the groups field, and nothing changes. Of one group that is
// named by id the kind may be left out: unknown, it is group.not_found itself.
type GroupChange struct {
	Kind   GroupKind
	Mode   GroupMode
	Groups []GroupRef
	Role   string // of new memberships (docs/dialects/edubrite.md 3.2): "" for an ordinary member
}

// Membership is a user's place in a group.
type Membership struct {
	Group    Group
	Role     string // as GroupChange.Role
	Position int    // order among the user's groups, as they were set
}

// GroupQuery selects a page of groups in order of number.
type GroupQuery struct {
	Kind   GroupKind
	Parent Opt[string] // id of the parent; "" for groups without one
	Name   string      // part of the name, folded; "" for all
	Member Opt[UserRef]
	Mine   bool // only groups of the person who asks, who then needs no rank
	Skip   int
	Limit  int // 1 to MaxLimit
}

// GroupPage is one page of groups with their sizes.
type GroupPage struct {
	Groups []Group
	Sizes  []int64 // members of each, deleted users left out
	Total  int64   // of all pages
}

// GroupPatch names what to change of a group.
type GroupPatch struct {
	Name        Opt[string]
	Description Opt[string]
	Parent      Opt[string] // id; "" for none
	ExternalID  Opt[string] // of the calling credential; "" for none
}
