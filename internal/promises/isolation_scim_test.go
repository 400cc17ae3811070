package promises

import (
	"encoding/json"
	"strings"
)

const (
	scimUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimMore  = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	scimOwn   = "urn:usher:params:scim:schemas:extension:directory:2.0:User"
	scimPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	scimBulk  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	scimAsk   = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
)

// patchOf is a PATCH of one operation.
func patchOf(op, path string, value any) map[string]any {
	operation := map[string]any{"op": op, "path": path}
	if value != nil {
		operation["value"] = value
	}
	return map[string]any{"schemas": []string{scimPatch}, "Operations": []any{operation}}
}

// memberOf is a member of a group.
func memberOf(id string) []any { return []any{map[string]any{"value": id}} }

// scimProbes are those of the scim door, which describes its bodies by schemas
// that do not say what a text names.
func (c caller) scimProbes(r route) []probe {
	own := strings.NewReplacer("{id}", c.own[userID])
	if strings.Contains(r.path, "/Groups") {
		own = strings.NewReplacer("{id}", c.own[groupID])
	}
	var probes []probe
	ask := func(k kind, place string, make func(text string) (path string, body any)) {
		probes = append(probes, probe{r, k, place, func(text string) request {
			path, body := make(text)
			return request{r.method, own.Replace(path), toJSON(body), c.headers[r.door]}
		}})
	}
	body := func(k kind, place string, make func(text string) any) {
		ask(k, place, func(text string) (string, any) { return r.path, make(text) })
	}
	if kinds, ok := r.namingOf("id"); ok && strings.HasSuffix(r.path, "{id}") {
		ask(kinds[0], "path id", func(text string) (string, any) {
			return strings.Replace(r.path, "{id}", text, 1), map[string]any{
				"PUT":   map[string]any{"schemas": []string{map[kind]string{userID: scimUser, groupID: scimGroup}[kinds[0]]}, "userName": c.fresh(), "displayName": c.fresh()},
				"PATCH": patchOf("replace", "displayName", "Taken over"),
			}[r.method]
		})
	}
	switch r.method + " " + strings.TrimPrefix(r.path, "/scim/v2") {
	case "GET /Users", "GET /":
		ask(scimFilter, "filter", func(text string) (string, any) { return r.path + "?filter=" + query(text), nil })
		ask(listCursor, "cursor", func(text string) (string, any) { return r.path + "?count=1&cursor=" + query(text), nil })
		for _, path := range []string{"id", "groups.value", scimMore + ":employeeNumber", "emails.value", "externalId"} {
			k := map[string]kind{"id": userID, "groups.value": groupID, "emails.value": userEmail, "externalId": userExternal}[path]
			if k == "" {
				k = userEmployee
			}
			ask(k, "filter on "+path, func(text string) (string, any) {
				quoted, _ := json.Marshal(text)
				return r.path + "?filter=" + query(path+" eq "+string(quoted)), nil
			})
		}
	case "GET /Groups":
		ask(groupFilter, "filter", func(text string) (string, any) { return r.path + "?filter=" + query(text), nil })
		ask(userID, "filter on members", func(text string) (string, any) {
			return r.path + "?filter=" + query(`members.value eq "`+text+`"`), nil
		})
	case "POST /Users/.search", "POST /.search":
		body(scimFilter, "filter", func(text string) any { return map[string]any{"schemas": []string{scimAsk}, "filter": text} })
	case "POST /Groups/.search":
		body(groupFilter, "filter", func(text string) any { return map[string]any{"schemas": []string{scimAsk}, "filter": text} })
	case "POST /Users", "PUT /Users/{id}":
		c.scimUserBodies(body)
	case "PATCH /Users/{id}":
		body(userName, "userName", func(text string) any { return patchOf("replace", "userName", text) })
		body(userEmail, "emails", func(text string) any { return patchOf("replace", `emails[type eq "work"].value`, text) })
		body(userID, "manager", func(text string) any { return patchOf("replace", scimMore+":manager.value", text) })
		body(userID, "value filter", func(text string) any { return patchOf("remove", `emails[value eq "`+text+`"]`, nil) })
	default:
		c.scimGroupBodies(r, body)
	}
	return probes
}

// scimUserBodies are the places in a whole user.
func (c caller) scimUserBodies(body func(k kind, place string, make func(text string) any)) {
	user := func(set func(o map[string]any)) map[string]any {
		o := map[string]any{"schemas": []string{scimUser, scimMore, scimOwn}, "userName": c.fresh()}
		set(o)
		return o
	}
	body(userName, "userName", func(text string) any { return user(func(o map[string]any) { o["userName"] = text }) })
	body(userEmail, "emails", func(text string) any {
		return user(func(o map[string]any) { o["emails"] = []any{map[string]any{"value": text, "type": "work"}} })
	})
	body(userExternal, "externalId", func(text string) any { return user(func(o map[string]any) { o["externalId"] = text }) })
	body(userEmployee, "employeeNumber", func(text string) any {
		return user(func(o map[string]any) { o[scimMore] = map[string]any{"employeeNumber": text} })
	})
	body(userID, "manager", func(text string) any {
		return user(func(o map[string]any) { o[scimMore] = map[string]any{"manager": map[string]any{"value": text}} })
	})
	body(companyNumber, "company", func(text string) any {
		return user(func(o map[string]any) { o[scimOwn] = map[string]any{"company": json.Number(text)} })
	})
	body(roleKey, "roles", func(text string) any {
		return user(func(o map[string]any) { o["roles"] = []any{map[string]any{"value": text}} })
	})
}

// scimGroupBodies are the places in groups and in Bulk.
func (c caller) scimGroupBodies(r route, body func(k kind, place string, make func(text string) any)) {
	switch r.method + " " + strings.TrimPrefix(r.path, "/scim/v2") {
	case "POST /Groups", "PUT /Groups/{id}":
		body(userID, "members", func(text string) any {
			return map[string]any{"displayName": c.fresh(), "members": memberOf(text)}
		})
		body(groupName, "displayName", func(text string) any { return map[string]any{"displayName": text} })
	case "PATCH /Groups/{id}":
		body(userID, "members", func(text string) any { return patchOf("add", "members", memberOf(text)) })
		body(userID, "members removed", func(text string) any { return patchOf("remove", `members[value eq "`+text+`"]`, nil) })
	case "POST /Bulk":
		for _, method := range []string{"DELETE", "PUT", "PATCH"} {
			body(userID, "operation "+method, func(text string) any {
				data := map[string]any{"PUT": map[string]any{"userName": c.fresh()}, "PATCH": patchOf("replace", "displayName", "A")}[method]
				return map[string]any{"schemas": []string{scimBulk}, "Operations": []any{map[string]any{"method": method, "path": "/Users/" + text, "data": data}}}
			})
		}
	}
}
