package directory_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// Whom a run made is known to its later pages and to its end, whether they were made
// together with others, one by one, or with numbers of their own.
func TestRulesImportKnowsWhomItMade(t *testing.T) {
	f := newFixture(t)
	run := f.begun(f.sys(), importOf(func(o *directory.ImportOptions) { o.DeactivateMissing, o.MaxDeactivations = true, 100 }))
	gone := f.user("gone")
	role := f.role(selfRank)
	for page := range 3 {
		if page > 0 {
			f.someone(func(in *directory.NewUser) { in.State = directory.StateInactive }) // who gets a number in between
		}
		alone := recordOf(fmt.Sprint("alone", page), func(r *directory.Record) { r.Roles = &[]string{role.Key} })
		own := recordOf(fmt.Sprint("own", page), func(r *directory.Record) { r.Number = new(int64(900_000 - page)) })
		run, _ = f.page(run, recordOf(fmt.Sprint("a", page)), recordOf(fmt.Sprint("b", page)), alone, own)
	}
	if len(run.Marks.Made) != 3 || run.Marks.Made[0][1] != run.Marks.Made[0][0]+1 {
		t.Errorf("the marks are %+v", run.Marks)
	}
	run, verdicts := f.page(run, recordOf("A0"), recordOf("b2"), recordOf("alone1"), recordOf("own2"), recordOf("fresh"))
	twice := "conflict: user_name import.same_row"
	if diff := cmp.Diff([]string{twice, twice, twice, twice, "create"}, whatCame(verdicts)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if run = f.ended(run); run.Counts[directory.RowDeactivate] != 1 || f.stored(gone.Number).State != directory.StateInactive {
		t.Errorf("the run is %+v", run)
	}
}
