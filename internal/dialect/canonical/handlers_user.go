package canonical

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// UserPath is the parameter of operations about one user.
type UserPath struct {
	ID string `path:"id" example:"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" doc:"The user's id, a UUID; anything else is unknown."`
}

// ViewQuery says how much of a user is shown.
type ViewQuery struct {
	Fields string `query:"fields" doc:"Only these members, separated by commas; id is always there." example:"id,user_name"`
	Expand string `query:"expand" doc:"Adds expanded with any of company, locations, groups and roles, separated by commas." example:"company,roles"`
}

// registerUsers adds the operations on users.
func registerUsers(d *door) {
	plain[struct {
		UserPath
		ViewQuery
		At time.Time `query:"at" example:"2026-02-25T12:00:00Z" doc:"The user as it was at this moment, with as_of, without an ETag and without expand."`
	}, struct{ Body User }](d, operation{id: "get_user", method: http.MethodGet, path: "/users/{id}", tag: "users", summary: "Read a user",
		description: "A user in the recycle bin is 404 with `user.deleted`. With `at`, also of one that was deleted since; 410 `history.gone` when it was purged, or what happened since is not kept any more.", versioned: true,
		examples: []example{{name: "a user of the sample directory", path: "/users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"}}}, getUser)
	d.registered(http.MethodGet, prefix+"/users/{id}").Responses["410"] = &huma.Response{Ref: "#/components/responses/410"}
	plain[struct {
		LookUpPath
		ViewQuery
	}, struct{ Body User }](d, operation{id: "look_up_user", method: http.MethodGet, path: "/users/by/{space}/{key}", tag: "users", summary: "Find a user by a key",
		description: "`login` finds by user name or by an e-mail address with which the user signs in. User names, addresses, employee numbers and MDNs are found in any letter case.",
		versioned:   true, examples: []example{{name: "by number", path: "/users/by/number/2576"}, {name: "by user name", path: "/users/by/user_name/johnb@kentel.com?fields=id,status"}}}, lookUpUser)
	register(d, operation{id: "create_user", method: http.MethodPost, path: "/users", tag: "users", summary: "Create a user",
		description: "The user is active unless `status` says otherwise.", status: http.StatusCreated, creates: true, versioned: true,
		examples: []example{{name: "an active user", body: `{"user_name":"ada","email":"ada@example.com","given_name":"Ada","family_name":"Byron"}`},
			{name: "a prepared user", body: `{"user_name":"grace","status":"staged"}`}}}, createUser)
	register(d, operation{id: "update_user", method: http.MethodPatch, path: "/users/{id}", tag: "users", summary: "Change a user",
		description: "A merge patch (RFC 7396): members that are left out stay, null resets. Members that only the server sets are refused.",
		versioned:   true, patch: true,
		examples: []example{{name: "a new title", path: "/users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870", body: `{"title":"Director"}`}}}, updateUser)
	register(d, operation{id: "replace_user", method: http.MethodPut, path: "/users/{id}", tag: "users", summary: "Replace a user",
		description: "Members that are left out are reset, but `status`, `locked` and `company`, which stay; members that only the server sets are ignored. So what GET answered can be sent back and changes nothing.",
		versioned:   true,
		examples:    []example{{name: "the whole user", path: "/users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870", body: `{"user_name":"johns","given_name":"John","family_name":"Smith","email":"johns@example.com"}`}}}, replaceUser)
}

// getUser is a plain handler: it is what is asked most often.
func getUser(x *exchange) (web.Response, error) {
	only, with, err := x.view()
	if err != nil {
		return web.Response{}, x.refuse(err)
	}
	if x.query.Has("at") {
		return x.readPastUser(directory.ByID(x.param("id")), only, with)
	}
	return x.readUser(directory.ByID(x.param("id")), only, with)
}

// LookUpPath are the parameters of the look-up.
type LookUpPath struct {
	Space string `path:"space" enum:"user_name,email,login,number,employee_number,open_id,web_mdn,external_id,storage_location" example:"user_name" doc:"What the key is."`
	Key   string `path:"key" doc:"The key, percent-encoded." example:"johnb%40kentel.com"`
}

// spaces are the references by the words of the look-up.
var spaces = map[string]func(key string) directory.UserRef{
	"user_name": directory.ByUserName,
	"email": func(key string) directory.UserRef {
		return directory.UserRef{Space: directory.SpaceLogin, Key: key, Kind: directory.HandleEmail}
	},
	"login":            inSpace(directory.SpaceLogin),
	"number":           byNumber,
	"employee_number":  inSpace(directory.SpaceEmployee),
	"open_id":          inSpace(directory.SpaceOpenID),
	"web_mdn":          inSpace(directory.SpaceWebMDN),
	"external_id":      inSpace(directory.SpaceExternal),
	"storage_location": inSpace(directory.SpaceStorage),
}

func inSpace(space directory.Space) func(string) directory.UserRef {
	return func(key string) directory.UserRef { return directory.ByHandle(space, key) }
}

// byNumber refers to a user by a number in decimal digits; what is none is
// nobody's.
func byNumber(key string) directory.UserRef { return directory.ByNumber(parseNumber(key)) }

// noNumber is a number that nothing has. A key that is no number becomes it, so
// that the core answers "not found" after it has checked the credential.
const noNumber = -1

// parseNumber reads a number as paths have it.
func parseNumber(key string) int64 {
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil || n < 1 || n > directory.MaxNumber || key[0] == '+' || key[0] == '0' {
		return noNumber
	}
	return n
}

// lookUpUser finds a user by a key; a space that there is not is an unknown path.
func lookUpUser(x *exchange) (web.Response, error) {
	only, with, err := x.view()
	if err != nil {
		return web.Response{}, x.refuse(err)
	}
	reference, ok := spaces[x.param("space")]
	if !ok {
		return web.Response{}, x.refuse(directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such space of keys."))
	}
	return x.readUser(reference(x.param("key")), only, with)
}

// readUser answers with one user.
func (x *exchange) readUser(ref directory.UserRef, only memberSet, with directory.Include) (web.Response, error) {
	s := shown{expand: with}
	if with == 0 {
		u, err := x.door.svc.User(x.req.Context(), &x.call, ref)
		if err != nil {
			return web.Response{}, err
		}
		s.u = &u
	} else {
		detail, err := x.door.svc.UserDetail(x.req.Context(), &x.call, ref, with)
		if err != nil {
			return web.Response{}, err
		}
		s.u, s.detail = &detail.User, &detail
	}
	s.caller = x.call.Actor.Credential
	body := appendUser(make([]byte, 0, 1024), &s, only)
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Header: append(make([][2]string, 0, 3), [2]string{"ETag", etag(s.u.Version)}), Body: body}, nil
}

// view reads ?fields= and ?expand=.
func (x *exchange) view() (only memberSet, with directory.Include, err error) {
	if x.query == nil {
		return 0, 0, nil
	}
	if only, err = parseFields(x.query.Get("fields")); err != nil {
		return 0, 0, err
	}
	with, err = parseExpand(x.query.Get("expand"))
	return only, with, err
}

// memberBits are the places of the members by name.
var memberBits = func() map[string]memberSet {
	bits := map[string]memberSet{}
	for i := range userMembers {
		bits[userMembers[i].name()] = 1 << i
	}
	return bits
}()

// parseFields reads ?fields=, names of members separated by commas.
func parseFields(text string) (memberSet, error) {
	var set memberSet
	if text == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		bit, ok := memberBits[name]
		if !ok {
			return 0, badQuery("fields", "fields: "+clip(name)+" is no member of a user.")
		}
		set |= bit
	}
	return set, nil
}

func createUser(ctx context.Context, x *exchange, in *struct{ Body userCreation }) (*userOutput, error) {
	creates(x, func(u directory.User) (userBody, string, int64) {
		return userBody{x.show(&u)}, "/users/" + u.ID, u.Version
	})
	u, err := x.door.svc.CreateUser(ctx, &x.call, newUser(&in.Body))
	if err != nil {
		return nil, err
	}
	x.setLocation("/users/" + u.ID)
	return x.userAnswer(&u), nil
}

func updateUser(ctx context.Context, x *exchange, in *struct {
	UserPath
	Body UserChange
}) (*userOutput, error) {
	options := directory.UpdateOptions{ClaimEmail: true, From: func(now *directory.UserDetail) (directory.UserPatch, error) {
		return mergePatch(&in.Body, &now.User)
	}}
	u, err := x.door.svc.UpdateUser(ctx, &x.call, directory.ByID(in.ID), directory.UserPatch{}, options)
	if err != nil {
		return nil, err
	}
	return x.userAnswer(&u), nil
}

func replaceUser(ctx context.Context, x *exchange, in *struct {
	UserPath
	Body userReplacement
}) (*userOutput, error) {
	patch := replacement(&in.Body.UserChange)
	u, err := x.door.svc.UpdateUser(ctx, &x.call, directory.ByID(in.ID), patch, directory.UpdateOptions{ClaimEmail: true})
	if err != nil {
		return nil, err
	}
	return x.userAnswer(&u), nil
}
