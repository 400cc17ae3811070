package config

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// assign reads a raw value, a text or what YAML made of it, into a field.
func assign(field reflect.Value, raw any) error {
	if field.Kind() == reflect.Slice {
		list, err := readList(raw)
		if err != nil {
			return err
		}
		field.Set(reflect.ValueOf(list))
		return nil
	}
	text, err := readScalar(raw)
	if err != nil {
		return err
	}
	switch field.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("not a duration: write a number with a unit, as in 500ms, 30s or 2m")
		}
		field.SetInt(int64(d))
	case Bytes:
		n, err := parseBytes(text)
		if err != nil {
			return err
		}
		field.SetInt(n)
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("not a boolean: write true or false")
		}
		field.SetBool(b)
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("not a whole number")
		}
		field.SetInt(int64(n))
	default:
		field.SetString(text)
	}
	return nil
}

// readScalar never repeats the value in its error: it may be a secret.
func readScalar(raw any) (string, error) {
	switch v := raw.(type) {
	case nil:
		return "", errors.New("has no value")
	case string:
		return v, nil
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	default:
		return "", errors.New("must be a single value")
	}
}

func readList(raw any) ([]string, error) {
	var parts []string
	switch v := raw.(type) {
	case []any:
		for _, item := range v {
			text, err := readScalar(item)
			if err != nil {
				return nil, err
			}
			parts = append(parts, text)
		}
	default:
		text, err := readScalar(raw)
		if err != nil {
			return nil, err
		}
		parts = strings.Split(text, ",")
	}
	list := []string{}
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list, nil
}

var byteUnits = []struct {
	suffix string
	size   int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}

func parseBytes(text string) (int64, error) {
	bad := errors.New("not a size: write a number of bytes, or one with KiB, MiB or GiB")
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.size {
			return 0, bad
		}
		return n * u.size, nil
	}
	return 0, bad
}

// format writes a field's value as a person would in a file or flag.
func format(field reflect.Value) string {
	switch v := field.Interface().(type) {
	case Bytes:
		for _, u := range []int{2, 1, 0} {
			if size := byteUnits[u].size; v > 0 && int64(v)%size == 0 {
				return strconv.FormatInt(int64(v)/size, 10) + byteUnits[u].suffix
			}
		}
		return strconv.FormatInt(int64(v), 10)
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}

// RedactDatabase is a database setting without its password, for people and
// logs.
func RedactDatabase(database string) string {
	if !strings.HasPrefix(database, "postgres://") && !strings.HasPrefix(database, "postgresql://") {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return "postgres://" + redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "redacted")
			u.RawQuery = query.Encode()
		}
	}
	return u.String()
}
