package edubrite

import (
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// activate answers alike whether the user was active or not (seed, Response 1).
func activate(d *door, x *exchange) (web.Response, error) {
	if _, err := d.svc.Activate(x.req.Context(), &x.call, x.params.user()); err != nil {
		return web.Response{}, err
	}
	return success(codeActivated, textActivated, nil)
}

func deactivate(d *door, x *exchange) (web.Response, error) {
	if _, err := d.svc.Deactivate(x.req.Context(), &x.call, x.params.user()); err != nil {
		return web.Response{}, err
	}
	return success(codeDeactivated, textDeactivated, nil)
}

func createUser(d *door, x *exchange) (web.Response, error) {
	u, err := d.svc.CreateUser(x.req.Context(), &x.call, x.params.newUser())
	if err != nil {
		return web.Response{}, taken(err, map[directory.Reason]string{
			directory.ReasonUserNameTaken: x.params.get("userName"), directory.ReasonOpenIDTaken: x.params.get("openId")})
	}
	return success(codeAdded, textUserAdded, appendUser(nil, &directory.UserDetail{User: u}, ""))
}

func updateUser(d *door, x *exchange) (web.Response, error) {
	patch, options := x.params.userUpdate()
	if _, err := d.svc.UpdateUser(x.req.Context(), &x.call, x.params.user(), patch, options); err != nil {
		return web.Response{}, err
	}
	return success(codeUpdated, textUpdated, nil)
}

// renameUser gives the user of id or openId the name of userName, which is
// never the key here (dossier 5.1).
func renameUser(d *door, x *exchange) (web.Response, error) {
	name := x.params.get("userName")
	ref := x.params.user()
	if ref.Space == directory.SpaceLogin {
		ref = directory.UserRef{} // names nobody
	}
	_, err := d.svc.UpdateUser(x.req.Context(), &x.call, ref, directory.UserPatch{UserName: directory.Some(name)}, directory.UpdateOptions{})
	if err != nil {
		return web.Response{}, taken(err, map[directory.Reason]string{directory.ReasonUserNameTaken: name})
	}
	return success(codeUpdated, textUpdated, nil)
}

// getUser answers userService.do get and profile.do profile, which is what the
// Java client reads users with (dossier 3.4).
func getUser(d *door, x *exchange) (web.Response, error) {
	var f faults
	var with directory.Include
	if token, _ := x.params.flag(&f, "pwToken"); token {
		with = directory.IncludeReset
	}
	if err := f.err(); err != nil {
		return x.refuse(d, err)
	}
	u, err := d.svc.UserDetail(x.req.Context(), &x.call, x.params.user(), with)
	if err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, appendUser(nil, &u, d.resetURL(x)))
}

func listUsers(d *door, x *exchange) (web.Response, error) {
	q, at, with, err := x.params.userQuery()
	if err != nil {
		return x.refuse(d, err)
	}
	return answerList(d, x, q, at, with)
}

// searchUser is the older list, by user name alone (dossier 3.4).
func searchUser(d *door, x *exchange) (web.Response, error) {
	var f faults
	at := x.params.page(&f, maxPageSize)
	if err := f.err(); err != nil {
		return x.refuse(d, err)
	}
	q := directory.UserQuery{Skip: at.skip(), Limit: at.size, WantTotal: true}
	if word := strings.TrimSpace(x.params.get("userNameLike")); word != "" {
		if !strings.ContainsFunc(word, isWildcard) {
			word = "*" + word + "*"
		}
		if parts := strings.FieldsFunc(word, isWildcard); len(parts) > 0 {
			q.Filter = wildcards(word, parts, []directory.Field{directory.FieldUserName})
		}
	}
	return answerList(d, x, q, at, 0)
}

// answerList is what both lists have in common.
func answerList(d *door, x *exchange, q directory.UserQuery, at page, with directory.Include) (web.Response, error) {
	list, err := d.svc.UserDetails(x.req.Context(), &x.call, q, with)
	if err != nil {
		return web.Response{}, err
	}
	return success(codeSuccess, textSuccess, appendUsers(make([]byte, 0, 512*(1+len(list.Users))), &list, at, d.resetURL(x)))
}

// signup makes many users, all or none (dossier 3.4). Every name that is in use
// is named.
func signup(d *door, x *exchange) (web.Response, error) {
	users, numbers := x.params.newUsers()
	if len(users) == 0 {
		var f faults
		f.required("username_0", "")
		return x.refuse(d, f.err())
	}
	made, err := d.svc.CreateUsers(x.req.Context(), &x.call, users)
	if err != nil {
		return web.Response{}, signupError(err, users, numbers)
	}
	var b []byte
	for i := range made {
		b = appendUser(b, &directory.UserDetail{User: made[i]}, "")
	}
	return success(codeAdded, textUserAdded, b)
}

// signupError puts the names that are in use into the vendor's text, each after
// a space (dossier 3.4), and gives other violations the numbers of their
// parameters.
func signupError(err error, users []directory.NewUser, numbers []int) error {
	named := *directory.AsError(err)
	var names strings.Builder
	named.Fields = slices.Clone(named.Fields)
	for i, f := range named.Fields {
		at, field, ok := inList(f.Field)
		if !ok || at >= len(users) {
			continue
		}
		names.WriteString(" " + users[at].Fields.UserName.Value)
		named.Fields[i].Field = listField(numbers[at], field)
	}
	if named.Reason != directory.ReasonUserNameTaken {
		if directory.CodeOf(err) == directory.CodeInternal {
			return err
		}
		return &named
	}
	return nameTaken(&named, names.String())
}
