package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// node is a JSON value that remembers the order of keys and the text of
// numbers, which encoding/json's own values do not.
type node struct {
	kind   byte // '{', '[', '"', '0' for a number, 't', 'f', 'n'
	text   string
	keys   []string // of an object, in order
	values []*node  // of an object, beside keys, or of an array
}

// anything is the string that matches any value in JSON that a script wants.
const anything = "{any}"

// parseNode reads one JSON value and nothing after it.
func parseNode(text string) (*node, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	if !json.Valid([]byte(text)) {
		var v any
		return nil, json.Unmarshal([]byte(text), &v)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, err := readNode(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON")
	}
	return n, nil
}

func readNode(d *json.Decoder) (*node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return readArray(d)
		}
		return readObject(d)
	case string:
		return &node{kind: '"', text: t}, nil
	case json.Number:
		return &node{kind: '0', text: t.String()}, nil
	case bool:
		if t {
			return &node{kind: 't', text: "true"}, nil
		}
		return &node{kind: 'f', text: "false"}, nil
	}
	return &node{kind: 'n', text: "null"}, nil
}

func readArray(d *json.Decoder) (*node, error) {
	n := &node{kind: '['}
	for d.More() {
		v, err := readNode(d)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
	}
	_, err := d.Token()
	return n, err
}

func readObject(d *json.Decoder) (*node, error) {
	n := &node{kind: '{'}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		if seen[key] {
			return nil, fmt.Errorf("the key %q occurs twice", key)
		}
		seen[key] = true
		v, err := readNode(d)
		if err != nil {
			return nil, err
		}
		n.keys, n.values = append(n.keys, key), append(n.values, v)
	}
	_, err := d.Token()
	return n, err
}

// get is the value of a key, nil when absent.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.values[i]
		}
	}
	return nil
}

// String is the value as JSON without spaces.
func (n *node) String() string {
	var b bytes.Buffer
	n.write(&b)
	return b.String()
}

func (n *node) write(b *bytes.Buffer) {
	switch n.kind {
	case '"':
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		_ = e.Encode(n.text) // a string always encodes
		b.Truncate(b.Len() - 1)
	case '{', '[':
		b.WriteByte(n.kind)
		for i, v := range n.values {
			if i > 0 {
				b.WriteByte(',')
			}
			if n.kind == '{' {
				(&node{kind: '"', text: n.keys[i]}).write(b)
				b.WriteByte(':')
			}
			v.write(b)
		}
		b.WriteByte(n.kind + 2) // the closing brace and bracket in ASCII
	default:
		b.WriteString(n.text)
	}
}

// plain is the value as a person would write it: a string without quotes.
func (n *node) plain() string {
	if n.kind == '"' {
		return n.text
	}
	return n.String()
}

// length counts elements, keys or characters; ok is false for other values.
func (n *node) length() (count int, ok bool) {
	switch n.kind {
	case '{', '[':
		return len(n.values), true
	case '"':
		return len([]rune(n.text)), true
	}
	return 0, false
}

// differ compares got with want and says where they first differ, "" if they
// are equal. Every key is named by its path, so that one look is enough.
func differ(path string, want, got *node) string {
	if want.kind == '"' && want.text == anything {
		return ""
	}
	if want.kind != got.kind {
		return fmt.Sprintf("%s is %s, want %s", path, got, want)
	}
	switch want.kind {
	case '{':
		return differObject(path, want, got)
	case '[':
		if len(want.values) != len(got.values) {
			return fmt.Sprintf("%s has %d elements, want %d", path, len(got.values), len(want.values))
		}
		for i := range want.values {
			if d := differ(path+"["+strconv.Itoa(i)+"]", want.values[i], got.values[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if want.text != got.text {
		return fmt.Sprintf("%s is %s, want %s", path, got, want)
	}
	return ""
}

func differObject(path string, want, got *node) string {
	for i, key := range want.keys {
		v := got.get(key)
		if v == nil {
			return fmt.Sprintf("%s is absent, want %s", join(path, key), want.values[i])
		}
		if d := differ(join(path, key), want.values[i], v); d != "" {
			return d
		}
	}
	for i, key := range got.keys {
		if want.get(key) == nil {
			return fmt.Sprintf("%s is %s, want it absent", join(path, key), got.values[i])
		}
	}
	return ""
}

// join adds a key to a path, in the form that cutPath reads.
func join(path, key string) string {
	if isName(key) {
		return path + "." + key
	}
	return path + "[" + strconv.Quote(key) + "]"
}
