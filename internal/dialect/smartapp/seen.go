package smartapp

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// SeenBy makes users as a door with these options shows them, with the request that
// fetches one (dossier 3.2, 4.2): path and place of the key are settings.
func SeenBy(o Options) func(*directory.UserDetail, *directory.Settings) (web.Sample, error) {
	const operation = "get_user"
	path := ""
	for i := range operations {
		if operations[i].name == operation {
			path = operations[i].paths[0]
		}
	}
	if own := o.Paths[operation]; len(own) > 0 {
		path = own[0]
	}
	return func(u *directory.UserDetail, _ *directory.Settings) (web.Sample, error) {
		query := url.Values{"UniqueID": {u.User.ID}}
		s := web.Sample{Method: http.MethodGet}
		switch accepts := func(c Credential) bool { return len(o.Credentials) == 0 || slices.Contains(o.Credentials, c) }; {
		case accepts(CredentialXAPIKey):
			s.Header = [][2]string{{"X-API-Key", "$KEY"}}
		case accepts(CredentialBearer):
			s.Header = [][2]string{{"Authorization", "Bearer $KEY"}}
		case accepts(CredentialAPIKeyHeader):
			s.Header = [][2]string{{"apiKey", "$KEY"}}
		default:
			s.Path = "&apiKey=$KEY"
		}
		s.Path = path + "?" + query.Encode() + s.Path
		if u.User.State == directory.StateDeleted {
			s.Missing = "The door does not show users in the recycle bin."
			return s, nil
		}
		s.Status, s.ContentType, s.Answer = http.StatusOK, contentJSON, appendUser(nil, u)
		return s, nil
	}
}
