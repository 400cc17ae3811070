package servicemobility

import (
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

func getUser(d *door, x *exchange) (web.Response, error) {
	detail, err := d.svc.UserDetail(x.req.Context(), &x.call, x.user(0), directory.IncludeGroups)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendUser(make([]byte, 0, 768), &detail))
}

// The warnings of a new user who was to be told and cannot be (dossier 5.6).
const (
	warnNoAddress  = "The user has no e-mail address: nothing was mailed."
	warnNoPassword = "The user has no e-mail address: nothing was mailed, and no password was made."
)

// putUser inserts the user or replaces all that this door shows of it, 200
// either way (dossier 5.2). What is wrong with the properties goes to the core
// with them, so that one answer names all.
func putUser(d *door, x *exchange) (web.Response, error) {
	object, err := x.object(d)
	if err != nil {
		return x.refuse(d, err)
	}
	r := userReplacement(x, object)
	notify, _ := x.req.Query().Get(notifyQuery)
	in := directory.NewUser{
		Password:    r.password,
		MinPassword: d.opts.MinPassword,
		Notify:      notify == "true",
		Rules:       directory.DoorRules{Faults: x.faults.list, HiddenStaged: true},
		Fields:      r.fields,
	}
	mute := in.Notify && r.fields.Email.Value == ""
	in.GeneratePassword = in.Notify && !mute
	options := directory.UpdateOptions{MinPassword: d.opts.MinPassword, Rules: in.Rules}
	_, made, err := d.svc.PutUser(x.req.Context(), &x.call, x.ids[0], in, options)
	switch {
	case err != nil:
		return web.Response{}, err
	case made && mute && in.Password == "":
		return d.okResponse(warnNoPassword)
	case made && mute:
		return d.okResponse(warnNoAddress)
	}
	return d.okResponse("")
}

func deleteUser(d *door, x *exchange) (web.Response, error) {
	_, err := d.svc.DeleteUser(x.req.Context(), &x.call, x.user(0))
	return d.done(err)
}

// setTeams makes the teams of the body the user's only ones, in their order
// (dossier 5.9).
func setTeams(d *door, x *exchange) (web.Response, error) {
	x.names = map[string]string{directory.FieldGroups.String(): "ServiceTeams"}
	ids, err := read(d, x, func(x *exchange, o web.Object) []string { return x.faults.ids(o, "ServiceTeams") })
	if err != nil {
		return web.Response{}, err
	}
	_, err = d.svc.ChangeGroups(x.req.Context(), &x.call, x.user(0), 0,
		directory.GroupChange{Kind: directory.GroupServiceTeam, Mode: directory.GroupsReplace, Groups: teamsOf(ids)})
	return d.done(err)
}

// changeStorage gives the user a storage location, "" none (dossier 3.2).
func changeStorage(d *door, x *exchange) (web.Response, error) {
	patch, err := read(d, x, func(x *exchange, o web.Object) directory.UserPatch {
		if _, state := o.String("StorageLocationID"); state == web.Absent || state == web.Null {
			x.faults.required("StorageLocationID")
		}
		return directory.UserPatch{StorageLocation: directory.Some(x.faults.text(o, "", "StorageLocationID"))}
	})
	if err != nil {
		return web.Response{}, err
	}
	_, err = d.svc.UpdateUser(x.req.Context(), &x.call, x.user(0), patch, directory.UpdateOptions{})
	return d.done(err)
}

// getUserRoles lists the roles of the tenant itself that the user holds: those
// of a company belong to another door (dossier 3.2).
func getUserRoles(d *door, x *exchange) (web.Response, error) {
	detail, err := d.svc.UserDetail(x.req.Context(), &x.call, x.user(0), directory.IncludeRoles)
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendList(nil, `"Roles":`, roleIDs(detail.Roles)))
}

func setUserRoles(d *door, x *exchange) (web.Response, error) {
	keys, err := read(d, x, func(x *exchange, o web.Object) []string { return x.faults.ids(o, "Roles") })
	if err != nil {
		return web.Response{}, err
	}
	return d.done(d.svc.SetUserRoles(x.req.Context(), &x.call, x.user(0), keys))
}
