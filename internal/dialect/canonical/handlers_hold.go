package canonical

import (
	"context"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// hold is another system's claim on a user.
type hold struct {
	Kind      string    `json:"kind" enum:"open_orders,assigned_vehicle,vehicle_removed,legal" doc:"What the hold blocks: open_orders and assigned_vehicle deactivation and deletion, vehicle_removed activation, legal deletion and purging."`
	Source    string    `json:"source" maxLength:"256" doc:"The system that placed it."`
	Ref       string    `json:"ref" maxLength:"256" doc:"What it is about there."`
	CreatedAt time.Time `json:"created_at" readOnly:"true"`
}

// HoldKey names a hold.
type HoldKey struct {
	Kind   string `json:"kind" query:"kind" required:"true" enum:"open_orders,assigned_vehicle,vehicle_removed,legal" example:"open_orders" doc:"What the hold blocks."`
	Source string `json:"source" query:"source" example:"erp" required:"true" minLength:"1" maxLength:"256" doc:"The system that placed it."`
	Ref    string `json:"ref" query:"ref" example:"4711" required:"true" minLength:"1" maxLength:"256" doc:"What it is about there."`
}

func (k *HoldKey) core() directory.Hold {
	return directory.Hold{Kind: directory.HoldKind(k.Kind), Source: k.Source, Ref: k.Ref}
}

// registerHolds adds the holds on a user.
func registerHolds(d *door) {
	of := operation{path: "/users/{id}/holds", tag: "holds"}
	list := of
	list.id, list.method, list.summary = "list_holds", http.MethodGet, "Holds on a user"
	list.description, list.examples = "Oldest first.", []example{{name: "holds", path: "/users/" + exampleUser + "/holds"}}
	register(d, list, func(ctx context.Context, x *exchange, in *struct{ UserPath }) (*listOutput[hold], error) {
		holds, err := x.door.svc.Holds(ctx, &x.call, directory.ByID(in.ID))
		if err != nil {
			return nil, err
		}
		var items []hold
		for _, h := range holds {
			items = append(items, hold{Kind: string(h.Kind), Source: h.Source, Ref: h.Ref, CreatedAt: h.CreatedAt.UTC()})
		}
		return listAnswer(items), nil
	})
	place := of
	place.id, place.method, place.summary = "place_hold", http.MethodPost, "Place a hold"
	place.description = "Until it is released, what its kind blocks fails with `user.held`. The same hold a second time changes nothing."
	place.examples = []example{{name: "open orders", path: "/users/" + exampleUser + "/holds", body: `{"kind":"open_orders","source":"erp","ref":"4711"}`}}
	register(d, place, func(ctx context.Context, x *exchange, in *struct {
		UserPath
		Body struct {
			HoldKey
			Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
		} `nameHint:"NewHold"`
	}) (*nothing, error) {
		err := x.setReason(in.Body.Reason, "reason")
		if err == nil {
			err = x.door.svc.PlaceHold(ctx, &x.call, directory.ByID(in.ID), in.Body.core())
		}
		return nil, err
	})
	release := of
	release.id, release.method, release.summary = "release_hold", http.MethodDelete, "Release a hold"
	release.description = "One that is not there changes nothing. Holds on a user in the recycle bin can be released too, so that it can be purged."
	release.examples = []example{{name: "no more orders", path: "/users/" + exampleUser + "/holds?kind=open_orders&source=erp&ref=4711"}}
	register(d, release, func(ctx context.Context, x *exchange, in *struct {
		UserPath
		HoldKey
	}) (*nothing, error) {
		return nil, x.door.svc.ReleaseHold(ctx, &x.call, directory.ByID(in.ID), in.core())
	})
}
