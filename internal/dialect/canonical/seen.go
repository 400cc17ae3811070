package canonical

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy is a user as this door shows it to a key that gave it no external id, with
// the request that fetches it.
func SeenBy(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
	s := web.Sample{Method: http.MethodGet, Path: prefix + "/users/" + u.User.ID, Header: [][2]string{{"Authorization", "Bearer $KEY"}}}
	if u.User.State == directory.StateDeleted {
		s.Missing = "The door does not show users in the recycle bin, but in lists that ask for them."
		return s, nil
	}
	s.Status, s.ContentType = http.StatusOK, contentJSON
	s.Answer = appendUser(nil, &shown{u: &u.User}, 0)
	return s, nil
}
