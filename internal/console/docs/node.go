package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is a JSON value that keeps the order of its keys, since the authors of a
// description put its operations and fields in an order that means something. A
// nil node is an absent value, and every method takes it.
type node struct {
	scalar any // nil, bool, string or json.Number, where the next two are nil
	keys   []string
	fields map[string]*node // of an object
	items  []*node          // of an array
}

// maxDepth is far above the nesting of any description.
const maxDepth = 100

// parse reads one JSON value.
func parse(text []byte) (*node, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := read(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return value, nil
}

func read(decoder *json.Decoder, depth int) (*node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return &node{scalar: token}, nil
	}
	if depth == maxDepth {
		return nil, errors.New("the document is nested too deeply")
	}
	n := &node{}
	if delim == '{' {
		n.fields = map[string]*node{}
	} else {
		n.items = []*node{}
	}
	for decoder.More() {
		key := ""
		if delim == '{' {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			key, _ = token.(string) // a key of an object is nothing else
		}
		value, err := read(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		if delim == '[' {
			n.items = append(n.items, value)
			continue
		}
		if _, twice := n.fields[key]; twice {
			return nil, fmt.Errorf("the key %q is there twice", key)
		}
		n.keys = append(n.keys, key)
		n.fields[key] = value
	}
	_, err = decoder.Token() // the end of the object or array
	return n, err
}

// at is the value at a path of keys.
func (n *node) at(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		n = n.fields[key]
	}
	return n
}

// text is the string at a path of keys, or "".
func (n *node) text(path ...string) string {
	if n = n.at(path...); n != nil {
		text, _ := n.scalar.(string)
		return text
	}
	return ""
}

// is reports whether true is at a path of keys.
func (n *node) is(path ...string) bool {
	n = n.at(path...)
	return n != nil && n.scalar == true
}

// list are the elements at a path of keys.
func (n *node) list(path ...string) []*node {
	if n = n.at(path...); n != nil {
		return n.items
	}
	return nil
}

// names are the keys of the object at a path, in the document's order.
func (n *node) names(path ...string) []string {
	if n = n.at(path...); n != nil {
		return n.keys
	}
	return nil
}

// object reports whether the value is an object.
func (n *node) object() bool { return n != nil && n.fields != nil }

// String is the value as people read it: a string as it is, anything else as
// indented JSON.
func (n *node) String() string {
	if n == nil {
		return ""
	}
	if text, ok := n.scalar.(string); ok {
		return text
	}
	return n.json()
}

// json is the value as indented JSON, with the keys in their order.
func (n *node) json() string {
	var b strings.Builder
	n.write(&b, "\n")
	return b.String()
}

func (n *node) write(b *strings.Builder, newline string) {
	switch {
	case n.fields != nil:
		b.WriteByte('{')
		for i, key := range n.keys {
			separate(b, i, newline+"  ")
			b.WriteString(quote(key))
			b.WriteString(": ")
			n.fields[key].write(b, newline+"  ")
		}
		end(b, len(n.keys), newline, '}')
	case n.items != nil:
		b.WriteByte('[')
		for i, item := range n.items {
			separate(b, i, newline+"  ")
			item.write(b, newline+"  ")
		}
		end(b, len(n.items), newline, ']')
	default:
		b.WriteString(quote(n.scalar))
	}
}

func separate(b *strings.Builder, i int, newline string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString(newline)
}

func end(b *strings.Builder, n int, newline string, bracket byte) {
	if n > 0 {
		b.WriteString(newline)
	}
	b.WriteByte(bracket)
}

// quote is a scalar as JSON, with < and > as they are: html/template escapes.
func quote(scalar any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(scalar); err != nil {
		return "" // what a decoder read, an encoder writes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
