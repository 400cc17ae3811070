package encore

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// listUsers lists all users but deleted ones, in order of UserId. A page
// without any is 204 (dossier E4).
func listUsers(d *door, x *exchange) (web.Response, error) {
	skip, limit, err := parsePage(x.req.Query())
	if err != nil {
		return x.refuse(d, err)
	}
	page, err := d.svc.Users(x.req.Context(), &x.call, directory.UserQuery{Skip: skip, Limit: limit})
	if err != nil {
		return web.Response{}, err
	}
	if len(page.Users) == 0 {
		return web.Response{Status: http.StatusNoContent}, nil
	}
	return jsonResponse(appendUsers(make([]byte, 0, 64+320*len(page.Users)), page.Users))
}
