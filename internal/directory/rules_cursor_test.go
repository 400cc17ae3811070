package directory_test

import (
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// A list goes on after the longest value that there can be, folded and written
// as JSON.
func TestRulesCursorOfLongValues(t *testing.T) {
	f := newFixture(t)
	for _, text := range []string{"<", "\ufdfa", "\U0001f600"} {
		name := strings.Repeat(text, 256)
		for range 2 {
			f.someone(func(in *directory.NewUser) { in.Fields.DisplayName = directory.Some(name) })
		}
	}
	key, seen := f.key(readerRank), 0
	q := directory.UserQuery{Sort: directory.FieldDisplayName, Limit: 1, WantCursor: true}
	for {
		page := must(f.svc.Users(f.ctx, f.as(key), q))(t)
		seen += len(page.Users)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if seen != 6 {
		t.Errorf("%d users listed, want 6", seen)
	}
}
