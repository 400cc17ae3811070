package iqmetrix

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy is a user as this door shows it, with the request that fetches it (dossier
// 4.1).
func SeenBy(u *directory.UserDetail, settings *directory.Settings) (web.Sample, error) {
	s := web.Sample{Method: http.MethodGet, Path: "/v1/Users(" + strconv.FormatInt(u.User.Number, 10) + ")",
		Header: [][2]string{{"Authorization", "Bearer $KEY"}}}
	if u.User.State == directory.StateDeleted {
		s.Missing = "The door does not show users in the recycle bin."
		return s, nil
	}
	s.Status, s.ContentType = http.StatusOK, contentJSON
	s.Answer = appendUser(nil, &u.User, settings != nil && settings.IQmetrixPictureNull)
	return s, nil
}
