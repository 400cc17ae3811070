package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

// bom is a bill of materials (CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/). It
// has no time and no random number: who makes it again gets the same bytes.
type bom struct {
	Format       string      `json:"bomFormat"`
	SpecVersion  string      `json:"specVersion"`
	SerialNumber string      `json:"serialNumber"`
	Version      int         `json:"version"`
	Metadata     metadata    `json:"metadata"`
	Components   []component `json:"components"`
	Dependencies []depends   `json:"dependencies"`
}

type metadata struct {
	Component  component  `json:"component"`
	Properties []property `json:"properties,omitempty"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licensed `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type licensed struct {
	Licence struct {
		ID string `json:"id"` // SPDX
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type depends struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// readInfo is what the linker wrote into a program: the modules that are really in it.
func readInfo(path string) (*debug.BuildInfo, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

// linked are the modules of a program; one that was replaced is what it was replaced by.
func linked(info *debug.BuildInfo) []*debug.Module {
	var list []*debug.Module
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, m)
	}
	return list
}

// writeSBOM writes the bill of materials of a program.
func writeSBOM(path string, out io.Writer) error {
	info, err := readInfo(path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	main := component{Ref: purl(&info.Main), Type: "application", Name: "usher", Version: info.Main.Version, PURL: purl(&info.Main),
		Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sum)}}, Licences: licences("Apache-2.0")}
	b := bom{Format: "CycloneDX", SpecVersion: "1.6", SerialNumber: serial(sum), Version: 1, Metadata: metadata{Component: main}}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs.") || s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" || s.Key == "-trimpath" {
			b.Metadata.Properties = append(b.Metadata.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	std := debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}
	b.Components = []component{{Ref: purl(&std), Type: "library", Name: "std", Version: info.GoVersion, PURL: purl(&std), Licences: licences("BSD-3-Clause")}}
	modules := linked(info)
	texts, err := licenceTexts(modules)
	if err != nil {
		return err
	}
	for _, m := range modules {
		b.Components = append(b.Components, component{Ref: purl(m), Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m),
			Licences: licences(texts[m.Path].ids...), Properties: []property{{"go:sum", m.Sum}}})
	}
	for i := range assets {
		c, err := assets[i].component(data)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		b.Components = append(b.Components, c)
	}
	all := depends{Ref: main.Ref}
	for _, c := range b.Components {
		all.On = append(all.On, c.Ref)
	}
	b.Dependencies = []depends{all}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(b)
}

// purl names a module (https://github.com/package-url/purl-spec, type golang).
func purl(m *debug.Module) string {
	return "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
}

// serial is a UUID (RFC 9562 section 5.8, version 8) of the program that is described.
func serial(sum [sha256.Size]byte) string {
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

func licences(ids ...string) []licensed {
	list := make([]licensed, len(ids))
	for i, id := range ids {
		list[i].Licence.ID = id
	}
	return list
}
