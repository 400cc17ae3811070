package canonical_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/dialect/canonical"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

// TestDescriptionIsTheOneThatWasReviewed compares the description, which is made
// from the code, with the copy of it that people review.
func TestDescriptionIsTheOneThatWasReviewed(t *testing.T) {
	path := filepath.Join("testdata", "openapi.json")
	if *update {
		must(t, os.WriteFile(path, append(canonical.OpenAPI(), '\n'), 0o600))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(canonical.OpenAPI())); diff != "" {
		t.Errorf("the description has changed; if that was meant, run go test ./internal/dialect/canonical -run Reviewed -update\n%s", diff)
	}
}

// TestDescriptionIsSound: references, parameters, and every example by its
// schema.
func TestDescriptionIsSound(t *testing.T) { testkit.SoundDescription(t, canonical.OpenAPI()) }

// TestDescriptionHasTheRoutes: all of them and no other.
func TestDescriptionHasTheRoutes(t *testing.T) {
	testkit.DescribesRoutes(t, canonical.OpenAPI(), canonical.Routes())
}

// TestAnswersAreAsDescribed holds every answer of the contract scripts against
// the description, and the description against them.
func TestAnswersAreAsDescribed(t *testing.T) {
	// These need an endpoint that refuses, and a server with a key: TestDeliveries and
	// TestCheckpoint bring them about.
	testkit.Described(t, prepare, canonical.OpenAPI(), "POST /api/v1/webhooks/{webhook}/deliveries/{position}/retry 200",
		"DELETE /api/v1/webhooks/{webhook}/deliveries/{position} 204", "GET /api/v1/events/checkpoint 200",
		"POST /api/v1/bulk_actions/{action}/cancel 200") // TestABulkActionThatWaitsIsCancelled
}

// TestRefusalsAreAsDescribed: who may not, and what is too much, at every
// operation.
func TestRefusalsAreAsDescribed(t *testing.T) {
	testkit.DescribedRefusals(t, directory.DoorCanonical, canonical.OpenAPI(), func(r *http.Request, key string) { r.Header.Set("Authorization", "Bearer "+key) }, unattended...)
}

// unattended are the operations that need no credential, and the one that refuses
// nobody but who acts in another's name.
var unattended = []string{"GET /api/v1/openapi.json", "POST /api/v1/sessions", "DELETE /api/v1/sessions/current"}

// TestExamplesWork sends the examples of the description to a sample directory,
// in their order.
func TestExamplesWork(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	for _, e := range canonical.Samples() {
		t.Run(e.Operation, func(t *testing.T) {
			status, _, body := send(t, server.URL, e.Method, e.Path, []byte(e.Body))
			if status != e.Status {
				t.Errorf("%s %s %s: %d, want %d\n%s", e.Method, e.Path, e.Body, status, e.Status, body)
			}
		})
	}
}

// TestEveryOperationHasAnExample, so that each is run, but for those that need
// what the sample directory does not have.
func TestEveryOperationHasAnExample(t *testing.T) {
	with := map[string]bool{}
	for _, e := range canonical.Samples() {
		with[e.Method+" "+strings.SplitN(e.Path, "?", 2)[0]] = true
	}
	if len(with) < 20 {
		t.Errorf("only %d operations have examples", len(with))
	}
}
