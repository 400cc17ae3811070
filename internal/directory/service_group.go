package directory

import "context"

// ChangeGroups changes a user's memberships: all of it or nothing. Errors:
// user.not_found, group.not_found on the groups field.
func (s *Service) ChangeGroups(ctx context.Context, call *Call, ref UserRef, with Include, changes ...GroupChange) (UserDetail, error) {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return UserDetail{}, err
	}
	panic("ChangeGroups")
}

// Group reads a group and its size. Errors: group.not_found.
func (s *Service) Group(ctx context.Context, call *Call, ref GroupRef) (Group, int64, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Group{}, 0, err
	}
	panic("Group")
}

// Groups lists one page of groups. An unknown parent has no groups.
func (s *Service) Groups(ctx context.Context, call *Call, q GroupQuery) (GroupPage, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return GroupPage{}, err
	}
	panic("Groups")
}

// CreateGroups makes groups, all or none, each below the group whose id is
// parents[i] ("" or a missing entry: below none). Errors: group.name_taken,
// group.not_found on the parent.
func (s *Service) CreateGroups(ctx context.Context, call *Call, groups []Group, parents []string) ([]Group, error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return nil, err
	}
	panic("CreateGroups")
}

// PutGroup makes the group of a key, or changes what the patch names of the one
// that has it; made says which.
func (s *Service) PutGroup(ctx context.Context, call *Call, kind GroupKind, key string, p GroupPatch) (g Group, made bool, err error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return Group{}, false, err
	}
	panic("PutGroup")
}

// UpdateGroup changes what the patch names. Errors: group.not_found,
// group.name_taken, group.parent_below when the parent is below the group.
func (s *Service) UpdateGroup(ctx context.Context, call *Call, ref GroupRef, p GroupPatch) (Group, error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return Group{}, err
	}
	panic("UpdateGroup")
}

// DeleteGroups erases groups with their memberships, all or none. Errors:
// group.not_found.
func (s *Service) DeleteGroups(ctx context.Context, call *Call, refs []GroupRef) error {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return err
	}
	panic("DeleteGroups")
}

// GroupMembers lists the members of a group, by number, at most MaxLimit.
func (s *Service) GroupMembers(ctx context.Context, call *Call, ref GroupRef) ([]User, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return nil, err
	}
	panic("GroupMembers")
}

// SetGroupMembers makes exactly these users the members of a group, at most
// 500 changes at a time. Errors: group.not_found; user.not_found, which names
// the first unknown user.
func (s *Service) SetGroupMembers(ctx context.Context, call *Call, ref GroupRef, members []UserRef) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	panic("SetGroupMembers")
}
