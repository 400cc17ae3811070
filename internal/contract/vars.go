package contract

import (
	"fmt"
	"regexp"
)

// variable is {name}. JSON never has it outside of a string, nor has a
// regular expression's repetition, which starts with a digit.
var variable = regexp.MustCompile(`\{[a-zA-Z_][a-zA-Z0-9_-]*\}`)

// vars are the variables of one script.
type vars map[string]string

// expand replaces variables; one that is not known is an error, {any} stays.
func (v vars) expand(text string) (string, error) {
	var unknown string
	text = variable.ReplaceAllStringFunc(text, func(m string) string {
		value, ok := v[m[1:len(m)-1]]
		switch {
		case ok:
			return value
		case m != anything && unknown == "":
			unknown = m
		}
		return m
	})
	if unknown != "" {
		return "", fmt.Errorf("no variable %s", unknown)
	}
	return text, nil
}

// expandRegexp makes a regular expression in which a variable's value stands
// for itself. What is no variable stays, as \p{Lu} looks like one.
func (v vars) expandRegexp(text string) (*regexp.Regexp, error) {
	return regexp.Compile(variable.ReplaceAllStringFunc(text, func(m string) string {
		if value, ok := v[m[1:len(m)-1]]; ok {
			return regexp.QuoteMeta(value)
		}
		return m
	}))
}
