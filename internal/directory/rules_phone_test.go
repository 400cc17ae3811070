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

// A door that shows one number of each of some types exchanges those that it
// names, whatever the letter case of the type, and keeps all others.
func TestRulesTypedPhones(t *testing.T) {
	f := newFixture(t)
	admin := f.key(adminRank)
	have := []directory.Phone{{Number: "1", Type: "Work"}, {Number: "2", Extension: "9", Type: "Mobile"}, {Number: "3", Type: "mobile"}}
	for _, c := range []struct {
		name        string
		set, want   []directory.Phone
		wantRefused directory.Reason
	}{
		{"the same keeps its extension", []directory.Phone{{Number: "2", Type: "mobile"}}, have, ""},
		{"another", []directory.Phone{{Number: "4", Type: "mobile"}}, []directory.Phone{have[0], {Number: "4", Type: "Mobile"}, have[2]}, ""},
		{"none", []directory.Phone{{Type: "mobile"}}, []directory.Phone{have[0], have[2]}, ""},
		{"the first of a type, and none of one", []directory.Phone{{Number: "5", Type: "fax"}, {Type: "phone"}},
			[]directory.Phone{have[0], have[1], have[2], {Number: "5", Type: "fax"}}, ""},
		{"with a line feed", []directory.Phone{{Number: "5\n", Type: "fax"}}, have, directory.ReasonFieldFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := f.sub(t)
			before := f.someone(func(in *directory.NewUser) { in.Fields.Phones = directory.Some(slices.Clone(have)) })
			_, err := f.svc.UpdateUser(f.ctx, f.as(admin), directory.ByNumber(before.Number),
				directory.UserPatch{TypedPhones: c.set}, directory.UpdateOptions{})
			if c.wantRefused == "" && err != nil || c.wantRefused != "" && !directory.IsReason(err, c.wantRefused) {
				t.Fatalf("error %v, want %q", err, c.wantRefused)
			}
			if diff := cmp.Diff(c.want, f.stored(before.Number).Phones, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
