package smartapp_test

import (
	"testing"

	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/testkit"
)

// TestOpenAPI proves that the description is sound and has exactly the door's
// operations.
func TestOpenAPI(t *testing.T) {
	testkit.SoundDescription(t, smartapp.OpenAPI())
	testkit.DescribesRoutes(t, smartapp.OpenAPI(), smartapp.DescribedRoutes())
}

// TestDescribed holds every answer of the scripts against the description.
func TestDescribed(t *testing.T) { testkit.Described(t, prepare, smartapp.OpenAPI()) }
