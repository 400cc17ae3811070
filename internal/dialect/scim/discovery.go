package scim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// What the server does, as the service provider configuration tells it and the
// handlers keep to it.
const (
	maxBulkOperations = 1000
	defaultPageSize   = 50
	maxPageSize       = 200  // also filter.maxResults
	cursorTimeout     = 3600 // seconds (RFC 9865 section 4)
)

// The messages that are lists.
const urnListResponse = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// discovery prints the discovery documents (RFC 7644 section 4). They say
// nothing of a tenant and are shown without a credential, so that a client
// finds out how to authenticate (RFC 7643 section 5).
type discovery struct {
	base    string // URI of the door without a slash at the end, "https://host/scim/v2"
	maxBody int64  // bytes of the largest body
}

// answer answers a request for one of the documents: kind is the path's first
// segment, key the second or "".
func (d discovery) answer(r *web.Request, kind, key string) (web.Response, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return notAllowed("GET, HEAD"), nil
	}
	// Whoever filters must not believe that the answer is filtered (RFC 7644
	// section 4). Other parameters of a query are ignored.
	if _, ok := r.Query().Get("filter"); ok {
		return web.Response{}, directory.Wrong(directory.CodeForbidden, directory.ReasonQuerySyntax, "Discovery documents cannot be filtered.")
	}
	document := d.document(kind, key)
	if document == nil {
		return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such resource.")
	}
	body, err := encode(document)
	return web.Response{Status: http.StatusOK, ContentType: contentSCIM, Body: body}, err
}

// document finds a document, nil for none.
func (d discovery) document(kind, key string) any {
	switch {
	case kind == "ServiceProviderConfig" && key == "":
		return d.serviceProviderConfig()
	case kind == "Schemas" && key == "":
		var list []any
		for _, s := range schemas {
			list = append(list, d.schema(s))
		}
		return listOf(list)
	case kind == "ResourceTypes" && key == "":
		var list []any
		for _, r := range resources {
			list = append(list, d.resourceType(r))
		}
		return listOf(list)
	case kind == "Schemas":
		for _, s := range schemas {
			if strings.EqualFold(s.urn, key) {
				return d.schema(s)
			}
		}
	case kind == "ResourceTypes":
		for _, r := range resources {
			if r.name == key {
				return d.resourceType(r)
			}
		}
	}
	return nil
}

// notAllowed answers a method that a resource does not have (RFC 9110 section
// 15.5.6).
func notAllowed(allow string) web.Response {
	return web.Response{Status: http.StatusMethodNotAllowed, ContentType: contentSCIM, Header: [][2]string{{"Allow", allow}},
		Body: appendError(nil, answer{status: http.StatusMethodNotAllowed}, "This resource takes "+allow+".")}
}

// encode writes JSON without the escapes for HTML.
func encode(document any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(document)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// listResponse is a list that is shown whole.
type listResponse struct {
	Schemas      []string `json:"schemas"`
	TotalResults int      `json:"totalResults"`
	ItemsPerPage int      `json:"itemsPerPage"`
	StartIndex   int      `json:"startIndex"`
	Resources    []any    `json:"Resources"`
}

func listOf(list []any) listResponse {
	return listResponse{Schemas: []string{urnListResponse}, TotalResults: len(list), ItemsPerPage: len(list), StartIndex: 1, Resources: list}
}

// metaDocument is the meta of a discovery document. They have no versions.
type metaDocument struct {
	ResourceType string `json:"resourceType"`
	Location     string `json:"location"`
}

func (d discovery) meta(kind, path string) metaDocument {
	return metaDocument{ResourceType: kind, Location: d.base + path}
}

// schemaDocument is a schema (RFC 7643 section 7).
type schemaDocument struct {
	Schemas     []string            `json:"schemas"`
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Attributes  []attributeDocument `json:"attributes"`
	Meta        metaDocument        `json:"meta"`
}

// attributeDocument is an attribute of a schema.
type attributeDocument struct {
	Name            string              `json:"name"`
	Type            string              `json:"type"`
	MultiValued     bool                `json:"multiValued"`
	Description     string              `json:"description"`
	Required        bool                `json:"required"`
	CanonicalValues []string            `json:"canonicalValues,omitempty"`
	CaseExact       *bool               `json:"caseExact,omitempty"` // of texts
	Mutability      string              `json:"mutability"`
	Returned        string              `json:"returned"`
	Uniqueness      string              `json:"uniqueness,omitempty"` // not of complex attributes
	ReferenceTypes  []string            `json:"referenceTypes,omitempty"`
	SubAttributes   []attributeDocument `json:"subAttributes,omitempty"`
}

func (d discovery) schema(s *schema) schemaDocument {
	return schemaDocument{Schemas: []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, ID: s.urn, Name: s.name, Description: s.about,
		Attributes: documentsOf(s.attributes), Meta: d.meta("Schema", "/Schemas/"+s.urn)}
}

func documentsOf(attributes []attribute) []attributeDocument {
	var list []attributeDocument
	for i := range attributes {
		a := &attributes[i]
		document := attributeDocument{Name: a.name, Type: a.dataType(), MultiValued: a.multi, Description: a.about, Required: a.required,
			CanonicalValues: a.canonical, Mutability: a.mutable(), Returned: a.returns(), ReferenceTypes: a.references,
			SubAttributes: documentsOf(a.subs)}
		switch a.dataType() {
		case typeString, typeReference, typeBinary:
			document.CaseExact = &a.caseExact
		}
		if document.Uniqueness = a.uniqueness; a.uniqueness == "" && a.dataType() != typeComplex {
			document.Uniqueness = "none"
		}
		list = append(list, document)
	}
	return list
}

// resourceTypeDocument is a type of resources (RFC 7643 section 6).
type resourceTypeDocument struct {
	Schemas          []string            `json:"schemas"`
	ID               string              `json:"id"`
	Name             string              `json:"name"`
	Endpoint         string              `json:"endpoint"`
	Description      string              `json:"description"`
	Schema           string              `json:"schema"`
	SchemaExtensions []extensionDocument `json:"schemaExtensions"`
	Meta             metaDocument        `json:"meta"`
}

// extensionDocument is an extension of a type of resources.
type extensionDocument struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

func (d discovery) resourceType(r *resource) resourceTypeDocument {
	document := resourceTypeDocument{Schemas: []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, ID: r.name, Name: r.name,
		Endpoint: r.endpoint, Description: r.about, Schema: r.core.urn, SchemaExtensions: []extensionDocument{},
		Meta: d.meta("ResourceType", "/ResourceTypes/"+r.name)}
	for _, s := range r.extensions {
		document.SchemaExtensions = append(document.SchemaExtensions, extensionDocument{Schema: s.urn})
	}
	return document
}

// configDocument is the service provider configuration (RFC 7643 section 5),
// with pagination (RFC 9865 section 4).
type configDocument struct {
	Schemas        []string     `json:"schemas"`
	Patch          supported    `json:"patch"`
	Bulk           bulkConfig   `json:"bulk"`
	Filter         filterConf   `json:"filter"`
	ChangePassword supported    `json:"changePassword"`
	Sort           supported    `json:"sort"`
	ETag           supported    `json:"etag"`
	Pagination     pagination   `json:"pagination"`
	Authentication []scheme     `json:"authenticationSchemes"`
	Meta           metaDocument `json:"meta"`
}

// supported is a feature without figures.
type supported struct {
	Supported bool `json:"supported"`
}

// bulkConfig is what a Bulk request may hold.
type bulkConfig struct {
	supported
	MaxOperations  int   `json:"maxOperations"`
	MaxPayloadSize int64 `json:"maxPayloadSize"` // bytes
}

// filterConf is how many resources a list shows at most.
type filterConf struct {
	supported
	MaxResults int `json:"maxResults"`
}

// pagination is how lists are paged.
type pagination struct {
	Cursor  bool   `json:"cursor"`
	Index   bool   `json:"index"`
	Method  string `json:"defaultPaginationMethod"`
	Size    int    `json:"defaultPageSize"`
	MaxSize int    `json:"maxPageSize"`
	Timeout int    `json:"cursorTimeout"` // seconds
}

// scheme is a way to authenticate.
type scheme struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	SpecURI     string `json:"specUri"`
	Primary     bool   `json:"primary"`
}

func (d discovery) serviceProviderConfig() configDocument {
	yes := supported{true}
	return configDocument{Schemas: []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		Patch: yes, ChangePassword: yes, Sort: yes, ETag: yes,
		Bulk:       bulkConfig{yes, maxBulkOperations, d.maxBody},
		Filter:     filterConf{yes, maxPageSize},
		Pagination: pagination{Cursor: true, Index: true, Method: "index", Size: defaultPageSize, MaxSize: maxPageSize, Timeout: cursorTimeout},
		Authentication: []scheme{{Type: "oauthbearertoken", Name: "API key", Primary: true, SpecURI: "https://www.rfc-editor.org/info/rfc6750",
			Description: "An API key of the tenant that opens this door, in the header Authorization behind the word Bearer."}},
		Meta: d.meta("ServiceProviderConfig", "/ServiceProviderConfig")}
}
