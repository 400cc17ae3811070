package filter

import "strings"

// skip passes over blanks.
func (p *parser) skip() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// next passes over a byte if it comes next.
func (p *parser) next(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// span passes over the bytes of a class and returns them.
func (p *parser) span(class func(byte) bool) string {
	start := p.pos
	for p.pos < len(p.text) && class(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// word passes over a run of letters, digits, "-", "_" and "$".
func (p *parser) word() string { return p.span(nameByte) }

// keyword passes over blanks and a word, if that comes next.
func (p *parser) keyword(word string) bool {
	start := p.pos
	p.skip()
	if strings.EqualFold(p.span(pathByte), word) {
		return true
	}
	p.pos = start
	return false
}

// rest is what comes next, for a message.
func (p *parser) rest() string { return p.text[p.pos:] }

// found is what stands at a place, up to the next blank, for a message.
func (p *parser) found(at int) string {
	word, _, _ := strings.Cut(p.text[at:], " ")
	return word
}

// attribute reads a schema URN, an attribute and a sub-attribute. The name
// behind the last colon is the attribute; a URN may hold dots ("2.0").
func (p *parser) attribute() (Path, error) {
	start := p.pos
	word := p.span(pathByte)
	if word == "" {
		return Path{}, p.expected(start, p.rest(), "an attribute")
	}
	var path Path
	names := word
	if i := strings.LastIndexByte(word, ':'); i >= 0 {
		path.Schema, names = word[:i], word[i+1:]
		if !letter(word[0]) {
			return Path{}, wrong(KindSyntax, start, "A schema must begin with a letter.")
		}
	}
	p.pos -= len(names)
	if p.pos == start && reserved(names) {
		return Path{}, p.expected(start, names, "an attribute")
	}
	var err error
	if path.Attribute, err = p.name("attribute"); err != nil {
		return Path{}, err
	}
	if p.next('.') {
		if path.Sub, err = p.name("sub-attribute"); err != nil {
			return Path{}, err
		}
	}
	if p.pos < start+len(word) {
		return Path{}, wrong(KindSyntax, p.pos, "Nothing but a space, an operator or a bracket can follow %s.", quote(path.String()))
	}
	return path, nil
}

// reserved reports whether a word cannot be an attribute: it stands between
// conditions.
func reserved(word string) bool {
	return strings.EqualFold(word, "and") || strings.EqualFold(word, "or") || strings.EqualFold(word, "not")
}

// name reads one name (RFC 7644 figure 1, ATTRNAME; and "$ref").
func (p *parser) name(what string) (string, error) {
	start := p.pos
	name := p.word()
	if name == "" || !letter(name[0]) && (name[0] != '$' || len(name) == 1) {
		p.pos = start
		return "", wrong(KindSyntax, start, "The name of the %s must begin with a letter.", what)
	}
	return name, nil
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// nameByte is the class of names (nameChar of the grammar; "$" for "$ref").
func nameByte(c byte) bool {
	return letter(c) || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '$'
}

// pathByte is the class of URN, attribute and sub-attribute together.
func pathByte(c byte) bool {
	return nameByte(c) || strings.IndexByte(".:/%~+", c) >= 0
}

// expected is the error for something else than what must stand at a place.
func (p *parser) expected(pos int, found, want string) *Error {
	if found == "" {
		return wrong(KindSyntax, pos, "The text ends where %s is expected.", want)
	}
	return wrong(KindSyntax, pos, "%s is not %s.", quote(found), want)
}

// leftOver is the error for text behind a complete expression.
func (p *parser) leftOver() *Error {
	return wrong(KindSyntax, p.pos, "%s cannot stand here: and, or or the end is expected.", quote(p.rest()))
}
