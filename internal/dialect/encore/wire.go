package encore

import (
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentJSON is the Content-Type of the application's answers (dossier 5.13).
const contentJSON = "application/json; charset=utf-8"

// licenceTypes are the core's types by the vendor's number (dossier 4.1); 0 is
// none.
var licenceTypes = [...]string{"", "regular", directory.LicenceWebOnly, "employee"}

// seenLicences are the types for which the vendor has a number: all others are
// shown as 0, and an update that sends 0 keeps them.
var seenLicences = licenceTypes[1:]

// licenceNumber is the vendor's number of a licence type, 0 where it has none.
func licenceNumber(licence string) int64 {
	for number, known := range licenceTypes {
		if known == licence {
			return int64(number)
		}
	}
	return 0
}

// The append functions write the answers with the keys in the vendor's order.

// appendID appends the result of a change, as the seed prints it.
func appendID(b []byte, number int64) []byte {
	b = append(b, `{ "Id": `...)
	b = strconv.AppendInt(b, number, 10)
	return append(b, " }"...)
}

// appendReadUser appends a ReadUser (dossier 4.1): the user with the first of
// its groups.
func appendReadUser(b []byte, detail *directory.UserDetail) []byte {
	u := &detail.User
	b = appendText(b, `{"UserName":`, u.UserName)
	b = appendUserID(b, `,"UserId":`, u)
	b = appendText(b, `,"GroupName":`, firstGroup(detail.Groups))
	b = append(b, ',')
	return append(appendRest(b, u), '}')
}

// appendUsers appends an array of ReadUserListItem, which has neither UserName
// nor GroupName (dossier 4.1).
func appendUsers(b []byte, users []directory.User) []byte {
	b = append(b, '[')
	for i := range users {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUserID(b, `{"UserId":`, &users[i])
		b = append(b, ',')
		b = append(appendRest(b, &users[i]), '}')
	}
	return append(b, ']')
}

func appendUserID(b []byte, key string, u *directory.User) []byte {
	return strconv.AppendInt(append(b, key...), u.Number, 10)
}

// appendRest appends what both shapes have in common, without a comma in front.
func appendRest(b []byte, u *directory.User) []byte {
	extras := extrasOf(u)
	phone := ""
	if len(u.Phones) > 0 {
		phone = u.Phones[0].Number
	}
	b = appendText(b, `"FirstName":`, u.GivenName)
	b = appendText(b, `,"LastName":`, u.FamilyName)
	b = appendText(b, `,"EmployeeNumber":`, u.EmployeeNumber)
	b = appendText(b, `,"Email":`, u.Email)
	b = appendText(b, `,"Phone":`, phone)
	b = strconv.AppendInt(append(b, `,"RoleId":`...), roleOf(u, extras.role), 10)
	b = appendFlag(b, `,"IsActive":`, u.State == directory.StateActive)
	b = appendFlag(b, `,"EPTTEnabled":`, extras.pushToTalk)
	b = appendText(b, `,"EPTTNumber":`, extras.number)
	b = appendText(b, `,"EPTTWebMDN":`, u.WebMDN)
	b = appendText(b, `,"EPTTToken":`, extras.token)
	b = appendFlag(b, `,"GPSEnabled":`, extras.gps)
	b = appendFlag(b, `,"MobileOnly":`, u.Profile.MobileOnly)
	return strconv.AppendInt(append(b, `,"LicenseType":`...), licenceNumber(u.LicenceType), 10)
}

// appendText appends a key, written with its quotes and colon, and a text; an
// empty one is null (dossier 4.2).
func appendText(b []byte, key, value string) []byte {
	b = append(b, key...)
	if value == "" {
		return append(b, "null"...)
	}
	return web.AppendString(b, value)
}

func appendFlag(b []byte, key string, value bool) []byte {
	return strconv.AppendBool(append(b, key...), value)
}

// firstGroup is the name of the first plain group, "" without one.
func firstGroup(groups []directory.Membership) string {
	for i := range groups {
		if groups[i].Group.Kind == directory.GroupPlain {
			return groups[i].Group.Name
		}
	}
	return ""
}

// extras are the fields of a user that only this door has.
type extras struct {
	role            int64
	pushToTalk, gps bool
	number, token   string
}

// extrasOf reads what input.extra wrote; what is missing is empty.
func extrasOf(u *directory.User) extras {
	raw := u.Profile.Extras[directory.DoorEncore.String()]
	if len(raw) == 0 {
		return extras{}
	}
	o, err := web.DecodeObject(raw, maxDepth)
	if err != nil {
		return extras{}
	}
	var e extras
	e.role, _ = o.Int("RoleId")
	e.pushToTalk, _ = o.Bool("EPTTEnabled")
	e.gps, _ = o.Bool("GPSEnabled")
	e.number, _ = o.String("EPTTNumber")
	e.token, _ = o.String("EPTTToken")
	return e
}

// roleOf is the vendor's role of a user: an administrator by rank, else what
// this door stored (dossier 5.7).
func roleOf(u *directory.User, stored int64) int64 {
	switch {
	case u.Rank >= directory.RankAdministrator:
		return roleAdministrator
	case stored == rolePowerUser:
		return rolePowerUser
	}
	return roleUser
}

// appendCodes appends the application's error body: an array, also for one
// error (seed, Representations).
func appendCodes(b []byte, codes []int) []byte {
	b = append(b, '[')
	for i, code := range codes {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"Code":`...), int64(code), 10)
		b = web.AppendString(append(b, `,"Message":`...), messages[code])
		b = append(b, '}')
	}
	return append(b, ']')
}

// idResponse answers a change.
func idResponse(status int, number int64) (web.Response, error) {
	return web.Response{Status: status, ContentType: contentJSON, Body: appendID(make([]byte, 0, 32), number)}, nil
}

// jsonResponse answers a read.
func jsonResponse(body []byte) (web.Response, error) {
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: body}, nil
}
