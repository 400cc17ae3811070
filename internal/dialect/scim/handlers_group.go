package scim

import (
	"errors"
	"net/http"
	"slices"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// groupRoutes are the operations on groups, and those on many resources at once.
var groupRoutes = []route{
	{"GET", "/Groups/{id}", "RFC 7644 section 3.4.1", getGroup},
	{"PUT", "/Groups/{id}", "RFC 7644 section 3.5.1", replaceGroup},
	{"PATCH", "/Groups/{id}", "RFC 7644 section 3.5.2", patchGroup},
	{"DELETE", "/Groups/{id}", "RFC 7644 section 3.6", deleteGroup},
	{"GET", "/Groups", "RFC 7644 section 3.4.2", listGroups},
	{"POST", "/Groups", "RFC 7644 section 3.3", createGroup},
	{"POST", "/Groups/.search", "RFC 7644 section 3.4.3", searchGroups},

	{"POST", "/Bulk", "RFC 7644 section 3.7", bulk},
}

// maxShown is how many members the answer to a PATCH shows: of a larger group
// there is no body (RFC 7644 section 3.5.2: 204), so that a change takes as long
// in a large group as in a small one.
const maxShown = 100

// maxGroupValues is how many JSON values a group or a PATCH of one has: who
// replaces a group names all that stay.
const maxGroupValues = 100_000

// group is the group that the path names. Other kinds than the plain one do not
// exist at this door (dossier 3.2).
func (x *exchange) group() directory.GroupRef {
	return directory.GroupRef{ID: x.key(), Kind: directory.GroupPlain}
}

// groupView is how the caller wants to see groups.
func (x *exchange) groupView() (groupView, error) {
	v := groupView{base: x.base(), show: groupResource.usual}
	if x.req.URL.RawQuery == "" {
		return v, nil
	}
	query := x.req.Query()
	var err error
	v.show, err = groupResource.projected(query.All("attributes"), query.All("excludedAttributes"))
	return v, err
}

// refusedGroup answers input about groups that this door refuses by itself: a
// caller without a valid credential learns that first.
func (x *exchange) refusedGroup(err error) (web.Response, error) {
	if refused := x.d.svc.Admit(x.req.Context(), &x.call); refused != nil {
		return web.Response{}, refused
	}
	return web.Response{}, mediaError(err)
}

// mediaError gives the refusal of a type of body its status, 415.
func mediaError(err error) error {
	if !errors.Is(err, errMedia) {
		return err
	}
	return directory.Wrong(directory.CodeUnsupported, directory.ReasonBodyMedia, "The body must be %s or application/json.", contentSCIM)
}

// groupError is an error of the core: a member who is nobody is a wrong value
// of the request, and not the resource that it asks for.
func groupError(err error) error {
	e := directory.AsError(err)
	if e == nil || e.Code != directory.CodeNotFound || e.Reason == directory.ReasonGroupNotFound {
		return err
	}
	return &refusal{e, invalidValue}
}

// groupResponse answers with one Group.
func (x *exchange) groupResponse(status int, v *groupView, d *directory.GroupDetail) web.Response {
	response := web.Response{Status: status, ContentType: contentSCIM, Header: [][2]string{{"ETag", etag(d.Group.Version)}}}
	if status == http.StatusCreated {
		response.Header = append(response.Header, [2]string{"Location", v.base + "/Groups/" + d.Group.ID})
	}
	response.Body = v.appendGroup(make([]byte, 0, 512+len(d.Members)*(150+len(v.base))), d)
	return response
}

// getGroup reads a group (RFC 7644 section 3.4.1).
func getGroup(d *door, x *exchange) (web.Response, error) {
	v, err := x.groupView()
	if err != nil {
		return x.refusedGroup(err)
	}
	g, err := d.svc.GroupDetail(x.req.Context(), &x.call, x.group(), v.members())
	if err != nil {
		return web.Response{}, err
	}
	if headers := x.req.Header["If-None-Match"]; headers != nil {
		if versions, any := tags(headers); any || slices.Contains(versions, g.Group.Version) {
			return web.Response{Status: http.StatusNotModified, Header: [][2]string{{"ETag", etag(g.Group.Version)}}}, nil
		}
	}
	return x.groupResponse(http.StatusOK, &v, &g), nil
}

// createGroup makes a group (RFC 7644 section 3.3).
func createGroup(_ *door, x *exchange) (web.Response, error) { return x.createGroupAs("") }

// createGroupAs makes a group, with an id if there is one already.
func (x *exchange) createGroupAs(id string) (web.Response, error) {
	v, err := x.groupView()
	if err != nil {
		return x.refusedGroup(err)
	}
	object, err := x.objectOf(maxDepth, maxGroupValues)
	if err != nil {
		return x.refusedGroup(err)
	}
	in, err := readGroup(object)
	if err != nil {
		return x.refusedGroup(err)
	}
	g, err := x.d.svc.MakeGroup(x.req.Context(), &x.call, directory.NewGroup{ExternalID: in.externalID, Members: in.members,
		Show: v.most(directory.Unbounded), Group: directory.Group{ID: id, Kind: directory.GroupPlain, Name: in.name}})
	if err != nil {
		return web.Response{}, groupError(err)
	}
	return x.groupResponse(http.StatusCreated, &v, &g), nil
}

// most is how many members an answer shows at most.
func (v *groupView) most(n int) int {
	if !v.members() {
		return 0
	}
	return n
}

// replaceGroup replaces a group with its members (RFC 7644 section 3.5.1).
func replaceGroup(d *door, x *exchange) (web.Response, error) {
	v, err := x.groupView()
	if err != nil {
		return x.refusedGroup(err)
	}
	object, err := x.objectOf(maxDepth, maxGroupValues)
	if err != nil {
		return x.refusedGroup(err)
	}
	in, err := readGroup(object)
	if err != nil {
		return x.refusedGroup(err)
	}
	x.conditions()
	edit := directory.GroupEdit{Members: directory.Some(in.members), Show: v.most(directory.Unbounded)}
	edit.Name, edit.ExternalID = directory.Some(in.name), directory.Some(in.externalID)
	return x.editGroup(&v, edit)
}

// patchGroup changes a group (RFC 7644 section 3.5.2).
func patchGroup(d *door, x *exchange) (web.Response, error) {
	v, err := x.groupView()
	if err != nil {
		return x.refusedGroup(err)
	}
	object, err := x.objectOf(maxDepth, maxGroupValues)
	if err != nil {
		return x.refusedGroup(err)
	}
	edit, err := groupPatch(object)
	if err != nil {
		return x.refusedGroup(err)
	}
	x.conditions()
	edit.Show = v.most(maxShown)
	if _, asked := x.req.Query().Get("attributes"); asked {
		edit.Show = v.most(directory.Unbounded)
	}
	return x.editGroup(&v, edit)
}

// editGroup carries a change out. Where the answer should show members and
// there are too many, it has no body.
func (x *exchange) editGroup(v *groupView, edit directory.GroupEdit) (web.Response, error) {
	g, err := x.d.svc.EditGroup(x.req.Context(), &x.call, x.group(), edit)
	if err != nil {
		return web.Response{}, groupError(err)
	}
	if v.members() && g.Members == nil {
		return web.Response{Status: http.StatusNoContent, Header: [][2]string{{"ETag", etag(g.Group.Version)}}}, nil
	}
	return x.groupResponse(http.StatusOK, v, &g), nil
}

// deleteGroup erases a group with its memberships (RFC 7644 section 3.6).
func deleteGroup(d *door, x *exchange) (web.Response, error) {
	x.conditions()
	if err := d.svc.DeleteGroups(x.req.Context(), &x.call, []directory.GroupRef{x.group()}); err != nil {
		return web.Response{}, err
	}
	return web.Response{Status: http.StatusNoContent}, nil
}
