package contract

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// element is an XML element. Space between elements means nothing, and CDATA is
// text like any other.
type element struct {
	name       string
	attributes map[string]string
	children   []*element
	text       string
}

// parseXML reads one XML document.
func parseXML(text string) (*element, error) {
	// The stack's bottom stands for the document.
	stack := []*element{{}}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e, err := newElement(token)
			if err != nil {
				return nil, err
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 || top.name != qualified(token.Name) {
				return nil, fmt.Errorf("the end tag %s ends nothing", qualified(token.Name))
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
	document := stack[0]
	if len(stack) > 1 {
		return nil, fmt.Errorf("the element %s has no end", stack[len(stack)-1].name)
	}
	if len(document.children) != 1 || strings.TrimSpace(document.text) != "" {
		return nil, errors.New("a document is one element")
	}
	root := document.children[0]
	root.trim()
	return root, nil
}

func newElement(start xml.StartElement) (*element, error) {
	e := &element{name: qualified(start.Name), attributes: map[string]string{}}
	for _, a := range start.Attr {
		name := qualified(a.Name)
		if _, twice := e.attributes[name]; twice {
			return nil, fmt.Errorf("the attribute %s occurs twice in %s", name, e.name)
		}
		e.attributes[name] = a.Value
	}
	return e, nil
}

// qualified is a name as it is written.
func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// trim drops the space between elements.
func (e *element) trim() {
	if len(e.children) > 0 {
		e.text = strings.TrimSpace(e.text)
	}
	for _, child := range e.children {
		child.trim()
	}
}

// xmlPath is /a/b[2]/c or /a/b/@c.
var xmlPath = regexp.MustCompile(`^(?:/[A-Za-z_][A-Za-z0-9_.:-]*(?:\[[1-9][0-9]{0,6}\])?)+(?:/@[A-Za-z_][A-Za-z0-9_.:-]*)?$`)

// xmlValues are the texts that a path leads to, in the order of the document,
// and how many there are.
func xmlValues(root *element, path string) []string {
	document := &element{children: []*element{root}}
	found := []*element{document}
	for step := range strings.SplitSeq(path[1:], "/") {
		if name, ok := strings.CutPrefix(step, "@"); ok {
			var values []string
			for _, e := range found {
				if value, ok := e.attributes[name]; ok {
					values = append(values, value)
				}
			}
			return values
		}
		found = descend(found, step)
	}
	values := make([]string, len(found))
	for i, e := range found {
		values[i] = e.text
	}
	return values
}

// descend goes one step, a name or name[2], from each of several elements.
func descend(from []*element, step string) []*element {
	name, rest, counted := strings.Cut(step, "[")
	number, _ := strconv.Atoi(strings.TrimSuffix(rest, "]")) // xmlPath has digits there
	var next []*element
	for _, e := range from {
		seen := 0
		for _, child := range e.children {
			if child.name != name {
				continue
			}
			if seen++; !counted || seen == number {
				next = append(next, child)
			}
		}
	}
	return next
}

// differXML says where two elements differ; "" when they do not. In what is
// wanted, the text {any} matches any text and stands for elements too.
func differXML(path string, want, got *element) string {
	path += "/" + want.name
	if want.name != got.name {
		return fmt.Sprintf("%s is the element %s", path, got.name)
	}
	for _, name := range slices.Sorted(maps.Keys(want.attributes)) {
		value, ok := got.attributes[name]
		if !ok {
			return fmt.Sprintf("%s/@%s is absent", path, name)
		}
		if w := want.attributes[name]; w != anything && w != value {
			return fmt.Sprintf("%s/@%s is %q, want %q", path, name, value, w)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.attributes)) {
		if _, ok := want.attributes[name]; !ok {
			return fmt.Sprintf("%s/@%s is not wanted", path, name)
		}
	}
	if want.text == anything && len(want.children) == 0 {
		return ""
	}
	if want.text != got.text {
		return fmt.Sprintf("%s is %q, want %q", path, got.text, want.text)
	}
	for i, child := range want.children {
		if i == len(got.children) {
			return fmt.Sprintf("%s has no element %s at place %d", path, child.name, i+1)
		}
		if diff := differXML(path, child, got.children[i]); diff != "" {
			return diff
		}
	}
	if n := len(want.children); len(got.children) > n {
		return fmt.Sprintf("%s has the element %s, which is not wanted", path, got.children[n].name)
	}
	return ""
}

// parseXMLDirective reads "xml == document" and "xml /path ...".
func parseXMLDirective(d *directive, rest string, s *script) error {
	if strings.HasPrefix(rest, "== ") {
		if err := parseOp(d, rest); err != nil {
			return err
		}
		if _, ok := s.files[d.value]; ok || variable.MatchString(strings.ReplaceAll(d.value, anything, "")) {
			return nil
		}
		if _, err := parseXML(d.value); err != nil {
			return fmt.Errorf("%q is neither XML nor a file section: %w", d.value, err)
		}
		return nil
	}
	path, rest, _ := strings.Cut(rest, " ")
	if d.target = path; !xmlPath.MatchString(path) {
		return fmt.Errorf("want == or a path as in /a/b[2]/@c, got %q", path)
	}
	switch word, arg, _ := strings.Cut(strings.TrimSpace(rest), " "); word {
	case "absent":
		d.op = word
		if arg != "" {
			return fmt.Errorf("nothing follows absent, got %q", arg)
		}
		return nil
	case "len":
		d.op, d.value = word, strings.TrimSpace(arg)
		if n, err := strconv.Atoi(d.value); err != nil || n < 0 {
			return fmt.Errorf("%q is no length", d.value)
		}
		return nil
	}
	return parseOp(d, rest)
}

// checkXML runs an xml directive.
func (r *runner) checkXML(d *directive, a *answer) error {
	root, err := parseXML(a.body)
	if err != nil {
		return fmt.Errorf("the body is no XML: %w", err)
	}
	if d.target == "" {
		return r.checkDocument(d, root)
	}
	values := xmlValues(root, d.target)
	switch d.op {
	case "absent":
		if len(values) > 0 {
			return fmt.Errorf("%s is %q, want it absent", d.target, values[0])
		}
		return nil
	case "len":
		if strconv.Itoa(len(values)) != d.value {
			return fmt.Errorf("%s occurs %d times, want %s", d.target, len(values), d.value)
		}
		return nil
	}
	if len(values) == 0 {
		return fmt.Errorf("%s is absent", d.target)
	}
	matches, want, err := r.matcher(d)
	if err == nil && !matches(values[0]) {
		err = fmt.Errorf("%s is %q, want %s %q", d.target, values[0], d.op, want)
	}
	return err
}

// checkDocument compares the whole body.
func (r *runner) checkDocument(d *directive, got *element) error {
	text, isFile := r.script.section(d.value)
	if !isFile {
		text = d.value
	}
	text, err := r.vars.expand(text)
	if err != nil {
		return err
	}
	want, err := parseXML(text)
	if err != nil {
		return fmt.Errorf("what the script wants: %w: %s", err, shorten(text))
	}
	if diff := differXML("", want, got); diff != "" {
		return errors.New(diff)
	}
	return nil
}
