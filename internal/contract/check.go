package contract

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer is what came back.
type answer struct {
	status int
	line   string
	header http.Header
	body   string

	parsed    *node // of the body, once asked for
	parsedErr error
}

// maxShown is how much of a body a message shows.
const maxShown = 4 << 10

// String is the answer for messages: status line, sorted header, body.
func (a *answer) String() string {
	var b strings.Builder
	b.WriteString(a.line)
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range a.header[name] {
			b.WriteString("\n\t" + name + ": " + v)
		}
	}
	b.WriteString("\n\n\t")
	body := a.body
	if len(body) > maxShown {
		body = body[:maxShown] + fmt.Sprintf("... (%d bytes in all)", len(a.body))
	}
	b.WriteString(strings.ReplaceAll(body, "\n", "\n\t"))
	return b.String()
}

// json is the body as JSON.
func (a *answer) json() (*node, error) {
	if a.parsed == nil && a.parsedErr == nil {
		a.parsed, a.parsedErr = parseNode(a.body)
		if a.parsedErr != nil {
			a.parsedErr = fmt.Errorf("the body is no JSON: %w", a.parsedErr)
		}
	}
	return a.parsed, a.parsedErr
}

// check runs one directive on the answer; those about the request pass.
func (r *runner) check(d *directive, a *answer) error {
	switch d.verb {
	case verbCode:
		if strconv.Itoa(a.status) != d.value {
			return fmt.Errorf("code is %d, want %s", a.status, d.value)
		}
	case verbHeader:
		return r.checkHeader(d, a)
	case verbNoHeader:
		if v := values(a.header, d.target); len(v) > 0 {
			return fmt.Errorf("header %s is %q, want none", d.target, v)
		}
	case verbBody:
		return r.checkBody(d, a)
	case verbJSON:
		return r.checkJSON(d, a)
	case verbKeys:
		return r.checkKeys(d, a)
	case verbXML:
		return r.checkXML(d, a)
	case verbNoCookie:
		if value, ok := a.cookie(d.target); ok {
			return fmt.Errorf("the cookie %s is set to %q, want it not set", d.target, value)
		}
	case verbCapture:
		return r.capture(d, a)
	}
	return nil
}

// values are a header's values, whatever its letter case.
func values(h http.Header, name string) []string { return h[http.CanonicalHeaderKey(name)] }

func (r *runner) checkHeader(d *directive, a *answer) error {
	have := values(a.header, d.target)
	matches, want, err := r.matcher(d)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, matches) {
		return nil
	}
	if len(have) == 0 {
		return fmt.Errorf("header %s is absent, want %s %q", d.target, d.op, want)
	}
	return fmt.Errorf("header %s is %q, want %s %q", d.target, have, d.op, want)
}

// matcher makes the test of "== value" and "~ regexp".
func (r *runner) matcher(d *directive) (matches func(string) bool, want string, err error) {
	if d.op == "~" {
		re, err := r.vars.expandRegexp(d.value)
		if err != nil {
			return nil, "", err
		}
		return re.MatchString, re.String(), nil
	}
	want, err = r.vars.expand(d.value)
	return func(s string) bool { return s == want }, want, err
}

func (r *runner) checkBody(d *directive, a *answer) error {
	switch d.op {
	case "empty":
		if a.body != "" {
			return fmt.Errorf("body has %d bytes, want it empty", len(a.body))
		}
		return nil
	case "==":
		text, isFile := r.script.section(d.value)
		if !isFile {
			text = escapes.Replace(d.value)
		}
		want, err := r.vars.expand(text)
		if err == nil && a.body != want {
			err = fmt.Errorf("body is %q, want %q", shorten(a.body), shorten(want))
		}
		return err
	}
	matches, want, err := r.matcher(d)
	if err == nil && !matches(a.body) {
		err = fmt.Errorf("body does not match %s", want)
	}
	return err
}

// escapes are those of "body ==".
var escapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\\`, `\`)

// shorten cuts a text for the first line of a message.
func shorten(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

// at is the value that the directive's path leads to; nil where there is none.
func (a *answer) at(d *directive) (*node, error) {
	root, err := a.json()
	if err != nil {
		return nil, err
	}
	return lookup(root, d.target)
}

func (r *runner) checkJSON(d *directive, a *answer) error {
	got, err := a.at(d)
	switch {
	case err != nil:
		return err
	case d.op == "absent":
		if got != nil {
			return fmt.Errorf("%s is %s, want it absent", d.target, got)
		}
		return nil
	case got == nil:
		return fmt.Errorf("%s is absent", d.target)
	case d.op == "len":
		return checkLength(d, got)
	case d.op == "~":
		return r.checkText(d, got)
	}
	want, err := r.wanted(d.value)
	if err != nil {
		return err
	}
	if diff := differ(d.target, want, got); diff != "" {
		return errors.New(diff)
	}
	return nil
}

func checkLength(d *directive, got *node) error {
	n, ok := got.length()
	if !ok {
		return fmt.Errorf("%s is %s, which has no length", d.target, got)
	}
	if strconv.Itoa(n) != d.value {
		return fmt.Errorf("%s has length %d, want %s", d.target, n, d.value)
	}
	return nil
}

func (r *runner) checkText(d *directive, got *node) error {
	matches, want, err := r.matcher(d)
	if err != nil {
		return err
	}
	if (got.kind != '"' && got.kind != '0') || !matches(got.text) {
		return fmt.Errorf("%s is %s, want a match of %s", d.target, got, want)
	}
	return nil
}

// wanted is the JSON of a file section or of the line.
func (r *runner) wanted(value string) (*node, error) {
	text, isFile := r.script.section(value)
	if !isFile {
		text = value
	}
	text, err := r.vars.expand(text)
	if err != nil {
		return nil, err
	}
	n, err := parseNode(text)
	if err != nil {
		return nil, fmt.Errorf("what the script wants: %w: %s", err, shorten(text))
	}
	return n, nil
}

func (r *runner) checkKeys(d *directive, a *answer) error {
	got, err := a.at(d)
	switch {
	case err != nil:
		return err
	case got == nil:
		return fmt.Errorf("%s is absent", d.target)
	case got.kind != '{':
		return fmt.Errorf("%s is %s, which has no keys", d.target, got)
	}
	want, err := r.vars.expand(d.value)
	if err != nil {
		return err
	}
	if keys := strings.Join(got.keys, ","); keys != want {
		return fmt.Errorf("keys of %s are %s, want %s", d.target, keys, want)
	}
	return nil
}

// capture sets a variable from the answer.
func (r *runner) capture(d *directive, a *answer) error {
	switch d.op {
	case "header":
		have := values(a.header, d.value)
		if len(have) == 0 {
			return fmt.Errorf("header %s is absent: nothing to capture", d.value)
		}
		r.vars[d.target] = have[0]
		return nil
	case "body":
		if a.body == "" {
			return errors.New("the body is empty: nothing to capture")
		}
		r.vars[d.target] = a.body
		return nil
	case "cookie":
		value, ok := a.cookie(d.value)
		if !ok {
			return fmt.Errorf("the cookie %s is not set: nothing to capture", d.value)
		}
		r.vars[d.target] = value
		return nil
	case "xml":
		root, err := parseXML(a.body)
		if err != nil {
			return fmt.Errorf("the body is no XML: %w", err)
		}
		values := xmlValues(root, d.value)
		if len(values) == 0 {
			return fmt.Errorf("%s is absent: nothing to capture", d.value)
		}
		r.vars[d.target] = values[0]
		return nil
	}
	root, err := a.json()
	if err != nil {
		return err
	}
	got, err := lookup(root, d.value)
	if err != nil {
		return err
	}
	if got == nil {
		return fmt.Errorf("%s is absent: nothing to capture", d.value)
	}
	r.vars[d.target] = got.plain()
	return nil
}
