package smartapp

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// changeGroups is one of the three operations on a user's groups: all of it or
// nothing. Only the one that replaces them shows the user (dossier 3.7 to 3.9).
func changeGroups(mode directory.GroupMode) handler {
	return func(d *door, x *exchange) (web.Response, error) {
		in, ref, err := x.userInput(d)
		if err != nil {
			return x.refuse(d, err)
		}
		change, err := in.groupChange(mode)
		if err != nil {
			return x.refuse(d, err)
		}
		with := directory.Include(0)
		if mode == directory.GroupsReplace {
			with = included
		}
		detail, err := d.svc.ChangeGroups(x.req.Context(), &x.call, ref, with, change)
		if err != nil {
			return web.Response{}, err
		}
		if with == 0 {
			return web.Response{Status: http.StatusOK}, nil
		}
		return jsonResponse(appendUser(make([]byte, 0, 768), &detail))
	}
}

// groupChange reads the groups, of which there must be some unless they replace
// all others.
func (in *input) groupChange(mode directory.GroupMode) (directory.GroupChange, error) {
	field := directory.FieldGroups.String()
	names := in.list(field, "groups")
	if len(in.faults) == 0 && (!names.Set || len(names.Value) == 0 && mode != directory.GroupsReplace) {
		in.fault(field, directory.ReasonFieldRequired, "groups is required.")
	}
	return groupChange(directory.GroupPlain, mode, names.Value), in.err()
}
