package servicemobility

import (
	"net/http"
	"net/url"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// teamNames are the vendor's names of a group's fields.
var teamNames = map[string]string{"key": "ServiceTeamID", "members": "Users"}

func getTeam(d *door, x *exchange) (web.Response, error) {
	group, _, err := d.svc.Group(x.req.Context(), &x.call, team(x.ids[0]))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendTeam(nil, &group))
}

// createTeam makes a team; without a ServiceTeamID one is made (dossier 3.3).
func createTeam(d *door, x *exchange) (web.Response, error) {
	x.names = teamNames
	group, err := read(d, x, func(x *exchange, o web.Object) directory.Group {
		g := directory.Group{Kind: directory.GroupServiceTeam, Key: x.faults.text(o, "", "ServiceTeamID"), Name: x.faults.text(o, "", "Name")}
		if g.Name == "" {
			g.Name = g.Key
		}
		return g
	})
	if err != nil {
		return web.Response{}, err
	}
	made, err := d.svc.CreateGroups(x.req.Context(), &x.call, []directory.Group{group}, nil)
	if err != nil {
		return web.Response{}, err
	}
	id := made[0].Key
	response, err := jsonResponse(http.StatusCreated, append(appendText(nil, `{"ServiceTeamID":`, id), '}'))
	response.Header = [][2]string{{"Location", teamsPath + "/" + url.PathEscape(id)}}
	return response, err
}

// putTeam makes or replaces a team. One without a Name is named by its id.
func putTeam(d *door, x *exchange) (web.Response, error) {
	x.names = teamNames
	id := x.ids[0]
	patch, err := read(d, x, func(x *exchange, o web.Object) directory.GroupPatch {
		x.faults.sameID(o, "ServiceTeamID", id)
		name := x.faults.text(o, "", "Name")
		if name == "" {
			name = id
		}
		return directory.GroupPatch{Name: directory.Some(name)}
	})
	if err != nil {
		return web.Response{}, err
	}
	_, _, err = d.svc.PutGroup(x.req.Context(), &x.call, directory.GroupServiceTeam, id, patch)
	return d.done(err)
}

func deleteTeam(d *door, x *exchange) (web.Response, error) {
	return d.done(d.svc.DeleteGroups(x.req.Context(), &x.call, teamsOf(x.ids)))
}

func getTeamUsers(d *door, x *exchange) (web.Response, error) {
	users, err := d.svc.GroupMembers(x.req.Context(), &x.call, team(x.ids[0]))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendList(nil, `"Users":`, userIDs(users)))
}

// setTeamUsers makes the users of the body the team's only members; each leaves
// the team that it was in before (dossier 3.3).
func setTeamUsers(d *door, x *exchange) (web.Response, error) {
	x.names = teamNames
	ids, err := read(d, x, readUsers)
	if err != nil {
		return web.Response{}, err
	}
	return d.done(d.svc.SetGroupMembers(x.req.Context(), &x.call, team(x.ids[0]), usersOf(ids)))
}

// readUsers reads the body of the two calls that set members.
func readUsers(x *exchange, o web.Object) []string { return x.faults.ids(o, "Users") }
