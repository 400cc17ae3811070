package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// What is longer than any search can be is refused by its length, before it is
// folded: also when folding would leave a word that is short enough.
func TestRulesSearchIsBoundedBeforeItIsFolded(t *testing.T) {
	f := newFixture(t)
	f.user("anna")
	invisible := strings.Repeat("\u00ad", directory.MaxSearch/2-2)
	found := must(f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Terms: []string{"anna" + invisible}, Limit: 10}))(t)
	if len(found.Users) != 1 {
		t.Errorf("a search of the greatest length found %d users", len(found.Users))
	}
	for _, terms := range [][]string{{"anna" + invisible + "\u00ad"}, {invisible, "anna", "\u00ad"}, {strings.Repeat("\ufdfa", 1<<20)}} {
		_, err := f.svc.Users(f.ctx, f.sys(), directory.UserQuery{Terms: terms, Limit: 10})
		wantError(t, err, directory.CodeInvalid, directory.ReasonFieldLength)
	}
}

// A language tag of a megabyte is refused by its length: parsing it takes
// seconds. The limit leaves room for a busy machine.
func TestRulesLanguageIsBoundedBeforeItIsParsed(t *testing.T) {
	f := newFixture(t)
	u, began := f.someone(), time.Now()
	_, err := f.svc.UpdateUser(f.ctx, f.sys(), directory.ByNumber(u.Number),
		directory.UserPatch{Language: directory.Some("en" + strings.Repeat("-abcdefgh", 120_000))}, directory.UpdateOptions{})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldFormat)
	if took := time.Since(began); took > time.Second {
		t.Errorf("refusing the tag took %s", took)
	}
}
