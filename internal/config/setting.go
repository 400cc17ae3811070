package config

import (
	"reflect"
	"strings"
	"time"
)

// Setting describes one setting: everything that flags, documentation and
// error texts say about it.
type Setting struct {
	Key   string   // name in the file, as in read_timeout
	Env   string   // environment variable, as in USHER_READ_TIMEOUT
	Flag  string   // command line flag without its dashes, as in read-timeout
	Type  string   // text, list, boolean, number, size or duration
	OneOf []string // the allowed values; nil allows all
	Help  string

	min, max string
	from     string
	index    int // of the field in Config
}

// Settings lists all settings in the order of Config.
func Settings() []Setting {
	t := reflect.TypeFor[Config]()
	list := make([]Setting, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("key")
		list = append(list, Setting{
			Key:   key,
			Env:   envPrefix + strings.ToUpper(key),
			Flag:  strings.ReplaceAll(key, "_", "-"),
			Type:  typeName(f.Type),
			OneOf: strings.Fields(f.Tag.Get("oneof")),
			Help:  f.Tag.Get("help"),
			min:   f.Tag.Get("min"),
			max:   f.Tag.Get("max"),
			from:  f.Tag.Get("from"),
			index: i,
		})
	}
	return list
}

const envPrefix = "USHER_"

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Bytes]():
		return "size"
	case reflect.TypeFor[[]string]():
		return "list"
	case reflect.TypeFor[bool]():
		return "boolean"
	case reflect.TypeFor[int]():
		return "number"
	default:
		return "text"
	}
}

// mayComeFrom reports whether the setting is allowed in a place.
func (s Setting) mayComeFrom(o Origin) bool {
	return s.from == "" || o == OriginDefault || strings.Contains(s.from, string(o))
}

// nearest is the known key that a misspelt one most likely means, or "" when
// none is near.
func nearest(key string, settings []Setting) string {
	best, distance := "", len(key)/2+2
	for _, s := range settings {
		if d := editDistance(key, s.Key); d < distance {
			best, distance = s.Key, d
		}
	}
	return best
}

// editDistance is Levenshtein's: how many single-character edits lead from a
// to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
