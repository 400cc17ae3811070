package filter

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Limits bound what a filter or path may cost. A zero field is its default.
type Limits struct {
	Length     int // bytes of the text; 8192
	Depth      int // nested parentheses and brackets; 32
	Conditions int // comparisons and pr; 200
}

// The defaults of Limits. Depth and conditions are those of the core's own
// conditions.
const (
	DefaultLength     = 8192
	DefaultDepth      = 32
	DefaultConditions = 200
)

// Parse reads a filter. The error is an *Error of the kind syntax or limit.
func Parse(text string, limits Limits) (Expr, error) {
	p, err := newParser(text, "filter", limits)
	if err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos < len(p.text) {
		return nil, p.leftOver()
	}
	return e, nil
}

// parser is one pass over a text by recursive descent: or, and, term.
type parser struct {
	text       string
	pos        int
	limits     Limits
	depth      int
	conditions int
	inBrackets bool
}

func newParser(text, what string, limits Limits) (*parser, error) {
	if limits.Length == 0 {
		limits.Length = DefaultLength
	}
	if limits.Depth == 0 {
		limits.Depth = DefaultDepth
	}
	if limits.Conditions == 0 {
		limits.Conditions = DefaultConditions
	}
	if len(text) > limits.Length {
		return nil, wrong(KindLimit, limits.Length, "The %s is longer than %d bytes.", what, limits.Length)
	}
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return nil, wrong(KindSyntax, i, "The %s is not valid UTF-8.", what)
		}
	}
	return &parser{text: text, limits: limits}, nil
}

// or reads conditions between which stands "or".
func (p *parser) or() (Expr, error) {
	members, err := p.list("or", p.and)
	if len(members) == 1 {
		return members[0], err
	}
	return Or(members), err
}

// and reads conditions between which stands "and", which binds tighter.
func (p *parser) and() (Expr, error) {
	members, err := p.list("and", p.term)
	if len(members) == 1 {
		return members[0], err
	}
	return And(members), err
}

func (p *parser) list(keyword string, member func() (Expr, error)) ([]Expr, error) {
	var members []Expr
	for {
		m, err := member()
		if err != nil {
			return nil, err
		}
		members = append(members, m)
		if !p.keyword(keyword) {
			return members, nil
		}
	}
}

// term reads a condition, or an expression in parentheses with or without
// "not".
func (p *parser) term() (Expr, error) {
	p.skip()
	if p.next('(') {
		return p.nested(')')
	}
	if p.keyword("not") {
		if p.skip(); !p.next('(') {
			return nil, wrong(KindSyntax, p.pos, "A parenthesis must follow not.")
		}
		e, err := p.nested(')')
		return Not{e}, err
	}
	return p.condition()
}

// nested reads an expression and the bracket that closes it; the opening one
// has been read.
func (p *parser) nested(closing byte) (Expr, error) {
	opened := p.pos - 1
	if p.depth++; p.depth > p.limits.Depth {
		return nil, wrong(KindLimit, opened, "The filter is nested more than %d deep.", p.limits.Depth)
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.pos == len(p.text) {
		return nil, wrong(KindSyntax, opened, "The bracket %s is never closed.", quote(p.text[opened:opened+1]))
	}
	if !p.next(closing) {
		return nil, p.leftOver()
	}
	p.depth--
	return e, nil
}

// condition reads a comparison, pr or a value path.
func (p *parser) condition() (Expr, error) {
	start := p.pos
	path, err := p.attribute()
	if err != nil {
		return nil, err
	}
	if p.conditions++; p.conditions > p.limits.Conditions {
		return nil, wrong(KindLimit, start, "The filter has more than %d conditions.", p.limits.Conditions)
	}
	if !p.next('[') {
		return p.comparison(path, start)
	}
	p.conditions-- // what stands in the brackets counts
	inner, err := p.brackets(path)
	if err != nil {
		return nil, err
	}
	if !p.next('.') {
		return ValuePath{Path: path, Expr: inner, Pos: start}, nil
	}
	// Not in the grammar, but sent: the sub-attribute is one more condition on
	// the same element.
	at := p.pos
	sub, err := p.name("sub-attribute")
	if err != nil {
		return nil, err
	}
	if p.conditions++; p.conditions > p.limits.Conditions {
		return nil, wrong(KindLimit, at, "The filter has more than %d conditions.", p.limits.Conditions)
	}
	last, err := p.comparison(Path{Attribute: sub}, at)
	return ValuePath{Path: path, Expr: And{inner, last}, Pos: start}, err
}

// brackets reads a value filter up to its end; its "[" has been read.
func (p *parser) brackets(of Path) (Expr, error) {
	if p.inBrackets || of.Sub != "" {
		return nil, wrong(KindSyntax, p.pos-1, "A filter in brackets belongs behind an attribute, not behind a sub-attribute.")
	}
	p.inBrackets = true
	inner, err := p.nested(']')
	p.inBrackets = false
	return inner, err
}

// comparison reads operator and value behind a path.
func (p *parser) comparison(path Path, start int) (Expr, error) {
	end := p.pos
	p.skip()
	at := p.pos
	word := p.word()
	op := operator(word)
	if op == 0 || at == end {
		return nil, p.expected(at, p.found(at), "an operator behind "+quote(path.String())+" (eq, ne, co, sw, ew, gt, ge, lt, le or pr)")
	}
	if op == OpPresent {
		return Present{Path: path, Pos: start}, nil
	}
	end = p.pos
	if p.skip(); end == p.pos && p.pos < len(p.text) {
		return nil, wrong(KindSyntax, p.pos, "A space must follow the operator %s.", op)
	}
	value, err := p.value()
	return Compare{Path: path, Op: op, Value: value, Pos: start}, err
}

// operator finds an operator, 0 for none.
func operator(word string) Op {
	for op := OpEqual; op <= OpPresent; op++ {
		if strings.EqualFold(opNames[op], word) {
			return op
		}
	}
	return 0
}

// value reads a JSON literal; true, false and null in any letter case.
func (p *parser) value() (Value, error) {
	start := p.pos
	if p.next('"') {
		return p.quoted(start)
	}
	word := p.span(func(c byte) bool { return nameByte(c) || c == '.' || c == '+' })
	switch {
	case strings.EqualFold(word, "true"):
		return Value{Kind: Boolean, Bool: true}, nil
	case strings.EqualFold(word, "false"):
		return Value{Kind: Boolean}, nil
	case strings.EqualFold(word, "null"):
		return Value{Kind: Null}, nil
	case word != "" && json.Valid([]byte(word)):
		return Value{Kind: Number, Text: word}, nil
	}
	return Value{}, p.expected(start, p.found(start), "a value (a text in double quotes, a number, true, false or null)")
}

// quoted reads a JSON string whose quote at start has been read.
func (p *parser) quoted(start int) (Value, error) {
	for p.pos < len(p.text) && p.text[p.pos] != '"' {
		if p.text[p.pos] == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.text) {
		return Value{}, wrong(KindSyntax, start, "The text that begins here has no end: a double quote is missing.")
	}
	p.pos++
	v := Value{Kind: String}
	if json.Unmarshal([]byte(p.text[start:p.pos]), &v.Text) != nil {
		return Value{}, wrong(KindSyntax, start, "The text that begins here is not a JSON string.")
	}
	return v, nil
}
