package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/usher-id/usher/internal/directory"
)

// noPos compares expressions without the places where they stood.
var noPos = cmp.Options{cmpopts.IgnoreFields(Compare{}, "Pos"), cmpopts.IgnoreFields(Present{}, "Pos"), cmpopts.IgnoreFields(ValuePath{}, "Pos")}

func text(s string) Value { return Value{Kind: String, Text: s} }

// eq is a comparison of an attribute with or without sub-attribute.
func is(path string, op Op, value Value) Compare {
	attribute, sub, _ := strings.Cut(path, ".")
	return Compare{Path: Path{Attribute: attribute, Sub: sub}, Op: op, Value: value}
}

const (
	core       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// TestExamplesOfTheRFC reads every filter that RFC 7644 prints (section
// 3.4.2.2; the last ones sections 3.4.2.1, 3.4.3, 3.5.2 and 7.7).
func TestExamplesOfTheRFC(t *testing.T) {
	work := is("type", OpEqual, text("work"))
	example := Or{is("emails", OpContains, text("example.com")), is("emails.value", OpContains, text("example.org"))}
	for source, want := range map[string]Expr{
		`userName eq "bjensen"`:                                   is("userName", OpEqual, text("bjensen")),
		`name.familyName co "O'Malley"`:                           is("name.familyName", OpContains, text("O'Malley")),
		`userName sw "J"`:                                         is("userName", OpStartsWith, text("J")),
		core + `:userName sw "J"`:                                 Compare{Path: Path{Schema: core, Attribute: "userName"}, Op: OpStartsWith, Value: text("J")},
		`title pr`:                                                Present{Path: Path{Attribute: "title"}},
		`meta.lastModified gt "2011-05-13T04:42:34Z"`:             is("meta.lastModified", OpGreater, text("2011-05-13T04:42:34Z")),
		`meta.lastModified ge "2011-05-13T04:42:34Z"`:             is("meta.lastModified", OpGreaterOrEqual, text("2011-05-13T04:42:34Z")),
		`meta.lastModified lt "2011-05-13T04:42:34Z"`:             is("meta.lastModified", OpLess, text("2011-05-13T04:42:34Z")),
		`meta.lastModified le "2011-05-13T04:42:34Z"`:             is("meta.lastModified", OpLessOrEqual, text("2011-05-13T04:42:34Z")),
		`title pr and userType eq "Employee"`:                     And{Present{Path: Path{Attribute: "title"}}, is("userType", OpEqual, text("Employee"))},
		`title pr or userType eq "Intern"`:                        Or{Present{Path: Path{Attribute: "title"}}, is("userType", OpEqual, text("Intern"))},
		`schemas eq "` + enterprise + `"`:                         is("schemas", OpEqual, text(enterprise)),
		`userType eq "Employee" and (emails.type eq "work")`:      And{is("userType", OpEqual, text("Employee")), is("emails.type", OpEqual, text("work"))},
		`(meta.resourceType eq User) or (meta.resourceType pr)`:   nil, // printed without quotes in section 3.4.2.1, against the grammar
		`(meta.resourceType eq "User") or (meta.resourceType pr)`: Or{is("meta.resourceType", OpEqual, text("User")), Present{Path: Path{Attribute: "meta", Sub: "resourceType"}}},
		`displayName sw "smith"`:                                  is("displayName", OpStartsWith, text("smith")),
		`userName Eq "john"`:                                      is("userName", OpEqual, text("john")),
		`Username eq "john"`:                                      is("Username", OpEqual, text("john")),
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`: And{
			is("userType", OpEqual, text("Employee")), example},
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`: And{
			is("userType", OpNotEqual, text("Employee")), Not{example}},
		`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`: And{is("userType", OpEqual, text("Employee")),
			ValuePath{Path: Path{Attribute: "emails"}, Expr: And{work, is("value", OpContains, text("@example.com"))}}},
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`: Or{
			ValuePath{Path: Path{Attribute: "emails"}, Expr: And{work, is("value", OpContains, text("@example.com"))}},
			ValuePath{Path: Path{Attribute: "ims"}, Expr: And{is("type", OpEqual, text("xmpp")), is("value", OpContains, text("@foo.com"))}}},
	} {
		got, err := Parse(source, Limits{})
		if want == nil {
			if err == nil {
				t.Errorf("%s is read as %s", source, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if diff := cmp.Diff(want, got, noPos); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// TestPrecedence: not before and before or (RFC 7644 section 3.4.2.2), also
// without blanks, in any letter case, and in what String prints.
func TestPrecedence(t *testing.T) {
	for source, want := range map[string]string{
		`a pr or b pr and c pr`:                `a pr or b pr and c pr`,
		`(a pr or b pr) and c pr`:              `(a pr or b pr) and c pr`,
		`a pr and b pr or c pr and d pr`:       `a pr and b pr or c pr and d pr`,
		`not (a pr) and b pr`:                  `not (a pr) and b pr`,
		`NOT(a pr)AND b PR`:                    `not (a pr) and b pr`,
		`not (a pr and b pr) or c pr`:          `not (a pr and b pr) or c pr`,
		`a pr and (b pr and c pr)`:             `a pr and (b pr and c pr)`,
		`(((a pr)))`:                           `a pr`,
		"\t a  eq\t1 ":                         `a eq 1`,
		`a eq TRUE or a EQ False or a eq Null`: `a eq true or a eq false or a eq null`,
		`a eq -1.5e+3`:                         `a eq -1.5e+3`,
		`a eq "\"\\\u00e4\n"`:                  `a eq "\"\\ä\n"`,
		`emails[not (type eq "work")]`:         `emails[not (type eq "work")]`,
		`members.$ref eq "x"`:                  `members.$ref eq "x"`,
		`emails[type eq "work"].value eq "x"`:  `emails[type eq "work" and value eq "x"]`,
		`emails[a pr or b pr].value ne "x"`:    `emails[(a pr or b pr) and value ne "x"]`,
	} {
		e, err := Parse(source, Limits{})
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if e.String() != want {
			t.Errorf("%s is read as %s, want %s", source, e, want)
		}
	}
	e, err := Parse(`a pr or b pr and c pr`, Limits{})
	present := func(name string) Expr { return Present{Path: Path{Attribute: name}} }
	if diff := cmp.Diff(Expr(Or{present("a"), And{present("b"), present("c")}}), e, noPos); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestSyntaxErrors: each says at which byte the text is wrong, and what is
// wrong there.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		source  string
		pos     int
		message string
	}{
		{``, 0, `The text ends where an attribute is expected.`},
		{`   `, 3, `The text ends where an attribute is expected.`},
		{`userName`, 8, `The text ends where an operator behind "userName" (eq, ne, co, sw, ew, gt, ge, lt, le or pr) is expected.`},
		{`userName is "x"`, 9, `"is" is not an operator`},
		{`userName = "x"`, 9, `"=" is not an operator`},
		{`userName eq`, 11, `The text ends where a value`},
		{`userName eq bjensen`, 12, `"bjensen" is not a value`},
		{`userName eq 'bjensen'`, 12, `"'bjensen'" is not a value`},
		{`userName eq"x"`, 11, `A space must follow the operator eq.`},
		{`userName eq "x`, 12, `a double quote is missing`},
		{`userName eq "x\"`, 12, `a double quote is missing`},
		{`userName eq "\q"`, 12, `is not a JSON string`},
		{"userName eq \"\n\"", 12, `is not a JSON string`},
		{`userName eq ä`, 12, `"ä" is not a value`},
		{`userName eq 01`, 12, `"01" is not a value`},
		{`userName eq "x" userName pr`, 16, `and, or or the end is expected`},
		{`userName eq "x" and`, 19, `The text ends where an attribute`},
		{`userName eq "x" and and title pr`, 20, `"and" is not an attribute`},
		{`(userName pr`, 0, `The bracket "(" is never closed.`},
		{`userName pr)`, 11, `")" cannot stand here`},
		{`(userName pr]`, 12, `"]" cannot stand here`},
		{`not userName pr`, 4, `A parenthesis must follow not.`},
		{`emails[type eq "work"`, 6, `The bracket "[" is never closed.`},
		{`emails[]`, 7, `"]" is not an attribute`},
		{`emails[a[b pr]]`, 8, `A filter in brackets belongs behind an attribute`},
		{`emails.value[b pr]`, 12, `A filter in brackets belongs behind an attribute`},
		{`emails[type pr].value`, 21, `The text ends where an operator`},
		{`emails[type pr].1 eq 1`, 16, `must begin with a letter`},
		{`1a eq 1`, 0, `The name of the attribute must begin with a letter.`},
		{`a.b.c eq 1`, 3, `Nothing but a space`},
		{`urn:x: eq 1`, 6, `The name of the attribute must begin with a letter.`},
		{`:a eq 1`, 0, `A schema must begin with a letter.`},
		{`ä eq 1`, 0, `"ä eq 1" is not an attribute.`},
		{"a eq \"\xff\"", 6, `The filter is not valid UTF-8.`},
	} {
		_, err := Parse(c.source, Limits{})
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindSyntax || e.Pos != c.pos || !strings.Contains(e.Message, c.message) {
			t.Errorf("%s: %v, want %q at %d", c.source, err, c.message, c.pos)
			continue
		}
		if !directory.IsReason(err, directory.ReasonFilterSyntax) || directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%s: to the core the error is %v", c.source, directory.AsError(err))
		}
	}
}

// TestErrorsRepeatLittle: a long text is not sent back.
func TestErrorsRepeatLittle(t *testing.T) {
	_, err := Parse("a eq "+strings.Repeat("ä", 4000), Limits{})
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("%v", err)
	}
}

// TestLimits: the last that fits and the first that does not.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "a pr" + strings.Repeat(")", n) }
	many := func(n int) string { return strings.Repeat("a pr or ", n-1) + "a pr" }
	for what, c := range map[string]struct {
		source string
		limits Limits
		ok     bool
	}{
		"length":                {`a eq "` + strings.Repeat("x", DefaultLength-7) + `"`, Limits{}, true},
		"too long":              {`a eq "` + strings.Repeat("x", DefaultLength-6) + `"`, Limits{}, false},
		"own length":            {`a pr`, Limits{Length: 4}, true},
		"longer than own":       {`ab pr`, Limits{Length: 4}, false},
		"depth":                 {nested(DefaultDepth), Limits{}, true},
		"too deep":              {nested(DefaultDepth + 1), Limits{}, false},
		"side by side":          {many(3) + " or " + strings.Repeat("(a pr) or ", 100) + "a pr", Limits{Depth: 1}, true},
		"brackets are depth":    {"(a[b pr])", Limits{Depth: 1}, false},
		"not is depth":          {"not (not (a pr))", Limits{Depth: 1}, false},
		"conditions":            {many(DefaultConditions), Limits{}, true},
		"too many":              {many(DefaultConditions + 1), Limits{}, false},
		"in brackets too":       {"a[b pr or b pr]", Limits{Conditions: 1}, false},
		"behind brackets too":   {"a[b pr].c pr", Limits{Conditions: 1}, false},
		"brackets are not more": {"a[b pr].c pr", Limits{Conditions: 2}, true},
	} {
		_, err := Parse(c.source, c.limits)
		e, _ := errors.AsType[*Error](err)
		if c.ok != (err == nil) || err != nil && e.Kind != KindLimit {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPaths reads paths of PATCH: the examples of RFC 7644 section 3.5.2, and
// what provisioning clients send.
func TestPaths(t *testing.T) {
	work := is("type", OpEqual, text("work"))
	for source, want := range map[string]Path{
		`members`:                   {Attribute: "members"},
		`name.familyName`:           {Attribute: "name", Sub: "familyName"},
		`addresses[type eq "work"]`: {Attribute: "addresses", Filter: work},
		`addresses[type eq "work"].streetAddress`: {Attribute: "addresses", Filter: work, Sub: "streetAddress"},
		`members[value eq "2819c223-7f76-453a-919d-413861904646"].displayName`: {Attribute: "members", Sub: "displayName",
			Filter: is("value", OpEqual, text("2819c223-7f76-453a-919d-413861904646"))},
		`emails[type eq "work" and value ew "example.com"]`: {Attribute: "emails", Filter: And{work, is("value", OpEndsWith, text("example.com"))}},
		core + `:name.familyName`:                           {Schema: core, Attribute: "name", Sub: "familyName"},
		enterprise + `:employeeNumber`:                      {Schema: enterprise, Attribute: "employeeNumber"},
		enterprise + `:manager.value`:                       {Schema: enterprise, Attribute: "manager", Sub: "value"},
		enterprise:                                          {Schema: strings.TrimSuffix(enterprise, ":User"), Attribute: "User"},
		core + `:emails[type eq "work"].value`:              {Schema: core, Attribute: "emails", Filter: work, Sub: "value"},
		`roles[primary eq "True"].value`:                    {Attribute: "roles", Filter: is("primary", OpEqual, text("True")), Sub: "value"},
		` members `:                                         {Attribute: "members"},
		`and`:                                               {},
		``:                                                  {},
		`a.b.c`:                                             {},
		`a.b[c pr]`:                                         {},
		`a[b pr]c`:                                          {},
		`a[b pr].c.d`:                                       {},
		`a[b pr].`:                                          {},
		`a b`:                                               {},
		`a[]`:                                               {},
		`a[b pr`:                                            {},
		`2.0`:                                               {},
	} {
		got, err := ParsePath(source, Limits{})
		if want.Attribute == "" {
			if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindSyntax {
				t.Errorf("%q is read as %s: %v", source, got, err)
			}
			continue
		}
		if diff := cmp.Diff(want, got, noPos); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", source, err, diff)
		}
	}
	if p, err := ParsePath(enterprise, Limits{}); err != nil || p.Name() != enterprise {
		t.Errorf("%s, %v", p.Name(), err)
	}
	if _, err := ParsePath(strings.Repeat("a", 9), Limits{Length: 8}); err == nil {
		t.Error("a long path is read")
	}
}
