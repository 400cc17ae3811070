package servicemobility_test

import (
	"net/http"
	"testing"

	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// TestOpenAPI proves that the description is sound and has exactly the door's
// operations.
func TestOpenAPI(t *testing.T) {
	testkit.SoundDescription(t, servicemobility.OpenAPI())
	testkit.DescribesRoutes(t, servicemobility.OpenAPI(), servicemobility.DescribedRoutes())
}

// TestDescribed holds every answer of the scripts against the description, and
// the description against them.
func TestDescribed(t *testing.T) {
	testkit.DescribedWhole(t, prepare, servicemobility.OpenAPI(), races...)
}

// races are conflicts that no single client brings about: two writes of one key
// at a moment; and a role that more than 500 users hold.
var races = []string{
	"POST /seiapi/v3/trans/User/{UserID}/roles 409", "PUT /seiapi/v3/trans/User/{UserID}/ServiceTeams 409",
	"PUT /seiapi/v3/trans/role/{RoleID} 409", "DELETE /seiapi/v3/trans/role/{RoleID} 409",
	"PUT /seiapi/v3/trans/role/{RoleID}/users 409", "PUT /seiapi/v3/trans/role/{RoleID}/user/{UserID} 409",
	"PUT /seiapi/v3/ServiceTeam/{ServiceTeamID} 409", "PUT /seiapi/v3/ServiceTeam/{ServiceTeamID}/Users 409",
}

// TestDescribedRefusals brings about what every operation can refuse.
func TestDescribedRefusals(t *testing.T) {
	testkit.DescribedRefusals(t, directory.DoorServiceMobility, servicemobility.OpenAPI(),
		func(r *http.Request, key string) { r.Header.Set("x-access-token", key) },
		"POST /createjwt", "POST /seiapi/v3/createjwt", "POST /seiapi/v3/trans/User/{UserID}/impersonate")
}
