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
		"ISC":                  {"Permission to use, copy, modify, and/or distribute this software for any\npurpose with or without fee is hereby granted, provided that the above\ncopyright notice and this permission notice appear in all copies.", []string{"ISC"}},
		"BSD without clauses":  {"Permission to use, copy, modify, and/or distribute this software for\nany purpose with or without fee is hereby granted.", []string{"0BSD"}},
		"two in one":           {"Licensed under the Apache License, Version 2.0 ... Permission is hereby granted, free of charge", []string{"Apache-2.0", "MIT"}},
		"none":                 {"All rights reserved.", nil},
	} {
		if got := spdx(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What the program carries of others beside what it links is listed, with its licence.
func TestEmbeddedAssetsAreListed(t *testing.T) {
	t.Chdir("../..")
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{$dir := .Dir}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, program)
	list.Stderr = t.Output()
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	carried := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, err := filepath.Rel(root, strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		carried[filepath.ToSlash(path)] = true
	}
	listed := map[string]bool{}
	for i := range assets {
		a := &assets[i]
		listed[a.file] = true
		content, err := os.ReadFile(a.file)
		if err != nil {
			t.Fatal(err)
		}
		if !carried[a.file] || !strings.Contains(filepath.Base(a.file), a.version) || !bytes.Contains(content, []byte(`"`+a.version+`"`)) {
			t.Errorf("%s %s is not what the program has in it", a.name, a.version)
		}
		c, err := a.component(slices.Concat([]byte("before"), content, []byte("after")))
		if err != nil || len(c.Licences) != 1 || c.Licences[0].Licence.ID != "0BSD" {
			t.Errorf("%s: %+v, %v", a.name, c, err)
		}
		if _, err := a.component(content[1:]); err == nil {
			t.Errorf("%s is described of a program that has it not", a.name)
		}
	}
	for path := range carried {
		if strings.HasSuffix(path, ".min.js") && !listed[path] {
			t.Errorf("%s is in the program and not among the assets", path)
		}
	}
	if len(carried) < 50 {
		t.Errorf("only %d files are embedded", len(carried))
	}
}

// Nothing is published beside what was there, and nothing of what failed.
func TestAReleaseIsAllOrNothing(t *testing.T) {
	from, folder := t.TempDir(), filepath.Join(t.TempDir(), "dist")
	if err := os.WriteFile(filepath.Join(from, "usher"), []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := publish(from, folder); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(folder, "usher")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("%v, %v", info, err)
	}
	for what, err := range map[string]error{"build": build(folder, "", t.Output()), "publish": publish(from, folder)} {
		if err == nil || !strings.Contains(err.Error(), "is not empty") || !strings.Contains(err.Error(), "usher") {
			t.Errorf("%s into a folder with something in it: %v", what, err)
		}
	}
	other := filepath.Join(t.TempDir(), "dist")
	if err := publish(filepath.Join(from, "none"), other); err == nil {
		t.Error("nothing was published")
	}
	if err := empty(other); err != nil {
		t.Error(err)
	}
}
