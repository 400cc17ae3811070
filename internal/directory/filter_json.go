package directory

import (
	"encoding/json"
	"fmt"
	"time"
)

// StoredFilter is a filter that can be kept: its JSON has one member for each
// condition, named by what it is, {"and": [{"text": {"field": "title", "op":
// "starts_with", "value": "Engineer"}}, {"state": ["active"]}]}. The zero value is no
// filter.
type StoredFilter struct{ Filter Filter }

// filterNode is one condition; exactly one member is set.
type filterNode struct {
	And      *[]filterNode `json:"and,omitempty"`
	Or       *[]filterNode `json:"or,omitempty"`
	Not      *filterNode   `json:"not,omitempty"`
	Text     *filterTest   `json:"text,omitempty"`
	Present  *filterTest   `json:"present,omitempty"`
	Compare  *filterTest   `json:"compare,omitempty"`
	When     *filterTest   `json:"when,omitempty"`
	Is       *filterTest   `json:"is,omitempty"`
	Extra    *filterTest   `json:"extra,omitempty"`
	AnyPhone *filterTest   `json:"any_phone,omitempty"`
	External *filterTest   `json:"external_id,omitempty"`
	State    *[]State      `json:"state,omitempty"`
	Extras   *string       `json:"extras_of,omitempty"` // name of a door
}

// filterTest is what a condition compares; each uses some of the members.
type filterTest struct {
	Field      string    `json:"field,omitempty"`
	Path       []string  `json:"path,omitempty"`
	Op         string    `json:"op,omitempty"`
	Value      string    `json:"value,omitempty"`
	Number     int64     `json:"number,omitempty"`
	Time       time.Time `json:"time,omitzero"`
	Flag       bool      `json:"flag,omitempty"`
	Type       *string   `json:"type,omitempty"` // of a phone; null: any
	Credential string    `json:"credential,omitempty"`
}

var (
	operatorNames = [...]string{OpEqual: "equals", OpPrefix: "starts_with", OpSuffix: "ends_with", OpContains: "contains"}
	orderNames    = [...]string{Less: "lt", LessOrEqual: "le", Equal: "eq", GreaterOrEqual: "ge", Greater: "gt"}
)

// IsZero reports that there is no filter.
func (f StoredFilter) IsZero() bool { return f.Filter == nil }

// MarshalJSON implements json.Marshaler.
func (f StoredFilter) MarshalJSON() ([]byte, error) {
	if f.Filter == nil {
		return []byte("null"), nil
	}
	node, err := nodeOf(f.Filter)
	if err != nil {
		return nil, err
	}
	return json.Marshal(node)
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *StoredFilter) UnmarshalJSON(text []byte) error {
	var node *filterNode
	if err := json.Unmarshal(text, &node); err != nil {
		return err
	}
	if node == nil {
		f.Filter = nil
		return nil
	}
	filter, err := node.filter()
	f.Filter = filter
	return err
}

// nodeOf is a filter as it is kept.
func nodeOf(f Filter) (n filterNode, err error) {
	switch f := f.(type) {
	case And:
		n.And, err = nodesOf(f)
	case Or:
		n.Or, err = nodesOf(f)
	case Not:
		var inner filterNode
		inner, err = nodeOf(f.Filter)
		n.Not = &inner
	case Text:
		n.Text = &filterTest{Field: f.Field.String(), Op: operatorNames[f.Op], Value: f.Value}
	case Present:
		n.Present = &filterTest{Field: f.Field.String()}
	case Compare:
		n.Compare = &filterTest{Field: f.Field.String(), Op: orderNames[f.Order], Number: f.Value}
	case When:
		n.When = &filterTest{Field: f.Field.String(), Op: orderNames[f.Order], Time: f.Value}
	case Is:
		n.Is = &filterTest{Field: f.Field.String(), Flag: f.Value}
	case Extra:
		n.Extra = &filterTest{Path: f.Path, Op: operatorNames[f.Op], Value: f.Value}
	case AnyPhone:
		n.AnyPhone = &filterTest{Op: operatorNames[f.Op], Value: f.Value}
		if !f.AnyType {
			n.AnyPhone.Type = &f.Type
		}
	case External:
		n.External = &filterTest{Credential: f.Credential, Op: operatorNames[f.Op], Value: f.Value}
	case InState:
		list := append([]State{}, f.States.list()...) // not null
		n.State = &list
	case HasExtras:
		name := f.Door.String()
		n.Extras = &name
	default:
		err = fmt.Errorf("directory: a filter of the type %T cannot be kept", f)
	}
	return n, err
}

func nodesOf(list []Filter) (*[]filterNode, error) {
	nodes := make([]filterNode, len(list))
	for i := range list {
		var err error
		if nodes[i], err = nodeOf(list[i]); err != nil {
			return nil, err
		}
	}
	return &nodes, nil
}

// filter is the condition that a node keeps.
func (n *filterNode) filter() (Filter, error) {
	switch {
	case n.And != nil:
		list, err := filtersOf(*n.And)
		return And(list), err
	case n.Or != nil:
		list, err := filtersOf(*n.Or)
		return Or(list), err
	case n.Not != nil:
		inner, err := n.Not.filter()
		return Not{inner}, err
	case n.State != nil:
		return InState{StatesOf(*n.State...)}, nil
	case n.Extras != nil:
		door := doorNamed(*n.Extras)
		if door == 0 {
			return nil, fmt.Errorf("directory: a condition that is kept names the unknown door %q", *n.Extras)
		}
		return HasExtras{door}, nil
	}
	return n.test()
}

// test is the condition of a node that has no others in it.
func (n *filterNode) test() (f Filter, err error) {
	switch {
	case n.Text != nil:
		field, op := readField(n.Text, &err), readName(operatorNames[:], n.Text.Op, &err)
		f = Text{Field: field, Op: Operator(op), Value: n.Text.Value}
	case n.Present != nil:
		f = Present{readField(n.Present, &err)}
	case n.Compare != nil:
		field, order := readField(n.Compare, &err), readName(orderNames[:], n.Compare.Op, &err)
		f = Compare{Field: field, Order: Order(order), Value: n.Compare.Number}
	case n.When != nil:
		field, order := readField(n.When, &err), readName(orderNames[:], n.When.Op, &err)
		f = When{Field: field, Order: Order(order), Value: n.When.Time}
	case n.Is != nil:
		f = Is{readField(n.Is, &err), n.Is.Flag}
	case n.Extra != nil:
		f = Extra{Path: n.Extra.Path, Op: Operator(readName(operatorNames[:], n.Extra.Op, &err)), Value: n.Extra.Value}
	case n.AnyPhone != nil:
		phone := AnyPhone{AnyType: n.AnyPhone.Type == nil, Op: Operator(readName(operatorNames[:], n.AnyPhone.Op, &err)), Value: n.AnyPhone.Value}
		if !phone.AnyType {
			phone.Type = *n.AnyPhone.Type
		}
		f = phone
	case n.External != nil:
		f = External{Credential: n.External.Credential, Op: Operator(readName(operatorNames[:], n.External.Op, &err)), Value: n.External.Value}
	default:
		err = fmt.Errorf("directory: a condition that is kept says nothing")
	}
	return f, err
}

func filtersOf(nodes []filterNode) ([]Filter, error) {
	list := make([]Filter, len(nodes))
	for i := range nodes {
		var err error
		if list[i], err = nodes[i].filter(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readField is the field that a condition names.
func readField(t *filterTest, err *error) Field {
	f, known := fieldsByName[t.Field]
	if !known {
		*err = fmt.Errorf("directory: a condition that is kept names the unknown field %q", t.Field)
	}
	return f
}

// readName is the place of a name in a list.
func readName(names []string, name string, err *error) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	*err = fmt.Errorf("directory: a condition that is kept has the unknown comparison %q", name)
	return 0
}
