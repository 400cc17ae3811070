package directory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/usher-id/usher/internal/directory"
)

// notKept is what events do not keep of a user, and JSON texts by what they say.
var notKept = cmp.Options{
	cmpopts.IgnoreFields(directory.User{}, "Seat", "AuthEpoch", "EmailClaimed"),
	cmp.Transformer("decoded", func(raw json.RawMessage) (v any) {
		if len(raw) > 0 && json.Unmarshal(raw, &v) != nil {
			return "invalid: " + string(raw)
		}
		return v
	}),
}

// randomChange changes a user in one of the ways there are; longer is added to
// values that may be long.
func (f *fixture) randomChange(rnd *rand.Rand, u directory.User, companies []int64, longer string) error {
	ref, word := directory.ByNumber(u.Number), f.unique("w")
	text := directory.Some(word)
	object := raw(fmt.Sprintf(`{"a":%q,"b":[1,{"c":null}]}`, word+longer))
	patches := []directory.UserPatch{
		{GivenName: text, FamilyName: directory.Some("")}, {FamilyName: text}, {DisplayName: text, Title: text}, {Title: directory.Some("")},
		{UserName: text, Email: directory.Some(word + "@example.com")}, {EmployeeNumber: text, OpenID: text}, {WebMDN: text, ClientUserID: text},
		{Company: directory.Some(companies[rnd.IntN(len(companies))])}, {LicenceType: text}, {Language: directory.Some("de"), TimeZone: directory.Some("Europe/Berlin")},
		{Phones: directory.Some([]directory.Phone{{Number: "+49 30 " + fmt.Sprint(rnd.IntN(1000)), Type: "Work"}, {Number: "1", Extension: "2"}})},
		{Phones: directory.Some([]directory.Phone{})}, {Address: directory.Some(directory.Address{Set: true, Line1: word, Country: "DE"})},
		{Address: directory.Some(directory.Address{})}, {Picture: directory.Some(object)}, {Picture: directory.Some(raw("null"))},
		{Attributes: directory.Some(map[string]json.RawMessage{word: object, "n": raw("1.50")})}, {Attributes: directory.Some(map[string]json.RawMessage{})},
		{Extras: directory.Some(object)}, {ExternalID: text}, {MobileOnly: directory.Some(rnd.IntN(2) == 0)}, {StorageLocation: text},
		{ValidFrom: directory.Some(f.clock.now().Add(-time.Hour))}, {ExpiresAt: directory.Some(f.clock.now().Add(1000 * time.Hour)), ValidFrom: directory.Some(time.Time{})},
		{Locked: directory.Some(rnd.IntN(2) == 0)}, {Password: directory.Some(password)},
	}
	verbs := []string{"deactivate", "activate", "lock", "unlock", "delete", "restore", "sign out"}
	if n := rnd.IntN(len(patches) + len(verbs)); n < len(patches) {
		return second(f.svc.UpdateUser(f.ctx, f.as(f.adminKey()), ref, patches[n], directory.UpdateOptions{}))
	} else {
		return acts[verbs[n-len(patches)]](f, f.sys(), ref)
	}
}

// adminKey is one administrator's key for the whole test.
func (f *fixture) adminKey() string {
	if f.lastKey == "" {
		f.lastKey = f.key(adminRank)
	}
	return f.lastKey
}

// A user at a moment is what it was then, whatever happened since.
func TestRulesUserAt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	f := newFixture(t)
	f.clock.advance(-5000 * time.Hour)
	companies := []int64{f.root, f.company("East", f.root), f.company("West", f.root)}
	u := f.someone(withPassword)
	type snapshot struct {
		user directory.User
		at   time.Time
	}
	past := []snapshot{{f.stored(u.Number), f.clock.now()}}
	for len(past) < 250 {
		f.clock.advance(time.Duration(1+rnd.IntN(1_000_000)) * time.Microsecond)
		before := f.stored(u.Number)
		err := f.randomChange(rnd, u, companies, "")
		if code := directory.CodeOf(err); err != nil && code != directory.CodeConflict && code != directory.CodeNotFound && code != directory.CodeInvalid {
			t.Fatal(err)
		}
		if after := f.stored(u.Number); !cmp.Equal(before, after) {
			past = append(past, snapshot{after, f.clock.now()})
		}
	}
	kinds := map[directory.State]int{}
	for i, was := range past {
		f.svc.SearchBounds(10+i%20, i%2*1000) // little at a time, with the index and without
		kinds[was.user.State]++
		for _, at := range []time.Time{was.at, was.at.Add(time.Microsecond / 2)} {
			got := must(f.svc.UserAt(f.ctx, f.sys(), directory.ByNumber(u.Number), at))(t)
			if diff := cmp.Diff(was.user, got.User, notKept); diff != "" || got.Unknown != 0 || got.Event == "" {
				t.Fatalf("state %d of %d, unknown %b (-then +told):\n%s", i, len(past), got.Unknown, diff)
			}
		}
	}
	if len(kinds) < 3 {
		t.Errorf("states %v: the changes were too few", kinds)
	}
	now := must(f.svc.UserAt(f.ctx, f.sys(), directory.ByID(u.ID), f.clock.now()))(t)
	if diff := cmp.Diff(f.stored(u.Number), now.User, notKept); diff != "" {
		t.Errorf("now:\n%s", diff)
	}
	at := func(moment time.Time) error {
		return second(f.svc.UserAt(f.ctx, f.sys(), directory.ByNumber(u.Number), moment))
	}
	wantError(t, at(past[0].at.Add(-time.Microsecond)), directory.CodeNotFound, noUser)
	wantError(t, at(time.Time{}), directory.CodeNotFound, noUser)
	wantError(t, at(f.clock.now().Add(time.Microsecond)), directory.CodeInvalid, directory.ReasonFieldValue)
}

// What was too long for an event, or a secret, is said to be unknown, and all else
// is what it was.
func TestRulesUserAtUnknown(t *testing.T) {
	f := newFixture(t)
	ref := directory.ByNumber(f.someone().Number)
	key := f.key(adminRank)
	var moments []time.Time
	var users []directory.User
	set := func(p directory.UserPatch) {
		f.clock.advance(time.Second)
		must(f.svc.UpdateUser(f.ctx, f.as(key), ref, p, directory.UpdateOptions{}))(t)
		moments, users = append(moments, f.clock.now()), append(users, f.stored(ref.Number))
	}
	long := raw(`"` + strings.Repeat("x", 9<<10) + `"`)
	picture := func(value json.RawMessage) directory.UserPatch {
		return directory.UserPatch{Picture: directory.Some(value)}
	}
	extras := func(text string) directory.UserPatch { return directory.UserPatch{Extras: directory.Some(raw(text))} }
	attributes := func(value json.RawMessage) directory.UserPatch {
		return directory.UserPatch{Attributes: directory.Some(map[string]json.RawMessage{"a": value})}
	}
	f.secret("h1dden-in-extras")
	steps := []struct {
		patch   directory.UserPatch
		unknown directory.FieldSet
	}{
		{picture(raw(`"short"`)), 0},
		{picture(long), directory.Fields(directory.FieldPicture)},
		{attributes(long), directory.Fields(directory.FieldPicture, directory.FieldAttributes)},
		{attributes(raw(`"[redacted]"`)), directory.Fields(directory.FieldPicture)},
		{picture(raw(`{"bytes":9000,"sha256":"x"}`)), 0},
		{picture(raw(`"last"`)), 0},
		{extras(`{"token":"h1dden-in-extras"}`), directory.Fields(directory.FieldExtras)},
		{extras(`{"plain":1}`), 0},
		{directory.UserPatch{Title: directory.Some("[redacted]")}, 0},
		{directory.UserPatch{Title: directory.Some("end")}, 0},
	}
	for _, s := range steps {
		set(s.patch)
	}
	for i, s := range steps {
		got := must(f.svc.UserAt(f.ctx, f.sys(), ref, moments[i]))(t)
		want := users[i]
		if s.unknown.Has(directory.FieldPicture) {
			want.Profile.Picture = nil
		}
		if s.unknown.Has(directory.FieldAttributes) {
			want.Profile.Attributes = nil
		}
		if s.unknown.Has(directory.FieldExtras) {
			want.Profile.Extras = nil
		}
		if diff := cmp.Diff(want, got.User, notKept); diff != "" || got.Unknown != s.unknown {
			t.Errorf("step %d, unknown %b, want %b (-then +told):\n%s", i, got.Unknown, s.unknown, diff)
		}
	}
}

// Clocks that jump change nothing: what comes first in the feed came first.
func TestRulesUserAtClockJumps(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	titles := func(list ...string) {
		for _, title := range list {
			f.clock.advance(time.Minute)
			must(f.update(u, directory.UserPatch{Title: directory.Some(title)}))(t)
		}
	}
	titles("1", "2") // at 1 and 2 minutes
	f.clock.advance(-time.Minute - time.Second)
	titles("3") // a second before the second minute
	f.clock.advance(time.Hour)
	for at, want := range map[time.Duration]string{time.Minute: "1", 2*time.Minute - 2*time.Second: "1", 2*time.Minute - time.Second: "3",
		2 * time.Minute: "3", time.Hour: "3"} {
		if got := must(f.svc.UserAt(f.ctx, f.sys(), directory.ByNumber(u.Number), start.Add(at)))(t); got.Title != want {
			t.Errorf("after %s the title was %q, want %q", at, got.Title, want)
		}
	}
}

// Whoever may read a user may read what it was, and nobody else.
func TestRulesUserAtRights(t *testing.T) {
	f := newFixture(t)
	inside, outside := f.company("Inside", f.root), f.company("Outside", f.root)
	me, other := f.someone(withPassword, withCompany(inside)), f.someone(withCompany(outside))
	session, bound := f.session(me), f.bound(inside)
	at := func(c *directory.Call, ref directory.UserRef) error {
		return second(f.svc.UserAt(f.ctx, c, ref, f.clock.now()))
	}
	check(t, at(session(), directory.Myself()))
	check(t, at(session(), directory.ByNumber(me.Number)))
	check(t, at(f.as(bound), directory.ByNumber(me.Number)))
	wantError(t, at(session(), directory.ByNumber(other.Number)), directory.CodeForbidden, directory.ReasonSelfOnly)
	wantError(t, at(session(), directory.ByNumber(987_654)), directory.CodeForbidden, directory.ReasonSelfOnly)
	wantError(t, at(f.as(bound), directory.ByNumber(other.Number)), directory.CodeNotFound, noUser)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(other.Number)))(t)
	got := must(f.svc.UserAt(f.ctx, f.sys(), directory.ByNumber(other.Number), f.clock.now()))(t)
	if got.State != directory.StateDeleted || got.DeletedAt.IsZero() {
		t.Errorf("in the recycle bin: %s, deleted at %s", got.State, got.DeletedAt)
	}
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(other.Number)))
	for _, ref := range []directory.UserRef{directory.ByNumber(other.Number), directory.ByID(other.ID)} {
		wantError(t, at(f.sys(), ref), directory.CodeNotFound, directory.ReasonHistoryGone)
		wantError(t, at(f.as(bound), ref), directory.CodeNotFound, noUser)
	}
	wantError(t, at(f.sys(), directory.ByID("3f0c3a52-2d3c-4f6e-8e55-0d2f7a3c1b9e")), directory.CodeNotFound, noUser)
}

// Where retention has removed events, what they alone tell is gone, and what can
// be told without them is told.
func TestRulesUserAtTrimmed(t *testing.T) {
	f := newFixture(t)
	quiet, busy := f.someone(), f.someone()
	for i := range 3 {
		f.clock.advance(time.Hour)
		must(f.update(busy, directory.UserPatch{Title: directory.Some(fmt.Sprint(i))}))(t)
	}
	through := f.mark() - 2 // the first change of busy is the last to go
	check(t, f.store.Update(f.ctx, func(tx directory.Tx) error { return second(tx.TrimEvents(f.ctx, f.tenant.No, through, 100)) }))
	at := func(u directory.User, hours time.Duration) (directory.PastUser, error) {
		return f.svc.UserAt(f.ctx, f.sys(), directory.ByNumber(u.Number), start.Add(hours*time.Hour))
	}
	for hours, want := range map[time.Duration]string{2: "1", 3: "2"} {
		if got := must(at(busy, hours))(t); got.Title != want || got.Event == "" {
			t.Errorf("busy after %d hours: %q by %q", hours, got.Title, got.Event)
		}
		if got := must(at(quiet, hours))(t); got.UserName != quiet.UserName || got.Event != "" || !got.UpdatedAt.Equal(quiet.UpdatedAt) {
			t.Errorf("quiet after %d hours: %+v", hours, got)
		}
	}
	for _, u := range []directory.User{busy, quiet} {
		_, err := at(u, 1)
		wantError(t, err, directory.CodeNotFound, directory.ReasonHistoryGone)
	}
	f.clock.advance(time.Hour)
	must(f.update(quiet, directory.UserPatch{Title: directory.Some("late")}))(t)
	if got := must(at(quiet, 3))(t); got.Title != "" || got.Version != quiet.Version || got.Unknown != directory.Fields(directory.FieldUpdatedAt) {
		t.Errorf("quiet before its change: %+v", got)
	}
}

// A purge erases what events say of a person. Their envelopes stay, found by the
// number and the id, and the chain verifies.
func TestRulesPurgeErasesEvents(t *testing.T) {
	f := newFixture(t)
	u, other := f.user("petronella"), f.user("kept")
	for _, user := range []directory.User{u, other} {
		call := f.sys()
		call.Reason = "because of " + user.UserName
		must(f.svc.UpdateUser(f.ctx, call, directory.ByNumber(user.Number), directory.UserPatch{Title: directory.Some("Petronella's title")}, directory.UpdateOptions{}))(t)
	}
	before := must(f.svc.UserEvents(f.ctx, f.sys(), directory.ByNumber(u.Number), "", 100))(t)
	must(f.svc.DeleteUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))(t)
	check(t, f.svc.PurgeUser(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	for table, text := range f.dump() {
		if strings.Contains(text, "petronella") {
			t.Errorf("%s still names the person:\n%s", table, text)
		}
	}
	after := must(f.svc.UserEvents(f.ctx, f.sys(), directory.ByNumber(u.Number), "", 100))(t)
	if len(after.Events) != len(before.Events)+2 {
		t.Fatalf("%d events, then %d", len(before.Events), len(after.Events))
	}
	for i, e := range after.Events {
		if !e.Erased() || e.Payload != nil || e.Reason != "" || e.User != u.Number || len(e.Hash) == 0 || i < len(before.Events) && e.ID != before.Events[i].ID {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	kept := must(f.svc.UserEvents(f.ctx, f.sys(), directory.ByNumber(other.Number), "", 100))(t)
	if last := kept.Events[len(kept.Events)-1]; last.Erased() || last.Reason != "because of kept" {
		t.Errorf("somebody else's: %+v", last)
	}
	found, _ := f.feed(f.sys, directory.EventQuery{User: directory.ByNumber(u.Number), Limit: 2})
	if diff := cmp.Diff(after.Events, found); diff != "" {
		t.Errorf("in the feed:\n%s", diff)
	}
	byID := must(f.svc.UserEvents(f.ctx, f.sys(), directory.ByID(u.ID), "", 100))(t)
	if diff := cmp.Diff(after.Events, byID.Events); diff != "" {
		t.Errorf("by id:\n%s", diff)
	}
	for _, ref := range []directory.UserRef{directory.ByID("0190a000-0000-7000-8000-000000000000"), directory.ByNumber(u.Number + 1000), directory.ByID("nobody")} {
		wantError(t, second(f.svc.UserEvents(f.ctx, f.sys(), ref, "", 10)), directory.CodeNotFound, noUser)
	}
	report := must(f.svc.VerifyChain(f.ctx, f.sys(), nil))(t)
	if report.Broken != 0 || report.Erased != int64(len(after.Events)) {
		t.Errorf("the chain: %+v", report)
	}
}
