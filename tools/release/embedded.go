package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path"
)

// asset is a work of others that a program carries as a file of its own, beside what is
// linked: nothing that the linker writes down names it.
type asset struct {
	name, version string
	purl          string // https://github.com/package-url/purl-spec
	file          string // in the repository
	licence       string // likewise: the words of its authors
}

// assets are all of them. Files that only tests use are in no program and not here.
var assets = []asset{{
	name: "htmx.org", version: "2.0.11", purl: "pkg:npm/htmx.org@2.0.11",
	file: "internal/console/page/assets/htmx-2.0.11.min.js", licence: "internal/console/page/assets/htmx-LICENSE.txt",
}}

// text is the licence of an asset; one that is not known is an error, as with modules.
func (a *asset) text() (licenceText, error) {
	text, err := os.ReadFile(a.licence)
	if err != nil {
		return licenceText{}, err
	}
	l := licenceText{ids: spdx(string(text)), files: map[string]string{path.Base(a.licence): string(text)}}
	if len(l.ids) == 0 {
		return l, fmt.Errorf("%s: no licence that is known in %s", a.name, a.licence)
	}
	return l, nil
}

// component describes an asset of a program, which must have it byte for byte.
func (a *asset) component(program []byte) (component, error) {
	content, err := os.ReadFile(a.file)
	if err != nil {
		return component{}, err
	}
	if !bytes.Contains(program, content) {
		return component{}, fmt.Errorf("the program has not %s in it: it is of another version of the source", a.file)
	}
	l, err := a.text()
	return component{Ref: a.purl, Type: "library", Name: a.name, Version: a.version, PURL: a.purl,
		Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(content))}}, Licences: licences(l.ids...)}, err
}
