package directory

import "context"

// MemberRef is a member of a group as far as lists of members show it.
type MemberRef struct {
	Number      int64
	ID          string
	UserName    string
	DisplayName string
}

// GroupEdit is what one call changes of a group and of who is in it.
type GroupEdit struct {
	GroupPatch
	// Members, if set, are all members from then on; Remove and Add follow.
	Members Opt[[]UserRef]
	Add     []UserRef
	Remove  []UserRef // who is no member, or no user, is no error
}

// NewGroup is the input of MakeGroup.
type NewGroup struct {
	Group
	ParentID   string
	ExternalID string // of the calling credential
	Members    []UserRef
}

// GroupDetail is a group with its size and, where they were asked for, all its
// living members that the caller can see, by number.
type GroupDetail struct {
	Group      Group
	ParentID   string // "" for none
	ExternalID string // that the calling credential gave it
	Size       int64
	Members    []MemberRef
}

// GroupSearch selects groups of a kind by a predicate, for doors with a query
// language. Groups are read by number until Limit match.
type GroupSearch struct {
	Kind GroupKind
	// Name, if set, is the whole name of the group, folded: found by key.
	Name Opt[string]
	ID   string // if set, the group of this id
	// Member, if set, must be in the group.
	Member Opt[UserRef]
	// Match decides further; nil takes all.
	Match func(*GroupDetail) bool
	// ByName sorts by folded name and then number; Descending turns the order.
	ByName, Descending bool
	Skip               int
	Limit              int    // 0: none are read, for the total
	Cursor             string // of DetailedGroups.Next, in place of Skip
	WantCursor         bool
	// WithMembers fills Members; more than MaxMembersListed on a page is
	// list.too_large.
	WithMembers bool
}

// MaxMembersListed is the most members that one page of groups shows.
const MaxMembersListed = 10_000

// DetailedGroups is one page of groups.
type DetailedGroups struct {
	Groups []GroupDetail
	Total  int64
	Next   string // cursor of the next page, "" at the end
}

// MakeGroup makes a group with its members: all or nothing. Errors as for
// CreateGroups and EditGroup.
func (s *Service) MakeGroup(ctx context.Context, call *Call, in NewGroup) (GroupDetail, error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return GroupDetail{}, err
	}
	panic("MakeGroup")
}

// EditGroup changes a group and its members, all or nothing: at most 2,000
// memberships at a time. Its version rises once if anything changes. Each user who
// joins or leaves has one event; the group has one only if something of its
// own changed. Errors: group.not_found, group.name_taken, version.mismatch,
// user.not_found on members.
func (s *Service) EditGroup(ctx context.Context, call *Call, ref GroupRef, edit GroupEdit) (GroupDetail, error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return GroupDetail{}, err
	}
	panic("EditGroup")
}

// GroupDetail reads a group, with all of its members if asked for. Errors:
// group.not_found.
func (s *Service) GroupDetail(ctx context.Context, call *Call, ref GroupRef, withMembers bool) (GroupDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return GroupDetail{}, err
	}
	panic("GroupDetail")
}

// SearchGroups lists one page of groups.
func (s *Service) SearchGroups(ctx context.Context, call *Call, q GroupSearch) (DetailedGroups, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return DetailedGroups{}, err
	}
	panic("SearchGroups")
}

// MemberPage is one page of a group's members.
type MemberPage struct {
	Members []MemberRef
	Total   int64
	Next    string // cursor of the next page, "" at the end
}

// ListMembers lists one page of the living members of a group that the caller
// can see, by number. Errors: group.not_found, cursor.invalid, cursor.expired.
func (s *Service) ListMembers(ctx context.Context, call *Call, ref GroupRef, limit int, cursor string) (MemberPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return MemberPage{}, err
	}
	panic("ListMembers")
}
