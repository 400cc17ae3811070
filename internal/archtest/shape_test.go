package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// What fits on one screen and in one head.
const (
	maxFileLines        = 500
	maxFunctionLines    = 60
	maxInterfaceMethods = 10
)

func TestFilesAndFunctionsStayShort(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if n := s.set.File(s.file.FileStart).LineCount(); n >= maxFileLines {
			t.Errorf("%s has %d lines; fewer than %d are allowed", s.path, n, maxFileLines)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if lines := s.lines(n); lines >= maxFunctionLines {
					t.Errorf("%s: %s has %d lines; fewer than %d are allowed", s.at(n), n.Name.Name, lines, maxFunctionLines)
				}
			case *ast.InterfaceType:
				methods := 0
				for _, field := range n.Methods.List {
					methods += len(field.Names) // an embedded interface has none
				}
				if methods > maxInterfaceMethods {
					t.Errorf("%s: the interface has %d methods; at most %d are allowed", s.at(n), methods, maxInterfaceMethods)
				}
			}
			return true
		})
	}
}

func TestExportedSymbolsAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.path, "cmd/") {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && receiverExported(d) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", s.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				checkGroup(t, &s, d)
			}
		}
	}
}

// receiverExported reports whether a function is no method, or one of an
// exported type: nobody outside reads the others' documentation.
func receiverExported(d *ast.FuncDecl) bool {
	return d.Recv == nil || ast.IsExported(receiver(d))
}

// receiver is the name of the type that a method belongs to, or "".
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// checkGroup checks types, constants and variables. One comment over a group
// of constants or variables serves all.
func checkGroup(t *testing.T, s *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
				t.Errorf("%s: type %s has no comment", s.at(spec), spec.Name.Name)
			}
		case *ast.ValueSpec:
			exported := slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported)
			if exported && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				t.Errorf("%s: %s has no comment", s.at(spec), spec.Names[0].Name)
			}
		}
	}
}

func TestPackagesAreDescribedAndNamedForWhatTheyHold(t *testing.T) {
	described := map[string]bool{}
	for _, s := range sources(t) {
		dir := path.Dir(s.path)
		if !s.test {
			described[dir] = described[dir] || s.file.Doc != nil
		}
		if name := s.file.Name.Name; slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "manager"}, name) {
			t.Errorf("%s: package %s is named for nothing that it holds", s.path, name)
		}
	}
	for dir, ok := range described {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// A test that sleeps is slow or flaky, and one that skips proves nothing.
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	for _, s := range sources(t) {
		support := strings.HasPrefix(s.path, "internal/testkit/") || strings.HasPrefix(s.path, "internal/contract/") ||
			strings.HasPrefix(s.path, "internal/store/storetest/")
		if !s.test && !support {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
				on, _ := selector.X.(*ast.Ident)
				switch name := selector.Sel.Name; {
				case on == nil:
				case name == "Sleep" && on.Name == "time",
					slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) && slices.Contains([]string{"t", "b", "tb", "f"}, on.Name):
					t.Errorf("%s calls %s.%s", s.at(call), on.Name, name)
				}
			}
			return true
		})
	}
}
