package encore

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy is a user as this door shows it, with the request that fetches it by its
// number, which every user has (dossier 4.1, E3).
func SeenBy(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
	s := web.Sample{Method: http.MethodGet, Path: listPattern + "/" + strconv.FormatInt(u.User.Number, 10) + "?" + externalIDName + "=false",
		Header: [][2]string{{keyHeader, "$KEY"}}}
	if u.User.State == directory.StateDeleted {
		s.Missing = "The door does not show users in the recycle bin."
		return s, nil
	}
	s.Status, s.ContentType, s.Answer = http.StatusOK, contentJSON, appendReadUser(nil, u)
	return s, nil
}
