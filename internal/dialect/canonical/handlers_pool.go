package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// LicencePool is how many active users of a licence type there may be.
type LicencePool struct {
	Type    string          `json:"type" example:"regular"`
	Total   nullable[int64] `json:"total" doc:"How many seats there are; null: not limited; 0: the tenant is not entitled to the type."`
	Used    int64           `json:"used" doc:"How many are taken."`
	Version int64           `json:"version" minimum:"0" doc:"Rises with every change of total, not with the seats that are taken: what If-Match compares."`
}

// showPool is a pool of the core as it is shown.
func showPool(p *directory.Pool) LicencePool {
	shown := LicencePool{Type: p.Type, Used: p.Used, Version: p.Version}
	if p.Total != directory.Unlimited {
		shown.Total = some(p.Total)
	}
	return shown
}

// PoolPath is the parameter of a licence pool.
type PoolPath struct {
	Type string `path:"type" example:"regular" doc:"The licence type."`
}

// poolFields gives what the core calls fields their names in a pool.
func poolFields(field string) string {
	if field == directory.FieldLicenceType.String() {
		return "type"
	}
	return field
}

// registerPools adds the operations on licence pools. Their answers change with
// every seat that is taken, which the version does not: it is no strong entity
// tag of theirs (RFC 9110 section 8.8.1), and none is sent.
func registerPools(d *door) {
	const tag, path = "licence_pools", "/licence_pools/{type}"
	register(d, operation{id: "list_licence_pools", method: http.MethodGet, path: "/licence_pools", tag: tag, summary: "List licence pools",
		description: "A type that has none is not limited.", examples: []example{{name: "pools", path: "/licence_pools"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*listOutput[LicencePool], error) {
			pools, err := x.door.svc.Pools(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			var items []LicencePool
			for i := range pools {
				items = append(items, showPool(&pools[i]))
			}
			return listAnswer(items), nil
		})
	register(d, operation{id: "get_licence_pool", method: http.MethodGet, path: path, tag: tag, summary: "Read a licence pool",
		examples: []example{{name: "a pool", path: "/licence_pools/regular"}}},
		func(ctx context.Context, x *exchange, in *struct{ PoolPath }) (*made[LicencePool], error) {
			pool, err := x.door.svc.Pool(ctx, &x.call, in.Type)
			if err != nil {
				return nil, err
			}
			return &made[LicencePool]{Body: showPool(&pool)}, nil
		})
	register(d, operation{id: "set_licence_pool", method: http.MethodPut, path: path, tag: tag, summary: "Make or resize a licence pool",
		description: "A total below what is used takes no seat away; nobody gets one until enough are free. `If-Match` compares with `version`.",
		examples:    []example{{name: "more seats", path: "/licence_pools/regular", body: `{"total":60}`}}},
		func(ctx context.Context, x *exchange, in *struct {
			PoolPath
			Body struct {
				Total  *int64 `json:"total" nullable:"true" minimum:"0" maximum:"1099511627776" doc:"null: not limited."`
				Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the history. Wins over Usher-Reason."`
			} `nameHint:"PoolSize"`
		}) (*made[LicencePool], error) {
			if err := x.setReason(in.Body.Reason, "reason"); err != nil {
				return nil, err
			}
			total := directory.Unlimited
			if in.Body.Total != nil {
				total = *in.Body.Total
			}
			pool, err := x.door.svc.SetPool(ctx, &x.call, in.Type, total)
			if err != nil {
				return nil, renamed(err, poolFields)
			}
			return &made[LicencePool]{Body: showPool(&pool)}, nil
		})
}
