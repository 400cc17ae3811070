package edubrite

import (
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy is a user as this door shows it, with the request that fetches it in the
// session of an API user who acts for somebody (dossier 2.2, 2.3, 3.2).
func SeenBy(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
	query := url.Values{"dispatch": {"get"}, "id": {u.User.ID}}
	s := web.Sample{Method: http.MethodGet, Path: prefixes[0] + "userService.do?" + query.Encode(),
		Header: [][2]string{{"Cookie", cookieID + "=$SESSION_ID; " + cookieInfo + "=$SESSION_INFO"}, {"REAL_UNAME", "$USER"}}}
	if u.User.State == directory.StateDeleted {
		s.Missing = "The door does not show users in the recycle bin."
		return s, nil
	}
	answer, err := success(codeSuccess, textSuccess, appendUser(nil, u, ""))
	s.Status, s.ContentType, s.Answer = answer.Status, answer.ContentType, answer.Body
	return s, err
}
