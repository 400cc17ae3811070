package contract

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// step is one key or one index of a path.
type step struct {
	key   string
	index int // -1 for a key
}

var stepText = regexp.MustCompile(`^(?:\.([^\s.\[\]"]+)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\])`)

// cutPath takes a path ($.a.b[0]["odd key"]) off the front of text.
func cutPath(text string) (path, rest string, err error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return "", "", fmt.Errorf("want a path that starts with $, got %q", text)
	}
	for rest != "" && rest[0] != ' ' {
		m := stepText.FindString(rest)
		if m == "" {
			return "", "", fmt.Errorf("bad path %q at %q", text, rest)
		}
		rest = rest[len(m):]
	}
	path = text[:len(text)-len(rest)]
	_, err = steps(path)
	return path, rest, err
}

// steps reads a path that cutPath has cut.
func steps(path string) ([]step, error) {
	var list []step
	for rest := strings.TrimPrefix(path, "$"); rest != ""; {
		m := stepText.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("bad path %q", path)
		}
		rest = rest[len(m[0]):]
		switch {
		case m[1] != "":
			list = append(list, step{key: m[1], index: -1})
		case m[2] != "":
			i, err := strconv.Atoi(m[2])
			if err != nil {
				return nil, err
			}
			list = append(list, step{index: i})
		default:
			key, err := strconv.Unquote(m[3])
			if err != nil {
				return nil, fmt.Errorf("bad key %s in path %q", m[3], path)
			}
			list = append(list, step{key: key, index: -1})
		}
	}
	return list, nil
}

// lookup is the value at a path, nil when any part of it is absent.
func lookup(n *node, path string) (*node, error) {
	list, err := steps(path)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		switch {
		case s.index < 0 && n.kind == '{':
			n = n.get(s.key)
		case s.index >= 0 && n.kind == '[' && s.index < len(n.values):
			n = n.values[s.index]
		default:
			return nil, nil
		}
		if n == nil {
			return nil, nil
		}
	}
	return n, nil
}
