package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Every use case of directory.Service, that is every exported method that
// takes a *Call, begins with the policy check and returns its error, or does
// nothing but hand its call on to another use case. Forgetting it would open
// the directory, so this is a test and not a habit.
func TestUseCasesBeginWithThePolicyCheck(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		if s.test || !strings.HasPrefix(s.path, "internal/directory/") {
			continue
		}
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || !d.Name.IsExported() || receiver(d) != "Service" || !takesCall(d) {
				continue
			}
			found++
			if !beginsWithCheck(d) {
				t.Errorf("%s: the first statement of %s is not the policy check", s.at(d), d.Name.Name)
			}
		}
	}
	if found < 30 {
		t.Errorf("found only %d use cases", found)
	}
}

// A check that decided nothing would let everything pass, so each ends in the
// table of actions, or in enter, or verifies what the caller has.
func TestPolicyChecksDecide(t *testing.T) {
	decisions := map[string][]string{"enter": {"permit"}, "enterWhole": {"enter", "Root"}, "enterServer": {"enter", "trusted"}, "enterUser": {"permit", "enter"}, "enterClient": {"clientInTurn"}, "clientInTurn": {"lookUpClient"},
		"lookUpClient": {"ConstantTimeCompare"}, "enterByHost": {"TenantByHost", "refuseStranger"}, "enterReset": {"AuthenticateToken", "Usable"},
		"enterPerson": {"enter", "User"}, "enterChallenge": {"openChallenge", "AuthEpoch"}}
	found := 0
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || s.test || !strings.HasPrefix(s.path, "internal/directory/") || receiver(d) != "Service" || decisions[d.Name.Name] == nil {
				continue
			}
			found++
			var called []string
			ast.Inspect(d, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok {
					called = append(called, selector.Sel.Name)
				}
				return true
			})
			for _, name := range decisions[d.Name.Name] {
				if !slices.Contains(called, name) {
					t.Errorf("%s: %s does not call %s", s.at(d), d.Name.Name, name)
				}
			}
		}
	}
	if found != len(decisions) {
		t.Errorf("found %d policy checks, want %d", found, len(decisions))
	}
	for _, name := range policyChecks {
		if decisions[name] == nil {
			t.Errorf("it is not said what %s decides by", name)
		}
	}
}

// takesCall reports whether a method has a parameter of type *Call.
func takesCall(d *ast.FuncDecl) bool {
	for _, param := range d.Type.Params.List {
		if star, ok := param.Type.(*ast.StarExpr); ok {
			if name, ok := star.X.(*ast.Ident); ok && name.Name == "Call" {
				return true
			}
		}
	}
	return false
}

func beginsWithCheck(d *ast.FuncDecl) bool {
	if d.Body == nil || len(d.Body.List) == 0 {
		return false
	}
	recv := d.Recv.List[0].Names[0].Name
	switch first := d.Body.List[0].(type) {
	case *ast.IfStmt: // if err := s.enter(...); err != nil { return ... }
		call := assignedCall(first.Init)
		return call != nil && isCheck(recv, call) && returnsOnError(first)
	case *ast.AssignStmt: // client, err := s.enterClient(...); if err != nil { return ... }
		call := assignedCall(first)
		if call == nil || !isCheck(recv, call) || len(d.Body.List) < 2 {
			return false
		}
		next, ok := d.Body.List[1].(*ast.IfStmt)
		return ok && returnsOnError(next)
	case *ast.ReturnStmt: // return s.OtherUseCase(...), or the check alone
		if len(first.Results) != 1 {
			return false
		}
		call, ok := first.Results[0].(*ast.CallExpr)
		return ok && (ast.IsExported(method(recv, call)) || isCheck(recv, call))
	}
	return false
}

// assignedCall is the call whose results a statement defines variables with,
// or nil.
func assignedCall(stmt ast.Stmt) *ast.CallExpr {
	assign, ok := stmt.(*ast.AssignStmt)
	if !ok || assign.Tok != token.DEFINE || len(assign.Rhs) != 1 {
		return nil
	}
	call, _ := assign.Rhs[0].(*ast.CallExpr)
	return call
}

// method is the name of the method that is called on the receiver, or "".
func method(recv string, call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if on, ok := selector.X.(*ast.Ident); !ok || on.Name != recv {
		return ""
	}
	return selector.Sel.Name
}

// policyChecks are the ways to begin a use case: enter, the same for one user with
// the user read along or for the person who asks, and those for callers who have no
// credential yet: with a client's name and secret, by the host name before a
// password is verified, in the middle of a sign-in, and with a reset token.
var policyChecks = []string{"enter", "enterWhole", "enterServer", "enterUser", "enterPerson", "enterClient", "enterByHost", "enterChallenge", "enterReset"}

// isCheck reports whether a call is a policy check on the receiver.
func isCheck(recv string, call *ast.CallExpr) bool {
	return slices.Contains(policyChecks, method(recv, call))
}

// returnsOnError reports whether a statement is `if err != nil { ...return }`.
func returnsOnError(stmt *ast.IfStmt) bool {
	cond, ok := stmt.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ {
		return false
	}
	left, ok := cond.X.(*ast.Ident)
	if !ok || left.Name != "err" || len(stmt.Body.List) == 0 {
		return false
	}
	_, returns := stmt.Body.List[len(stmt.Body.List)-1].(*ast.ReturnStmt)
	return returns
}
