package directory_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// onceCall is a call with an idempotency key whose answer names the user.
func (f *fixture) onceCall(secret, key, request string) *directory.Call {
	call := f.atCanonical(secret)
	call.Idempotency = &directory.Idempotency{Key: key, Request: []byte(request), Answer: func(created any) ([]byte, error) {
		return []byte(created.(directory.User).ID), nil
	}}
	return call
}

// The same key and request is answered as before; another request is refused;
// keys are each caller's own, and are forgotten after a day.
func TestRulesIdempotency(t *testing.T) {
	f := newFixture(t)
	secret := f.key(adminRank)
	create := func(secret, key, request, name string) (directory.User, error) {
		return f.svc.CreateUser(f.ctx, f.onceCall(secret, key, request), newUser(name))
	}
	made := must(create(secret, "k1", "one", "first"))(t)
	for range 2 {
		_, err := create(secret, "k1", "one", "first")
		replay, ok := errors.AsType[*directory.Replay](err)
		if !ok || string(replay.Answer) != made.ID {
			t.Fatalf("the repetition answered %v", err)
		}
	}
	wantError(t, second(create(secret, "k1", "two", "second")), directory.CodeInvalid, directory.ReasonIdempotencyReused)
	must(create(f.key(adminRank), "k1", "two", "third"))(t)
	// What was refused is no answer: it may succeed later.
	wantError(t, second(create(secret, "k2", "one", "first")), directory.CodeConflict, directory.ReasonUserNameTaken)
	must(create(secret, "k2", "one", "fourth"))(t)
	for key, reason := range map[string]directory.Reason{"": directory.ReasonFieldLength, "a\nb": directory.ReasonFieldFormat, "é": directory.ReasonFieldFormat} {
		wantError(t, second(create(secret, key, "one", "fifth")), directory.CodeInvalid, reason)
	}
	f.clock.advance(directory.AnswersKept)
	must(create(secret, "k1", "one", "sixth"))(t)
	f.clock.advance(time.Minute)
	if swept := must(f.svc.Sweep(f.ctx, directory.System(0, "test")))(t); swept == 0 {
		t.Error("no old answer was swept")
	}
	f.findCanaries()
}

// What is kept of a request does not give away a password in it: nobody who has the
// database can try passwords against a fast hash.
func TestRulesIdempotencyKeepsNoHash(t *testing.T) {
	f := newFixture(t)
	request := `POST /users {"user_name":"ada","password":"` + password + `"}`
	must(f.svc.CreateUser(f.ctx, f.onceCall(f.key(adminRank), "k", request), newUser("ada")))(t)
	f.dump("idempotency_answers") // opens the connection
	var kept []byte
	check(t, f.reading.QueryRow("SELECT request FROM idempotency_answers").Scan(&kept))
	if sum := sha256.Sum256([]byte(request)); len(kept) == 0 || bytes.Contains(kept, sum[:]) {
		t.Errorf("%x is kept of the request with the hash %x", kept, sum)
	}
}

// Of many that come at once with one key, one creates.
func TestRulesIdempotencyRace(t *testing.T) {
	f := newFixture(t)
	secret := f.key(adminRank)
	var wait sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		wait.Go(func() {
			results[i] = second(f.svc.CreateUser(f.ctx, f.onceCall(secret, "k", "r"), newUser(f.unique("racer"))))
		})
	}
	wait.Wait()
	created := 0
	for _, err := range results {
		_, replayed := errors.AsType[*directory.Replay](err)
		switch {
		case err == nil:
			created++
		case replayed, directory.IsReason(err, directory.ReasonIdempotencyInProgress):
		default:
			t.Errorf("error %v", err)
		}
	}
	if created != 1 {
		t.Errorf("%d created", created)
	}
}

// A change on a condition happens only to the version that it names.
func TestRulesCondition(t *testing.T) {
	f := newFixture(t)
	u := f.someone()
	ref := directory.ByNumber(u.Number)
	on := func(c directory.Condition) *directory.Call {
		call := f.sys()
		call.If = c
		return call
	}
	for what, c := range map[string]directory.Condition{
		"another version": {Match: []int64{u.Version + 1}}, "no version": {Match: []int64{}},
		"not this version": {NoneMatch: []int64{u.Version}}, "nothing there": {MustNotExist: true},
	} {
		for name, act := range acts {
			if name == "restore" || name == "purge" {
				continue
			}
			wantRefused(t, what+" "+name, act(f, on(c), ref), directory.CodeStale, directory.ReasonVersionMismatch)
		}
	}
	if f.stored(u.Number).Version != u.Version {
		t.Error("a refused change changed something")
	}
	check(t, second(f.svc.Deactivate(f.ctx, on(directory.Condition{Match: []int64{7, u.Version}}), ref)))
	check(t, second(f.svc.Activate(f.ctx, on(directory.Condition{MustExist: true, NoneMatch: []int64{u.Version}}), ref)))
	check(t, second(f.svc.DeleteUser(f.ctx, f.sys(), ref)))
	wantError(t, f.svc.PurgeUser(f.ctx, on(directory.Condition{Match: []int64{u.Version}}), ref), directory.CodeStale, directory.ReasonVersionMismatch)
	check(t, f.svc.PurgeUser(f.ctx, on(directory.Condition{Match: []int64{f.stored(u.Number).Version}}), ref))
}

// Each of several new users stands for itself.
func TestRulesCreateEach(t *testing.T) {
	f := newFixture(t)
	f.setPool(1)
	taken := f.someone()
	mark := f.mark()
	good, third := newUser("good"), newUser("third")
	withLicence(&good)
	withLicence(&third)
	list := []directory.NewUser{good, newUser(taken.UserName), third, newUser(""), newUser("Good"), newUser("last")}
	made := must(f.svc.CreateEach(f.ctx, f.sys(), list, 0))(t)
	for i, want := range []directory.Reason{"", directory.ReasonUserNameTaken, directory.ReasonSeatExhausted, directory.ReasonFieldRequired,
		directory.ReasonUserNameTaken, ""} {
		if want == "" && made[i].Err != nil || want != "" && !directory.IsReason(made[i].Err, want) {
			t.Errorf("%d: error %v, want %q", i, made[i].Err, want)
		}
	}
	f.wantEvents(mark, directory.EventUserCreated, directory.EventUserCreated)
	if f.pool(licence).Used != 1 || f.holder(directory.SpaceLogin, "third") != 0 || f.stored(made[5].User.Number).UserName != "last" {
		t.Error("a failed user left something behind, or a good one did not stay")
	}
	wantError(t, second(f.svc.CreateEach(f.ctx, f.sys(), make([]directory.NewUser, 501), 0)), directory.CodeInvalid, directory.ReasonFieldLength)
}

// When as many have failed as a call allows, those behind are not tried, in later
// transactions neither.
func TestRulesCreateEachStops(t *testing.T) {
	list := []directory.NewUser{newUser("a"), newUser("A"), newUser("b"), newUser("")}
	for i := range 200 {
		list = append(list, newUser(fmt.Sprintf("late%d", i)))
	}
	for failures, tried := range map[int]int{1: 2, 2: 4, 3: len(list)} {
		f := newFixture(t)
		for i, made := range must(f.svc.CreateEach(f.ctx, f.sys(), list, failures))(t) {
			if made.Skipped != (i >= tried) {
				t.Errorf("%d failures: user %d is tried: %v", failures, i, !made.Skipped)
			}
			if name := list[i].Fields.UserName.Value; made.Skipped && name != "" && name != "A" && f.holder(directory.SpaceLogin, name) != 0 {
				t.Errorf("%d failures: user %d is there", failures, i)
			}
		}
	}
}

// The history of a user is its events, also of one in the recycle bin, and a
// cursor goes on where the page ended, with what happened since.
func TestRulesUserEvents(t *testing.T) {
	f := newFixture(t)
	u, other := f.someone(), f.someone()
	for _, act := range []string{"deactivate", "activate", "lock", "delete"} {
		check(t, f.doing(act)(directory.ByNumber(u.Number)))
		if act != "delete" {
			check(t, f.doing(act)(directory.ByNumber(other.Number)))
		}
	}
	ref := directory.ByNumber(u.Number)
	first := must(f.svc.UserEvents(f.ctx, f.sys(), ref, "", 3))(t)
	rest := must(f.svc.UserEvents(f.ctx, f.sys(), ref, first.Next, 3))(t)
	var types []directory.EventType
	for _, e := range append(first.Events, rest.Events...) {
		if e.User != u.Number {
			t.Errorf("an event of %d", e.User)
		}
		types = append(types, e.Type)
	}
	want := []directory.EventType{directory.EventUserCreated, directory.EventUserDeactivated, directory.EventUserActivated,
		directory.EventUserLocked, directory.EventUserDeleted}
	if len(types) != len(want) || !first.More || rest.More {
		t.Fatalf("events %v, more %t %t", types, first.More, rest.More)
	}
	for i := range want {
		if types[i] != want[i] {
			t.Errorf("event %d is %s, want %s", i, types[i], want[i])
		}
	}
	check(t, f.doing("restore")(ref))
	if later := must(f.svc.UserEvents(f.ctx, f.sys(), ref, rest.Next, 3))(t); len(later.Events) != 1 || later.Events[0].Type != directory.EventUserRestored {
		t.Errorf("what followed: %+v", later.Events)
	}
	wantError(t, second(f.svc.UserEvents(f.ctx, f.sys(), directory.ByNumber(other.Number), first.Next, 3)), directory.CodeInvalid, directory.ReasonCursorInvalid)
}

// A cursor is good for one caller and query, for an hour, and cannot be made up.
func TestRulesCursor(t *testing.T) {
	f := newFixture(t)
	for range 5 {
		f.someone()
	}
	secret := f.key(adminRank)
	list := func(secret string, q directory.UserQuery) (directory.UserPage, error) {
		q.WantCursor, q.Limit = true, 2
		return f.svc.Users(f.ctx, f.atCanonical(secret), q)
	}
	for _, sort := range []directory.Field{directory.FieldNone, directory.FieldNumber, directory.FieldUserName, directory.FieldEmail,
		directory.FieldFamilyName, directory.FieldGivenName, directory.FieldDisplayName, directory.FieldCreatedAt, directory.FieldUpdatedAt} {
		for _, down := range []bool{false, true} {
			q := directory.UserQuery{Sort: sort, Descending: down}
			seen := map[int64]bool{}
			for pages := 0; pages == 0 || q.Cursor != ""; pages++ {
				page := must(list(secret, q))(t)
				for _, u := range page.Users {
					if seen[u.Number] {
						t.Errorf("sort %s: %d twice", sort, u.Number)
					}
					seen[u.Number] = true
				}
				q.Cursor = page.Next
			}
			if len(seen) != 5 {
				t.Errorf("sort %s, falling %t: %d of 5 users", sort, down, len(seen))
			}
		}
	}
	page := must(list(secret, directory.UserQuery{}))(t)
	invalid := func(what string, err error, reason directory.Reason) {
		t.Helper()
		wantRefused(t, what, err, directory.CodeInvalid, reason)
	}
	invalid("another caller", second(list(f.key(adminRank), directory.UserQuery{Cursor: page.Next})), directory.ReasonCursorInvalid)
	invalid("another query", second(list(secret, directory.UserQuery{Cursor: page.Next, Descending: true})), directory.ReasonCursorInvalid)
	invalid("a made up one", second(list(secret, directory.UserQuery{Cursor: "AAAA" + page.Next[4:]})), directory.ReasonCursorInvalid)
	invalid("no cursor", second(list(secret, directory.UserQuery{Cursor: "%"})), directory.ReasonCursorInvalid)
	invalid("no field to sort by", second(list(secret, directory.UserQuery{Sort: directory.FieldPhones})), directory.ReasonFieldValue)
	f.clock.advance(directory.CursorLifetime - time.Second)
	must(list(secret, directory.UserQuery{Cursor: page.Next}))(t)
	f.clock.advance(time.Second)
	invalid("an old one", second(list(secret, directory.UserQuery{Cursor: page.Next})), directory.ReasonCursorExpired)
}
