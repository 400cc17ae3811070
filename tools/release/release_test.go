package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Two builds of the same source at places of different length are the same, and another
// source makes another program. It is this package that is built, since it is small; a
// release compares the real programs, with caches of their own.
func TestTwoBuildsAreTheSame(t *testing.T) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.TrimSpace(string(out))
	built := func(dir, more string) []byte {
		dir = filepath.Join(t.TempDir(), dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob("*.go")
		if err != nil {
			t.Fatal(err)
		}
		sources := map[string]string{"go.mod": "module example.test/release\n\ngo 1.26\n", "more.go": "package main\n\nvar _ = " + more + "\n\nfunc init() { println(" + more + ") }\n"}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				sources[name] = string(text)
			}
		}
		for name, text := range sources {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "program")
		if err := compile(dir, path, ".", target{runtime.GOOS, runtime.GOARCH}, cache, false); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first, second := built("a", `"one"`), built("another/place", `"one"`)
	if !bytes.Equal(first, second) {
		t.Errorf("two builds differ at byte %d", differsAt(first, second))
	}
	if bytes.Equal(first, built("a", `"two"`)) {
		t.Error("another source makes the same program")
	}
}

func TestLicencesAreKnownByTheirWords(t *testing.T) {
	own, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"our own": {string(own), []string{"Apache-2.0"}},
		"MIT":     {"Permission is hereby granted, free of charge, to any person", []string{"MIT"}},
		"BSD with three clauses": {"Redistributions in binary form must reproduce the above copyright notice ... Neither the name of\n// the copyright holder",
			[]string{"BSD-3-Clause"}},
		"BSD with two clauses": {" *   Redistributions in binary\n *   form must reproduce", []string{"BSD-2-Clause"}},
		"two in one":           {"Licensed under the Apache License, Version 2.0 ... Permission is hereby granted, free of charge", []string{"Apache-2.0", "MIT"}},
		"none":                 {"All rights reserved.", nil},
	} {
		if got := spdx(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
