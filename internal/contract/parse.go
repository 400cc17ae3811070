package contract

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// script is a parsed contract file.
type script struct {
	name  string // the file's path, for messages
	cases []scase
	archive
}

// scase is one request and its directives.
type scase struct {
	line         int // of the request line
	method, path string
	directives   []directive
}

// directive is one line of a case: its verb, and up to three parts whose
// meaning the verb defines.
type directive struct {
	line   int
	verb   verb
	target string // header name, JSON path, variable name
	op     string // "==", "~", "absent", "len", "empty"
	value  string // the rest of the line
}

// verb is the kind of a directive.
type verb string

const (
	verbAs        verb = "as"
	verbReqHeader verb = "reqheader"
	verbReqBody   verb = "reqbody"
	verbCode      verb = "code"
	verbHeader    verb = "header"
	verbNoHeader  verb = "noheader"
	verbBody      verb = "body"
	verbJSON      verb = "json"
	verbKeys      verb = "keys"
	verbXML       verb = "xml"
	verbNoCookie  verb = "nocookie"
	verbCapture   verb = "capture"
)

// parsers has one function per verb, which reads the rest of the line.
var parsers = map[verb]func(d *directive, rest string, s *script) error{
	verbAs:        parseAs,
	verbReqHeader: parseReqHeader,
	verbReqBody:   parseReqBody,
	verbCode:      parseCode,
	verbHeader:    parseHeader,
	verbNoHeader:  parseNoHeader,
	verbBody:      parseBody,
	verbJSON:      parseJSON,
	verbKeys:      parseKeys,
	verbXML:       parseXMLDirective,
	verbNoCookie:  parseNoHeader, // one name
	verbCapture:   parseCapture,
}

// parse reads a contract file. Its errors start with file:line.
func parse(name, text string) (*script, error) {
	s := &script{name: name, archive: parseArchive(text)}
	if s.again != "" {
		return nil, fmt.Errorf("%s: file section %q occurs twice", name, s.again)
	}
	var current *scase
	number := 0
	for line := range strings.Lines(s.head) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "":
			current = nil
		case trimmed[0] == '#':
		case current == nil:
			c, err := parseRequest(number, trimmed)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, number, err)
			}
			s.cases = append(s.cases, c)
			current = &s.cases[len(s.cases)-1]
		default:
			d, err := parseDirective(number, line, s)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, number, err)
			}
			current.directives = append(current.directives, d)
		}
	}
	return s, s.check()
}

// check refuses cases that cannot fail and scripts without any.
func (s *script) check() error {
	if len(s.cases) == 0 {
		return fmt.Errorf("%s: no cases", s.name)
	}
	for _, c := range s.cases {
		checks, once := 0, map[verb]bool{}
		for _, d := range c.directives {
			switch d.verb {
			case verbAs, verbReqBody:
				if once[d.verb] {
					return fmt.Errorf("%s:%d: a second %q in one case", s.name, d.line, d.verb)
				}
				once[d.verb] = true
			case verbReqHeader:
			default:
				checks++
			}
		}
		if checks == 0 {
			return fmt.Errorf("%s:%d: the case checks nothing", s.name, c.line)
		}
	}
	return nil
}

var requestLine = regexp.MustCompile(`^([A-Z]+) ((?:/|\{[a-zA-Z_][a-zA-Z0-9_-]*\})[!-~\x{80}-\x{10FFFF}]*)$`)

// parseRequest reads "METHOD path". A path is one word that starts with a
// slash or is a variable.
func parseRequest(line int, text string) (scase, error) {
	m := requestLine.FindStringSubmatch(text)
	if m == nil {
		return scase{}, fmt.Errorf("want a request line METHOD /path, got %q", text)
	}
	if strings.HasPrefix(m[2], "//") {
		return scase{}, fmt.Errorf("path %q: the client cannot send one that starts with two slashes", m[2])
	}
	return scase{line: line, method: m[1], path: m[2]}, nil
}

func parseDirective(number int, line string, s *script) (directive, error) {
	line = strings.TrimLeft(line, " \t")
	word, rest, _ := strings.Cut(line, " ")
	d := directive{line: number}
	if word == "reqbody:" {
		// The one verb with a colon: all that follows is the body.
		d.verb, d.op, d.value = verbReqBody, "inline", rest
		return d, nil
	}
	if word == verbForm+":" || word == verbMultipart+":" {
		d.verb = verb(strings.TrimSuffix(word, ":"))
		return d, parseForm(&d, rest)
	}
	d.verb = verb(strings.TrimSpace(word))
	p, ok := parsers[d.verb]
	if !ok {
		return d, fmt.Errorf("unknown directive %q", word)
	}
	if err := p(&d, strings.TrimLeft(rest, " "), s); err != nil {
		return d, fmt.Errorf("%s: %w", d.verb, err)
	}
	return d, nil
}

func parseAs(d *directive, rest string, _ *script) error {
	d.value = strings.TrimSpace(rest)
	if !isName(d.value) {
		return fmt.Errorf("want the name of a variable or none, got %q", rest)
	}
	return nil
}

func parseReqHeader(d *directive, rest string, _ *script) error {
	name, value, ok := strings.Cut(rest, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return fmt.Errorf("want Name: value, got %q", rest)
	}
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "trailer":
		return fmt.Errorf("the client sets %s itself", name)
	}
	d.target, d.value = name, strings.TrimSpace(value)
	return nil
}

func parseReqBody(d *directive, rest string, s *script) error {
	d.op, d.value = "file", strings.TrimSpace(rest)
	if _, ok := s.files[d.value]; !ok {
		return fmt.Errorf("no file section %q", d.value)
	}
	return nil
}

func parseCode(d *directive, rest string, _ *script) error {
	value, ok := strings.CutPrefix(rest, "== ")
	if !ok {
		return fmt.Errorf("want == and a status, got %q", rest)
	}
	d.op, d.value = "==", strings.TrimSpace(value)
	if n, err := strconv.Atoi(d.value); err != nil || n < 100 || n > 999 {
		return fmt.Errorf("%q is no status", d.value)
	}
	return nil
}

func parseHeader(d *directive, rest string, _ *script) error {
	name, rest, _ := strings.Cut(rest, " ")
	if name == "" {
		return fmt.Errorf("want Name == value or Name ~ regexp")
	}
	d.target = name
	return parseOp(d, rest)
}

func parseNoHeader(d *directive, rest string, _ *script) error {
	d.target = strings.TrimSpace(rest)
	if d.target == "" || strings.ContainsAny(d.target, " \t:") {
		return fmt.Errorf("want one header name, got %q", rest)
	}
	return nil
}

func parseBody(d *directive, rest string, _ *script) error {
	if strings.TrimSpace(rest) == "empty" {
		d.op = "empty"
		return nil
	}
	return parseOp(d, rest)
}

func parseJSON(d *directive, rest string, s *script) error {
	if strings.HasPrefix(rest, "== ") {
		d.target = "$"
		return parseOpJSON(d, rest, s)
	}
	path, rest, err := cutPath(rest)
	if err != nil {
		return err
	}
	d.target = path
	switch word, arg, _ := strings.Cut(strings.TrimSpace(rest), " "); word {
	case "absent":
		d.op, d.value = word, strings.TrimSpace(arg)
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
	return parseOpJSON(d, rest, s)
}

// parseOpJSON is parseOp for a right side that is JSON or a file section. JSON
// with variables can be checked only once they are known.
func parseOpJSON(d *directive, rest string, s *script) error {
	if err := parseOp(d, rest); err != nil {
		return err
	}
	if d.op != "==" || variable.MatchString(strings.ReplaceAll(d.value, anything, "")) {
		return nil
	}
	if _, ok := s.files[d.value]; ok {
		return nil
	}
	if _, err := parseNode(d.value); err != nil {
		return fmt.Errorf("%q is neither JSON nor a file section: %w", d.value, err)
	}
	return nil
}

func parseKeys(d *directive, rest string, _ *script) error {
	path, rest, err := cutPath(rest)
	if err != nil {
		return err
	}
	d.target = path
	if err := parseOp(d, rest); err != nil {
		return err
	}
	if d.op != "==" {
		return fmt.Errorf("want ==, got %q", d.op)
	}
	return nil
}

func parseCapture(d *directive, rest string, _ *script) error {
	name, source, ok := strings.Cut(rest, " = ")
	d.target, d.value = strings.TrimSpace(name), strings.TrimSpace(source)
	if !ok || !isName(d.target) || "{"+d.target+"}" == anything {
		return fmt.Errorf("want name = $.path, name = header Name or name = body, got %q", rest)
	}
	if done, err := parseCaptureXML(d); done {
		return err
	}
	switch header, isHeader := strings.CutPrefix(d.value, "header "); {
	case isHeader:
		d.op, d.value = "header", strings.TrimSpace(header)
		return nil
	case d.value == "body":
		d.op = "body"
		return nil
	}
	path, rest, err := cutPath(d.value)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("nothing follows the path, got %q", rest)
	}
	d.op, d.value = "json", path
	return err
}

// parseCaptureXML reads the sources "xml /path" and "cookie NAME".
func parseCaptureXML(d *directive) (done bool, err error) {
	word, arg, _ := strings.Cut(d.value, " ")
	arg = strings.TrimSpace(arg)
	switch {
	case word != "xml" && word != "cookie":
		return false, nil
	case word == "xml" && !xmlPath.MatchString(arg):
		return true, fmt.Errorf("want a path as in /a/b[2]/@c, got %q", arg)
	case arg == "":
		return true, fmt.Errorf("want the name of a cookie")
	}
	d.op, d.value = word, arg
	return true, nil
}

// parseOp reads "== value" or "~ regexp". Only the one space behind the
// operator is taken off, so that a value may start with spaces.
func parseOp(d *directive, rest string) error {
	rest = strings.TrimLeft(rest, " ")
	op, value, ok := strings.Cut(rest, " ")
	d.op, d.value = op, value
	switch {
	case op != "==" && op != "~":
		return fmt.Errorf("want == or ~, got %q", op)
	case !ok || value == "":
		return fmt.Errorf("nothing follows %s", op)
	case op == "~":
		if _, err := regexp.Compile(value); err != nil {
			return err
		}
	}
	return nil
}

var nameOnly = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_-]*$`)

func isName(s string) bool { return nameOnly.MatchString(s) }
