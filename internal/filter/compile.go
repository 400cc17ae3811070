package filter

import (
	"errors"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// Attribute compiles a condition on one attribute: an operator (OpPresent with
// the zero Value) and a value. Text, Integer, Time, Flag, States and Active make
// the usual ones; a door writes a function for anything else. Its errors are
// made by BadValue and BadOperator.
type Attribute func(op Op, value Value) (directory.Filter, error)

// Elements compiles the expression in the brackets of a value path.
type Elements func(inner Expr) (directory.Filter, error)

// Table says what a door's attributes are. Keys are paths in lower case:
// "username", "name.familyname"; those of extensions with their URN,
// "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:employeenumber".
type Table struct {
	// Schema is the URN that may be written before the attributes whose keys
	// have none; "" for no such URN.
	Schema     string
	Attributes map[string]Attribute
	// Elements are the multi-valued attributes that take a value path. An
	// attribute that is in both maps can be filtered both ways.
	Elements map[string]Elements
}

// Compile makes a condition of the core. An attribute that the table does not
// have, an operator that the attribute does not have and a value of the wrong
// kind are an *Error that names the attribute.
func Compile(e Expr, table Table) (directory.Filter, error) {
	switch e := e.(type) {
	case And:
		members, err := compileAll(e, table)
		return directory.And(members), err
	case Or:
		members, err := compileAll(e, table)
		return directory.Or(members), err
	case Not:
		inner, err := Compile(e.Expr, table)
		return directory.Not{Filter: inner}, err
	case Compare:
		return table.condition(e.Path, e.Pos, e.Op, e.Value)
	case Present:
		return table.condition(e.Path, e.Pos, OpPresent, Value{})
	case ValuePath:
		return table.elements(e)
	}
	return nil, wrong(KindSyntax, 0, "The filter is empty.")
}

func compileAll(members []Expr, table Table) ([]directory.Filter, error) {
	list := make([]directory.Filter, len(members))
	for i, m := range members {
		var err error
		if list[i], err = Compile(m, table); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Key is the path in lower case and without filter, as tables have it; a URN
// that equals schema is left out.
func (p Path) Key(schema string) string {
	name := p.Attribute
	if p.Schema != "" && !strings.EqualFold(p.Schema, schema) {
		name = p.Name()
	}
	if p.Sub != "" {
		name += "." + p.Sub
	}
	return strings.ToLower(name)
}

func (t Table) condition(path Path, pos int, op Op, value Value) (directory.Filter, error) {
	attribute, ok := t.Attributes[path.Key(t.Schema)]
	if !ok {
		return nil, t.unknown(path, pos)
	}
	f, err := compileCondition(attribute, op, value)
	return f, place(err, path, pos)
}

// compileCondition asks the attribute, and says what holds for all of them:
// "ne" is the contrary of "eq", so that it holds where nothing is set, and null
// is what is not present (RFC 7643 section 2.5).
func compileCondition(attribute Attribute, op Op, value Value) (directory.Filter, error) {
	negated := op == OpNotEqual
	if negated {
		op = OpEqual
	}
	if op != OpPresent && value.Kind == Null {
		if op != OpEqual {
			return nil, BadValue("can be compared with null by eq and ne alone.")
		}
		op, negated = OpPresent, !negated
	}
	f, err := attribute(op, value)
	if err != nil || !negated {
		return f, err
	}
	return directory.Not{Filter: f}, nil
}

func (t Table) elements(e ValuePath) (directory.Filter, error) {
	compile, ok := t.Elements[e.Path.Key(t.Schema)]
	if !ok {
		if _, ok := t.Attributes[e.Path.Key(t.Schema)]; ok {
			return nil, wrong(KindAttribute, e.Pos, "%s cannot be filtered with brackets.", e.Path)
		}
		return nil, t.unknown(e.Path, e.Pos)
	}
	f, err := compile(e.Expr)
	return f, place(err, e.Path, e.Pos)
}

// unknown is the error for an attribute that cannot be filtered by.
func (t Table) unknown(path Path, pos int) error {
	if _, ok := t.Elements[path.Key(t.Schema)]; ok {
		return wrong(KindAttribute, pos, "%s has several parts; name one of them, or filter it with brackets.", quote(path.String()))
	}
	return wrong(KindAttribute, pos, "%s is no attribute that can be filtered by.", quote(path.String()))
}

// place completes the error of a table's function with the attribute's name and
// the position. Errors of other types stay as they are.
func place(err error, path Path, pos int) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.place(path, pos)
	}
	return err
}

// OneElement serves a multi-valued attribute of which the core keeps one value:
// the expression in the brackets is compiled with a table of its sub-attributes,
// and holds only where there is a value.
func OneElement(present directory.Filter, sub map[string]Attribute) Elements {
	return func(inner Expr) (directory.Filter, error) {
		f, err := Compile(inner, Table{Attributes: sub})
		if err != nil {
			return nil, err
		}
		return directory.And{present, f}, nil
	}
}
