package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The threat model is worth what its evidence is worth: every test that it names is
// there, and so is every file.
func TestSecurityPageNamesWhatThereIs(t *testing.T) {
	tests := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile(root + "/docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named, paths := 0, 0
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
		name := m[1]
		switch prefix, begins := strings.CutSuffix(name, "*"); {
		case begins && strings.HasPrefix(name, "Test"):
			named++
			if !slices.ContainsFunc(keys(tests), func(test string) bool { return strings.HasPrefix(test, prefix) }) {
				t.Errorf("docs/security.md names tests %s: there are none", name)
			}
		case strings.HasPrefix(name, "Test"), strings.HasPrefix(name, "Fuzz"):
			named++
			if !tests[name] {
				t.Errorf("docs/security.md names %s, which is no test", name)
			}
		case strings.HasPrefix(name, "internal/"), strings.HasPrefix(name, "tools/"):
			paths++
			if _, err := os.Stat(root + "/" + name); err != nil {
				t.Errorf("docs/security.md names %s: %v", name, err)
			}
		}
	}
	if named < 80 || paths < 20 {
		t.Errorf("found only %d tests and %d paths in docs/security.md", named, paths)
	}
}

func keys(m map[string]bool) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// secretName is what something is called that somebody could guess by the time that a
// comparison takes. Hashes are not among them: nobody chooses how a hash begins.
var secretName = regexp.MustCompile(`(?i)(secret|password|passwd|csrf|signature|proof|apikey|hmac|^mac|totp)$`)

// noSecret is what has such a name and is a flag, an action or an attribute.
var noSecret = regexp.MustCompile(`MustChangePassword$|^Act[A-Z]|^at[A-Z]`)

func isSecret(name string) bool { return secretName.MatchString(name) && !noSecret.MatchString(name) }

// comparedInTheOpen are comparisons of what is called a secret and is none.
var comparedInTheOpen = map[string]string{
	"internal/console/signin/signin.go":     "two fields of one form",
	"internal/console/reset/reset.go":       "two fields of one form",
	"internal/console/account/account.go":   "two fields of one form",
	"internal/directory/service_webhook.go": "the id of a secret, which is shown",
	"internal/directory/hash.go":            "two forms of what somebody has typed",
}

// A secret is compared in constant time (crypto/subtle, crypto/hmac), or looked up by
// its hash. Whether there is one at all may be asked in any way.
func TestSecretsAreNotComparedWithOperators(t *testing.T) {
	used := map[string]bool{}
	found := func(s *source, n ast.Node, what string) {
		if comparedInTheOpen[s.path] != "" {
			used[s.path] = true
			return
		}
		t.Errorf("%s: %s is compared in a time that tells of it", s.at(n), what)
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && !constant(n.X) && !constant(n.Y) {
					for _, side := range []ast.Expr{n.X, n.Y} {
						if name := nameOf(side); isSecret(name) {
							found(&s, n, name)
						}
					}
				}
			case *ast.CallExpr:
				switch nameOf(n.Fun) {
				case "bytes.Equal", "bytes.Compare", "strings.Compare", "strings.EqualFold", "slices.Equal", "reflect.DeepEqual":
					for _, arg := range n.Args {
						if name := nameOf(arg); isSecret(name) {
							found(&s, n, name)
						}
					}
				}
			}
			return true
		})
	}
	for path := range comparedInTheOpen {
		if !used[path] {
			t.Errorf("comparedInTheOpen has a line for %s, where nothing is compared", path)
		}
	}
}

// constant reports whether an expression is known to everybody: a literal, nil, or a
// name that is a constant or says what kind of thing something is.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return constant(e.X)
	case *ast.CallExpr: // len(x), and a literal as a secret
		name := nameOf(e.Fun)
		return name == "len" || strings.HasSuffix(name, "Secret") && len(e.Args) == 1 && constant(e.Args[0])
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false" || isConstant(e)
	case *ast.SelectorExpr: // directory.ReasonX
		x, ok := e.X.(*ast.Ident)
		return ok && x.Obj == nil && ast.IsExported(e.Sel.Name) && x.Name == strings.ToLower(x.Name) && len(x.Name) > 3
	}
	return false
}

func isConstant(e *ast.Ident) bool {
	return e.Obj != nil && e.Obj.Kind == ast.Con || strings.HasPrefix(e.Name, "Reason") || strings.HasPrefix(e.Name, "Field")
}

// nameOf is the name of what an expression is, without conversions: "a.b", "b" for
// a.b.c with more than one dot.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
		return e.Sel.Name
	case *ast.ParenExpr:
		return nameOf(e.X)
	case *ast.CallExpr: // string(x), []byte(x), r.Value("password")
		if len(e.Args) == 1 {
			if lit, ok := e.Args[0].(*ast.BasicLit); ok {
				return strings.Trim(lit.Value, `"`)
			}
			return nameOf(e.Args[0])
		}
	}
	return ""
}
