package smartapp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/directory"
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

// TestDescribedRefusals brings about what every operation can refuse.
func TestDescribedRefusals(t *testing.T) {
	testkit.DescribedRefusals(t, directory.DoorSmartapp, smartapp.OpenAPI(), func(r *http.Request, key string) { r.Header.Set("X-API-Key", key) })
}

// TestLongQuery is answered before the door sees it, as described.
func TestLongQuery(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	query := strings.Repeat("groups=interns&", 1+int(server.Config.MaxHeader)/10)
	status, header, body := send(t, server.URL, "POST", "/user/addgroups?"+query, "")
	if status != http.StatusRequestHeaderFieldsTooLarge || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") || body == "" {
		t.Errorf("status %d, %v, body %q", status, header, body)
	}
}
