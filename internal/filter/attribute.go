package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// textOps are the operators that the core has for texts.
var textOps = map[Op]directory.Operator{OpEqual: directory.OpEqual, OpContains: directory.OpContains,
	OpStartsWith: directory.OpPrefix, OpEndsWith: directory.OpSuffix}

// orders are the operators that the core has for numbers and times.
var orders = map[Op]directory.Order{OpEqual: directory.Equal, OpGreater: directory.Greater,
	OpGreaterOrEqual: directory.GreaterOrEqual, OpLess: directory.Less, OpLessOrEqual: directory.LessOrEqual}

// Text is an attribute that is a text field of the core. It has no order: which
// text comes before which depends on a language.
func Text(field directory.Field) Attribute {
	return func(op Op, value Value) (directory.Filter, error) {
		if op == OpPresent {
			return directory.Present{Field: field}, nil
		}
		how, ok := textOps[op]
		if !ok {
			return nil, BadOperator(op)
		}
		if value.Kind != String {
			return nil, BadValue("must be compared with a text in double quotes.")
		}
		if op != OpEqual && folded(field, value.Text) == "" {
			// Every text contains the empty one; where there is no text, nothing
			// contains it.
			return directory.Present{Field: field}, nil
		}
		return directory.Text{Field: field, Op: how, Value: value.Text}, nil
	}
}

// folded is a text as the core compares it with a field.
func folded(field directory.Field, text string) string {
	if directory.FoldedField(field) {
		return directory.FoldSearch(text)
	}
	return text
}

// Integer is an attribute that is an integer field of the core, in which 0 is
// none.
func Integer(field directory.Field) Attribute {
	set := directory.Not{Filter: directory.Compare{Field: field, Order: directory.Equal}}
	return func(op Op, value Value) (directory.Filter, error) {
		if op == OpPresent {
			return set, nil
		}
		order, ok := orders[op]
		if !ok {
			return nil, BadOperator(op)
		}
		n, err := strconv.ParseInt(value.Text, 10, 64)
		if value.Kind != Number || err != nil {
			return nil, BadValue("must be compared with a whole number.")
		}
		compare := directory.Compare{Field: field, Order: order, Value: n}
		if compare.Match(&directory.User{}) { // 0 would do too, which is none
			return directory.And{set, compare}, nil
		}
		return compare, nil
	}
}

// Time is an attribute that is a time field of the core; values are RFC 3339
// texts (RFC 7643 section 2.3.5).
func Time(field directory.Field) Attribute {
	return func(op Op, value Value) (directory.Filter, error) {
		if op == OpPresent {
			return directory.Present{Field: field}, nil
		}
		order, ok := orders[op]
		if !ok {
			return nil, BadOperator(op)
		}
		when, err := time.Parse(time.RFC3339Nano, value.Text)
		if value.Kind != String || err != nil {
			return nil, BadValue("must be compared with a time such as \"2026-05-13T04:42:34Z\".")
		}
		return directory.When{Field: field, Order: order, Value: when.UTC()}, nil
	}
}

// Flag is an attribute that is a flag of the core. Every user has it.
func Flag(field directory.Field) Attribute {
	return flag(func(value bool) directory.Filter { return directory.Is{Field: field, Value: value} })
}

// Active is a boolean attribute that is true in any of the states.
func Active(states directory.StateSet) Attribute {
	in := directory.InState{States: states}
	return flag(func(value bool) directory.Filter {
		if value {
			return in
		}
		return directory.Not{Filter: in}
	})
}

func flag(is func(bool) directory.Filter) Attribute {
	return func(op Op, value Value) (directory.Filter, error) {
		switch op {
		case OpPresent:
			return directory.And{}, nil
		case OpEqual:
		default:
			return nil, BadOperator(op)
		}
		b, ok := truth(value)
		if !ok {
			return nil, BadValue("must be compared with true or false.")
		}
		return is(b), nil
	}
}

// truth is a boolean, also one that a client sends as a text ("True").
func truth(v Value) (is, ok bool) {
	if v.Kind == Boolean {
		return v.Bool, true
	}
	if v.Kind != String {
		return false, false
	}
	return strings.EqualFold(v.Text, "true"), strings.EqualFold(v.Text, "true") || strings.EqualFold(v.Text, "false")
}

// States is a text attribute whose words are states; keys in lower case. Every
// user has it.
func States(words map[string]directory.StateSet) Attribute {
	return func(op Op, value Value) (directory.Filter, error) {
		switch op {
		case OpPresent:
			return directory.And{}, nil
		case OpEqual:
		default:
			return nil, BadOperator(op)
		}
		states, ok := words[strings.ToLower(value.Text)]
		if value.Kind != String || !ok {
			return nil, BadValue("must be compared with one of the texts %s.", strings.Join(slices.Sorted(maps.Keys(words)), ", "))
		}
		return directory.InState{States: states}, nil
	}
}
