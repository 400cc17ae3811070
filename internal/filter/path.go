package filter

// ParsePath reads the path of a PATCH operation (RFC 7644 figure 7): an
// attribute, a sub-attribute, or a value filter with or without a
// sub-attribute behind it. The error is an *Error of the kind syntax or limit.
func ParsePath(text string, limits Limits) (Path, error) {
	p, err := newParser(text, "path", limits)
	if err != nil {
		return Path{}, err
	}
	p.skip()
	path, err := p.attribute()
	if err != nil {
		return Path{}, err
	}
	if p.next('[') {
		if path.Filter, err = p.brackets(path); err != nil {
			return Path{}, err
		}
		if p.next('.') {
			if path.Sub, err = p.name("sub-attribute"); err != nil {
				return Path{}, err
			}
		}
	}
	if p.skip(); p.pos < len(p.text) {
		return Path{}, wrong(KindSyntax, p.pos, "%s cannot stand here: the path should end.", quote(p.rest()))
	}
	return path, nil
}
