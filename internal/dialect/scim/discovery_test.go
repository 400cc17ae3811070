package scim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

var testDiscovery = discovery{base: "https://sso.example.com/scim/v2", maxBody: 1 << 20}

// ask asks for a document as the routes do.
func ask(t *testing.T, method, path string) (web.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://sso.example.com/scim/v2/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	kind, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/scim/v2/"), "/")
	return testDiscovery.answer(&web.Request{Request: r, Event: &web.Event{}}, kind, key)
}

func read(t *testing.T, path string) map[string]any {
	t.Helper()
	response, err := ask(t, http.MethodGet, path)
	if err != nil || response.Status != http.StatusOK || response.ContentType != contentSCIM {
		t.Fatalf("%s: %v, %v", path, response, err)
	}
	var document map[string]any
	if err := json.Unmarshal(response.Body, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestLists: each list is a list message (RFC 7644 section 4), and each member
// is found at its location as it stands in the list.
func TestLists(t *testing.T) {
	for path, want := range map[string][]string{
		"Schemas":       {urnUser, urnGroup, urnEnterprise, urnDirectory},
		"ResourceTypes": {"User", "Group"},
	} {
		list := read(t, path)
		members, _ := list["Resources"].([]any)
		delete(list, "Resources")
		n := float64(len(want))
		if diff := cmp.Diff(map[string]any{"schemas": []any{urnListResponse}, "totalResults": n, "itemsPerPage": n, "startIndex": 1.0}, list); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		for i, m := range members {
			member, _ := m.(map[string]any)
			meta, _ := member["meta"].(map[string]any)
			location, _ := meta["location"].(string)
			if i >= len(want) || member["id"] != want[i] || !strings.HasPrefix(location, testDiscovery.base) {
				t.Errorf("%s: %v at %s", path, member["id"], location)
				continue
			}
			alone := read(t, strings.TrimPrefix(location, testDiscovery.base+"/"))
			if diff := cmp.Diff(member, alone); diff != "" {
				t.Errorf("%s differs in the list (-list +alone):\n%s", location, diff)
			}
		}
		if len(members) != len(want) {
			t.Errorf("%s has %d members", path, len(members))
		}
	}
}

// TestSchemaAsPrinted compares attributes with what RFC 7643 section 8.7.1
// prints of them; but active is required (dossier 5.5).
func TestSchemaAsPrinted(t *testing.T) {
	attributes := map[string]any{}
	for _, a := range read(t, "Schemas/"+strings.ToLower(urnUser))["attributes"].([]any) {
		attribute := a.(map[string]any)
		delete(attribute, "description")
		attributes[attribute["name"].(string)] = attribute
	}
	for name, printed := range map[string]string{
		"userName":   `{"name":"userName","type":"string","multiValued":false,"required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"}`,
		"active":     `{"name":"active","type":"boolean","multiValued":false,"required":true,"mutability":"readWrite","returned":"default","uniqueness":"none"}`,
		"profileUrl": `{"name":"profileUrl","type":"reference","referenceTypes":["external"],"multiValued":false,"required":false,"caseExact":true,"mutability":"readWrite","returned":"default","uniqueness":"none"}`,
		"password":   `{"name":"password","type":"string","multiValued":false,"required":false,"caseExact":true,"mutability":"writeOnly","returned":"never","uniqueness":"none"}`,
	} {
		var want any
		if err := json.Unmarshal([]byte(printed), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, attributes[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	emails, _ := attributes["emails"].(map[string]any)
	subs, _ := emails["subAttributes"].([]any)
	if len(subs) != 4 || emails["multiValued"] != true || emails["uniqueness"] != nil || emails["caseExact"] != nil {
		t.Errorf("emails: %v", emails)
	}
	groups := attributes["groups"].(map[string]any)
	for _, sub := range groups["subAttributes"].([]any) {
		if sub.(map[string]any)["mutability"] != readOnly {
			t.Errorf("groups: %v", sub)
		}
	}
}

func TestResourceType(t *testing.T) {
	want := map[string]any{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": "User", "name": "User", "endpoint": "/Users",
		"description": "People and accounts.", "schema": urnUser,
		"schemaExtensions": []any{map[string]any{"schema": urnEnterprise, "required": false}, map[string]any{"schema": urnDirectory, "required": false}},
		"meta":             map[string]any{"resourceType": "ResourceType", "location": testDiscovery.base + "/ResourceTypes/User"}}
	if diff := cmp.Diff(want, read(t, "ResourceTypes/User")); diff != "" {
		t.Error(diff)
	}
}

func TestServiceProviderConfig(t *testing.T) {
	yes := map[string]any{"supported": true}
	want := map[string]any{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch": yes, "changePassword": yes, "sort": yes, "etag": yes,
		"bulk":   map[string]any{"supported": true, "maxOperations": 1000.0, "maxPayloadSize": 1048576.0},
		"filter": map[string]any{"supported": true, "maxResults": 200.0},
		"pagination": map[string]any{"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 50.0,
			"maxPageSize": 200.0, "cursorTimeout": 3600.0},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": testDiscovery.base + "/ServiceProviderConfig"}}
	got := read(t, "ServiceProviderConfig")
	schemes, _ := got["authenticationSchemes"].([]any)
	delete(got, "authenticationSchemes")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(schemes) != 1 || schemes[0].(map[string]any)["type"] != "oauthbearertoken" {
		t.Errorf("authentication: %v", schemes)
	}
}

// TestDiscoveryRefuses: filters (RFC 7644 section 4), other methods, what does
// not exist.
func TestDiscoveryRefuses(t *testing.T) {
	for _, path := range []string{"Schemas", "Schemas/" + urnUser, "ResourceTypes", "ResourceTypes/User", "ServiceProviderConfig"} {
		for _, query := range []string{`?filter=id%20pr`, `?filter=`, `?count=1&filter=x`} {
			if _, err := ask(t, http.MethodGet, path+query); lookUp(err).status != http.StatusForbidden {
				t.Errorf("%s%s: %v", path, query, err)
			}
		}
		read(t, path+"?startIndex=7&count=0&sortBy=id&attributes=id")
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			response, err := ask(t, method, path)
			if err != nil || response.Status != http.StatusMethodNotAllowed || response.Header[0] != [2]string{"Allow", "GET, HEAD"} || !json.Valid(response.Body) {
				t.Errorf("%s %s: %v, %v", method, path, response, err)
			}
		}
	}
	for _, path := range []string{"Schemas/x", "Schemas/" + urnUser + "/x", "Schemas/User", "ResourceTypes/user", "ResourceTypes/x",
		"ServiceProviderConfig/x", "Users", "schemas", ""} {
		if _, err := ask(t, http.MethodGet, path); !directory.IsReason(err, directory.ReasonRouteNotFound) || lookUp(err).status != http.StatusNotFound {
			t.Errorf("%s: %v", path, err)
		}
	}
}
