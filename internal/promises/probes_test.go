package promises

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// namings say what a value of a request names, by its name: first as
// "door:path part:name", then as "door:name", then by the name alone.
var namings = map[string][]kind{
	// canonical
	"canonical:users:id": {userID}, "canonical:users:user": {userID}, "canonical:groups:user": {userID}, "canonical:users:key": nil,
	"canonical:company": {companyNumber}, "canonical:companies:company": {companyNumber, companyID}, "canonical:locations:location": {placeNumber, placeID}, "canonical:roles:role": {roleNumber},
	"canonical:group": {groupID}, "canonical:credential": {credentialID}, "canonical:webhook": {webhookID}, "canonical:secret": {secretID},
	"canonical:import": {importID}, "canonical:action": {actionID}, "canonical:job": {jobID}, "canonical:session": {userSession}, "canonical:licence_pools:type": {licenceType},
	"canonical:lock_reason": {reasonNumber}, "canonical:bulk_actions:users": {userNumber}, "canonical:bulk_actions:group": {groupNumber},
	"canonical:bulk_actions:groups": {groupID}, "canonical:companies:parent": {companyNumber}, "canonical:groups:parent": {groupID},
	"canonical:events:user": {userID}, "canonical:events:user_number": {userNumber}, "canonical:jobs:user": {userID}, "canonical:events:cursor": {eventCursor, listCursor},
	"canonical:credentials:secret": nil, "canonical:cursor": {listCursor, eventCursor}, "canonical:q": {searchText}, "canonical:filter": {userFilter}, "canonical:default_company": {companyNumber},
	"canonical:companies": {companyNumber}, "canonical:members": {userID}, "canonical:add": {userID}, "canonical:remove": {userID}, "canonical:user_name": {userName, userEmail},
	"canonical:email": {userEmail, userName}, "canonical:employee_number": {userEmployee}, "canonical:open_id": {userOpenID}, "canonical:web_mdn": {userWebMDN},
	"canonical:client_user_id": {userClient}, "canonical:external_id": {userExternal}, "canonical:storage_location": {userStorage},
	"canonical:licence_type": {licenceType}, "canonical:users:number": {userNumber}, "canonical:companies:number": {companyNumber}, "canonical:companies:id": {companyID},
	"canonical:groups:number": {groupNumber}, "canonical:groups:id": {groupID}, "canonical:groups:name": {groupName}, "canonical:locations:number": {placeNumber},
	"canonical:locations:id": {placeID}, "canonical:lock_reasons:number": {reasonNumber}, "canonical:roles:number": {roleNumber}, "canonical:roles:key": {roleKey},
	// iqmetrix
	"iqmetrix:UserId": {userNumber}, "iqmetrix:CompanyId": {companyNumber}, "iqmetrix:EntityId": {companyNumber}, "iqmetrix:LocationId": {placeNumber},
	"iqmetrix:LockReasonId": {reasonNumber}, "iqmetrix:SecurityRoleId": {roleNumber}, "iqmetrix:$filter": {odataFilter}, "iqmetrix:terms": {searchText},
	"iqmetrix:UserName": {userName, userEmail}, "iqmetrix:Email": {userEmail}, "iqmetrix:ClientUserId": {userClient}, "iqmetrix:ParentEntityId": {companyNumber},
	"iqmetrix:Id": {userNumber}, "iqmetrix:username": {userName}, "iqmetrix:client_id": {clientID},
	// encore
	"encore:id": {userNumber, userEmployee}, "encore:UserName": {userName, userEmail}, "encore:Email": {userEmail}, "encore:EmployeeNumber": {userEmployee},
	"encore:WebMDN": {userWebMDN}, "encore:WebMdn": {userWebMDN}, "encore:GroupName": {groupName}, "encore:ExternalId": {userEmployee},
	// smartapp
	"smartapp:user:UniqueID": {userID}, "smartapp:company:UniqueID": {companyID}, "smartapp:companylocation:UniqueID": {placeID, companyID},
	"smartapp:email": {userEmail}, "smartapp:userName": {userName}, "smartapp:name": {companyName, placeName}, "smartapp:companyName": {companyName},
	"smartapp:companyLocationName": {placeName}, "smartapp:groups": {groupName}, "smartapp:dashboardGroups": {boardName}, "smartapp:applicationRoles": {roleKey},
	"smartapp:companyUniqueID": {companyID}, "smartapp:companyUniqueId": {companyID},
	// edubrite
	"edubrite:id": {userID, groupID}, "edubrite:openId": {userOpenID}, "edubrite:userName": {userName}, "edubrite:email": {userEmail}, "edubrite:groupId": {groupID},
	"edubrite:groupNameFilter": {groupName}, "edubrite:search": {searchText}, "edubrite:userNameLike": {userName}, "edubrite:groupRef": {groupID, groupName},
	"edubrite:groupName0": {groupName}, "edubrite:groupId0": {groupID}, "edubrite:parentId": {groupID}, "edubrite:groupNamePart": {groupName},
	"edubrite:username_0": {userName}, "edubrite:email_0": {userEmail}, "edubrite:username": {userName}, "edubrite:newName": {groupName},
	// servicemobility
	"servicemobility:UserID": {userName}, "servicemobility:RoleID": {roleKey}, "servicemobility:ServiceTeamID": {teamKey}, "servicemobility:EntityID": {tenantID},
	"servicemobility:ServiceTeams": {teamKey}, "servicemobility:Roles": {roleKey}, "servicemobility:Users": {userName}, "servicemobility:Email": {userEmail, userName},
	"servicemobility:StorageLocationID": {userStorage}, "servicemobility:username": {userName},
	// scim
	"scim:Users:id": {userID}, "scim:Groups:id": {groupID},
	// console
	"console:users:number": {userNumber}, "console:companies:number": {companyNumber}, "console:locations:number": {placeNumber}, "console:roles:number": {roleNumber},
	"console:lock-reasons:number": {reasonNumber}, "console:groups:id": {groupID}, "console:webhooks:id": {webhookID}, "console:credentials:id": {credentialID},
	"console:imports:id": {importID}, "console:actions:id": {actionID}, "console:jobs:id": {jobID}, "console:account:id": {userSession},
	"console:session": {userSession}, "console:type": {licenceType},
}

// plain are variables of paths that name nothing of a tenant, with a value.
var plain = map[string]string{"position": "1", "part": "1", "scim:ResourceTypes:id": "User", "scim:Schemas:id": "urn:ietf:params:scim:schemas:core:2.0:User", "console:doors:name": "encore"}

// namingOf is what a value names; ok is false when nobody has said.
func (r route) namingOf(name string) ([]kind, bool) {
	parts := strings.Split(strings.Trim(r.path, "/"), "/")
	if at := slices.Index(parts, "{"+name+"}"); at > 0 { // what stands before it says what it is of
		parts = parts[:at]
		if kinds, ok := namings[r.door+":"+parts[at-1]+":"+name]; ok {
			return kinds, true
		}
	}
	for _, part := range slices.Backward(parts) {
		if kinds, ok := namings[r.door+":"+part+":"+name]; ok {
			return kinds, true
		}
	}
	kinds, ok := namings[r.door+":"+name]
	return kinds, ok
}

// variable is a name in braces of a path.
var variable = regexp.MustCompile(`\{([A-Za-z_]+)\}`)

// probe is a request with one place for a name, whose other names are those of
// the caller's own things.
type probe struct {
	route route
	what  kind
	place string // for failures
	make  func(text string) request
}

func (p probe) String() string { return fmt.Sprintf("%v %s (%s)", p.route, p.place, p.what) }

// caller is who sends: the credentials and what is known to it.
type caller struct {
	headers map[string]map[string]string
	own     things
	names   *atomic.Int64 // that were drawn: twins draw the same ones
}

// fresh is a name that nothing has yet.
func (c caller) fresh() string { return fmt.Sprintf("fresh%d", c.names.Add(1)) }

// probesOf are all probes of a route, and the variables of its path that nobody
// has said the meaning of.
func (c caller) probesOf(r route) (probes []probe, unknown []string) {
	if r.door == "scim" {
		return c.scimProbes(r), nil
	}
	if r.door == "canonical" && strings.Contains(r.path, "{space}") {
		return c.handleProbes(r), nil
	}
	for _, found := range variable.FindAllStringSubmatch(r.path, -1) {
		name := found[1]
		kinds, ok := r.namingOf(name)
		if !ok && r.plainValue(name) == "" && name != "deed" {
			unknown = append(unknown, name)
		}
		for _, k := range kinds {
			probes = append(probes, probe{r, k, "path " + name, func(text string) request { return c.request(r, name, "", field{}, k, text) }})
		}
	}
	for _, name := range r.queries {
		kinds, _ := r.namingOf(name)
		for _, k := range kinds {
			probes = append(probes, probe{r, k, "query " + name, func(text string) request { return c.request(r, "", name, field{}, k, text) }})
		}
	}
	for _, f := range r.fields {
		kinds, _ := r.namingOf(f.name())
		if f.path[0] == "phones" {
			continue
		}
		for _, k := range kinds {
			probes = append(probes, probe{r, k, "body " + strings.Join(f.path, "."), func(text string) request { return c.request(r, "", "", f, k, text) }})
		}
	}
	return probes, unknown
}

func (r route) plainValue(name string) string {
	for _, part := range slices.Backward(strings.Split(r.path, "/")) {
		if value, ok := plain[r.door+":"+part+":"+name]; ok {
			return value
		}
	}
	return plain[name]
}

// handleProbes are those of users named by one of their handles.
func (c caller) handleProbes(r route) []probe {
	var probes []probe
	spaces := map[string]kind{"user_name": userName, "email": userEmail, "login": userName, "number": userNumber, "employee_number": userEmployee,
		"open_id": userOpenID, "web_mdn": userWebMDN, "external_id": userExternal}
	for _, space := range slices.Sorted(maps.Keys(spaces)) {
		k := spaces[space]
		probes = append(probes, probe{r, k, "path " + space, func(text string) request {
			return request{r.method, strings.NewReplacer("{space}", space, "{key}", url.PathEscape(text)).Replace(r.path), "", c.headers[r.door]}
		}})
	}
	return probes
}

// request fills a route: the name goes to one variable of the path, one value of
// the query or one leaf of the body.
func (c caller) request(r route, pathName, queryName string, at field, k kind, text string) request {
	path := variable.ReplaceAllStringFunc(r.path, func(braced string) string {
		name := strings.Trim(braced, "{}")
		if name == pathName {
			return url.PathEscape(text)
		}
		if kinds, _ := r.namingOf(name); len(kinds) > 0 {
			return url.PathEscape(c.own[kinds[0]])
		}
		if name == "deed" {
			return "lock"
		}
		return url.PathEscape(r.plainValue(name))
	})
	values := url.Values{}
	for _, name := range r.queries {
		kinds, _ := r.namingOf(name)
		switch {
		case name == queryName:
			values.Set(name, text)
		case (name == "UniqueID" || name == "id") && queryName != "openId" && queryName != "userName" && len(kinds) > 0:
			values.Set(name, c.own[kinds[0]])
		case name == "kind", name == "source", name == "ref": // of a hold
			if r.method == "DELETE" {
				values.Set(name, "legal")
			}
		}
	}
	if k == userEmployee && r.door == "encore" && pathName != "" {
		values.Set("use-external-id", "true")
	}
	if r.dispatch != "" {
		c.form(r, values, queryName)
	}
	out := request{r.method, path, "", c.headersFor(r)}
	switch {
	case r.form:
		out.body = values.Encode()
	case len(values) > 0:
		out.path += "?" + values.Encode()
	}
	if r.fields != nil {
		out.body = c.body(r, at, k, text)
	}
	if r.form && r.door == "console" {
		out.body = url.Values{"name": {c.own[userName]}, "reason": {"why"}}.Encode()
	}
	return out
}

// headersFor present the caller's credential: where only a person may do
// something, that of one.
func (c caller) headersFor(r route) map[string]string {
	last := r.path[strings.LastIndexByte(r.path, '/')+1:]
	switch {
	case last == "token":
		return map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	case last == "impersonate" && r.door == "canonical", last == "delegate":
		return c.headers[r.door+" person"]
	}
	return c.headers[r.door]
}

// form adds what the actions of edubrite need.
func (c caller) form(r route, values url.Values, asked string) {
	values.Set("dispatch", r.dispatch)
	more := map[string]string{"groupId": c.own[groupID], "groupId0": c.own[groupID], "groupName": c.fresh(), "groupName0": c.fresh(), "firstName": "A", "lastName": "B",
		"email": c.fresh() + "@example.test"}
	if r.dispatch == "create" || r.dispatch == "renameUser" {
		more["userName"] = c.fresh()
	}
	if r.dispatch == "list" || strings.HasPrefix(r.dispatch, "search") { // they filter by what they are given
		return
	}
	for name, value := range more {
		if name != asked && !values.Has(name) {
			values.Set(name, value)
		}
	}
}

// body is the JSON, or for the token service the form, of a route.
func (c caller) body(r route, at field, k kind, text string) string {
	root := map[string]any{}
	for _, f := range r.fields {
		switch {
		case len(at.path) > 0 && slices.Equal(f.path, at.path):
			put(root, f.path, valueOf(k, text))
		case f.required || mayNeed[f.name()] && (len(at.path) == 0 || at.path[0] != "select"):
			put(root, f.path, c.plainField(r, f))
		}
	}
	if strings.HasSuffix(r.path, "/oauth2/token") {
		values := url.Values{"grant_type": {"password"}, "password": {firstPassword}, "username": {"nobody"}}
		for name, value := range root {
			if len(at.path) > 0 && name == at.path[0] {
				values.Set(name, fmt.Sprint(value))
			}
		}
		return values.Encode()
	}
	return toJSON(root)
}

// mayNeed are fields that a description does not require and a request does.
var mayNeed = map[string]bool{"UserName": true, "ParentEntityId": true, "FirstName": true, "LastName": true, "firstName": true, "lastName": true,
	"Password": true, "LicenseType": true, "user_name": true, "users": true}

// plainField is a value for a leaf that is not what is asked about.
func (c caller) plainField(r route, f field) any {
	name := f.name()
	kinds, _ := r.namingOf(name)
	switch {
	case name == "UserID" && strings.HasSuffix(r.path, "/impersonate"):
		return c.own[bossName]
	case strings.EqualFold(name, "password"):
		if strings.HasSuffix(r.path, "/impersonate") {
			return c.own[bossSecret]
		}
		return firstPassword
	case strings.EqualFold(name, "email"):
		return c.fresh() + "@example.test"
	case strings.EqualFold(name, "username"), strings.EqualFold(name, "user_name"), strings.EqualFold(name, "name"), name == "key":
		return c.fresh()
	case name == "LicenseType":
		return 1
	case name == "from":
		return "2026-01-01T00:00:00Z"
	case len(kinds) > 0:
		return valueOf(kinds[0], c.own[kinds[0]])
	}
	return f.sample
}

// put sets a leaf.
func put(root map[string]any, path []string, value any) {
	at := root
	for i, name := range path {
		rest := path[i+1:]
		if len(rest) == 0 {
			at[name] = value
			return
		}
		if rest[0] == "[]" {
			if len(rest) == 1 {
				at[name] = []any{value}
				return
			}
			list, _ := at[name].([]any)
			if len(list) == 0 {
				list = []any{map[string]any{}}
				at[name] = list
			}
			first, ok := list[0].(map[string]any)
			if !ok {
				return
			}
			put(first, rest[1:], value)
			return
		}
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
}

var (
	uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	drawn = regexp.MustCompile(`"(token|secret|hint|request_id|behind|next_cursor)": ?("[^"]*"|\d+)|"(failures|failing_since|next_at|last_status|last_error|last_success)": ?("[^"]*"|\d+|null)|usher_[A-Za-z0-9_-]+|name="csrf" value="[^"]*"|whsec_[A-Za-z0-9_+/=-]+`)
	times = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`)
)

func isUUID(text string) bool { return len(text) == 36 && uuids.MatchString(text) }

// without takes a name out of an answer, in all forms in which it may be echoed.
func without(body, text string) string {
	quoted, _ := json.Marshal(text)
	for _, form := range []string{string(quoted[1 : len(quoted)-1]), url.QueryEscape(text), url.PathEscape(text), text} {
		body = strings.ReplaceAll(body, form, "§")
		body = strings.ReplaceAll(body, strings.ToLower(form), "§")
	}
	return body
}

// alike is what two answers must have in common, whatever name was asked for:
// without the name itself, and what every answer has of its own.
func alike(a answer, text string) string {
	body := times.ReplaceAllString(uuids.ReplaceAllString(drawn.ReplaceAllString(without(a.header.Get("ETag")+a.body, text), "D"), "U"), "T")
	return fmt.Sprintf("%d %s", a.status, unmark.Replace(body)) // earlier requests may have taken such names
}

// flip changes the last letters of a sealed text.
func flip(text string) string {
	b := []byte(text)
	for i := len(b) / 2; i < len(b); i++ {
		if b[i] != '-' && b[i] != '_' && b[i] != '=' {
			b[i] = "AB"[b2i(b[i] == 'A')]
		}
	}
	return string(b)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unmark makes names of others into names that nothing has.
var unmark = strings.NewReplacer("Zyxwvut", "Qponmlk", "zyxwvut", "qponmlk", "77000", "99000")

// replaceMark makes a name of the same length that nothing has.
func replaceMark(text string) string { return unmark.Replace(text) }
