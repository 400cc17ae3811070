package scim

import (
	"net/http"
	"slices"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// user is the user that the path names: by id, or with /Me the person who asks.
func (x *exchange) user() directory.UserRef {
	if key := x.key(); key != "" {
		return directory.ByID(key)
	}
	return directory.Myself()
}

// view is how the caller wants to see users.
func (x *exchange) view() (userView, error) {
	v := userView{show: userResource.usual}
	if x.req.URL.RawQuery == "" {
		return v, nil
	}
	query := x.req.Query()
	var err error
	v.show, err = userResource.projected(query.All("attributes"), query.All("excludedAttributes"))
	return v, err
}

// userResponse answers with one User. The view's caller is known by now.
func (x *exchange) userResponse(status int, v *userView, u *directory.UserDetail) web.Response {
	v.base, v.credential = x.base(), x.call.Actor.Credential
	tag := etag(u.User.Version)
	response := web.Response{Status: status, ContentType: contentSCIM, Header: [][2]string{{"ETag", tag}}}
	if status == http.StatusCreated {
		response.Header = append(response.Header, [2]string{"Location", v.base + "/Users/" + u.User.ID})
	}
	response.Body = v.appendUser(make([]byte, 0, 1024), u)
	return response
}

// getUser reads a user (RFC 7644 section 3.4.1).
func getUser(d *door, x *exchange) (web.Response, error) {
	v, err := x.view()
	if err != nil {
		return x.refused(err)
	}
	u, err := d.svc.UserDetail(x.req.Context(), &x.call, x.user(), v.include())
	if err != nil {
		return web.Response{}, err
	}
	if headers := x.req.Header["If-None-Match"]; headers != nil {
		if versions, any := tags(headers); any || slices.Contains(versions, u.User.Version) {
			return web.Response{Status: http.StatusNotModified, Header: [][2]string{{"ETag", etag(u.User.Version)}}}, nil
		}
	}
	return x.userResponse(http.StatusOK, &v, &u), nil
}

// createUser makes a user (RFC 7644 section 3.3).
func createUser(d *door, x *exchange) (web.Response, error) {
	v, err := x.view()
	if err != nil {
		return x.refused(err)
	}
	object, err := x.object()
	if err != nil {
		return x.refused(err)
	}
	in, err := newUser(object)
	if err != nil {
		return x.refused(err)
	}
	u, err := d.svc.CreateUserDetail(x.req.Context(), &x.call, in, v.include())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusCreated, &v, &u), nil
}

// doorRules are what the door asks of every change.
func doorRules() directory.DoorRules { return directory.DoorRules{HiddenStaged: true} }

// replaceUser replaces what the door shows of a user (RFC 7644 section 3.5.1).
func replaceUser(d *door, x *exchange) (web.Response, error) {
	v, err := x.view()
	if err != nil {
		return x.refused(err)
	}
	object, err := x.object()
	if err != nil {
		return x.refused(err)
	}
	patch, err := replacement(object)
	if err != nil {
		return x.refused(err)
	}
	x.conditions()
	options := directory.UpdateOptions{Rules: doorRules(), From: func(now *directory.UserDetail) (directory.UserPatch, error) {
		return replacementOf(object, now, x.call.Actor.Credential)
	}}
	if _, sent := object.Get("roles"); sent {
		options.FromWith = directory.IncludeRoles
	}
	u, err := d.svc.UpdateUserDetail(x.req.Context(), &x.call, x.user(), patch, options, v.include())
	if err != nil {
		return web.Response{}, err
	}
	return x.userResponse(http.StatusOK, &v, &u), nil
}

// deleteUser puts a user into the recycle bin (RFC 7644 section 3.6).
func deleteUser(d *door, x *exchange) (web.Response, error) {
	x.conditions()
	if _, err := d.svc.DeleteUser(x.req.Context(), &x.call, x.user()); err != nil {
		return web.Response{}, err
	}
	return web.Response{Status: http.StatusNoContent}, nil
}
