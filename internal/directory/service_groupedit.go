package directory

import (
	"context"
	"errors"
)

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
	// Show is how many members the result shows: all of them if there are no more,
	// else none. Unbounded shows all.
	Show int
}

// Unbounded is any number of members.
const Unbounded = -1

// NewGroup is the input of MakeGroup.
type NewGroup struct {
	Group
	ParentID   string
	ExternalID string // of the calling credential
	Members    []UserRef
	Show       int // as in GroupEdit
}

// GroupDetail is a group with its size and, where they were asked for, all its
// living members that the caller can see, by number.
type GroupDetail struct {
	Group      Group
	ParentID   string // "" for none
	ExternalID string // that the calling credential gave it
	// Size is how many members the caller can see; SizeUnknown where nobody
	// counted.
	Size    int64
	Members []MemberRef // nil where they were not asked for
}

// SizeUnknown is the size of a group whose members were not counted.
const SizeUnknown = -1

// GroupSearch selects groups of a kind by a predicate, for doors with a query
// language. Groups are read by number until Limit match.
type GroupSearch struct {
	Kind GroupKind
	// Name, if set, is the whole name of the group, folded: found by key.
	Name Opt[string]
	ID   string // if set, the group of this id
	// Member, if set, must be in the group.
	Member Opt[UserRef]
	// Match decides further, before sizes and members are read; nil takes all.
	// MatchKey tells one Match from another: cursors are bound to it.
	Match    func(*GroupDetail) bool
	MatchKey string
	// ByName sorts by folded name and then number, ByID by id; Descending turns the
	// order.
	ByName, ByID, Descending bool
	Skip                     int
	Limit                    int    // 0: none are read, for the total
	Cursor                   string // of DetailedGroups.Next, in place of Skip
	WantCursor               bool
	// WithMembers fills Members; more than MaxMembersListed on a page is
	// list.too_large.
	WithMembers bool
	// WithoutSizes saves counting members: Size is SizeUnknown.
	WithoutSizes bool
}

// MaxMembersListed is the most members that one page of groups shows.
const MaxMembersListed = 10_000

// DetailedGroups is one page of groups.
type DetailedGroups struct {
	Groups []GroupDetail
	// Total is the number of all matches. With a Match it is counted among the
	// first maxGroupsRead groups of the kind, and at least what is known to exist.
	Total int64
	Next  string // cursor of the next page, "" at the end
}

// MakeGroup makes a group with its members: all or nothing. The size of what it
// returns is known. Errors as for CreateGroups and EditGroup.
func (s *Service) MakeGroup(ctx context.Context, call *Call, in NewGroup) (GroupDetail, error) {
	if err := s.enterWhole(ctx, call, ActGroup); err != nil {
		return GroupDetail{}, err
	}
	if err := permitMembers(call, len(in.Members) > 0); err != nil {
		return GroupDetail{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return GroupDetail{}, err
	}
	templates, err := s.newGroups(call, []Group{in.Group})
	if err != nil {
		return GroupDetail{}, err
	}
	members, err := s.memberNumbers(ctx, call, in.Members, nil, false)
	if err != nil {
		return GroupDetail{}, err
	}
	var made GroupDetail
	err = s.once(ctx, call, func(tx Tx) (any, error) {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return nil, err
		}
		g := templates[0]
		g.ExternalIDs = nil
		if err := setGroupExternalID(ctx, tx, call, &g, Some(in.ExternalID)); err != nil {
			return nil, err
		}
		if err := placeGroup(ctx, tx, &g, in.ParentID); err != nil {
			return nil, err
		}
		if err := s.insertGroup(ctx, tx, call, &g); err != nil {
			return nil, err
		}
		size, err := s.moveMembers(ctx, tx, call, &g, &memberPlan{wanted: members})
		if err != nil {
			return nil, err
		}
		made, err = detailOf(ctx, tx, call, g)
		made.Size = int64(size)
		return made, err
	})
	call.Changed = err == nil
	if err == nil {
		err = s.showMembers(ctx, call, &made, in.Show)
	}
	return made, err
}

// EditGroup changes a group and its members, all or nothing: at most 2,000
// memberships at a time. Its version rises once if anything changes. Each user who
// joins or leaves has one event; the group has one only if something of its
// own changed. Who was named to join and is in, or to leave and is not, is not
// touched; only Members makes it read who else is in. A caller that is bound to a
// company changes nothing but who of its own people is in. The size of what it
// returns is unknown: counting takes longer the larger the group is. Errors:
// group.not_found, group.name_taken, version.mismatch, user.not_found on members.
func (s *Service) EditGroup(ctx context.Context, call *Call, ref GroupRef, edit GroupEdit) (GroupDetail, error) {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return GroupDetail{}, err
	}
	if call.Actor.Root != 0 && edit.GroupPatch != (GroupPatch{}) {
		return GroupDetail{}, errWholeTenant()
	}
	if err := permitMembers(call, edit.Members.Set || len(edit.Add) > 0 || len(edit.Remove) > 0); err != nil {
		return GroupDetail{}, err
	}
	plan, err := s.planMembers(ctx, call, ref, &edit)
	if err != nil {
		return GroupDetail{}, err
	}
	var detail GroupDetail
	err = s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		held, err := groupOf(ctx, tx, call.Actor.Tenant, ref)
		if err != nil {
			return false, err
		}
		g, wrote, err := s.patchGroup(ctx, tx, call, held, edit.GroupPatch)
		if err != nil {
			return false, err
		}
		moved, err := s.moveMembers(ctx, tx, call, &g, plan)
		if err != nil {
			return false, err
		}
		if moved > 0 && !wrote {
			g.Version++
			g.UpdatedAt = s.now()
			if err := tx.UpdateGroup(ctx, g); err != nil {
				return false, err
			}
		}
		detail, err = detailOf(ctx, tx, call, g)
		return wrote || moved > 0, err
	})
	if err == nil {
		err = s.showMembers(ctx, call, &detail, edit.Show)
	}
	return detail, err
}

// showMembers reads the members of a group that has just been written, if there
// are no more than most.
func (s *Service) showMembers(ctx context.Context, call *Call, detail *GroupDetail, most int) error {
	switch {
	case most == 0:
		return nil
	case most == Unbounded:
		return s.fillMembers(ctx, call, detail, Unbounded)
	}
	most = min(most, MaxLimit-1)
	return s.store.Read(ctx, func(r Reader) error {
		page, err := r.GroupMemberRefs(ctx, call.Actor.Tenant, detail.Group.Number, call.Actor.Root, 0, most+1)
		if err != nil || len(page) > most {
			return err
		}
		detail.Members, detail.Size = append([]MemberRef{}, page...), int64(len(page))
		return nil
	})
}

// permitMembers is the right to put people into groups and out of them, besides
// that to change groups.
func permitMembers(call *Call, named bool) error {
	if !named {
		return nil
	}
	return call.permit(ActAssign)
}

// detailOf is a group as the caller sees it, without size and members.
func detailOf(ctx context.Context, r Reader, call *Call, g Group) (GroupDetail, error) {
	detail := GroupDetail{Group: g, ExternalID: g.ExternalIDs[call.Actor.Credential], Size: SizeUnknown}
	if g.Parent == 0 {
		return detail, nil
	}
	parent, err := r.Group(ctx, g.Tenant, g.Parent)
	if errors.Is(err, ErrNotFound) {
		return detail, nil // erased between two statements
	}
	detail.ParentID = parent.ID
	return detail, err
}

// GroupDetail reads a group, with all of its members if asked for. Of a large
// group they are read page by page, so that who joins or leaves meanwhile may or
// may not be among them. Errors: group.not_found.
func (s *Service) GroupDetail(ctx context.Context, call *Call, ref GroupRef, withMembers bool) (GroupDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return GroupDetail{}, err
	}
	var detail GroupDetail
	err := s.store.View(ctx, func(r Reader) error {
		g, err := groupOf(ctx, r, call.Actor.Tenant, ref)
		if err != nil {
			return err
		}
		if detail, err = detailOf(ctx, r, call, g); err != nil || withMembers {
			return err
		}
		detail.Size, err = groupSize(ctx, r, call.Actor, g.Number)
		return err
	})
	if err == nil && withMembers {
		err = s.fillMembers(ctx, call, &detail, Unbounded)
	}
	return detail, err
}

// fillMembers reads the members of a group, a page at a time. More than most
// are list.too_large.
func (s *Service) fillMembers(ctx context.Context, call *Call, detail *GroupDetail, most int) error {
	members := []MemberRef{}
	err := s.memberPages(ctx, call, detail.Group.Number, func(page []MemberRef) error {
		members = append(members, page...)
		if most != Unbounded && len(members) > most {
			return errListTooLarge()
		}
		return nil
	})
	detail.Members, detail.Size = members, int64(len(members))
	return err
}

func errListTooLarge() error {
	return Invalid("members", ReasonListTooLarge, "The groups of a page have more than %d members together: ask for fewer groups, or for the groups without their members.", MaxMembersListed)
}

// memberPages reads the living members of a group that the caller can see, by
// number, each page a look-up of its own: no snapshot lasts long.
func (s *Service) memberPages(ctx context.Context, call *Call, group int64, each func([]MemberRef) error) error {
	for after := int64(0); ; {
		var page []MemberRef
		err := s.store.Read(ctx, func(r Reader) (err error) {
			page, err = r.GroupMemberRefs(ctx, call.Actor.Tenant, group, call.Actor.Root, after, MaxLimit)
			return err
		})
		if err != nil {
			return err
		}
		if err := each(page); err != nil || len(page) < MaxLimit {
			return err
		}
		after = page[len(page)-1].Number
	}
}

// MemberPage is one page of a list of members. Total is what the caller can see.
type MemberPage struct {
	Group   Group // whose members they are; the zero value for a role's
	Members []MemberRef
	Total   int64
	Next    string // cursor of the next page, "" at the end
}

// memberList is the kind of the cursors of lists of members.
const memberList = "members"

// ListMembers lists one page of the living members of a group that the caller
// can see, by number. Errors: group.not_found, cursor.invalid, cursor.expired.
func (s *Service) ListMembers(ctx context.Context, call *Call, ref GroupRef, limit int, cursor string) (MemberPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return MemberPage{}, err
	}
	if err := checkLimit(limit); err != nil {
		return MemberPage{}, err
	}
	var page MemberPage
	var group Group
	err := s.store.View(ctx, func(r Reader) (err error) {
		if group, err = groupOf(ctx, r, call.Actor.Tenant, ref); err != nil {
			return err
		}
		after, err := s.after(call, memberList, group.ID, cursor)
		if err != nil {
			return err
		}
		if page.Members, err = r.GroupMemberRefs(ctx, group.Tenant, group.Number, call.Actor.Root, after, limit+1); err != nil {
			return err
		}
		page.Total, err = groupSize(ctx, r, call.Actor, group.Number)
		return err
	})
	if err != nil {
		return MemberPage{}, err
	}
	page.Group = group
	return page, s.cutMembers(call, memberList, group.ID, &page, limit)
}

// cutMembers takes the member that is one too many from a page and makes the
// cursor of what follows.
func (s *Service) cutMembers(call *Call, kind, query string, page *MemberPage, limit int) (err error) {
	if len(page.Members) <= limit {
		return nil
	}
	page.Members = page.Members[:limit]
	page.Next, err = s.sealCursor(call, kind, query, place{Number: page.Members[limit-1].Number})
	return err
}

// after is the number after which a list goes on; "" begins it.
func (s *Service) after(call *Call, kind, query, cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	at, err := s.openCursor(call, kind, query, cursor)
	return at.Number, err
}

// checkLimit refuses sizes that no page has.
func checkLimit(limit int) error {
	if limit <= 0 || limit > MaxLimit {
		return Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d.", MaxLimit)
	}
	return nil
}
