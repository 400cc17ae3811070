package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var groupChecks = []check{
	{"A group's fields round trip by number, id and key", groupRoundTrip},
	{"UpdateGroup replaces the row", groupUpdate},
	{"Kinds of groups are apart", groupKinds},
	{"The key of a group is unique in its kind", groupTaken},
	{"Groups lists one page of a selection in order of number", groupPages},
	{"CountGroups counts all that Groups would list without Skip and Limit", groupPages},
	{"UserGroups are by kind, position and number", userGroupsOrder},
	{"SetGroupMember adds a user or changes its role and position and says whether", memberSet},
	{"SetGroupMember looks again for a group that is gone", memberOfGone},
	{"GroupMembers lists and GroupSize counts the living members", groupLiving},
	{"GroupMemberRefs lists the living members of a company's subtree", groupRefs},
	{"EmptyGroup removes at most limit memberships and returns how many", groupEmpty},
	{"DeleteGroup erases a group with its memberships and frees the groups below it", groupDelete},
}

func (s *sample) group(number int64, kind directory.GroupKind, name string) directory.Group {
	return directory.Group{Tenant: s.tenant, Number: number, ID: uuid.NewString(), Kind: kind,
		Key: directory.NameKey(name), Name: name, Version: 1, CreatedAt: noon, UpdatedAt: noon}
}

func (s *sample) addGroups(groups ...directory.Group) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, g := range groups {
			if err := tx.InsertGroup(s.ctx, g); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sample) addGroup(number int64) {
	s.t.Helper()
	s.addGroups(s.group(number, directory.GroupPlain, fmt.Sprint("group", number)))
}

// setMember adds or changes a membership and compares what is reported.
func (s *sample) setMember(want bool, group, user int64, role string, position int) {
	s.t.Helper()
	s.wantChanged("SetGroupMember", want, func(tx directory.Tx) (bool, error) {
		return tx.SetGroupMember(s.ctx, s.tenant, group, user, role, position)
	})
}

func (s *sample) wantGroup(want directory.Group) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		byNumber, err := r.Group(s.ctx, s.tenant, want.Number)
		wantSame(s.t, "Group", byNumber, want)
		byID, err2 := r.GroupByID(s.ctx, s.tenant, want.ID)
		wantSame(s.t, "GroupByID", byID, want)
		byKey, err3 := r.GroupByKey(s.ctx, s.tenant, want.Kind, want.Key)
		wantSame(s.t, "GroupByKey", byKey, want)
		return errors.Join(err, err2, err3)
	})
}

func groupRoundTrip(t *testing.T, s *sample) {
	s.addUser(1)
	g := s.group(8, directory.GroupServiceTeam, "Tëam")
	g.Description, g.Parent, g.Version, g.UpdatedAt = "All", 7, 3, noon.Add(time.Hour)
	g.ExternalIDs = map[string]string{"credential": "e\"1", "": "é"}
	wantNoZero(t, g)
	s.addGroups(g)
	s.wantGroup(g)
	s.setMember(true, 8, 1, "lead", 3)
	wantSame(t, "UserGroups", s.memberships(1), []directory.Membership{{Group: g, Role: "lead", Position: 3}})
	bare := s.group(9, directory.GroupPlain, "never changed")
	bare.UpdatedAt = time.Time{}
	s.addGroups(bare)
	bare.UpdatedAt = bare.CreatedAt
	s.wantGroup(bare)
}

func groupUpdate(t *testing.T, s *sample) {
	s.addGroup(1)
	s.addGroup(2)
	changed := s.group(1, directory.GroupDashboard, "Renämed")
	changed.Description, changed.Parent, changed.Version, changed.CreatedAt = "New", 2, 9, noon.AddDate(0, 0, 1)
	changed.UpdatedAt, changed.ExternalIDs = noon.AddDate(0, 0, 2), map[string]string{"c": "1"}
	s.update(func(tx directory.Tx) error { return tx.UpdateGroup(s.ctx, changed) })
	s.wantGroup(changed)
	named := directory.GroupSelection{Kind: directory.GroupDashboard, NameKey: directory.NameKey("NÄMED"), Limit: 5}
	wantSame(t, "found by the new name", s.groupNumbers(named), []int64{1})
	taken := s.group(2, directory.GroupDashboard, "renämed")
	err := s.try(func(tx directory.Tx) error { return tx.UpdateGroup(s.ctx, taken) })
	wantConflict(t, "a group renamed to a taken key", err)
	err = s.try(func(tx directory.Tx) error {
		return tx.UpdateGroup(s.ctx, s.group(404, directory.GroupPlain, "x"))
	})
	wantNotFound(t, "a change of no group", err)
}

func groupKinds(t *testing.T, s *sample) {
	kinds := []directory.GroupKind{directory.GroupPlain, directory.GroupDashboard, directory.GroupServiceTeam}
	for i, kind := range kinds {
		s.addGroups(s.group(int64(i)+1, kind, "same"))
	}
	s.view(func(r directory.Reader) error {
		for i, kind := range kinds {
			g, err := r.GroupByKey(s.ctx, s.tenant, kind, "same")
			if err != nil || g.Number != int64(i)+1 {
				t.Errorf("kind %s: group %d, error %v", kind, g.Number, err)
			}
		}
		_, err := r.GroupByKey(s.ctx, s.tenant, directory.GroupPlain, "")
		wantNotFound(t, "the empty key", err)
		return nil
	})
}

func groupTaken(t *testing.T, s *sample) {
	first := s.group(1, directory.GroupPlain, "group1")
	s.addGroups(first)
	for what, g := range map[string]directory.Group{
		"a second group of the key":    s.group(2, directory.GroupPlain, "GROUP1"),
		"a second group of the number": s.group(1, directory.GroupPlain, "other"),
		"a second group of the id":     {Tenant: s.tenant, Number: 3, ID: first.ID, Kind: directory.GroupPlain, CreatedAt: noon},
	} {
		err := s.try(func(tx directory.Tx) error { return tx.InsertGroup(s.ctx, g) })
		wantConflict(t, what, err)
	}
}

func (s *sample) groupNumbers(q directory.GroupSelection) (numbers []int64) {
	s.t.Helper()
	list := look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Group, error) {
		return r.Groups(ctx, s.tenant, q)
	})
	for _, g := range list {
		numbers = append(numbers, g.Number)
	}
	return numbers
}

// groupPages compares pages and counts with the same question asked of a slice.
func groupPages(t *testing.T, s *sample) {
	c := newChance(t)
	var groups []directory.Group
	for number := int64(1); number <= 40; number++ {
		g := s.group(number, []directory.GroupKind{directory.GroupPlain, directory.GroupDashboard}[c.IntN(2)], c.text())
		g.Key, g.Parent = fmt.Sprint(number), []int64{0, 1, 2, 404}[c.IntN(4)]
		groups = append(groups, g)
	}
	s.addGroups(groups...)
	members := map[int64][]int64{}
	s.update(func(tx directory.Tx) error {
		for user := int64(1); user <= 3; user++ {
			if err := tx.InsertUser(s.ctx, s.user(user)); err != nil {
				return err
			}
		}
		return nil
	})
	for range 60 {
		group, user := 1+c.Int64N(40), 1+c.Int64N(3)
		s.setMember(!slices.Contains(members[user], group), group, user, "", 0)
		members[user] = append(members[user], group)
	}
	for range 300 {
		q := directory.GroupSelection{Kind: groups[c.IntN(2)].Kind, Skip: c.IntN(4) * c.IntN(6), Limit: 1 + c.IntN(50), After: c.Int64N(2) * (c.Int64N(44) - 2)}
		if c.IntN(2) == 0 {
			q.Parent = directory.Some([]int64{0, 1, 2, 404}[c.IntN(4)])
		}
		if c.IntN(2) == 0 {
			q.NameKey = directory.NameKey(c.part(groups[c.IntN(40)].Name))
		}
		if c.IntN(3) == 0 {
			q.Member = 1 + c.Int64N(4)
		}
		var want []int64
		for _, g := range groups {
			if g.Kind == q.Kind && g.Number > q.After && (!q.Parent.Set || q.Parent.Value == g.Parent) && strings.Contains(directory.NameKey(g.Name), q.NameKey) &&
				(q.Member == 0 || slices.Contains(members[q.Member], g.Number)) {
				want = append(want, g.Number)
			}
		}
		count := look(t, s, func(ctx context.Context, r directory.Reader) (int64, error) { return r.CountGroups(ctx, s.tenant, q) })
		wantSame(t, fmt.Sprintf("CountGroups(%+v)", q), count, int64(len(want)))
		want = want[min(q.Skip, len(want)):]
		wantSame(t, fmt.Sprintf("Groups(%+v)", q), s.groupNumbers(q), want[:min(q.Limit, len(want))])
	}
}

// memberships are a user's memberships in the order of the store.
func (s *sample) memberships(number int64) []directory.Membership {
	s.t.Helper()
	return look(s.t, s, func(ctx context.Context, r directory.Reader) ([]directory.Membership, error) {
		return r.UserGroups(ctx, s.tenant, number)
	})
}

func userGroupsOrder(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addGroups(s.group(30, directory.GroupPlain, "a"), s.group(4, directory.GroupPlain, "b"), s.group(200, directory.GroupPlain, "c"),
		s.group(1, directory.GroupServiceTeam, "a"), s.group(2, directory.GroupDashboard, "a"))
	for _, m := range []struct {
		group    int64
		position int
	}{{30, 2}, {4, 2}, {200, 1}, {1, 0}, {2, 9}} {
		s.setMember(true, m.group, 1, "", m.position)
	}
	s.setMember(true, 4, 2, "", 0)
	var got []int64
	for _, m := range s.memberships(1) {
		got = append(got, m.Group.Number)
	}
	wantSame(t, "groups of user 1", got, []int64{2, 200, 4, 30, 1})
}

func memberSet(t *testing.T, s *sample) {
	s.addUser(1)
	s.addUser(2)
	s.addGroup(1)
	for _, c := range []struct {
		want     bool
		role     string
		position int
	}{{true, "", 0}, {false, "", 0}, {true, "lead", 0}, {true, "lead", 4}, {false, "lead", 4}, {true, "", 0}} {
		s.setMember(c.want, 1, 1, c.role, c.position)
		got := s.memberships(1)
		if len(got) != 1 || got[0].Role != c.role || got[0].Position != c.position {
			t.Errorf("the membership is %+v, want role %q at %d", got, c.role, c.position)
		}
	}
	if got := s.memberships(2); len(got) != 0 {
		t.Errorf("another user got %+v", got)
	}
}

func memberOfGone(t *testing.T, s *sample) {
	other := newSample(t, s.store)
	other.addGroup(404)
	s.addUser(1)
	runs := 0
	err := s.try(func(tx directory.Tx) error {
		runs++
		_, err := tx.SetGroupMember(s.ctx, s.tenant, 404, 1, "", 0)
		return err
	})
	wantConflict(t, "a member of no group", err)
	if got := s.memberships(1); runs != 2 || len(got) != 0 {
		t.Errorf("fn ran %d times and left %+v", runs, got)
	}
}

func groupLiving(t *testing.T, s *sample) {
	s.addGroup(1)
	s.addGroup(2)
	for i, state := range []directory.State{directory.StateActive, directory.StateDeleted, directory.StateInactive, directory.StateStaged, directory.StateActive} {
		s.addUser(int64(i)*10+1, func(u *directory.User) { u.State = state })
		s.setMember(true, 1, int64(i)*10+1, "", 0)
	}
	s.setMember(true, 2, 1, "", 0)
	want := []int64{1, 21, 31, 41}
	check := func() {
		t.Helper()
		s.view(func(r directory.Reader) error {
			for _, page := range []struct {
				after int64
				limit int
			}{{0, 100}, {-5, 2}, {1, 2}, {31, 2}, {41, 2}, {directory.MaxNumber, 5}, {1<<63 - 1, 5}, {0, 0}} {
				got, err := r.GroupMembers(s.ctx, s.tenant, 1, page.after, page.limit)
				rest := want[sortedAfter(want, page.after):]
				wantSame(t, fmt.Sprintf("GroupMembers after %d", page.after), got, rest[:min(page.limit, len(rest))])
				if err != nil {
					return err
				}
			}
			size, err := r.GroupSize(s.ctx, s.tenant, 1)
			wantSame(t, "GroupSize", size, int64(len(want)))
			return err
		})
	}
	check()
	s.change(21, func(u *directory.User) { u.State = directory.StateDeleted })
	want = []int64{1, 31, 41}
	check()
	s.change(11, func(u *directory.User) { u.State = directory.StateActive })
	want = []int64{1, 11, 31, 41}
	check()
	wantSame(t, "the groups of a deleted user", s.userGroups(21), []int64{1})
}

// sortedAfter is the place of the first number greater than after.
func sortedAfter(list []int64, after int64) int {
	for i, n := range list {
		if n > after {
			return i
		}
	}
	return len(list)
}

func groupDelete(t *testing.T, s *sample) {
	s.addUser(1)
	below, kept := s.group(2, directory.GroupPlain, "below"), s.group(3, directory.GroupPlain, "kept")
	below.Parent, kept.Parent = 1, 2
	s.addGroup(1)
	s.addGroups(below, kept)
	for group := int64(1); group <= 3; group++ {
		s.setMember(true, group, 1, "", 0)
	}
	s.update(func(tx directory.Tx) error { return tx.DeleteGroup(s.ctx, s.tenant, 1) })
	s.view(func(r directory.Reader) error {
		_, err := r.Group(s.ctx, s.tenant, 1)
		wantNotFound(t, "the erased group", err)
		return nil
	})
	below.Parent = 0
	s.wantGroup(below)
	s.wantGroup(kept)
	s.addGroup(1)
	wantSame(t, "groups when another has the number", s.userGroups(1), []int64{2, 3})
	err := s.try(func(tx directory.Tx) error { return tx.DeleteGroup(s.ctx, s.tenant, 404) })
	wantNotFound(t, "the erasure of no group", err)
}

func groupRefs(t *testing.T, s *sample) {
	users := s.addForest(40)
	s.addGroup(1)
	other := newSample(t, s.store)
	other.addGroup(1)
	other.addPlain(1)
	other.setMember(true, 1, 1, "", 0)
	for i, u := range users {
		if i%5 > 0 {
			s.setMember(true, 1, u.Number, "", 0)
		}
	}
	for company := int64(0); company <= 7; company++ {
		for _, after := range []int64{-5, 0, 31, directory.MaxNumber, 1<<63 - 1} {
			for _, limit := range []int{0, 3, 100} {
				var want []directory.MemberRef
				for i, u := range users {
					if i%5 > 0 && u.State != directory.StateDeleted && u.Number > after && len(want) < limit && (company == 0 || s.inSubtree(company, u.Company)) {
						want = append(want, directory.MemberRef{Number: u.Number, ID: u.ID, UserName: u.UserName, DisplayName: u.DisplayName})
					}
				}
				got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.MemberRef, error) {
					return r.GroupMemberRefs(ctx, s.tenant, 1, company, after, limit)
				})
				wantSame(t, fmt.Sprintf("at most %d of company %d after %d", limit, company, after), got, want)
			}
		}
	}
}

func groupEmpty(t *testing.T, s *sample) {
	s.addPlain(5)
	s.addGroup(1)
	s.addGroup(2)
	other := newSample(t, s.store)
	other.addUser(1)
	other.addGroup(1)
	other.setMember(true, 1, 1, "", 0)
	for user := int64(1); user <= 5; user++ {
		s.setMember(true, 1, user, "", 0)
		s.setMember(true, 2, user, "", 0)
	}
	s.change(3, func(u *directory.User) { u.State = directory.StateDeleted })
	for _, step := range []struct{ limit, want int }{{0, 0}, {-1, 0}, {2, 2}, {2, 2}, {2, 1}, {2, 0}} {
		var n int
		s.update(func(tx directory.Tx) (err error) {
			n, err = tx.EmptyGroup(s.ctx, s.tenant, 1, step.limit)
			return err
		})
		if n != step.want {
			t.Errorf("EmptyGroup removed %d of at most %d, want %d", n, step.limit, step.want)
		}
	}
	for user := int64(1); user <= 5; user++ {
		wantSame(t, "groups", s.userGroups(user), []int64{2})
	}
	wantSame(t, "groups of the other tenant", other.userGroups(1), []int64{1})
}
