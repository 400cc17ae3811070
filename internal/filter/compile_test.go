package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
)

// hasEmail is what makes an element of emails.
var hasEmail = directory.Present{Field: directory.FieldEmail}

// table is like that of a door, with every kind of attribute.
var table = Table{
	Schema: core,
	Attributes: map[string]Attribute{
		"id":                         Text(directory.FieldID),
		"username":                   Text(directory.FieldUserName),
		"name.familyname":            Text(directory.FieldFamilyName),
		"title":                      Text(directory.FieldTitle),
		"emails":                     Text(directory.FieldEmail),
		"emails.value":               Text(directory.FieldEmail),
		"number":                     Integer(directory.FieldNumber),
		"company":                    Integer(directory.FieldCompany),
		"meta.created":               Time(directory.FieldCreatedAt),
		"validfrom":                  Time(directory.FieldValidFrom),
		"locked":                     Flag(directory.FieldLocked),
		"active":                     Active(directory.StatesOf(directory.StateActive)),
		"status":                     States(words),
		"emails.type":                constant("work"),
		"meta.resourcetype":          constant("User"),
		strings.ToLower(dept):        Text(directory.FieldEmployeeNumber),
		"nickname":                   func(Op, Value) (directory.Filter, error) { return nil, errOther },
		strings.ToLower(dept) + ".x": Flag(directory.FieldMustChangePassword),
	},
	Elements: map[string]Elements{
		"emails": OneElement(hasEmail, map[string]Attribute{"value": Text(directory.FieldEmail), "type": constantOf("work", directory.And{})}),
		"phones": func(Expr) (directory.Filter, error) { return nil, BadValue("must not be asked for.") },
	},
}

const dept = enterprise + ":employeeNumber"

var (
	errOther = errors.New("of another type")
	words    = map[string]directory.StateSet{"staged": directory.StatesOf(directory.StateStaged),
		"active": directory.StatesOf(directory.StateActive), "inactive": directory.StatesOf(directory.StateInactive)}
)

// constant is an attribute that every user with an address (emails.type) or
// every user at all has with one value: the function kind.
func constant(value string) Attribute {
	if value == "work" {
		return constantOf(value, hasEmail)
	}
	return constantOf(value, directory.And{})
}

func constantOf(value string, where directory.Filter) Attribute {
	return func(op Op, want Value) (directory.Filter, error) {
		if op == OpPresent {
			return where, nil
		}
		if op != OpEqual && op != OpContains {
			return nil, BadOperator(op)
		}
		if want.Kind != String {
			return nil, BadValue("must be compared with a text.")
		}
		if want.Text == "" && op == OpEqual {
			return directory.Not{Filter: where}, nil
		}
		have, ask := directory.FoldSearch(value), directory.FoldSearch(want.Text)
		if have == ask || op == OpContains && strings.Contains(have, ask) {
			return where, nil
		}
		return directory.Or{}, nil
	}
}

// TestCompileOfOneCondition: what each kind of attribute becomes.
func TestCompileOfOneCondition(t *testing.T) {
	at := time.Date(2026, 5, 13, 4, 42, 34, 0, time.UTC)
	number := func(o directory.Order, n int64) directory.Filter {
		return directory.Compare{Field: directory.FieldNumber, Order: o, Value: n}
	}
	userName := directory.Text{Field: directory.FieldUserName, Op: directory.OpEqual, Value: "Bob"}
	hasNumber := directory.Not{Filter: number(directory.Equal, 0)}
	for source, want := range map[string]directory.Filter{
		`USERNAME eq "Bob"`:         userName,
		core + `:userName eq "Bob"`: userName,
		`URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:username eq "Bob"`: userName,
		`userName ne "Bob"`: directory.Not{Filter: userName},
		`userName pr`:       directory.Present{Field: directory.FieldUserName},
		`userName ne null`:  directory.Present{Field: directory.FieldUserName},
		`userName eq null`:  directory.Not{Filter: directory.Present{Field: directory.FieldUserName}},
		`userName sw "b"`:   directory.Text{Field: directory.FieldUserName, Op: directory.OpPrefix, Value: "b"},
		`userName co ""`:    directory.Present{Field: directory.FieldUserName},
		dept + ` ew "7"`:    directory.Text{Field: directory.FieldEmployeeNumber, Op: directory.OpSuffix, Value: "7"},
		dept + `.x eq true`: directory.Is{Field: directory.FieldMustChangePassword, Value: true},
		`number eq 7`:       number(directory.Equal, 7),
		`number gt 7`:       number(directory.Greater, 7),
		`number lt 7`:       directory.And{hasNumber, number(directory.Less, 7)},
		`number pr`:         hasNumber,
		`meta.created ge "2026-05-13T06:42:34+02:00"`: directory.When{Field: directory.FieldCreatedAt, Order: directory.GreaterOrEqual, Value: at},
		`locked eq "True"`:                            directory.Is{Field: directory.FieldLocked, Value: true},
		`active eq false`:                             directory.Not{Filter: directory.InState{States: words["active"]}},
		`active pr`:                                   directory.And{},
		`status eq "Staged"`:                          directory.InState{States: words["staged"]},
		`emails[value eq "x" and type eq "work"]`: directory.And{hasEmail,
			directory.And{directory.Text{Field: directory.FieldEmail, Op: directory.OpEqual, Value: "x"}, directory.And{}}},
	} {
		e, err := Parse(source, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		got, err := Compile(e, table)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", source, err, diff)
		}
	}
}

// TestCompileErrors: they name the attribute and say what is wrong with it.
func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		source  string
		kind    Kind
		pos     int
		message string
	}{
		{`userName eq "x" and foo pr`, KindAttribute, 20, `"foo" is no attribute that can be filtered by.`},
		{`name eq "x"`, KindAttribute, 0, `"name" is no attribute`},
		{`urn:x:userName eq "x"`, KindAttribute, 0, `"urn:x:userName" is no attribute`},
		{`employeeNumber eq "x"`, KindAttribute, 0, `"employeeNumber" is no attribute`},
		{`phones eq "x"`, KindAttribute, 0, `"phones" has several parts`},
		{`title[value eq "x"]`, KindAttribute, 0, `title cannot be filtered with brackets.`},
		{`foo[value eq "x"]`, KindAttribute, 0, `"foo" is no attribute`},
		{`title pr or phones[value eq "x"]`, KindValue, 12, `phones must not be asked for.`},
		{`emails[value eq "x" and display pr]`, KindAttribute, 24, `"display" is no attribute`},
		{`emails[value gt "x"]`, KindAttribute, 7, `value cannot be filtered with gt.`},
		{`userName gt "x"`, KindAttribute, 0, `userName cannot be filtered with gt.`},
		{`not (userName le "x")`, KindAttribute, 5, `userName cannot be filtered with le.`},
		{`userName gt null`, KindValue, 0, `userName can be compared with null by eq and ne alone.`},
		{`userName eq 1`, KindValue, 0, `userName must be compared with a text in double quotes.`},
		{`userName eq true`, KindValue, 0, `userName must be compared with a text`},
		{`number eq "7"`, KindValue, 0, `number must be compared with a whole number.`},
		{`number eq 7.5`, KindValue, 0, `number must be compared with a whole number.`},
		{`number eq 99999999999999999999`, KindValue, 0, `number must be compared with a whole number.`},
		{`number co 7`, KindAttribute, 0, `number cannot be filtered with co.`},
		{`meta.created eq "yesterday"`, KindValue, 0, `meta.created must be compared with a time`},
		{`meta.created eq 7`, KindValue, 0, `meta.created must be compared with a time`},
		{`meta.created sw "2026"`, KindAttribute, 0, `meta.created cannot be filtered with sw.`},
		{`locked eq "x"`, KindValue, 0, `locked must be compared with true or false.`},
		{`locked eq 1`, KindValue, 0, `locked must be compared with true or false.`},
		{`active gt true`, KindAttribute, 0, `active cannot be filtered with gt.`},
		{`status eq "deleted"`, KindValue, 0, `status must be compared with one of the texts active, inactive, staged.`},
		{`status eq 1`, KindValue, 0, `status must be compared with one of the texts`},
		{`status sw "a"`, KindAttribute, 0, `status cannot be filtered with sw.`},
	} {
		e, err := Parse(c.source, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", c.source, err)
		}
		_, err = Compile(e, table)
		got, ok := errors.AsType[*Error](err)
		if !ok || got.Kind != c.kind || got.Pos != c.pos || !strings.HasPrefix(got.Message, c.message) {
			t.Errorf("%s: %v, want %q at %d", c.source, err, c.message, c.pos)
		} else if !directory.IsReason(err, directory.ReasonFilterSyntax) {
			t.Errorf("%s: to the core the error is %v", c.source, directory.AsError(err))
		}
	}
	if _, err := Compile(Compare{Path: Path{Attribute: "nickName"}, Op: OpEqual}, table); !errors.Is(err, errOther) {
		t.Errorf("an error of another type becomes %v", err)
	}
	if _, err := Compile(nil, table); err == nil {
		t.Error("no expression compiles")
	}
}

// document is a user as an object of JSON, written without the table.
func document(u *directory.User) map[string]any {
	d := map[string]any{"id": u.ID, "userName": u.UserName, "name": map[string]any{"familyName": u.FamilyName}, "title": u.Title,
		"locked": u.Locked, "active": u.State == directory.StateActive, "status": string(u.State),
		"meta":     map[string]any{"resourceType": "User", "created": u.CreatedAt.Format(time.RFC3339Nano)},
		enterprise: map[string]any{"employeeNumber": u.EmployeeNumber},
		"emails":   []any{}}
	if u.Email != "" {
		d["emails"] = []any{map[string]any{"type": "work", "value": u.Email}}
	}
	for name, n := range map[string]int64{"number": u.Number, "company": u.Company} {
		if n != 0 {
			d[name] = json.Number(fmt.Sprint(n))
		}
	}
	if !u.ValidFrom.IsZero() {
		d["validFrom"] = u.ValidFrom.Format(time.RFC3339Nano)
	}
	return d
}

// pick is one of a list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

var (
	someTexts = []string{"", "a", "A", "ab", "BA", "b", "ä", "Ä", "ａ", "x y", "work", "User"}
	someTimes = []string{"2026-05-13T04:42:34Z", "2026-05-13T04:42:34.000001Z", "2026-05-13T04:42:34.0000005Z", "2026-05-13T06:42:34+02:00", "1999-12-31T23:59:59Z"}
)

func randomUser(r *rand.Rand) *directory.User {
	at := func() time.Time {
		return time.Date(2026, 5, 13, 4, 42, 34, r.IntN(3)*1000, time.UTC)
	}
	u := &directory.User{ID: pick(r, "a", "b"), Number: int64(r.IntN(3)), Company: int64(r.IntN(3)),
		State:    pick(r, directory.StateStaged, directory.StateActive, directory.StateInactive),
		UserName: pick(r, someTexts...), FamilyName: pick(r, someTexts...), Title: pick(r, someTexts...), Email: pick(r, someTexts...),
		EmployeeNumber: pick(r, someTexts...), Locked: r.IntN(2) == 0, CreatedAt: at()}
	if r.IntN(2) == 0 {
		u.ValidFrom = at()
	}
	return u
}

// randomExpr is an expression that the table knows.
func randomExpr(r *rand.Rand, depth int) string {
	switch n := r.IntN(10); {
	case depth > 0 && n < 2:
		return "(" + randomExpr(r, depth-1) + ") and " + randomExpr(r, depth-1)
	case depth > 0 && n < 4:
		return randomExpr(r, depth-1) + " or " + randomExpr(r, depth-1)
	case depth > 0 && n < 5:
		return "not (" + randomExpr(r, depth-1) + ")"
	case n < 6:
		inner := pick(r, "value", "type") + pick(r, " eq ", " ne ", " co ") + Value{Kind: String, Text: pick(r, someTexts...)}.String()
		return "emails[" + pick(r, inner, "not ("+inner+")", inner+" and type eq \"work\"", "value pr") + "]"
	}
	value, ops := "", "eq ne gt ge lt le"
	path := pick(r, "id", "userName", "name.familyName", "title", "emails", "emails.value", "emails.type", "meta.resourceType", dept,
		"number", "company", "meta.created", "validFrom", "locked", "active", "status")
	switch path {
	case "number", "company":
		value = fmt.Sprint(r.IntN(5) - 1)
	case "meta.created", "validFrom":
		value = Value{Kind: String, Text: pick(r, someTimes...)}.String()
	case "locked", "active":
		value, ops = pick(r, "true", "false", `"True"`), "eq ne"
	case "status":
		value, ops = pick(r, `"active"`, `"STAGED"`), "eq ne"
	case "emails.type", "meta.resourceType":
		value, ops = Value{Kind: String, Text: pick(r, someTexts...)}.String(), "eq ne co"
	default:
		value, ops = Value{Kind: String, Text: pick(r, someTexts...)}.String(), "eq ne co sw ew"
	}
	switch r.IntN(6) {
	case 0:
		return path + " pr"
	case 1:
		return path + pick(r, " eq ", " ne ") + "null"
	}
	return path + " " + pick(r, strings.Fields(ops)...) + " " + value
}

// TestCompileMeansWhatTheExpressionSays: the core's condition and an evaluation
// of the expression on the user as a client sees it agree, for random
// expressions and users.
func TestCompileMeansWhatTheExpressionSays(t *testing.T) {
	r := rand.New(rand.NewPCG(7644, 3422))
	exact := func(path string) bool { return path == "id" || path == "title" }
	matched := 0
	for range 4000 {
		source := randomExpr(r, 3)
		e, err := Parse(source, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		f, err := Compile(e, table)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		for range 10 {
			u := randomUser(r)
			want := Match(e, document(u), exact)
			if got := f.Match(u); got != want {
				t.Fatalf("%s: %t, but %t on %v", source, got, want, document(u))
			}
			if want {
				matched++
			}
		}
	}
	if matched < 5000 || matched > 35000 {
		t.Errorf("%d of 40000 match: the expressions prove little", matched)
	}
}
