package directory_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/usher-id/usher/internal/directory"
)

// A door that shows one telephone number exchanges the first and keeps the
// others: the same number keeps its extension, another one only the kind, and
// none takes the first away.
func TestRulesFirstPhone(t *testing.T) {
	f := newFixture(t)
	admin := f.key(adminRank)
	two := []directory.Phone{{Number: "1111111", Extension: "9", Type: "Work"}, {Number: "2222222", Type: "Home"}}
	for _, c := range []struct {
		name        string
		have, want  []directory.Phone
		number      string
		wantRefused directory.Reason
	}{
		{"the same", two, two, "1111111", ""},
		{"another", two, []directory.Phone{{Number: "3333333", Type: "Work"}, two[1]}, "3333333", ""},
		{"none", two, two[1:], "", ""},
		{"the first of all", nil, []directory.Phone{{Number: "3333333"}}, "3333333", ""},
		{"none of none", nil, nil, "", ""},
		{"with a line feed", two, two, "33\n33", directory.ReasonFieldFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := f.sub(t)
			before := f.someone(func(in *directory.NewUser) { in.Fields.Phones = directory.Some(slices.Clone(c.have)) })
			_, err := f.svc.UpdateUser(f.ctx, f.as(admin), directory.ByNumber(before.Number),
				directory.UserPatch{FirstPhone: directory.Some(c.number)}, directory.UpdateOptions{})
			if c.wantRefused == "" && err != nil || c.wantRefused != "" && !directory.IsReason(err, c.wantRefused) {
				t.Fatalf("error %v, want %q", err, c.wantRefused)
			}
			if diff := cmp.Diff(c.want, f.stored(before.Number).Phones, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
