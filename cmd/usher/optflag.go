package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

// optFlag is a flag that changes one member of a patch when it is given, and leaves
// the member as it is otherwise; an empty value resets it.
type optFlag[T any] struct {
	into *client.Opt[T]
	kind string
	read func(text string) (T, error)
	text string
}

// Set implements pflag.Value.
func (f *optFlag[T]) Set(text string) error {
	f.text = text
	if text == "" {
		*f.into = client.Null[T]()
		return nil
	}
	value, err := f.read(text)
	if err == nil {
		*f.into = client.Set(value)
	}
	return err
}

// String implements pflag.Value.
func (f *optFlag[T]) String() string { return f.text }

// Type implements pflag.Value.
func (f *optFlag[T]) Type() string { return f.kind }

// optText adds a flag for a member that is a text.
func optText(cmd *cobra.Command, into *client.Opt[string], name, usage string) {
	cmd.Flags().Var(&optFlag[string]{into: into, kind: "string", read: func(text string) (string, error) { return text, nil }}, name, usage)
}

// optNumber adds a flag for a member that is a number.
func optNumber(cmd *cobra.Command, into *client.Opt[int64], name, usage string) {
	cmd.Flags().Var(&optFlag[int64]{into: into, kind: "int", read: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }}, name, usage)
}

// optBool adds a flag for a member that is true or false.
func optBool(cmd *cobra.Command, into *client.Opt[bool], name, usage string) {
	cmd.Flags().Var(&optFlag[bool]{into: into, kind: "bool", read: strconv.ParseBool}, name, usage)
	cmd.Flags().Lookup(name).NoOptDefVal = "true"
}

// optTime adds a flag for a member that is a time.
func optTime(cmd *cobra.Command, into *client.Opt[time.Time], name, usage string) {
	cmd.Flags().Var(&optFlag[time.Time]{into: into, kind: "time", read: func(text string) (time.Time, error) {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				return at, nil
			}
		}
		return time.Time{}, fmt.Errorf("%q is no time: write 2026-02-25T12:00:00Z or 2026-02-25", text)
	}}, name, usage)
}

// attributesOf reads KEY=VALUE pairs: a value that is JSON is taken as that, an empty
// one removes the key, and anything else is a text.
func attributesOf(pairs []string) (map[string]json.RawMessage, error) {
	attributes := map[string]json.RawMessage{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--attribute: %q is not KEY=VALUE", pair)
		}
		text := []byte(value)
		if value == "" {
			text = []byte("null")
		} else if !json.Valid(text) {
			var err error
			if text, err = json.Marshal(value); err != nil {
				return nil, fmt.Errorf("--attribute: %w", err)
			}
		}
		attributes[key] = text
	}
	return attributes, nil
}

// nothingToChange refuses an edit without a flag.
func nothingToChange(cmd *cobra.Command) error {
	return withExit(exitUsage, fmt.Errorf("nothing to change: say what with flags; see: %s --help", cmd.CommandPath()))
}
