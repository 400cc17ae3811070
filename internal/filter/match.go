package filter

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Match evaluates an expression on a JSON object as encoding/json decodes it
// (numbers as float64 or json.Number). Names are found in any letter case; a
// condition on an array holds if it holds for one element, and on an object
// it is about the member "value" (RFC 7644 section 3.4.2.2). caseExact says
// whether the text at a path (lower case, "type", "name.familyname") is
// compared to the letter; nil: none is. An empty text is no value. Values of
// different types are unequal, but for booleans that one side has as texts
// ("True").
func Match(e Expr, object map[string]any, caseExact func(path string) bool) bool {
	switch e := e.(type) {
	case And:
		for _, m := range e {
			if !Match(m, object, caseExact) {
				return false
			}
		}
		return true
	case Or:
		for _, m := range e {
			if Match(m, object, caseExact) {
				return true
			}
		}
		return false
	case Not:
		return !Match(e.Expr, object, caseExact)
	case Present:
		return present(find(object, e.Path))
	case Compare:
		exact := caseExact != nil && caseExact(e.Path.Key(""))
		return compare(find(object, e.Path), e.Op, e.Value, exact)
	case ValuePath:
		for _, element := range elements(find(object, e.Path)) {
			inner, ok := element.(map[string]any)
			if !ok {
				inner = map[string]any{"value": element}
			}
			if Match(e.Expr, inner, caseExact) {
				return true
			}
		}
	}
	return false
}

// find is the value at a path, nil for none; of an array of objects the
// sub-attribute of each.
func find(object map[string]any, path Path) any {
	if path.Schema != "" {
		if extension, ok := member(object, path.Schema).(map[string]any); ok {
			object = extension
		}
	}
	value := member(object, path.Attribute)
	if path.Sub == "" {
		return value
	}
	var found []any
	for _, element := range elements(value) {
		if inner, ok := element.(map[string]any); ok {
			found = append(found, member(inner, path.Sub))
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return found
}

// member is an object's member in any letter case; one that is written as
// asked comes first.
func member(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	var found any
	var as string
	for key, value := range object {
		if strings.EqualFold(key, name) && (as == "" || key < as) {
			found, as = value, key
		}
	}
	return found
}

// elements are an array's elements, one for any other value, none for nil.
func elements(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

// present reports whether a value is neither empty nor null (RFC 7644 table 3:
// "pr").
func present(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		for _, element := range v {
			if present(element) {
				return true
			}
		}
		return false
	case map[string]any:
		for _, inner := range v {
			if present(inner) {
				return true
			}
		}
		return false
	}
	return true
}

func compare(have any, op Op, want Value, exact bool) bool {
	switch {
	case op == OpNotEqual:
		return !compare(have, OpEqual, want, exact)
	case want.Kind == Null || op == OpEqual && want == Value{Kind: String}:
		return op == OpEqual && !present(have)
	}
	for _, element := range elements(have) {
		if object, ok := element.(map[string]any); ok {
			element = member(object, "value")
		}
		if compareOne(element, op, want, exact) {
			return true
		}
	}
	return false
}

// compareOne compares a value that is neither an array nor an object.
func compareOne(have any, op Op, want Value, exact bool) bool {
	switch have := have.(type) {
	case string:
		if have == "" {
			return false
		}
		if want.Kind == Boolean {
			is, ok := truth(Value{Kind: String, Text: have})
			return op == OpEqual && ok && is == want.Bool
		}
		return want.Kind == String && compareText(have, op, want.Text, exact)
	case bool:
		is, ok := truth(want)
		return op == OpEqual && ok && is == have
	case float64:
		number, err := strconv.ParseFloat(want.Text, 64)
		return want.Kind == Number && err == nil && ordered(op, cmp.Compare(have, number))
	case json.Number:
		return want.Kind == Number && compareNumber(have, op, want.Text)
	}
	return false
}

// compareNumber compares whole numbers as such, so that those beyond 2^53 stay
// apart, and others as floating point.
func compareNumber(have json.Number, op Op, want string) bool {
	a, errA := strconv.ParseInt(have.String(), 10, 64)
	b, errB := strconv.ParseInt(want, 10, 64)
	if errA == nil && errB == nil {
		return ordered(op, cmp.Compare(a, b))
	}
	x, errX := strconv.ParseFloat(have.String(), 64)
	y, errY := strconv.ParseFloat(want, 64)
	return errX == nil && errY == nil && ordered(op, cmp.Compare(x, y))
}

// compareText compares texts, and two that are times as times.
func compareText(have string, op Op, want string, exact bool) bool {
	if op != OpContains && op != OpStartsWith && op != OpEndsWith {
		a, errA := time.Parse(time.RFC3339Nano, have)
		b, errB := time.Parse(time.RFC3339Nano, want)
		if errA == nil && errB == nil {
			return ordered(op, a.Compare(b))
		}
	}
	if !exact {
		have, want = directory.FoldSearch(have), directory.FoldSearch(want)
	}
	switch op {
	case OpContains:
		return strings.Contains(have, want)
	case OpStartsWith:
		return strings.HasPrefix(have, want)
	case OpEndsWith:
		return strings.HasSuffix(have, want)
	}
	return ordered(op, cmp.Compare(have, want))
}

// ordered reports whether the result of a comparison is what an operator asks.
func ordered(op Op, c int) bool {
	switch op {
	case OpEqual:
		return c == 0
	case OpGreater:
		return c > 0
	case OpGreaterOrEqual:
		return c >= 0
	case OpLess:
		return c < 0
	case OpLessOrEqual:
		return c <= 0
	}
	return false
}
