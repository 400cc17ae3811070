package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// Open makes an empty store for a test and closes it when the test ends. Two
// calls never answer the same database.
type Open func(t *testing.T) directory.Store

// check is one test: what it proves, and how. Every check gets a tenant of its
// own in a store that it shares with the other checks of the run.
type check struct {
	name string
	run  func(t *testing.T, s *sample)
}

// group is the checks about one noun.
type group struct {
	name   string
	checks []check
}

// groups are the checks of Run.
var groups = []group{
	{"transaction", transactionChecks},
	{"part", partChecks},
	{"duplicate", duplicateChecks},
	{"context", contextChecks},
	{"tenant", tenantChecks},
	{"isolation", isolationChecks},
	{"company", companyChecks},
	{"location", locationChecks},
	{"tree", treeChecks},
	{"user", userChecks},
	{"handle", handleChecks},
	{"key", keyChecks},
	{"text", textChecks},
	{"time", timeChecks},
	{"big", bigChecks},
	{"password", passwordChecks},
	{"membership", membershipChecks},
	{"group", groupChecks},
	{"hold", holdChecks},
	{"role", roleChecks},
	{"lookup", lookupChecks},
	{"credential", credentialChecks},
	{"token", tokenChecks},
	{"session", sessionChecks},
	{"second factor", factorChecks},
	{"overview", overviewChecks},
	{"job", jobChecks},
	{"webhook", webhookChecks},
	{"sweep", sweepChecks},
	{"answer", answerChecks},
	{"licence", licenceChecks},
	{"bulk", bulkChecks},
	{"among", amongChecks},
	{"belongings", belongingChecks},
	{"load", loadChecks},
	{"number", numberChecks},
	{"event", eventChecks},
	{"history", historyChecks},
	{"chain", chainChecks},
	{"erasure", erasureChecks},
	{"find", findChecks},
	{"list", listChecks},
	{"total", totalChecks},
	{"search", searchChecks},
	{"filter", filterChecks},
	{"people", peopleChecks},
}

// races are the checks of RunConcurrency.
var races = []group{
	{"seats", seatRaces},
	{"users", userRaces},
	{"names", nameRaces},
	{"tokens", tokenRaces},
	{"groups", groupRaces},
	{"second factors", factorRaces},
	{"jobs", jobRaces},
	{"webhooks", webhookRaces},
	{"sweeps", sweepRaces},
	{"bulk races", bulkRaces},
	{"totals", totalRaces},
	{"batches", batchRaces},
	{"events", eventRaces},
}

// shared are the checks of RunShared alone.
var shared = []group{
	{"shared", sharedChecks},
}

// Run proves that the stores which open makes keep the promises of
// directory.Store to a single caller.
func Run(t *testing.T, open func(t *testing.T) directory.Store) {
	t.Helper()
	runGroups(t, open, groups)
	t.Run("close", func(t *testing.T) { closing(t, open) })
}

// RunShared is Run for a database that several processes have open: open makes
// a store whose calls go to one after the other. No process keeps state that
// another needs, so all checks hold but those about numbers drawn ahead, which
// have one of their own.
func RunShared(t *testing.T, open func(t *testing.T) directory.Store) {
	t.Helper()
	list := append([]group(nil), shared...)
	for _, g := range groups {
		kept := group{name: g.name}
		for _, c := range g.checks {
			if !slices.Contains(perProcess, c.name) {
				kept.checks = append(kept.checks, c)
			}
		}
		list = append(list, kept)
	}
	runGroups(t, open, list)
}

// RunConcurrency races goroutines against the rules that hold only if the
// store keeps transactions apart: seats, versions, names, numbers, totals.
func RunConcurrency(t *testing.T, open func(t *testing.T) directory.Store) {
	t.Helper()
	runGroups(t, open, races)
	t.Run("close", func(t *testing.T) { closingRace(t, open) })
}

func runGroups(t *testing.T, open Open, list []group) {
	t.Helper()
	store := open(t)
	for _, g := range list {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.checks {
				t.Run(c.name, func(t *testing.T) { c.run(t, newSample(t, store)) })
			}
		})
	}
}

// wantNotFound fails unless err is directory.ErrNotFound.
func wantNotFound(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("%s: got error %v, want directory.ErrNotFound", what, err)
	}
}

// wantConflict fails unless err is the conflict that a second duplicate ends in.
func wantConflict(t *testing.T, what string, err error) {
	t.Helper()
	if directory.CodeOf(err) != directory.CodeConflict || !directory.IsReason(err, directory.ReasonWriteConflict) {
		t.Errorf("%s: got error %v, want conflict (write.conflict)", what, err)
	}
}

// wantSame fails with the difference of two values. Empty and nil collections
// are the same, and so are two spellings of one JSON text.
func wantSame[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameOptions); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, clip(diff))
	}
}

// clip keeps a failure readable when a value is a megabyte long.
func clip(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "\n[cut]"
}

// look reads one thing outside of a transaction, and fails the test when that
// fails.
func look[T any](t *testing.T, s *sample, get func(ctx context.Context, r directory.Reader) (T, error)) T {
	t.Helper()
	v, err := tryLook(s, get)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return v
}

func tryLook[T any](s *sample, get func(ctx context.Context, r directory.Reader) (T, error)) (T, error) {
	var v T
	err := s.store.Read(s.ctx, func(r directory.Reader) error {
		var err error
		v, err = get(s.ctx, r)
		return err
	})
	return v, err
}
