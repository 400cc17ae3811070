package iqmetrix

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// contentJSON is the Content-Type of every JSON answer, and of the empty ones
// as the seed prints them.
const contentJSON = "application/json"

// The append functions write the answers with the keys in the seed's order.

// appendUser appends a User (seed, RESOURCES). Password never appears; an
// unset CorrelationId and Profiles are left out, and so are empty Attributes,
// whose place is that of the older pages (dossier 4.1, 5.12).
func appendUser(b []byte, u *directory.User, pictureNull bool) []byte {
	b = append(b, `{"Id":`...)
	b = strconv.AppendInt(b, u.Number, 10)
	b = appendText(b, `,"FirstName":`, u.GivenName)
	b = appendText(b, `,"LastName":`, u.FamilyName)
	b = appendText(b, `,"UserName":`, u.UserName)
	b = append(b, `,"Address":`...)
	b = appendAddress(b, &u.Address)
	if len(u.Profile.Attributes) > 0 {
		b = append(b, `,"Attributes":`...)
		b = appendObject(b, u.Profile.Attributes)
	}
	b = appendText(b, `,"ClientUserId":`, u.ClientUserID)
	b = appendText(b, `,"Email":`, u.Email)
	b = append(b, `,"IsActive":`...)
	b = strconv.AppendBool(b, u.State == directory.StateActive)
	b = appendText(b, `,"JobTitle":`, u.Title)
	b = append(b, `,"ParentEntityId":`...)
	b = strconv.AppendInt(b, u.Company, 10)
	b = append(b, `,"PhoneNumbers":[`...)
	for i := range u.Phones {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"Number":`, u.Phones[i].Number)
		b = appendText(b, `,"Extension":`, u.Phones[i].Extension)
		b = appendText(b, `,"Type":`, u.Phones[i].Type)
		b = append(b, '}')
	}
	b = append(b, `],"Picture":`...)
	b = appendPicture(b, u.Profile.Picture, pictureNull)
	b = append(b, `,"Version":`...)
	b = strconv.AppendInt(b, u.DoorVersion, 10)
	return append(b, '}')
}

// appendAddress appends an Address, null when the user has none.
func appendAddress(b []byte, a *directory.Address) []byte {
	if *a == (directory.Address{}) {
		return append(b, "null"...)
	}
	b = appendText(b, `{"AddressLine1":`, a.Line1)
	b = appendText(b, `,"AddressLine2":`, a.Line2)
	b = appendText(b, `,"City":`, a.City)
	b = appendText(b, `,"StateCode":`, a.Region)
	b = appendText(b, `,"CountryCode":`, a.Country)
	b = appendText(b, `,"Zip":`, a.Zip)
	return append(b, '}')
}

// appendPicture appends a Picture. Without one it is {} as in the seed, or
// null where the tenant chose so (dossier 5.12).
func appendPicture(b []byte, picture json.RawMessage, null bool) []byte {
	switch {
	case len(picture) > 0 && picture[0] == '{':
		return append(b, picture...)
	case null:
		return append(b, "null"...)
	}
	return append(b, "{}"...)
}

// appendObject appends a JSON object with its keys in alphabetical order.
func appendObject(b []byte, members map[string]json.RawMessage) []byte {
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = web.AppendString(b, key)
		b = append(b, ':')
		b = append(b, members[key]...)
	}
	return append(b, '}')
}

// appendText appends a key, written with its quotes and colon, and a text.
func appendText(b []byte, key, value string) []byte {
	b = append(b, key...)
	return web.AppendString(b, value)
}

// appendPage appends the envelope of a list (dossier 4.3). prev and next are
// JSON null where there is none (dossier 5.3).
func appendPage(b []byte, base string, p page, users *directory.UserPage, pictureNull bool) []byte {
	b = append(b, `{"_links":{"prev":`...)
	if p.skip > 0 {
		b = appendLink(b, base, max(0, p.skip-p.top), p.top)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"self":`...)
	b = appendLink(b, base, p.skip, p.top)
	b = append(b, `,"next":`...)
	if int64(p.skip)+int64(p.top) < users.Total {
		b = appendLink(b, base, p.skip+p.top, p.top)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `},"_metadata":{"count":`...)
	b = strconv.AppendInt(b, users.Total, 10)
	b = append(b, `,"skip":`...)
	b = strconv.AppendInt(b, int64(p.skip), 10)
	b = append(b, `,"top":`...)
	b = strconv.AppendInt(b, int64(p.top), 10)
	b = append(b, `},"items":`...)
	b = appendUsers(b, users.Users, pictureNull)
	return append(b, '}')
}

// appendUsers appends an array of Users.
func appendUsers(b []byte, users []directory.User, pictureNull bool) []byte {
	b = append(b, '[')
	for i := range users {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUser(b, &users[i], pictureNull)
	}
	return append(b, ']')
}

// appendLockReason appends a LockReason (seed, RESOURCES).
func appendLockReason(b []byte, r *directory.LockReason) []byte {
	b = append(b, `{"Id":`...)
	b = strconv.AppendInt(b, r.Number, 10)
	b = appendText(b, `,"Name":`, r.Name)
	b = appendText(b, `,"Description":`, r.Description)
	return append(b, '}')
}

// appendLockStatus appends the lock status: CanUnlockUser is whether the user
// is locked, LockReasonId is left out without a reason (dossier 5.17).
func appendLockStatus(b []byte, s *directory.LockStatus) []byte {
	b = append(b, `{"CanUnlockUser":`...)
	b = strconv.AppendBool(b, s.Locked)
	if s.Locked && s.Reason.Number != 0 {
		b = append(b, `,"LockReasonId":`...)
		b = strconv.AppendInt(b, s.Reason.Number, 10)
	}
	return append(b, '}')
}

// appendLocations appends the assigned locations; UserID is the seed's
// spelling (dossier 5.11).
func appendLocations(b []byte, user int64, locations []int64) []byte {
	b = append(b, `{"UserID":`...)
	b = strconv.AppendInt(b, user, 10)
	b = append(b, `,"LocationIDs":[`...)
	for i, n := range locations {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, "]}"...)
}

// appendRole appends a SecurityRole.
func appendRole(b []byte, r *directory.Role) []byte {
	b = append(b, `{"Id":`...)
	b = strconv.AppendInt(b, r.Number, 10)
	b = appendText(b, `,"Name":`, r.Name)
	return append(b, '}')
}

// appendAssignedRole appends an AssignedRole.
func appendAssignedRole(b []byte, a *directory.RoleAssignment) []byte {
	b = append(b, `{"Id":`...)
	b = strconv.AppendInt(b, a.Number, 10)
	b = append(b, `,"EntityId":`...)
	b = strconv.AppendInt(b, a.Company, 10)
	b = append(b, `,"SecurityRoleId":`...)
	b = strconv.AppendInt(b, a.Role, 10)
	b = append(b, `,"UserId":`...)
	b = strconv.AppendInt(b, a.User, 10)
	return append(b, '}')
}

// appendArray appends a JSON array of what each writes.
func appendArray[T any](b []byte, items []T, each func([]byte, *T) []byte) []byte {
	b = append(b, '[')
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = each(b, &items[i])
	}
	return append(b, ']')
}

// resetLayout is the vendor's time: seven decimals and Z (dossier 2.4).
const resetLayout = "2006-01-02T15:04:05.0000000Z"

// limitHeaders adds the state of the request limit to an answer.
func (d *door) limitHeaders(header [][2]string, q directory.Quota) [][2]string {
	// One string holds all four values, so that they cost one allocation.
	var buffer [96]byte
	b := strconv.AppendInt(buffer[:0], int64(q.Limit), 10)
	limit := len(b)
	b = strconv.AppendInt(b, int64(max(0, q.Remaining)), 10)
	remaining := len(b)
	b = q.Reset.UTC().AppendFormat(b, resetLayout)
	reset := len(b)
	seconds := (q.Reset.Sub(d.opts.Now()) + time.Second - 1) / time.Second
	b = strconv.AppendInt(b, max(0, int64(seconds)), 10)
	values := string(b)
	return append(header,
		[2]string{"X-RateLimit-Limit", values[:limit]},
		[2]string{"X-RateLimit-Remaining", values[limit:remaining]},
		[2]string{"X-RateLimit-Reset", values[remaining:reset]},
		[2]string{"X-RateLimit-ResetSeconds", values[reset:]})
}

// exchange is one request on its way through a handler.
type exchange struct {
	req  *web.Request
	call directory.Call
	at   target
}

// exchange prepares the call of the use case: the credential is taken as it
// came, unverified.
func (d *door) exchange(r *web.Request) *exchange {
	x := &exchange{req: r}
	x.at.parse(r.URL.Path)
	x.call.Door = directory.DoorIQmetrix
	x.call.Secret = directory.Secret(web.Bearer(r.Header))
	x.call.Host = r.Host
	x.call.Addr = r.Event.Addr
	x.call.RequestID = r.Event.RequestID
	return x
}

// record fills the request's event with who turned out to have asked.
func (x *exchange) record() {
	x.req.Event.Actor = x.call.Actor.Name
	if x.call.Actor.Tenant != 0 {
		x.req.Event.Tenant = strconv.FormatInt(int64(x.call.Actor.Tenant), 10)
	}
}

// body reads the request's body.
func (x *exchange) body(d *door) ([]byte, error) {
	body, err := x.req.Body(d.opts.MaxBody)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return nil, directory.Wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge, "The body is larger than %d bytes", d.opts.MaxBody)
	case err != nil:
		return nil, directory.Wrong(directory.CodeInvalid, directory.ReasonBodySyntax, "The body could not be read").Because(err)
	}
	return body, nil
}

// object reads the request's body as a JSON object.
func (x *exchange) object(d *door) (web.Object, error) {
	body, err := x.body(d)
	if err != nil {
		return web.Object{}, err
	}
	return decode(body)
}

// user is the user that the path names.
func (x *exchange) user() directory.UserRef { return directory.ByNumber(x.at.number(0)) }

// pictureNull is the tenant's choice of dossier 5.12.
func (x *exchange) pictureNull() bool {
	return x.call.Settings != nil && x.call.Settings.IQmetrixPictureNull
}

// userResponse answers with one User.
func (x *exchange) userResponse(status int, u *directory.User) (web.Response, error) {
	return jsonResponse(status, appendUser(make([]byte, 0, 768), u, x.pictureNull()))
}

// jsonResponse answers with a JSON body.
func jsonResponse(status int, body []byte) (web.Response, error) {
	return web.Response{Status: status, ContentType: contentJSON, Body: body}, nil
}

// emptyResponse answers without a body but, as the seed prints it, with a
// Content-Type (dossier 5.29). As a plain header it is sent with 204 too.
func emptyResponse(status int) (web.Response, error) {
	return web.Response{Status: status, Header: [][2]string{{"Content-Type", contentJSON}}}, nil
}
