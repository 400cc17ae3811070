package filter

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// wide limits serve to read back what String prints, which may be longer than
// the source: escapes, and parentheses for a sub-attribute behind brackets.
var wide = Limits{Length: 1 << 20, Depth: 2 * DefaultDepth, Conditions: DefaultConditions}

// size counts conditions and depth of an expression.
func size(e Expr) (conditions, depth int) {
	var members []Expr
	switch e := e.(type) {
	case And:
		members = e
	case Or:
		members = e
	case Not:
		members = []Expr{e.Expr}
	case ValuePath:
		members = []Expr{e.Expr}
	default:
		return 1, 1
	}
	for _, m := range members {
		c, d := size(m)
		conditions, depth = conditions+c, max(depth, d+1)
	}
	return conditions, depth
}

// checkError: bad input is this package's error, with a place inside of the
// text and a message that is text.
func checkError(t *testing.T, source string, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Pos < 0 || e.Pos > len(source) || e.Message == "" || !utf8.ValidString(e.Message) || e.Kind != KindSyntax && e.Kind != KindLimit {
		t.Errorf("%q: %#v", source, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`userName eq "bjensen"`, `title pr and not (a.b gt 1.5e3 or c ne null)`, `emails[type eq "work" and value co "@x"] or a eq true`,
		core + `:name.familyName sw "\u00e4\""`, `emails[type eq "work"].value eq "x"`, `((a pr)`, `not(a pr)`, `a eq "\ud800"`, `members.$ref ew ""`, "a eq \"\xff\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := Parse(source, Limits{})
		if err != nil {
			checkError(t, source, err)
			return
		}
		// Between two brackets stand at most an or and an and.
		if conditions, depth := size(e); len(source) > DefaultLength || conditions > DefaultConditions || depth > 4*(DefaultDepth+1) {
			t.Errorf("%q has %d conditions, depth %d", source, conditions, depth)
		}
		printed := e.String()
		again, err := Parse(printed, wide)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", source, printed, err)
		}
		if diff := cmp.Diff(e, again, noPos); diff != "" || again.String() != printed {
			t.Errorf("%q is printed as %q, which is another (-want +got):\n%s", source, printed, diff)
		}
		Match(e, map[string]any{"userName": "x", "emails": []any{map[string]any{"type": "work"}, "x", nil}, "a": 1.5}, nil)
	})
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{`members`, `name.familyName`, `addresses[type eq "work"]`, `addresses[type eq "work"].streetAddress`,
		core + `:name.familyName`, enterprise, `a[b pr].c.d`, `a[`, `$ref`, `and`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := ParsePath(source, Limits{})
		if err != nil {
			checkError(t, source, err)
			return
		}
		if p.Filter != nil {
			if conditions, _ := size(p.Filter); conditions > DefaultConditions {
				t.Errorf("%q has %d conditions", source, conditions)
			}
		}
		again, err := ParsePath(p.String(), wide)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", source, p, err)
		}
		if diff := cmp.Diff(p, again, noPos); diff != "" {
			t.Errorf("%q is printed as %q, which is another (-want +got):\n%s", source, p, diff)
		}
	})
}
