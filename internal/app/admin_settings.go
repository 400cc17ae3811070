package app

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// A tenant's settings are set by key: the names of a member of
// directory.Settings in JSON with dots between, and behind them the key of an
// entry where the member is a map. The struct is walked, so that a member which
// is added to it can be set without a change here.

// setting is one member of the settings that can be set.
type setting struct {
	key   string
	value reflect.Value // settable; a map stands for all its entries
}

// settingsOf lists the members below a struct, in its order. The tag
// setting:"fixed" leaves one out.
func settingsOf(v reflect.Value, prefix string) []setting {
	var list []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported(), name == "-", f.Tag.Get("setting") == "fixed":
		case f.Anonymous && name == "":
			list = append(list, settingsOf(v.Field(i), prefix)...)
		case v.Field(i).Kind() == reflect.Struct && !isText(v.Field(i)):
			list = append(list, settingsOf(v.Field(i), prefix+name+".")...)
		default:
			list = append(list, setting{prefix + name, v.Field(i)})
		}
	}
	return list
}

// isText reports whether a value reads itself from text.
func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// setSetting sets the member that a key names; an empty text gives it its
// default.
func setSetting(s *directory.Settings, key, text string) error {
	for _, member := range settingsOf(reflect.ValueOf(s).Elem(), "") {
		if member.value.Kind() == reflect.Map {
			if entry, ok := strings.CutPrefix(key, member.key+"."); ok {
				return setEntry(member.value, key, entry, text)
			}
		}
		if member.key != key {
			continue
		}
		if member.value.Kind() == reflect.Map && text != "" {
			return fmt.Errorf("%s: name what it is for, as in %s.NAME=%s", key, key, text)
		}
		return setValue(member.value, key, text)
	}
	return fmt.Errorf("%s: unknown key; the keys are %s", key, strings.Join(TenantKeys(), ", "))
}

// setEntry sets or removes an entry of a map. The map is replaced, since
// others may hold it.
func setEntry(m reflect.Value, key, entry, text string) error {
	next := reflect.MakeMap(m.Type())
	for _, k := range m.MapKeys() {
		next.SetMapIndex(k, m.MapIndex(k))
	}
	name := reflect.ValueOf(entry).Convert(m.Type().Key())
	if text == "" {
		next.SetMapIndex(name, reflect.Value{})
	} else {
		value := reflect.New(m.Type().Elem()).Elem()
		if err := setValue(value, key, text); err != nil {
			return err
		}
		next.SetMapIndex(name, value)
	}
	if next.Len() == 0 {
		next = reflect.Zero(m.Type())
	}
	m.Set(next)
	return nil
}

// setValue sets a value to what a text says, or to its default where the text
// is empty. With an error it stays as it is.
func setValue(v reflect.Value, key, text string) error {
	next := reflect.New(v.Type()).Elem()
	if text != "" {
		if err := parseValue(next, key, text); err != nil {
			return err
		}
	}
	v.Set(next)
	return nil
}

// parseValue reads a text as the value's type has it; what is neither a text, a
// boolean, a number nor a list of texts is read as JSON.
func parseValue(v reflect.Value, key, text string) error {
	var err error
	switch target := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		if err = target.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	case *time.Duration:
		if *target, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%s: not a duration, as in 90s or 12h", key)
		}
		return nil
	case *[]string:
		*target = splitList(text)
		return nil
	case *bool:
		*target, err = parseBool(key, text)
		return err
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return errNotNumber(key)
		}
		v.SetInt(n)
	default:
		if json.Unmarshal([]byte(text), v.Addr().Interface()) != nil {
			return fmt.Errorf("%s: not the JSON that belongs here", key)
		}
	}
	return nil
}

func errNotNumber(key string) error { return fmt.Errorf("%s: not a whole number", key) }

func parseBool(key, text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("%s: write true or false", key)
	}
	return text == "true", nil
}

// splitList is a list that was written with commas.
func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// settingPairs are the settings as KEY=VALUE, of maps the entries that there
// are. Each can be given back to setSetting.
func settingPairs(s directory.Settings) []string {
	var pairs []string
	for _, member := range settingsOf(reflect.ValueOf(&s).Elem(), "") {
		if member.value.Kind() != reflect.Map {
			pairs = append(pairs, member.key+"="+valueText(member.value))
			continue
		}
		entries := map[string]string{}
		for _, k := range member.value.MapKeys() {
			entries[k.String()] = valueText(member.value.MapIndex(k))
		}
		for _, entry := range slices.Sorted(maps.Keys(entries)) {
			pairs = append(pairs, member.key+"."+entry+"="+entries[entry])
		}
	}
	return pairs
}

// valueText writes what setValue reads.
func valueText(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case []string:
		return strings.Join(value, ",")
	case fmt.Stringer, bool: // durations and whatever writes itself as text
		return fmt.Sprint(value)
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String()
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.IsZero():
		return ""
	}
	text, err := json.Marshal(v.Interface())
	if err != nil { // cannot be: the settings are kept as JSON
		return ""
	}
	return string(text)
}

// TenantKeys are the keys of TenantAdmin.Set in the order of their
// documentation; NAME stands for the key of an entry.
func TenantKeys() []string {
	keys := []string{"doors", "hosts", "default_company", "disabled"}
	for _, member := range settingsOf(reflect.ValueOf(new(directory.Settings)).Elem(), "") {
		if member.value.Kind() == reflect.Map {
			member.key += ".NAME"
		}
		keys = append(keys, member.key)
	}
	return keys
}

// setTenantKey sets what a key names of a tenant.
func setTenantKey(t *directory.Tenant, key, text string) error {
	var err error
	switch key {
	case "doors":
		if t.Doors, err = directory.ParseDoors(text); err != nil {
			return flagError(key, err)
		}
	case "hosts":
		t.Hosts = splitList(text)
	case "default_company":
		if t.DefaultCompany, err = strconv.ParseInt(text, 10, 64); err != nil {
			return errNotNumber(key)
		}
	case "disabled":
		t.Disabled, err = parseBool(key, text)
		return err
	default:
		return setSetting(&t.Settings, key, text)
	}
	return nil
}

// setTenantPairs sets each KEY=VALUE; the error tells of every wrong one.
func setTenantPairs(t *directory.Tenant, pairs []string) error {
	var bad []error
	given := map[string]bool{}
	for _, pair := range pairs {
		key, text, ok := strings.Cut(pair, "=")
		switch {
		case !ok:
			bad = append(bad, fmt.Errorf("%s: write KEY=VALUE", pair))
		case given[key]:
			bad = append(bad, fmt.Errorf("%s: is given twice", key))
		default:
			bad = append(bad, setTenantKey(t, key, text))
		}
		given[key] = true
	}
	return errors.Join(bad...)
}
