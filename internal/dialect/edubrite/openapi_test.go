package edubrite_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/testkit"
)

// TestOpenAPI proves that the description is sound and has exactly the door's
// paths.
func TestOpenAPI(t *testing.T) {
	testkit.SoundDescription(t, edubrite.OpenAPI())
	testkit.DescribesRoutes(t, edubrite.OpenAPI(), edubrite.DescribedRoutes())
}

// TestDescribed holds every answer of the scripts against the description.
func TestDescribed(t *testing.T) { testkit.Described(t, prepare, edubrite.OpenAPI()) }

// TestDescribedDispatches proves that the description has every dispatch of
// every action, in the query and in the body.
func TestDescribedDispatches(t *testing.T) {
	var document struct {
		Components struct {
			Parameters map[string]struct{ Schema words }
			Schemas    map[string]struct {
				Properties struct{ Dispatch words }
				OneOf      []struct {
					Properties struct{ Dispatch words }
				}
			}
		}
	}
	if err := json.Unmarshal(edubrite.OpenAPI(), &document); err != nil {
		t.Fatal(err)
	}
	for action, want := range edubrite.Dispatches() {
		described := strings.Replace(action, "signinService", "signin", 1) // they are one
		query := document.Components.Parameters[described+"Dispatch"].Schema.all()
		form := document.Components.Schemas[strings.ToUpper(described[:1])+described[1:]+"Form"]
		body := form.Properties.Dispatch.all()
		for _, one := range form.OneOf {
			body = append(body, one.Properties.Dispatch.all()...)
		}
		slices.Sort(want)
		for place, have := range map[string][]string{"query": query, "body": body} {
			if slices.Sort(have); !slices.Equal(have, want) {
				t.Errorf("%s.do: the %s has %v, the door %v", action, place, have, want)
			}
		}
	}
}

// words are the texts that a schema allows.
type words struct {
	Const string
	Enum  []string
}

func (w words) all() []string {
	if w.Const != "" {
		return []string{w.Const}
	}
	return slices.Clone(w.Enum)
}
