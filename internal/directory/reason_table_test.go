package directory

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

// errorsPage is where the list of reasons is published.
var errorsPage = filepath.Join("..", "..", "docs", "errors.md")

// sources parses this package without its tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// reasonConstants finds every constant of type Reason: its text by its name.
func reasonConstants(t *testing.T) map[string]Reason {
	t.Helper()
	found := map[string]Reason{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !isName(spec.Type, "Reason") || len(spec.Values) != len(spec.Names) {
				return true
			}
			for i, name := range spec.Names {
				literal, ok := spec.Values[i].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s is not a plain text", name.Name)
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Errorf("%s: %v", name.Name, err)
				}
				found[name.Name] = Reason(text)
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatal("found no constants of type Reason")
	}
	return found
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func TestEveryReasonIsListedOnce(t *testing.T) {
	listed := map[Reason]int{}
	for _, info := range Reasons() {
		listed[info.Reason]++
	}
	constants := map[Reason]string{}
	for name, reason := range reasonConstants(t) {
		if other, twice := constants[reason]; twice {
			t.Errorf("%s and %s have one text, %q", name, other, reason)
		}
		constants[reason] = name
		if listed[reason] == 0 {
			t.Errorf("%s (%q) is missing from Reasons()", name, reason)
		}
	}
	for reason, times := range listed {
		if times > 1 {
			t.Errorf("%q is %d times in Reasons()", reason, times)
		}
		if constants[reason] == "" {
			t.Errorf("%q is in Reasons() but no constant", reason)
		}
	}
}

func TestReasonsAreWellFormed(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?$`)
	for _, info := range Reasons() {
		if !name.MatchString(string(info.Reason)) {
			t.Errorf("%q is not of the form noun.what_happened", info.Reason)
		}
		if !slices.Contains(Codes(), info.Code) {
			t.Errorf("%s: %q is no code", info.Reason, info.Code)
		}
		for _, text := range []string{info.Meaning, info.Remedy} {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "|") {
				t.Errorf("%s: %q is no sentence that fits a table", info.Reason, text)
			}
		}
	}
}

// constructors are the functions that make an error of a reason: where the
// reason is among the arguments, and the code, unless the first argument says.
var constructors = map[string]struct {
	reason int
	code   string
}{
	"Wrong": {1, ""}, "Invalid": {1, "CodeInvalid"}, "add": {1, "CodeInvalid"}, "notFound": {1, "CodeNotFound"},
	"taken": {1, "CodeConflict"}, "takenOr": {2, "CodeConflict"},
}

// usedCodes finds with which codes the package makes errors of each reason.
func usedCodes(t *testing.T) map[string][]string {
	t.Helper()
	used := map[string][]string{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			how, ok := constructors[name]
			if !ok || len(call.Args) <= how.reason {
				return true
			}
			reason, ok := call.Args[how.reason].(*ast.Ident)
			if !ok || !strings.HasPrefix(reason.Name, "Reason") {
				return true
			}
			code := how.code
			if id, ok := call.Args[0].(*ast.Ident); ok && code == "" {
				code = id.Name
			}
			used[reason.Name] = append(used[reason.Name], code)
			return true
		})
	}
	return used
}

// codeConstants are the names of the codes in this package.
var codeConstants = map[Code]string{
	CodeInvalid: "CodeInvalid", CodeNotFound: "CodeNotFound", CodeConflict: "CodeConflict", CodeStale: "CodeStale",
	CodeUnauthenticated: "CodeUnauthenticated", CodeForbidden: "CodeForbidden", CodeExhausted: "CodeExhausted",
	CodeRateLimited: "CodeRateLimited", CodeTooLarge: "CodeTooLarge", CodeUnsupported: "CodeUnsupported",
	CodeUnavailable: "CodeUnavailable", CodeInternal: "CodeInternal",
}

func TestReasonsHaveTheCodeThatTheCoreUses(t *testing.T) {
	used, constants := usedCodes(t), reasonConstants(t)
	if len(used) < len(constants)/2 {
		t.Fatalf("found the codes of %d reasons only: have the constructors been renamed?", len(used))
	}
	usual := map[Reason]Code{}
	for _, info := range Reasons() {
		usual[info.Reason] = info.Code
	}
	for name, codes := range used {
		if want := codeConstants[usual[constants[name]]]; !slices.Contains(codes, want) {
			t.Errorf("%s is listed with %s, but the package makes it with %v", name, want, codes)
		}
	}
}

// codeMeanings introduces each code on the page.
var codeMeanings = map[Code]string{
	CodeInvalid:         "The request itself is at fault: a field, the body, a parameter. Repeating it unchanged cannot help.",
	CodeNotFound:        "What the request is about does not exist, or the caller may not know that it does.",
	CodeConflict:        "The request is well formed but contradicts what the directory holds.",
	CodeStale:           "The request is based on a version that is no longer current.",
	CodeUnauthenticated: "Who asks is not known, or is known not to be valid now.",
	CodeForbidden:       "Who asks is known and may not do this.",
	CodeExhausted:       "Something that is limited by agreement is used up.",
	CodeRateLimited:     "Too much was asked in too short a time.",
	CodeTooLarge:        "The request is larger than the server accepts.",
	CodeUnsupported:     "The server understands what is wanted and does not offer it.",
	CodeUnavailable:     "The server cannot answer now; later it can.",
	CodeInternal:        "The server failed. The request may be right.",
}

const errorsIntroduction = `# Errors

This page is generated from ` + "`internal/directory/reason_table.go`" + `; a test fails when it is out of date
(` + "`go test ./internal/directory -run TestErrorsPage -update`" + ` writes it anew).

Every refusal has a **code**, a **reason** and a message.

* The code is the coarse class. There are %d of them, the set is closed, and no code is ever renamed. A door maps
  each code to a status of its own, so one code looks different from door to door: that is what makes a client of
  that vendor work. Programs that speak to several doors compare codes in the log and in metrics.
* The reason is the fine cause, as ` + "`noun.what_happened`" + `. A published reason keeps its text and its meaning. New
  ones may appear at any time, so a program that meets an unknown reason goes by the code. A door may have an answer
  of its own for a reason; what it does not map follows the code.
* The message is English, for people, and may change. It never holds a secret, an internal cause or anything about
  another tenant. An error about input names every field at fault at once, by the door's own field names.

A refusal that can end by waiting says for how long, where the door has a place for it (the header ` + "`Retry-After`" + `).

**Error ids.** A failure of the server (code ` + "`internal`" + `) tells the client only a fixed text and an error id of 16
hexadecimal digits. The log has one line with that ` + "`error_id`" + `, the cause and, after a panic, the stack. Every other
refusal is one log line too, with ` + "`code`, `reason` and `request_id`" + `; a client that sends the header ` + "`X-Request-Id`" + `
finds its own requests by it.

How a door writes its errors is in ` + "`docs/dialects/`" + `.

## Codes

| code | meaning |
|---|---|
`

// errorsMarkdown is the page.
func errorsMarkdown(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, errorsIntroduction, len(Codes()))
	for _, code := range Codes() {
		if codeMeanings[code] == "" {
			t.Errorf("the code %s has no meaning", code)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", code, codeMeanings[code])
	}
	b.WriteString("\n## Reasons\n\nThe code is the usual one of the reason.\n\n| reason | code | what happened | what to do |\n|---|---|---|---|\n")
	for _, info := range Reasons() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", info.Reason, info.Code, info.Meaning, info.Remedy)
	}
	return b.String()
}

func TestErrorsPage(t *testing.T) {
	want := errorsMarkdown(t)
	if *update {
		if err := os.WriteFile(errorsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("docs/errors.md is out of date; run go test ./internal/directory -run TestErrorsPage -update (-generated +file):\n%s", diff)
	}
}
