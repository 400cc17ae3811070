package servicemobility_test

import (
	"testing"

	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/testkit"
)

// TestOpenAPI proves that the description is sound and has exactly the door's
// operations.
func TestOpenAPI(t *testing.T) {
	testkit.SoundDescription(t, servicemobility.OpenAPI())
	testkit.DescribesRoutes(t, servicemobility.OpenAPI(), servicemobility.DescribedRoutes())
}

// TestDescribed holds every answer of the scripts against the description.
func TestDescribed(t *testing.T) { testkit.Described(t, prepare, servicemobility.OpenAPI()) }
