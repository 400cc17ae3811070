package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// Write prints the settings in force as a YAML file, one a line with its
// origin as comment, secrets and passwords redacted. What it prints can be
// read back, the redacted values aside.
func (l Loaded) Write(w io.Writer) error {
	value := reflect.ValueOf(l.Config)
	for _, s := range Settings() {
		name := s.Key
		if !s.mayComeFrom(OriginFile) {
			name = "# " + name
		}
		if _, err := fmt.Fprintf(w, "%s: %s  # %s\n", name, yamlValue(s, value.Field(s.index)), l.Origins[s.Key]); err != nil {
			return err
		}
	}
	return nil
}

// yamlValue writes a value so that YAML reads it back as it is: texts in JSON's
// quotes, which YAML shares.
func yamlValue(s Setting, field reflect.Value) string {
	switch v := field.Interface().(type) {
	case []string:
		quoted := make([]string, len(v))
		for i, text := range v {
			quoted[i] = strconv.Quote(text)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case string:
		if s.Key == "database" {
			v = RedactDatabase(v)
		}
		return strconv.Quote(v)
	case Secret:
		return strconv.Quote(v.String())
	default:
		return format(field)
	}
}

// Markdown is the reference of all settings, docs/config.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	defaults := reflect.ValueOf(Default())
	for _, s := range Settings() {
		help := s.Help
		if !s.mayComeFrom(OriginFlag) {
			help += "; not a flag, since others see a process's flags"
		}
		if len(s.OneOf) > 0 {
			help += ": `" + strings.Join(s.OneOf, "`, `") + "`"
		}
		if s.min != "" {
			help += "; " + s.rangeText(defaults.Field(s.index).Type())
		}
		text := format(defaults.Field(s.index))
		if text != "" {
			text = "`" + text + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Key, s.Type, text, help)
	}
	return b.String()
}

func (s Setting) rangeText(t reflect.Type) string {
	least, most := s.bounds()
	low, high := reflect.New(t).Elem(), reflect.New(t).Elem()
	low.SetInt(least)
	high.SetInt(most)
	return format(low) + " to " + format(high)
}

const markdownHead = `# Settings

This page is generated from the Config struct; a test fails when it is out of date
(` + "`go test ./internal/config -update`" + ` writes it anew).

A setting has one name in three spellings: ` + "`read_timeout`" + ` in the YAML file, ` + "`USHER_READ_TIMEOUT`" + ` in the
environment, ` + "`--read-timeout`" + ` as a flag. Flags override variables, variables override the file, the file overrides
the defaults. An empty variable counts as not set. An unknown key or ` + "`USHER_`" + ` variable is an error, so that a
misspelt one cannot go unnoticed. (In Kubernetes, a Service named ` + "`usher`" + ` makes such variables: set
` + "`enableServiceLinks: false`" + `.)

` + "`usher config`" + ` prints the settings in force and where each came from.

Durations have a unit (` + "`500ms`, `30s`, `2m`" + `), sizes may have one (` + "`65536`, `64KiB`, `1MiB`" + `), lists are YAML lists
or texts with commas.

| key | type | default | what it does |
| --- | --- | --- | --- |
`
