package directory

import "time"

// HoldKind says why a user is held, and with it what the hold blocks.
type HoldKind string

// The kinds of holds. Their texts are stored.
const (
	HoldOpenOrders      HoldKind = "open_orders"      // blocks deactivation and deletion (Encore 125)
	HoldAssignedVehicle HoldKind = "assigned_vehicle" // blocks deactivation and deletion (Encore 126)
	HoldVehicleRemoved  HoldKind = "vehicle_removed"  // blocks activation (Encore 129)
	HoldLegal           HoldKind = "legal"            // blocks deletion and purge, not deactivation
)

// Hold is another system's claim on a user: until it is released, what its kind
// blocks fails with user.held.
type Hold struct {
	User      int64
	Kind      HoldKind
	Source    string // the system that placed it
	Ref       string // what it is about there: an order, a vehicle
	CreatedAt time.Time
}

// holdBlocks says which verbs a kind of hold blocks.
var holdBlocks = map[HoldKind][]Verb{
	HoldOpenOrders:      {VerbDeactivate, VerbDelete},
	HoldAssignedVehicle: {VerbDeactivate, VerbDelete},
	HoldVehicleRemoved:  {VerbActivate},
	HoldLegal:           {VerbDelete, VerbPurge},
}
