package iqmetrix_test

import (
	"testing"

	"github.com/usher-id/usher/internal/dialect/iqmetrix"
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
// the description.
func TestAnswersAreAsDescribed(t *testing.T) { testkit.Described(t, prepare, iqmetrix.OpenAPI()) }
