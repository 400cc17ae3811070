package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// licenceText is what a module's authors ask for: the SPDX ids and the files.
type licenceText struct {
	ids   []string
	files map[string]string // by name
}

// licenceFile is how the files are called that licences ask to be passed on.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright)([-._].*)?$`)

// marks tell licences by words that stand in no other. Of one family the first that fits
// is it: a text of three clauses holds that of two.
var marks = []struct{ family, id, words string }{
	{"apache", "Apache-2.0", "apache license version 2.0"},
	{"mpl", "MPL-2.0", "mozilla public license version 2.0"},
	{"bsd", "BSD-3-Clause", "neither the name"},
	{"bsd", "BSD-3-Clause", "names of its contributors may be used"},
	{"bsd", "BSD-2-Clause", "redistributions in binary form must reproduce"},
	{"mit", "MIT", "permission is hereby granted free of charge"},
	{"isc", "ISC", "this permission notice appear in all copies"},
	{"isc", "0BSD", "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted"},
	{"unlicense", "Unlicense", "this is free and unencumbered software"},
}

var notWords = regexp.MustCompile(`[^a-z0-9.]+`)

// spdx are the ids of the licences in a text; none for what is not known.
func spdx(text string) []string {
	words := notWords.ReplaceAllString(strings.ToLower(text), " ")
	var ids []string
	seen := map[string]bool{}
	for _, m := range marks {
		if !seen[m.family] && strings.Contains(words, m.words) {
			seen[m.family] = true
			ids = append(ids, m.id)
		}
	}
	return ids
}

// licenceTexts finds the licences of modules in the module cache, by path. A module
// whose licence is not known is an error: somebody has to read it.
func licenceTexts(modules []*debug.Module) (map[string]licenceText, error) {
	args := []string{"list", "-m", "-json"}
	for _, m := range modules {
		args = append(args, m.Path)
	}
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	found := map[string]licenceText{}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var m struct{ Path, Dir string }
		if err := d.Decode(&m); err != nil {
			return nil, err
		}
		if found[m.Path], err = licencesIn(m.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		if len(found[m.Path].ids) == 0 {
			return nil, fmt.Errorf("%s: no licence that is known in %s", m.Path, m.Dir)
		}
	}
	return found, nil
}

// licencesIn reads the files of a folder, and of folders called LICENSES.
func licencesIn(dir string) (licenceText, error) {
	l := licenceText{files: map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && !strings.EqualFold(d.Name(), "licenses"):
			return fs.SkipDir
		case d.IsDir() || !licenceFile.MatchString(d.Name()) && filepath.Dir(path) == dir:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		l.files[filepath.ToSlash(name)] = string(text)
		l.ids = append(l.ids, spdx(string(text))...)
		return err
	})
	slices.Sort(l.ids)
	l.ids = slices.Compact(l.ids)
	return l, err
}

// writeLicences writes the licences of all modules that programs link, of Go's standard
// library, and of the assets.
func writeLicences(programs []string, out io.Writer) error {
	modules := map[string]*debug.Module{}
	for _, path := range programs {
		info, err := readInfo(path)
		if err != nil {
			return err
		}
		for _, m := range linked(info) {
			modules[m.Path] = m
		}
	}
	sorted := slices.Sorted(maps.Keys(modules))
	var list []*debug.Module
	for _, path := range sorted {
		list = append(list, modules[path])
	}
	texts, err := licenceTexts(list)
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	own, err := licencesIn(strings.TrimSpace(string(root)))
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprint(&b, "usher is licensed under the Apache License 2.0 (LICENSE). Its programs contain:\n")
	section := func(name string, l licenceText) {
		fmt.Fprintf(&b, "\n%s\n%s (%s)\n", strings.Repeat("=", 78), name, strings.Join(l.ids, ", "))
		for _, file := range slices.Sorted(maps.Keys(l.files)) {
			fmt.Fprintf(&b, "%s\n%s: %s\n\n%s\n", strings.Repeat("-", 78), name, file, strings.TrimRight(l.files[file], "\n"))
		}
	}
	section("Go standard library, "+runtime.Version(), own)
	for _, path := range sorted {
		section(path+" "+modules[path].Version, texts[path])
	}
	for i := range assets {
		l, err := assets[i].text()
		if err != nil {
			return err
		}
		section(assets[i].name+" "+assets[i].version, l)
	}
	_, err = io.WriteString(out, b.String())
	return err
}
