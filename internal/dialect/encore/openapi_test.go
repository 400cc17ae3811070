package encore_test

import (
	"net/http"
	"testing"

	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestDescriptionIsSound: references, parameters, and every example by its
// schema.
func TestDescriptionIsSound(t *testing.T) { testkit.SoundDescription(t, encore.OpenAPI()) }

// TestDescriptionHasTheRoutes: all of them and no other.
func TestDescriptionHasTheRoutes(t *testing.T) {
	testkit.DescribesRoutes(t, encore.OpenAPI(), encore.Routes())
}

// TestAnswersAreAsDescribed holds every answer of the contract scripts against
// the description, and the description against them.
func TestAnswersAreAsDescribed(t *testing.T) { testkit.DescribedWhole(t, prepare, encore.OpenAPI()) }

// TestRefusalsAreAsDescribed: who may not, and what is too much, at every
// operation.
func TestRefusalsAreAsDescribed(t *testing.T) {
	testkit.DescribedRefusals(t, directory.DoorEncore, encore.OpenAPI(), func(r *http.Request, key string) { r.Header.Set("Ocp-Apim-Subscription-Key", key) })
}
