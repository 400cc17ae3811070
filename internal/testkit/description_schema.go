package testkit

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The part of JSON Schema 2020-12 that the descriptions use. A keyword that is
// not here is a fault, so that nothing is passed over in silence.

// keyword checks a value against one keyword of a schema and returns what is
// wrong. at says where the value is.
type keyword func(d *description, schema object, arg, value any, at string) []string

// keywords are the keywords that say something about a value.
var keywords map[string]keyword

// annotations are the keywords that say nothing about whether a value fits.
// format is one of them in JSON Schema 2020-12.
var annotations = []string{"title", "description", "format", "examples", "default", "deprecated", "readOnly", "writeOnly", "xml",
	"contentMediaType", "externalDocs", "$comment"}

func init() { // not a composite literal: the keywords call each other
	keywords = map[string]keyword{
		"$ref": checkRef, "allOf": checkAllOf, "anyOf": checkAnyOf, "oneOf": checkOneOf,
		"type": checkType, "enum": checkEnum, "const": checkConst,
		"properties": checkProperties, "required": checkRequired, "additionalProperties": checkAdditional,
		"patternProperties": checkPatternProperties,
		"items":             checkItems, "minItems": bound(itemsOf, less), "maxItems": bound(itemsOf, more),
		"minProperties": bound(membersOf, less), "maxProperties": bound(membersOf, more),
		"minLength": bound(lengthOf, less), "maxLength": bound(lengthOf, more), "pattern": checkPattern,
		"minimum": limit(less), "maximum": limit(more),
	}
}

// faults is what is wrong with a value by a schema, nothing when it fits.
func (d *description) faults(schema, value any, at string) []string {
	switch schema := schema.(type) {
	case bool:
		if !schema {
			return []string{at + " must not be there"}
		}
		return nil
	case object:
		var all []string
		for _, name := range sorted(schema) {
			if check := keywords[name]; check != nil {
				all = append(all, check(d, schema, schema[name], value, at)...)
			} else if !slices.Contains(annotations, name) {
				all = append(all, fmt.Sprintf("%s: the keyword %q is unknown to this check", at, name))
			}
		}
		return all
	}
	return []string{fmt.Sprintf("%s: a schema is an object or a truth value, not %v", at, schema)}
}

func checkRef(d *description, schema object, _, value any, at string) []string {
	target, err := d.resolve(object{"$ref": schema["$ref"]})
	if err != nil {
		return []string{at + ": " + err.Error()}
	}
	return d.faults(target, value, at)
}

func checkAllOf(d *description, _ object, arg, value any, at string) []string {
	var all []string
	for _, schema := range asArray(arg) {
		all = append(all, d.faults(schema, value, at)...)
	}
	return all
}

// fitting is how many schemas a value fits, and what is wrong by the others.
func fitting(d *description, arg, value any, at string) (count int, faults []string) {
	for _, schema := range asArray(arg) {
		if wrong := d.faults(schema, value, at); len(wrong) > 0 {
			faults = append(faults, wrong...)
		} else {
			count++
		}
	}
	return count, faults
}

func checkAnyOf(d *description, _ object, arg, value any, at string) []string {
	if count, faults := fitting(d, arg, value, at); count == 0 {
		return append([]string{at + " fits none of anyOf"}, faults...)
	}
	return nil
}

func checkOneOf(d *description, _ object, arg, value any, at string) []string {
	if count, faults := fitting(d, arg, value, at); count != 1 {
		return append([]string{fmt.Sprintf("%s fits %d of oneOf", at, count)}, faults...)
	}
	return nil
}

// typeOf is the JSON Schema type of a value; "integer" is also a "number".
func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case object:
		return "object"
	case json.Number:
		if n, ok := new(big.Rat).SetString(value.String()); ok && n.IsInt() {
			return "integer"
		}
	}
	return "number"
}

func checkType(_ *description, _ object, arg, value any, at string) []string {
	wanted, have := asArray(arg), typeOf(value)
	if wanted == nil {
		wanted = []any{arg}
	}
	if slices.Contains(wanted, any(have)) || have == "integer" && slices.Contains(wanted, any("number")) {
		return nil
	}
	return []string{fmt.Sprintf("%s is of type %s, not %v: %v", at, have, arg, value)}
}

// same compares two JSON values; numbers by value.
func same(a, b any) bool {
	x, ok := a.(json.Number)
	y, both := b.(json.Number)
	if ok && both {
		return compare(x, y) == 0
	}
	return reflect.DeepEqual(a, b)
}

func checkEnum(_ *description, _ object, arg, value any, at string) []string {
	for _, allowed := range asArray(arg) {
		if same(allowed, value) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is none of %v: %v", at, arg, value)}
}

func checkConst(_ *description, _ object, arg, value any, at string) []string {
	if same(arg, value) {
		return nil
	}
	return []string{fmt.Sprintf("%s is not %v: %v", at, arg, value)}
}

func checkProperties(d *description, _ object, arg, value any, at string) []string {
	var all []string
	schemas, members := asObject(arg), asObject(value)
	for _, name := range sorted(schemas) {
		if member, ok := members[name]; ok {
			all = append(all, d.faults(schemas[name], member, at+"."+name)...)
		}
	}
	return all
}

func checkRequired(_ *description, _ object, arg, value any, at string) []string {
	members, ok := value.(object)
	if !ok {
		return nil
	}
	var all []string
	for _, name := range asArray(arg) {
		if _, ok := members[asText(name)]; !ok {
			all = append(all, fmt.Sprintf("%s.%v is missing", at, name))
		}
	}
	return all
}

func checkAdditional(d *description, schema object, arg, value any, at string) []string {
	var all []string
	members, known := asObject(value), asObject(schema["properties"])
	for _, name := range sorted(members) {
		if _, ok := known[name]; !ok && len(patternsOf(schema, name)) == 0 {
			all = append(all, d.faults(arg, members[name], at+"."+name)...)
		}
	}
	return all
}

// patternsOf are the patterns of patternProperties that a name matches; one that
// is no expression matches all, and is reported by checkPatternProperties.
func patternsOf(schema object, name string) []string {
	var matching []string
	for _, pattern := range sorted(asObject(schema["patternProperties"])) {
		if compiled, err := regexp.Compile(pattern); err != nil || compiled.MatchString(name) {
			matching = append(matching, pattern)
		}
	}
	return matching
}

func checkPatternProperties(d *description, schema object, arg, value any, at string) []string {
	var all []string
	for _, pattern := range sorted(asObject(arg)) {
		if _, err := regexp.Compile(pattern); err != nil {
			all = append(all, at+": "+err.Error())
		}
	}
	members := asObject(value)
	for _, name := range sorted(members) {
		for _, pattern := range patternsOf(schema, name) {
			all = append(all, d.faults(asObject(arg)[pattern], members[name], at+"."+name)...)
		}
	}
	return all
}

func checkItems(d *description, _ object, arg, value any, at string) []string {
	var all []string
	for i, item := range asArray(value) {
		all = append(all, d.faults(arg, item, fmt.Sprintf("%s[%d]", at, i))...)
	}
	return all
}

// The sizes of values that have one.
func lengthOf(value any) (int, bool) {
	text, ok := value.(string)
	return utf8.RuneCountInString(text), ok
}

func itemsOf(value any) (int, bool) {
	items, ok := value.([]any)
	return len(items), ok
}

func membersOf(value any) (int, bool) {
	members, ok := value.(object)
	return len(members), ok
}

// bound makes the check of a limit on a size: refused is what compare says of
// one that is beyond it.
func bound(size func(any) (int, bool), refused int) keyword {
	return func(d *description, schema object, arg, value any, at string) []string {
		if n, ok := size(value); ok {
			return limit(refused)(d, schema, arg, json.Number(strconv.Itoa(n)), "the size of "+at)
		}
		return nil
	}
}

// limit makes the check of a limit on a number.
func limit(refused int) keyword {
	return func(_ *description, _ object, arg, value any, at string) []string {
		number, ok := value.(json.Number)
		limit, isNumber := arg.(json.Number)
		switch {
		case !ok:
		case !isNumber:
			return []string{fmt.Sprintf("%s: the limit %v is no number", at, arg)}
		case compare(number, limit) == refused:
			return []string{fmt.Sprintf("%s is beyond %s: %s", at, limit, number)}
		}
		return nil
	}
}

func checkPattern(_ *description, _ object, arg, value any, at string) []string {
	text, ok := value.(string)
	if !ok {
		return nil
	}
	pattern, err := regexp.Compile(asText(arg))
	if err != nil {
		return []string{at + ": " + err.Error()}
	}
	if !pattern.MatchString(text) {
		return []string{fmt.Sprintf("%s does not match %v: %q", at, arg, text)}
	}
	return nil
}

// What compare says.
const (
	less = -1
	more = 1
)

// compare compares two numbers of a JSON text.
func compare(a, b json.Number) int {
	x, _ := new(big.Rat).SetString(a.String())
	y, _ := new(big.Rat).SetString(b.String())
	return x.Cmp(y)
}
