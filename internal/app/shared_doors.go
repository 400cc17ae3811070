package app

import (
	"context"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// warnSharedDoors tells the operator of tenants that a sign-in by name and
// password alone cannot tell apart: more than one has the servicemobility door
// on, and not all of them have a host of their own. Their people are refused
// there until that is settled; everything else works
// (docs/decisions/0014-shared-doors.md).
func (a *App) warnSharedDoors(ctx context.Context) error {
	if !a.serves(directory.DoorServiceMobility) {
		return nil
	}
	tenants, err := a.service.Tenants(ctx, directory.System(0, "serve"))
	if err != nil {
		return err
	}
	sharing, nameless := sharingDoor(tenants)
	if len(sharing) > 1 && len(nameless) > 0 {
		a.log.Warn("tenants share the servicemobility door, and nobody can sign in by name and password where no host tells which is meant: "+
			"give each a host, or close the door (usher tenant set NAME hosts=... or doors=...)",
			"tenants", strings.Join(sharing, ","), "without_host", strings.Join(nameless, ","))
	}
	return nil
}

// sharingDoor are the tenants that have the servicemobility door on, and those among
// them that no host leads to.
func sharingDoor(tenants []directory.Tenant) (sharing, nameless []string) {
	for _, t := range tenants {
		if t.Disabled || !t.Doors.Has(directory.DoorServiceMobility) {
			continue
		}
		sharing = append(sharing, t.Name)
		if len(t.Hosts) == 0 {
			nameless = append(nameless, t.Name)
		}
	}
	return sharing, nameless
}
