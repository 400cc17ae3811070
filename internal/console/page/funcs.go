package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// funcs are what templates can call beside the built-in functions.
func (k *Kit) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":    k.assetURL,
		"dict":     dict,
		"list":     func(items ...any) []any { return items },
		"path":     Link,
		"csrf":     func(f *frame) template.HTML { return csrfInput(f.CSRF) },
		"number":   Number,
		"time":     Moment,
		"day":      func(t time.Time) string { return t.UTC().Format("2006-01-02") },
		"ago":      func(t time.Time) string { return Ago(time.Since(t)) },
		"fullName": func(u directory.User) string { return FullName(&u) },
		"state":    func(s directory.State) string { return string(s) },
		"json":     indented,
		"percent":  percent,
		"plural":   Plural,
		"free":     func(p directory.Pool) int64 { return max(0, p.Total-p.Used) },
		"rejected": func(r directory.BulkRun) int64 {
			return r.Counts[directory.RowConflict] + r.Counts[directory.RowInvalid]
		},
		"counted":  func(r directory.BulkRun, v string) int64 { return r.Counts[directory.Verdict(v)] },
		"version":  func() string { return k.Options.Version },
		"join":     strings.Join,
		"selected": func(have, want any) bool { return fmt.Sprint(have) == fmt.Sprint(want) },
	}
}

// dict makes a map of names and values, so that a template can be called with several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a name without a value")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// Link is the address of a page: a path below Path, whose further arguments are pairs
// of query parameters; empty values are left out.
func Link(path string, query ...any) string {
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if value := fmt.Sprint(query[i+1]); value != "" {
			q.Add(fmt.Sprint(query[i]), value)
		}
	}
	if len(q) == 0 {
		return Path + path
	}
	return Path + path + "?" + q.Encode()
}

func csrfInput(token string) template.HTML {
	return template.HTML(`<input type="hidden" name="` + csrfField + `" value="` + template.HTMLEscapeString(token) + `">`)
}

// Number writes a number with spaces between its thousands.
func Number(n any) string {
	text := fmt.Sprint(n)
	if _, err := strconv.ParseInt(text, 10, 64); err != nil {
		return text
	}
	sign := ""
	if text[0] == '-' {
		sign, text = "−", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return sign + text
}

// Moment writes a time in UTC; a zero time is a dash.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// Ago writes how long ago something was, roughly.
func Ago(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + strings.TrimSuffix(Ago(-d), " ago")
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// indented writes JSON for people; what is none is written as it is.
func indented(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		v = any(raw)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}

// percent is part of whole in 100, 0 to 100.
func percent(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	return min(100, max(0, part*100/whole))
}

// Plural writes a number with a noun.
func Plural(n any, one, many string) string {
	if fmt.Sprint(n) == "1" {
		return "1 " + one
	}
	return Number(n) + " " + many
}
