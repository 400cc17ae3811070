package directory_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// An ordinary user cannot fill the disk by filling its own record again and
// again: an event stays small, and still tells one long value from another.
func TestRulesEventsOfLongValuesStaySmall(t *testing.T) {
	f := newFixture(t)
	u := f.someone(withPassword)
	session := f.session(u)
	seen := map[string]bool{}
	for round := range 3 {
		mark := f.mark()
		phones := make([]directory.Phone, 100)
		for i := range phones {
			phones[i] = directory.Phone{Number: fmt.Sprint(round, strings.Repeat("<", 60)), Extension: strings.Repeat("<", 64), Type: strings.Repeat("<", 64)}
		}
		picture := raw(fmt.Sprintf(`{"Name":"%d%s"}`, round, strings.Repeat("<", 60_000)))
		_, err := f.svc.UpdateUser(f.ctx, session(), directory.ByNumber(u.Number),
			directory.UserPatch{Phones: directory.Some(phones), Picture: directory.Some(picture)}, directory.UpdateOptions{})
		check(t, err)
		events := f.events(mark)
		if len(events) != 1 || len(events[0].Payload) > 1000 {
			t.Fatalf("%d events, the first with %d bytes", len(events), len(events[0].Payload))
		}
		if got := payloadFields(t, events[0]); strings.Join(got, " ") != "phones picture" || seen[string(events[0].Payload)] {
			t.Errorf("round %d: fields %v in %s", round, got, events[0].Payload)
		}
		seen[string(events[0].Payload)] = true
	}
}

// A change has one name in the events, whichever use case makes it: who listens
// for new passwords, groups and states hears of every one.
func TestRulesEventsNameADeedOnce(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	f.group(directory.GroupPlain, "crew")
	join := []directory.GroupChange{named(directory.GroupPlain, directory.GroupsAdd, "crew")}
	leave := []directory.GroupChange{named(directory.GroupPlain, directory.GroupsReplace)}
	for _, c := range []struct {
		patch directory.UserPatch
		want  directory.EventType
	}{
		{directory.UserPatch{Password: directory.Some(otherPass)}, directory.EventPasswordSet},
		{directory.UserPatch{Password: directory.Some(otherPass), Title: directory.Some("Chief")}, directory.EventPasswordSet},
		{directory.UserPatch{Groups: join}, directory.EventGroupsChanged},
		{directory.UserPatch{Groups: leave, Title: directory.Some("")}, directory.EventUserUpdated},
		{directory.UserPatch{Administrator: directory.Some(false), Title: directory.Some("Clerk")}, directory.EventUserUpdated},
		{directory.UserPatch{Password: directory.Some(otherPass), Locked: directory.Some(true)}, directory.EventUserLocked},
		{directory.UserPatch{Password: directory.Some(otherPass), State: directory.Some(directory.StateInactive)}, directory.EventUserDeactivated},
	} {
		mark := f.mark()
		must(f.update(u, c.patch))(t)
		f.wantEvents(mark, c.want)
	}
}
