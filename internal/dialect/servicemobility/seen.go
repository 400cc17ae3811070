package servicemobility

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy is a user as this door shows it, with the request that fetches it by its
// UserID, which is the user name.
func SeenBy(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
	s := web.Sample{Method: http.MethodGet, Path: strings.Replace(userPath, "{UserID}", url.PathEscape(u.User.UserName), 1),
		Header: [][2]string{{"x-access-token", "$TOKEN"}}}
	if u.User.State == directory.StateDeleted {
		s.Missing = "The door does not show users in the recycle bin."
		return s, nil
	}
	s.Status, s.ContentType, s.Answer = http.StatusOK, contentJSON, appendUser(nil, u)
	return s, nil
}
