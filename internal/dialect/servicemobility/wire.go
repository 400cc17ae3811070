package servicemobility

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentJSON is the Content-Type of every answer.
const contentJSON = "application/json"

// The append functions write the answers with the keys of the vendor's samples
// in their order.

// appendUser appends a User object. Password, ResetPassword and Deleted are
// commands or secrets: they read back as "" and false (dossier 5.3, 5.5).
func appendUser(b []byte, d *directory.UserDetail) []byte {
	u := &d.User
	p := ownOf(u)
	authentication, language := p.authentication, u.Profile.Language
	if authentication == "" {
		authentication = u.UserName
	}
	if language == "" {
		language = p.language
	}
	b = appendFlag(b, `{"Activated":`, u.State == directory.StateActive)
	b = appendText(b, `,"AuthenticationID":`, authentication)
	b = append(b, `,"Deleted":false`...)
	b = appendText(b, `,"DGroupID":`, p.dGroup)
	b = appendText(b, `,"Email":`, u.Email)
	b = appendFlag(b, `,"EnableMobileDiagnostics":`, p.diagnostics)
	b = append(b, `,"Extensions":`...)
	b = appendPairs(b, p.extensions)
	b = appendText(b, `,"FaceTime":`, p.faceTime)
	b = appendText(b, `,"FirstName":`, u.GivenName)
	b = appendFlag(b, `,"IsMobileWorker":`, p.mobileWorker)
	b = appendText(b, `,"LanguageCode":`, language)
	b = appendText(b, `,"LastName":`, u.FamilyName)
	b = appendFlag(b, `,"Locked":`, u.Locked)
	b = append(b, `,"Password":"","Phones":`...)
	b = appendPhones(b, u.Phones)
	b = append(b, `,"ResetPassword":false`...)
	b = appendText(b, `,"ServiceTeamID":`, firstTeam(d.Groups))
	b = appendText(b, `,"SMS":`, p.sms)
	b = appendText(b, `,"Status":`, p.status)
	b = appendText(b, `,"StorageLocationID":`, u.Profile.StorageLocation)
	b = appendText(b, `,"UserID":`, u.UserName)
	return append(b, '}')
}

// firstTeam is the id of the first service team, "" for none (dossier 5.9).
func firstTeam(groups []directory.Membership) string {
	for i := range groups {
		if groups[i].Group.Kind == directory.GroupServiceTeam {
			return groups[i].Group.Key
		}
	}
	return ""
}

func appendPhones(b []byte, phones []directory.Phone) []byte {
	b = append(b, '[')
	for i := range phones {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"PhoneNum":`, phones[i].Number)
		b = appendText(b, `,"PhoneType":`, phones[i].Type)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendText appends a key, written with its quotes and colon, and a text.
func appendText(b []byte, key, value string) []byte {
	b = append(b, key...)
	return web.AppendString(b, value)
}

// appendFlag appends a key, written with its quotes and colon, and a flag.
func appendFlag(b []byte, key string, value bool) []byte {
	b = append(b, key...)
	return strconv.AppendBool(b, value)
}

// appendList appends an object whose only member, written with its quotes and
// colon, is an array of texts.
func appendList(b []byte, key string, texts []string) []byte {
	b = append(append(b, '{'), key...)
	b = append(b, '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = web.AppendString(b, text)
	}
	return append(b, "]}"...)
}

// userIDs are the UserIDs of users.
func userIDs(users []directory.User) []string {
	ids := make([]string, len(users))
	for i := range users {
		ids[i] = users[i].UserName
	}
	return ids
}

// appendTeam appends a Service Team object (dossier 4.6).
func appendTeam(b []byte, g *directory.Group) []byte {
	b = appendText(b, `{"Name":`, g.Name)
	b = appendText(b, `,"ServiceTeamID":`, g.Key)
	return append(b, '}')
}

// jsonResponse answers with a JSON body.
func jsonResponse(status int, body []byte) (web.Response, error) {
	return web.Response{Status: status, ContentType: contentJSON, Body: body}, nil
}

// okResponse answers where the vendor describes no body: the code again, and
// the warning, if any (dossier 5.4, 5.6).
func (d *door) okResponse(warning string) (web.Response, error) {
	b := []byte(`{"code":200`)
	if d.opts.Errors == ShapeProblem {
		b = []byte(`{"status":200`)
	}
	switch {
	case warning == "":
	case d.opts.Errors == ShapeProblem:
		b = appendText(b, `,"detail":`, warning)
	default:
		b = appendText(b, `,"detail":{"message":`, warning)
		b = append(b, '}')
	}
	return jsonResponse(http.StatusOK, append(b, '}'))
}

// done is okResponse for the result of a call that returns nothing else.
func (d *door) done(err error) (web.Response, error) {
	if err != nil {
		return web.Response{}, err
	}
	return d.okResponse("")
}

// tokenResponse answers with a token, whose key is written with its quotes and
// colon: createjwt and the others differ in its case (dossier 5.10). Caches
// must not keep it (RFC 9111 section 5.2.2.5).
func tokenResponse(key, token string) (web.Response, error) {
	body := append(appendText([]byte{'{'}, key, token), '}')
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Header: [][2]string{{"Cache-Control", "no-store"}}, Body: body}, nil
}
