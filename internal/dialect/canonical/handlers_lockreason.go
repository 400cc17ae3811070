package canonical

import (
	"context"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
)

// LockReason is a text that a locked-out user is shown.
type LockReason struct {
	Number      int64  `json:"number" minimum:"1" maximum:"2147483647" example:"14"`
	Company     int64  `json:"company" doc:"Number of the company: it serves its users and those of all companies below it."`
	Name        string `json:"name" example:"PaperworkNotDone"`
	Description string `json:"description" doc:"What the user is shown."`
	Version     int64  `json:"version" minimum:"1" doc:"The ETag."`
}

// showLockReason is a lock reason of the core as it is shown.
func showLockReason(r *directory.LockReason) LockReason {
	return LockReason{Number: r.Number, Company: r.Company, Name: r.Name, Description: r.Description, Version: r.Version}
}

// LockReasonPath is the parameter of a lock reason.
type LockReasonPath struct {
	LockReason string `path:"lock_reason" example:"14" doc:"The lock reason's number."`
}

// registerLockReasons adds the operations on lock reasons.
func registerLockReasons(d *door) {
	const tag, path = "lock_reasons", "/lock_reasons/{lock_reason}"
	register(d, operation{id: "list_lock_reasons", method: http.MethodGet, path: "/lock_reasons", tag: tag, summary: "List lock reasons",
		description: "Those of companies that the credential can see, by number.", examples: []example{{name: "of a company", path: "/lock_reasons?company=14146"}}},
		func(ctx context.Context, x *exchange, in *struct {
			TreeQuery
			Company int64 `query:"company" minimum:"1" maximum:"2147483647" example:"14146" doc:"Number of a company: its own lock reasons."`
		}) (*pageOutput[LockReason], error) {
			list, err := x.door.svc.ListLockReasons(ctx, &x.call, in.core(x, "company", in.Company))
			if err != nil {
				return nil, renamed(err, queryFields)
			}
			return treePage(list, in.Total, showLockReason), nil
		})
	register(d, operation{id: "create_lock_reason", method: http.MethodPost, path: "/lock_reasons", tag: tag, summary: "Create a lock reason",
		description: "Names are unique in the company.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "a lock reason", body: `{"number":20004,"company":14146,"name":"LostDevice","description":"Your device was reported lost. Call the desk."}`}}}, createLockReason)
	register(d, operation{id: "get_lock_reason", method: http.MethodGet, path: path, tag: tag, summary: "Read a lock reason", versioned: true,
		examples: []example{{name: "a lock reason", path: "/lock_reasons/20004"}}},
		func(ctx context.Context, x *exchange, in *struct{ LockReasonPath }) (*made[LockReason], error) {
			reason, err := x.door.svc.LockReasonByNumber(ctx, &x.call, parseNumber(in.LockReason))
			if err != nil {
				return nil, err
			}
			return answer(x, showLockReason(&reason), reason.Version), nil
		})
	register(d, operation{id: "update_lock_reason", method: http.MethodPatch, path: path, tag: tag, summary: "Change a lock reason",
		description: "A merge patch (RFC 7396): members that are left out stay. Users who are locked with it are shown the new text.", versioned: true, patch: true,
		examples: []example{{name: "another text", path: "/lock_reasons/20004", body: `{"description":"Your device was reported lost."}`}}},
		func(ctx context.Context, x *exchange, in *struct {
			LockReasonPath
			Body struct {
				Name        opt[string] `json:"name,omitempty" minLength:"1" maxLength:"256"`
				Description opt[string] `json:"description,omitempty" minLength:"1" maxLength:"2000"`
			} `nameHint:"LockReasonChange"`
		}) (*made[LockReason], error) {
			reason, err := x.door.svc.EditLockReason(ctx, &x.call, parseNumber(in.LockReason),
				directory.LockReasonPatch{Name: in.Body.Name.reset(), Description: in.Body.Description.reset()})
			if err != nil {
				return nil, err
			}
			return answer(x, showLockReason(&reason), reason.Version), nil
		})
	register(d, removal("delete_lock_reason", path, tag, "Delete a lock reason", "Users who are locked with it stay locked, and are shown no reason.",
		example{name: "delete", path: "/lock_reasons/20004"}),
		func(ctx context.Context, x *exchange, in *struct{ LockReasonPath }) (*nothing, error) {
			return nil, x.door.svc.EraseLockReason(ctx, &x.call, parseNumber(in.LockReason))
		})
}

func createLockReason(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Number      opt[int64] `json:"number,omitempty" minimum:"1" maximum:"2147483647" doc:"Drawn if left out."`
		Company     int64      `json:"company" minimum:"1" maximum:"2147483647" doc:"Number of the company."`
		Name        string     `json:"name" minLength:"1" maxLength:"256"`
		Description string     `json:"description" minLength:"1" maxLength:"2000"`
	} `nameHint:"NewLockReason"`
}) (*made[LockReason], error) {
	creates(x, func(r directory.LockReason) (LockReason, string, int64) {
		return showLockReason(&r), numbered("/lock_reasons", r.Number), r.Version
	})
	b := &in.Body
	reason, err := x.door.svc.CreateLockReason(ctx, &x.call, directory.LockReason{Number: b.Number.or(0), Company: b.Company, Name: b.Name, Description: b.Description})
	if err != nil {
		return nil, inBody(err, directory.ReasonCompanyNotFound, "company")
	}
	return created(x, showLockReason(&reason), numbered("/lock_reasons", reason.Number), reason.Version), nil
}
