package directory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMappingPageHasEveryField keeps docs/mapping.md complete: a row for each
// field of a user, for each state and for each rank.
func TestMappingPageHasEveryField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mapping.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for f := FieldNone + 1; f < fieldCount; f++ {
		if n := strings.Count(text, "\n| `"+f.String()+"` |"); n != 1 {
			t.Errorf("docs/mapping.md has %d rows for the field %s, want 1", n, f)
		}
	}
	for _, state := range States {
		if !strings.Contains(text, "\n| `"+string(state)+"` |") {
			t.Errorf("docs/mapping.md has no row for the state %s", state)
		}
	}
	for _, name := range rankNames {
		if !strings.Contains(text, "\n| "+name+" |") {
			t.Errorf("docs/mapping.md has no row for the rank %s", name)
		}
	}
}
