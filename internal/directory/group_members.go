package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Limits of what one EditGroup names and changes.
const (
	maxMoved   = 2000    // memberships that change
	maxMembers = 100_000 // members that Members names: a client that replaces sends who stays, too
)

// memberPlan is who shall be in a group and who shall not, by number, in order.
type memberPlan struct {
	exact  bool // nobody but wanted
	wanted []int64
	leave  []int64
}

func errTooManyMoves() error {
	return Invalid("members", ReasonFieldLength, "At most %d memberships can change at a time.", maxMoved)
}

// planMembers finds the users whom an edit names. It is done before the
// transaction, which then asks only for numbers.
func (s *Service) planMembers(ctx context.Context, call *Call, ref GroupRef, edit *GroupEdit) (*memberPlan, error) {
	plan := &memberPlan{exact: edit.Members.Set}
	var known map[string]int64
	var err error
	if plan.exact {
		if known, err = s.knownMembers(ctx, call, ref); err != nil {
			return nil, err
		}
		if plan.wanted, err = s.memberNumbers(ctx, call, edit.Members.Value, known, false); err != nil {
			return nil, err
		}
	}
	if plan.leave, err = s.memberNumbers(ctx, call, edit.Remove, known, true); err != nil {
		return nil, err
	}
	add, err := s.memberNumbers(ctx, call, edit.Add, known, false)
	if err != nil {
		return nil, err
	}
	plan.wanted = append(without(plan.wanted, plan.leave), add...)
	slices.Sort(plan.wanted)
	plan.wanted = slices.Compact(plan.wanted)
	plan.leave = without(plan.leave, plan.wanted)
	return plan, nil
}

// without is a list less the numbers of another, which is in order.
func without(list, less []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(list), func(n int64) bool {
		_, found := slices.BinarySearch(less, n)
		return found
	})
}

// knownMembers are the numbers of a group's members by id, so that who replaces
// a large group does not cost a look-up for each that stays.
func (s *Service) knownMembers(ctx context.Context, call *Call, ref GroupRef) (map[string]int64, error) {
	var g Group
	err := s.store.View(ctx, func(r Reader) (err error) {
		g, err = groupOf(ctx, r, call.Actor.Tenant, ref)
		return err
	})
	if err != nil {
		return nil, err
	}
	known := map[string]int64{}
	err = s.memberPages(ctx, call, g.Number, func(page []MemberRef) error {
		for i := range page {
			known[page[i].ID] = page[i].Number
		}
		return nil
	})
	return known, err
}

// memberNumbers finds the living users that references name, each once, in order
// of number. Those that name nobody are an error unless they are to be passed
// over.
func (s *Service) memberNumbers(ctx context.Context, call *Call, refs []UserRef, known map[string]int64, passOver bool) ([]int64, error) {
	if len(refs) > maxMembers {
		return nil, Invalid("members", ReasonFieldLength, "At most %d members can be named.", maxMembers)
	}
	numbers, others := map[int64]bool{}, map[UserRef]bool{}
	var unknown []UserRef
	for _, ref := range refs {
		if number, ok := known[strings.ToLower(ref.ID)]; ok && ref.Number == 0 {
			numbers[number] = true
		} else if !others[ref] {
			others[ref] = true
			unknown = append(unknown, ref)
		}
	}
	if len(unknown) > maxMoved {
		return nil, errTooManyMoves()
	}
	for batch := range slices.Chunk(unknown, maxChanged) {
		found, err := s.findMembers(ctx, call, batch, passOver)
		if err != nil {
			return nil, err
		}
		for _, number := range found {
			numbers[number] = true
		}
	}
	return slices.Sorted(maps.Keys(numbers)), nil
}

// findMembers looks some users up, in one snapshot.
func (s *Service) findMembers(ctx context.Context, call *Call, refs []UserRef, passOver bool) ([]int64, error) {
	var numbers []int64
	err := s.store.View(ctx, func(r Reader) error {
		list := make([]int64, 0, len(refs))
		for _, ref := range refs {
			u, err := s.find(ctx, r, call, ref)
			if CodeOf(err) == CodeNotFound {
				if passOver {
					continue
				}
				return errNoMember(ref)
			}
			if err != nil {
				return err
			}
			list = append(list, u.Number)
		}
		numbers = list
		return nil
	})
	return numbers, err
}

// moveMembers carries a plan out and returns how many users joined or left, whose
// rows it locked in order of number. The tenant is locked: nobody else does this
// meanwhile.
func (s *Service) moveMembers(ctx context.Context, tx Tx, call *Call, g *Group, plan *memberPlan) (int, error) {
	joins, leaves, err := movesOf(ctx, tx, call, g, plan)
	if err != nil {
		return 0, err
	}
	if len(joins)+len(leaves) > maxMoved {
		return 0, errTooManyMoves()
	}
	moves := append(slices.Clone(joins), leaves...)
	slices.Sort(moves)
	moved := 0
	for _, number := range moves {
		_, joining := slices.BinarySearch(joins, number)
		_, wrote, err := s.changeIn(ctx, tx, call, ActAssign, ByNumber(number), func(u *User, e *edit) error {
			if u.State != StateDeleted {
				return moveMember(ctx, tx, call, g, u, e, joining)
			}
			if joining {
				return errDeleted()
			}
			return nil
		})
		if !joining && IsReason(err, ReasonUserNotFound) {
			continue // erased since the plan was made
		}
		if err != nil {
			return 0, err
		}
		if wrote {
			moved++
		}
	}
	return moved, nil
}

// movesOf compares a plan with who is in, by number. Only an exact plan reads all
// members.
func movesOf(ctx context.Context, r Reader, call *Call, g *Group, plan *memberPlan) (joins, leaves []int64, err error) {
	if plan.exact {
		held, err := heldNumbers(ctx, r, call.Actor, g)
		if err != nil {
			return nil, nil, err
		}
		return without(plan.wanted, held), without(held, plan.wanted), nil
	}
	for _, number := range plan.wanted {
		in, err := inGroup(ctx, r, g, number)
		if err != nil {
			return nil, nil, err
		}
		if !in {
			joins = append(joins, number)
		}
	}
	for _, number := range plan.leave {
		in, err := inGroup(ctx, r, g, number)
		if err != nil {
			return nil, nil, err
		}
		if in {
			leaves = append(leaves, number)
		}
	}
	return joins, leaves, nil
}

// inGroup reports whether a user is a member, by the user's own memberships:
// they are few, however large the group is.
func inGroup(ctx context.Context, r Reader, g *Group, number int64) (bool, error) {
	held, err := r.UserGroups(ctx, g.Tenant, number)
	return memberOf(held, g.Number) >= 0, err
}

// heldNumbers are the numbers of the living members that the actor can see.
func heldNumbers(ctx context.Context, r Reader, actor Actor, g *Group) ([]int64, error) {
	var held []int64
	for after := int64(0); ; {
		page, err := memberNumbersPage(ctx, r, actor, g, after)
		if err != nil {
			return nil, err
		}
		held = append(held, page...)
		if len(page) < MaxLimit {
			return held, nil
		}
		after = page[len(page)-1]
	}
}

// memberNumbersPage reads one page of heldNumbers.
func memberNumbersPage(ctx context.Context, r Reader, actor Actor, g *Group, after int64) ([]int64, error) {
	if actor.Root == 0 {
		return r.GroupMembers(ctx, g.Tenant, g.Number, after, MaxLimit)
	}
	refs, err := r.GroupMemberRefs(ctx, g.Tenant, g.Number, actor.Root, after, MaxLimit)
	numbers := make([]int64, len(refs))
	for i := range refs {
		numbers[i] = refs[i].Number
	}
	return numbers, err
}

// moveMember makes a user join or leave a group.
func moveMember(ctx context.Context, tx Tx, call *Call, g *Group, u *User, e *edit, joins bool) error {
	change := GroupChange{Kind: g.Kind, Mode: GroupsRemove, Groups: []GroupRef{{ID: g.ID, Kind: g.Kind}}}
	if joins {
		change.Mode = GroupsAdd
	}
	e.event = EventGroupsChanged
	return changeGroups(ctx, tx, call, u, e, []GroupChange{change})
}

// provisionable refuses whoever provisions to erase a group that an administrator
// or the owner is in, in the recycle bin too: it would take them out of it.
func provisionable(ctx context.Context, r Reader, call *Call, groups []Group) error {
	if !call.Actor.provisions {
		return nil
	}
	for i := range groups {
		q := membersQuery(call.Actor, groups[i].Number)
		q.States, q.Filter = LivingStates|StatesOf(StateDeleted), Compare{Field: FieldRank, Order: GreaterOrEqual, Value: int64(RankAdministrator)}
		count, err := r.CountUsers(ctx, groups[i].Tenant, q, 1)
		if err != nil {
			return err
		}
		if count > 0 {
			return errProvisioning()
		}
	}
	return nil
}

// Limits of what provisioning credentials call a group.
const (
	maxGroupExternalIDs = 20  // credentials that have a name of their own for it
	maxExternalIDRunes  = 255 // of such a name
)

// setGroupExternalID sets what the calling credential calls a group. When too
// many have a name for it, those of credentials that are gone are forgotten.
func setGroupExternalID(ctx context.Context, r Reader, call *Call, g *Group, id Opt[string]) error {
	credential := call.Actor.Credential
	if !id.Set || g.ExternalIDs[credential] == id.Value {
		return nil
	}
	if credential == "" { // all people would share it
		return Invalid("external_id", ReasonFieldRights, "external_id is what a provisioning credential calls the group; a person calls nothing anything.")
	}
	if call.Actor.User != 0 {
		return Invalid("external_id", ReasonFieldRights, "external_id belongs to a credential; a person has none.")
	}
	if err := CleanText("external_id", id.Value, maxExternalIDRunes); err != nil {
		return err
	}
	g.ExternalIDs = with(g.ExternalIDs, credential, id.Value, id.Value == "")
	if len(g.ExternalIDs) <= maxGroupExternalIDs {
		return nil
	}
	for other := range g.ExternalIDs {
		_, err := r.Credential(ctx, g.Tenant, other)
		if errors.Is(err, ErrNotFound) && other != credential {
			delete(g.ExternalIDs, other) // a copy: with made it
			continue
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if len(g.ExternalIDs) > maxGroupExternalIDs {
		return Invalid("external_id", ReasonFieldLength, "At most %d credentials can give a group an external id.", maxGroupExternalIDs)
	}
	return nil
}

// groupExternalIDs records a difference of what credentials call a group.
func (c *changes) groupExternalIDs(before, after *Group) {
	if !maps.Equal(before.ExternalIDs, after.ExternalIDs) {
		c.raw("external_ids", asJSON(before.ExternalIDs), asJSON(after.ExternalIDs))
	}
}
