package scim

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy makes users as this door shows them to a key that gave them no externalId,
// with the request that fetches one. publicURL is where clients reach the server.
func SeenBy(publicURL func() string) func(*directory.UserDetail, *directory.Settings) (web.Sample, error) {
	return func(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
		s := web.Sample{Method: http.MethodGet, Path: "/scim/v2/Users/" + u.User.ID, Header: [][2]string{{"Authorization", "Bearer $KEY"}}}
		if u.User.State == directory.StateDeleted {
			s.Missing = "The door does not show users in the recycle bin."
			return s, nil
		}
		v := userView{base: publicURL() + "/scim/v2", show: userResource.usual}
		s.Status, s.ContentType, s.Answer = http.StatusOK, contentSCIM, v.appendUser(nil, u)
		return s, nil
	}
}
