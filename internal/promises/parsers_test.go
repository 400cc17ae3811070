package promises

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// parsers are what reads texts from outside, and the fuzz target of each.
var parsers = []struct{ what, pkg, target string }{
	{"filter of SCIM and of the canonical door", "filter", "FuzzParse"}, {"path of a PATCH", "filter", "FuzzParsePath"},
	{"PATCH of a user", "dialect/scim", "FuzzPatch"}, {"PATCH of a group", "dialect/scim", "FuzzGroupPatch"}, {"user of SCIM", "dialect/scim", "FuzzUserBody"},
	{"Bulk of SCIM", "dialect/scim", "FuzzBulk"}, {"list of SCIM", "dialect/scim", "FuzzList"}, {"merge patch", "dialect/canonical", "FuzzMergePatch"},
	{"query of the canonical door", "dialect/canonical", "FuzzQuery"}, {"cursor", "dialect/canonical", "FuzzCursor"}, {"ETags", "dialect/canonical", "FuzzTags"},
	{"filter of OData", "dialect/iqmetrix", "FuzzFilter"}, {"user of iqmetrix", "dialect/iqmetrix", "FuzzUserBody"}, {"form of the token service", "dialect/iqmetrix", "FuzzForm"},
	{"path of iqmetrix", "dialect/iqmetrix", "FuzzPath"}, {"body of encore", "dialect/encore", "FuzzBody"}, {"path of encore", "dialect/encore", "FuzzPath"},
	{"user of smartapp", "dialect/smartapp", "FuzzUser"}, {"query of smartapp", "dialect/smartapp", "FuzzQuery"}, {"form of edubrite", "dialect/edubrite", "FuzzParams"},
	{"cookies of edubrite", "dialect/edubrite", "FuzzCookies"}, {"dates of edubrite", "dialect/edubrite", "FuzzDate"}, {"XML of edubrite", "dialect/edubrite", "FuzzXML"},
	{"body of servicemobility", "dialect/servicemobility", "FuzzBody"}, {"path of servicemobility", "dialect/servicemobility", "FuzzPath"},
	{"objects of JSON", "web", "FuzzDecodeObject"}, {"query", "web", "FuzzQuery"}, {"forwarded address", "web", "FuzzClientAddr"}, {"first bytes of a connection", "web", "FuzzListenerLosesNoByte"},
	{"CSV", "bulk", "FuzzCSV"}, {"NDJSON", "bulk", "FuzzNDJSON"}, {"columns of an import", "directory", "FuzzRecordOf"}, {"signed token", "directory", "FuzzParseSigned"},
	{"challenge of a sign-in", "directory", "FuzzChallenge"}, {"sealed text", "directory", "FuzzSealerOpen"}, {"imported hash", "directory", "FuzzCheckImportable"},
	{"free JSON", "directory", "FuzzKeepableJSON"}, {"user name", "directory", "FuzzFoldLogin"}, {"search", "directory", "FuzzMatchTerms"}, {"checkpoint", "directory", "FuzzParseCheckpoint"},
	{"backup", "store", "FuzzCheckBackup"}, {"answers of EduBrite", "pull", "FuzzEduBrite"}, {"answers of Encore", "pull", "FuzzEncore"}, {"answers of iQmetrix", "pull", "FuzzIQmetrix"},
	{"answers of Smartapp", "pull", "FuzzSmartapp"}, {"answers of ServiceMobility", "pull", "FuzzServiceMobility"}, {"answers of a SCIM server", "pull", "FuzzSCIM"},
}

// unfuzzed are packages that parse and have no fuzz target, and why.
var unfuzzed = map[string]string{
	"app":                   "reads the operator's own files",
	"bench":                 "measures",
	"browser":               "test support",
	"config":                "reads the operator's own settings",
	"conformance":           "test support",
	"console/audit":         "writes JSON, and reads what the core wrote",
	"console/docs":          "reads the descriptions that the program has in it",
	"console/imports":       "what it reads goes to bulk, whose readers are fuzzed",
	"console/page":          "forms of a bounded size, by the standard library alone",
	"console/reset":         "forms of a bounded size, by the standard library alone",
	"console/user":          "reads what the doors' own code wrote",
	"directory/gen_country": "makes a table when the source is built",
	"load":                  "measures",
	"mail":                  "writes",
	"webhook":               "takes URLs by the standard library alone, and reads next to nothing of an answer",
}

// parses is a call that reads a structure from a text.
var (
	parses    = regexp.MustCompile(`\b(json\.(Unmarshal|NewDecoder)|xml\.(Unmarshal|NewDecoder)|url\.(Parse|ParseQuery|ParseRequestURI)|gzip\.NewReader|csv\.NewReader|multipart\.NewReader|mail\.ParseAddress|jose\.Parse|jwt\.Parse)`)
	fuzzFuncs = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
)

// TestPromiseJ_EveryParserIsFuzzedAndBounded: every parser of what comes from
// outside has a fuzz target, and so has every package that parses, but for those
// listed with a reason; and what is longer than a parser's limit is refused by
// each door in its own words.
func TestPromiseJ_EveryParserIsFuzzedAndBounded(t *testing.T) {
	t.Parallel()
	targets, reads := map[string][]string{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		pkg := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../"))
		if !strings.HasSuffix(path, "_test.go") {
			reads[pkg] = reads[pkg] || parses.Match(source)
			return err
		}
		for _, found := range fuzzFuncs.FindAllSubmatch(source, -1) {
			targets[pkg] = append(targets[pkg], string(found[1]))
		}
		return err
	})
	must(t, err)
	for _, p := range parsers {
		if !slices.Contains(targets[p.pkg], p.target) {
			t.Errorf("the parser of %s has no fuzz target internal/%s %s", p.what, p.pkg, p.target)
		}
	}
	for pkg, yes := range reads {
		support := strings.HasPrefix(pkg, "testkit") || pkg == "contract" || strings.HasPrefix(pkg, "store/storetest") || pkg == "crossdoor"
		if yes && len(targets[pkg]) == 0 && unfuzzed[pkg] == "" && !support {
			t.Errorf("internal/%s parses and has no fuzz target", pkg)
		}
	}
	overLimits(t)
}

// overLimits sends what is too long, and wants each door's own refusal.
func overLimits(t *testing.T) {
	t.Helper()
	w := newWorld(t, start(t, "sqlite"))
	u := w.person(t)
	big, deep := strings.Repeat("a", 2<<20), strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)
	nested := strings.Repeat("(", 2000) + "userName pr" + strings.Repeat(")", 2000)
	made := w.want(t, http.StatusCreated, w.at("canonical", "POST", "/api/v1/imports", map[string]any{"name": "x.csv", "format": "csv",
		"columns": []any{map[string]any{"header": "user_name", "field": "user_name"}}}))
	part := w.at("canonical", "PUT", "/api/v1/imports/"+made.text("id")+"/parts/0", strings.Repeat("a", 20<<20))
	part.header = map[string]string{"Authorization": part.header["Authorization"], "Content-Type": "application/octet-stream"}
	filtered := func(id string) string {
		return fmt.Sprintf("/v1/Entities(%d)/Users?$filter=%s", w.tenant.DefaultCompany, query("ClientUserId eq '"+id+"'"))
	}
	for what, c := range map[string]struct {
		r      request
		status int
		says   string
	}{
		"canonical body":       {w.at("canonical", "POST", "/api/v1/users", map[string]any{"user_name": big}), 413, `"status":413`},
		"scim body":            {w.at("scim", "POST", "/scim/v2/Users", map[string]any{"userName": big}), 413, `"status":"413"`},
		"iqmetrix body":        {w.at("iqmetrix", "POST", "/v1/Users/importExisting", map[string]any{"UserName": big}), 413, "Message"},
		"encore body":          {w.at("encore", "POST", "/users/v1/users", map[string]any{"UserName": big}), 413, "Code"},
		"smartapp body":        {w.at("smartapp", "POST", "/user/create", map[string]any{"firstName": big}), 413, "message"},
		"edubrite form":        {w.at("edubrite", "POST", "/oltpublish/site/userService.do", url.Values{"dispatch": {"create"}, "firstName": {big}}.Encode()), 413, "<response"},
		"servicemobility body": {w.at("servicemobility", "PUT", mobilityPath(u), map[string]any{"FirstName": big}), 413, `"code":413`},
		"console form":         {w.at("console", "POST", "/console/groups/new", url.Values{"name": {big}}.Encode()), 422, "<html"},
		"canonical depth":      {w.at("canonical", "PATCH", "/api/v1/users/"+u.ID, `{"attributes":{"a":`+deep+`}}`), 400, "nested more than"},
		"scim depth":           {w.at("scim", "POST", "/scim/v2/Users", `{"userName":"a","x":`+deep+`}`), 400, "invalidSyntax"},
		"scim filter":          {w.at("scim", "GET", "/scim/v2/Users?filter="+query(`userName eq "`+big[:10_000]+`"`), ""), 400, "invalidFilter"},
		"scim nesting":         {w.at("scim", "GET", "/scim/v2/Users?filter="+query(nested), ""), 400, "invalidFilter"},
		"scim path":            {w.at("scim", "PATCH", "/scim/v2/Users/"+u.ID, patchOf("replace", strings.Repeat("a", 10_000), "x")), 400, "invalidPath"},
		"canonical filter":     {w.at("canonical", "GET", "/api/v1/users?filter="+query(`user_name eq "`+big[:10_000]+`"`), ""), 400, "filter"},
		"canonical cursor":     {w.at("canonical", "GET", "/api/v1/users?cursor="+big[:10_000], ""), 400, "cursor"},
		"canonical search":     {w.at("canonical", "GET", "/api/v1/users?q="+big[:10_000], ""), 400, "q"},
		// One comparison, which is read in one walk: the request line is its limit.
		"iqmetrix filter":       {w.at("iqmetrix", "GET", filtered(big[:10_000]), ""), 200, "[]"},
		"iqmetrix line":         {w.at("iqmetrix", "GET", filtered(big), ""), 431, "Too Large"},
		"iqmetrix search":       {w.at("iqmetrix", "GET", fmt.Sprintf("/v1/Entities(%d)/Users/Search?terms=%s", w.tenant.DefaultCompany, big[:10_000]), ""), 400, "A search takes at most"},
		"cookies":               {request{"GET", "/oltpublish/site/userService.do?dispatch=list", "", edubriteHeader("SESSION_ID="+big[:10_000], "x")}, 401, "<response"},
		"signed token":          {request{"GET", mobilityPath(u), "", map[string]string{"x-access-token": big[:10_000]}}, 401, "not valid"},
		"key":                   {request{"GET", "/api/v1/users", "", map[string]string{"Authorization": "Bearer " + big[:10_000]}}, 401, "not valid"},
		"header that is no end": {request{"GET", "/api/v1/users", "", map[string]string{"X-Long": big}}, 431, "Too Large"},
		"password":              {w.at("canonical", "POST", "/api/v1/users/"+u.ID+"/password", map[string]any{"password": big[:2000]}), 422, "password"},
		"webhook URL":           {w.at("canonical", "POST", "/api/v1/webhooks", map[string]any{"name": "x", "url": "https://example.com/" + big[:10_000]}), 422, "url"},
		"import part":           {part, 413, `"status":413`},
	} {
		a, err := w.send(c.r)
		if err != nil { // the server may answer and close before it has read it all
			if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s that is too long: %d %.200s, want %d and %q", what, a.status, a.body, c.status, c.says)
		}
	}
	w.want(t, http.StatusOK, w.at("canonical", "GET", "/api/v1/users?limit=1", ""))
}
