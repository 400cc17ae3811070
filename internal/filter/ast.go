package filter

import (
	"encoding/json"
	"strings"
)

// Expr is a parsed filter: And, Or, Not, Compare, Present or ValuePath. String
// is a text that parses to the same expression.
type Expr interface {
	String() string
	expr()
}

// And holds when all of its two or more members hold.
type And []Expr

// Or holds when one of its two or more members holds.
type Or []Expr

// Not holds when its member does not.
type Not struct{ Expr Expr }

// Compare compares an attribute with a value.
type Compare struct {
	Path  Path
	Op    Op
	Value Value
	Pos   int // where the condition begins
}

// Present holds when an attribute has a value (the operator pr).
type Present struct {
	Path Path
	Pos  int
}

// ValuePath holds when one and the same element of a multi-valued attribute
// fulfils the expression, whose paths are the element's sub-attributes.
type ValuePath struct {
	Path Path // without Filter and Sub
	Expr Expr
	Pos  int
}

// Path leads to an attribute: `userName`, `name.familyName`,
// `urn:ietf:params:scim:schemas:core:2.0:User:name.familyName`. Names have the
// letter case in which the client wrote them and are compared without it. The
// path of an extension itself is read as an attribute of the shorter URN:
// Schema `urn:ietf:params:scim:schemas:extension:enterprise:2.0`, Attribute
// `User`; Name puts them together again.
type Path struct {
	Schema    string // the URN without the last colon; "" for none
	Attribute string
	Filter    Expr // only of PATCH: which elements are meant; nil for all
	Sub       string
}

// Op is an operator.
type Op uint8

// The operators (RFC 7644 table 3).
const (
	OpEqual          Op = iota + 1 // eq
	OpNotEqual                     // ne
	OpContains                     // co
	OpStartsWith                   // sw
	OpEndsWith                     // ew
	OpGreater                      // gt
	OpGreaterOrEqual               // ge
	OpLess                         // lt
	OpLessOrEqual                  // le
	OpPresent                      // pr, without a value
)

var opNames = [...]string{OpEqual: "eq", OpNotEqual: "ne", OpContains: "co", OpStartsWith: "sw", OpEndsWith: "ew",
	OpGreater: "gt", OpGreaterOrEqual: "ge", OpLess: "lt", OpLessOrEqual: "le", OpPresent: "pr"}

// String is the operator's keyword.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return ""
}

// ValueKind is the JSON type of a value.
type ValueKind uint8

// The kinds of values.
const (
	Null ValueKind = iota
	String
	Number
	Boolean
)

// Value is what an attribute is compared with: a JSON literal. The zero Value
// is null.
type Value struct {
	Kind ValueKind
	Text string // of a String its text, of a Number its literal
	Bool bool   // of a Boolean
}

// String is the value as JSON.
func (v Value) String() string {
	switch v.Kind {
	case String:
		quoted, _ := json.Marshal(v.Text) // cannot fail for a string
		return string(quoted)
	case Number:
		return v.Text
	case Boolean:
		if v.Bool {
			return "true"
		}
		return "false"
	}
	return "null"
}

func (And) expr()       {}
func (Or) expr()        {}
func (Not) expr()       {}
func (Compare) expr()   {}
func (Present) expr()   {}
func (ValuePath) expr() {}

// String implements Expr.
func (e And) String() string { return join(e, " and ") }

// String implements Expr.
func (e Or) String() string { return join(e, " or ") }

// String implements Expr.
func (e Not) String() string { return "not (" + e.Expr.String() + ")" }

// String implements Expr.
func (e Compare) String() string {
	return e.Path.String() + " " + e.Op.String() + " " + e.Value.String()
}

// String implements Expr.
func (e Present) String() string { return e.Path.String() + " pr" }

// String implements Expr.
func (e ValuePath) String() string { return e.Path.String() + "[" + e.Expr.String() + "]" }

// join puts members side by side. Members that have members themselves stand
// in parentheses, which keeps the tree as it is; `and` in `or` needs none.
func join(members []Expr, with string) string {
	var b strings.Builder
	for i, m := range members {
		if i > 0 {
			b.WriteString(with)
		}
		_, isAnd := m.(And)
		_, isOr := m.(Or)
		if isOr || isAnd && with == " and " {
			b.WriteString("(" + m.String() + ")")
		} else {
			b.WriteString(m.String())
		}
	}
	return b.String()
}

// String is a text that ParsePath reads as the same path.
func (p Path) String() string {
	text := p.Name()
	if p.Filter != nil {
		text += "[" + p.Filter.String() + "]"
	}
	if p.Sub != "" {
		text += "." + p.Sub
	}
	return text
}

// Name is the path without filter and sub-attribute: the attribute behind its
// schema.
func (p Path) Name() string {
	if p.Schema == "" {
		return p.Attribute
	}
	return p.Schema + ":" + p.Attribute
}
