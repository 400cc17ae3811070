package directory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// A list that takes longer than it may is refused with what to do instead, and
// whoever gives up before that is not told so.
func TestRulesQueryTime(t *testing.T) {
	f := newFixture(t)
	for range 3 {
		f.someone()
	}
	slow := directory.New(f.store, directory.Options{Now: f.clock.now, QueryTime: time.Nanosecond})
	filter := directory.Text{Field: directory.FieldTitle, Op: directory.OpContains, Value: "clerk"}
	for name, q := range map[string]directory.UserQuery{
		"filter": {Filter: filter, Limit: 10, WantTotal: true},
		"sort":   {Sort: directory.FieldGivenName, Limit: 10},
		"search": {Terms: []string{"an", "ana"}, Limit: 10},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := slow.Users(f.ctx, f.sys(), q)
			if !directory.IsReason(err, directory.ReasonQueryTooCostly) || directory.CodeOf(err) != directory.CodeUnavailable {
				t.Errorf("a list that takes too long: %v", err)
			}
			if _, err := f.svc.Users(f.ctx, f.sys(), q); err != nil {
				t.Errorf("the same with time: %v", err)
			}
			gone, cancel := context.WithCancel(f.ctx)
			cancel()
			if _, err := slow.Users(gone, f.sys(), q); !errors.Is(err, context.Canceled) {
				t.Errorf("whoever has gone: %v", err)
			}
		})
	}
	if _, err := slow.Groups(f.ctx, f.sys(), directory.GroupQuery{Kind: directory.GroupPlain, Limit: 10}); !directory.IsReason(err, directory.ReasonQueryTooCostly) {
		t.Errorf("a list of groups that takes too long: %v", err)
	}
}
