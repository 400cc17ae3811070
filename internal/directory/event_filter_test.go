package directory

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every type in event.go that is stored can be asked for.
func TestStoredTypesAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found int
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Event") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if kept := slices.Contains(storedTypes, EventType(text)); kept == (EventType(text) == EventWebhookTest) {
			t.Errorf("%s in the list: %t", text, kept)
		}
		return true
	})
	if found != len(storedTypes)+1 {
		t.Errorf("%d types, %d in the list", found, len(storedTypes))
	}
}

func TestEventFilter(t *testing.T) {
	tree := map[int64][]int64{1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 4: {1, 4}}
	path := func(company int64) []int64 { return tree[company] }
	moved := func(payload string) *Event {
		return &Event{Type: EventUserUpdated, User: 7, Company: 4, Origin: "user:9", Payload: []byte(payload)}
	}
	plain := moved(`{"changes":{"title":["company","x"]}}`)
	for _, c := range []struct {
		what   string
		filter eventFilter
		event  *Event
		want   bool
	}{
		{"nothing", eventFilter{}, plain, true},
		{"its type", eventFilter{types: []EventType{EventUserCreated, EventUserUpdated}}, plain, true},
		{"its noun", eventFilter{types: []EventType{"user.*"}}, plain, true},
		{"another noun", eventFilter{types: []EventType{"company.*", "use.*"}}, plain, false},
		{"another type", eventFilter{types: []EventType{EventUserCreated}}, plain, false},
		{"its origin left out", eventFilter{exceptOrigins: []string{"credential:1", "user:9"}}, plain, false},
		{"another origin left out", eventFilter{exceptOrigins: []string{"user:90", ""}}, plain, true},
		{"its company", eventFilter{companies: []int64{4}}, plain, true},
		{"one above", eventFilter{companies: []int64{1}}, plain, true},
		{"one beside", eventFilter{companies: []int64{2}}, plain, false},
		{"moved out of a subtree", eventFilter{companies: []int64{2}}, moved(`{"changes":{"company":[3,4]}}`), true},
		{"moved elsewhere", eventFilter{companies: []int64{3}}, moved(`{"changes":{"company":[2,4]}}`), false},
		{"moved out of one that is gone", eventFilter{companies: []int64{9}}, moved(`{"changes":{"company":[9,4]}}`), true},
		{"made", eventFilter{companies: []int64{2}}, moved(`{"changes":{"company":[0,4]}}`), false},
		{"erased", eventFilter{companies: []int64{2}}, moved(""), false},
		{"no JSON", eventFilter{companies: []int64{2}}, moved(`{"company":[3`), false},
		{"of the tenant", eventFilter{companies: []int64{1}}, &Event{Type: EventTenantUpdated}, false},
	} {
		if got := c.filter.match(c.event, path); got != c.want {
			t.Errorf("%s: %t", c.what, got)
		}
	}
}

func TestCheckEventTypes(t *testing.T) {
	for _, good := range [][]EventType{nil, {"user.created"}, {"user.*", "feed.trimmed"}, {"licence_pool.*"}} {
		if err := checkEventTypes("types", good); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range [][]EventType{{""}, {"*"}, {".*"}, {"user"}, {"user."}, {"use.*"}, {"user.made"}, {"user.*", "user.created.*"},
		{EventWebhookTest}, slices.Repeat([]EventType{"user.*"}, MaxWebhookFilters+1)} {
		if err := checkEventTypes("types", bad); CodeOf(err) != CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
