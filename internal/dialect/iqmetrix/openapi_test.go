package iqmetrix_test

import (
	"net/http"
	"testing"

	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestDescriptionIsSound: references, parameters, and every example by its
// schema.
func TestDescriptionIsSound(t *testing.T) { testkit.SoundDescription(t, iqmetrix.OpenAPI()) }

// TestDescriptionHasTheRoutes: all of them and no other.
func TestDescriptionHasTheRoutes(t *testing.T) {
	testkit.DescribesRoutes(t, iqmetrix.OpenAPI(), iqmetrix.Routes())
}

// TestAnswersAreAsDescribed holds every answer of the contract scripts against
// the description, and the description against them.
func TestAnswersAreAsDescribed(t *testing.T) { testkit.DescribedWhole(t, prepare, iqmetrix.OpenAPI()) }

// TestRefusalsAreAsDescribed: who may not, and what is too much, at every
// operation.
func TestRefusalsAreAsDescribed(t *testing.T) {
	testkit.DescribedRefusals(t, directory.DoorIQmetrix, iqmetrix.OpenAPI(), func(r *http.Request, key string) { r.Header.Set("Authorization", "Bearer "+key) })
}
