package pull_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/pull"
	"github.com/usher-id/usher/internal/web"
)

// fuzz feeds a reader with whatever comes: it reads records that can be written, shown
// and read again to the same, or says which request is at fault.
func fuzz(f *testing.F, door, kind string, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed), 200)
	}
	f.Add([]byte(`{}`), 401)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		source := sources("http://vendor.test")[door]
		asked := 0
		ask := func(_ context.Context, r *web.RemoteRequest) (*web.RemoteAnswer, error) {
			if asked++; asked > 1000 {
				return nil, r.Unusable(&web.RemoteAnswer{}, "asked too often")
			}
			return &web.RemoteAnswer{Status: status, Header: http.Header{"Content-Type": {kind}}, Body: body}, nil
		}
		page, err := source.Page(t.Context(), ask, "")
		if err != nil {
			if !strings.Contains(err.Error(), "http://vendor.test") {
				t.Errorf("no request is named: %v", err)
			}
			return
		}
		for i := range page.Records {
			again(t, source, &page.Records[i])
		}
	})
}

// again checks that a record can be written, and that what is shown of it can be read.
func again(t *testing.T, source pull.Source, r *directory.Record) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	var back directory.Record
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%s cannot be read: %v", text, err)
	}
	detail := back.Detail(nil)
	if _, err := source.Shown(&detail); err != nil {
		t.Fatalf("%s cannot be shown: %v", text, err)
	}
}

func FuzzEncore(f *testing.F) {
	fuzz(f, "encore", "application/json", `[{"UserId":1,"UserName":"a","RoleId":5,"EPTTEnabled":true,"IsActive":true,"Phone":"1","LicenseType":9}]`, `[]`, `[{"UserId":"1"}]`)
}

func FuzzIQmetrix(f *testing.F) {
	fuzz(f, "iqmetrix", "application/json", `{"items":[{"Id":1,"UserName":"a","Address":{"City":"x"},"Picture":{"a":1},"Attributes":{"b":[]},"PhoneNumbers":[{"Number":"1"}]}],`+
		`"_links":{"next":"x"},"_metadata":{"count":1}}`, `[]`)
}

func FuzzSmartapp(f *testing.F) {
	fuzz(f, "smartapp", "application/json", `{"totalCount":1,"users":[{"uniqueID":"x","userName":"a","status":"Active","licenceType":"Licenced User","metadata":{"a":1},`+
		`"groups":["g"],"applicationRoles":["r"],"company":{"company":{"name":"c"},"companyLocation":{"name":"l"}},"phone":5}]}`)
}

func FuzzEduBrite(f *testing.F) {
	fuzz(f, "edubrite", "text/xml", `<response code="0"><msgs/><data><groups numItems="1"><group id="g"><name>G</name></group></groups><users numItems="1" pageSize="1">`+
		`<user id="9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870" siteRole="ADMIN" status="ACTIVE"><userName><![CDATA[a]]></userName><customProperties><prop><name>p</name><value>v</value></prop>`+
		`</customProperties></user></users></data></response>`, `<a>`, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`)
}

func FuzzServiceMobility(f *testing.F) {
	fuzz(f, "servicemobility", "application/json", `{"Users":["a"],"Roles":["r"],"Name":"n","UserID":"a","Phones":[{"PhoneNum":"1","PhoneType":"x"}],"Extensions":{"b":"c"},"LanguageCode":"?"}`)
}

func FuzzSCIM(f *testing.F) {
	fuzz(f, "scim", "application/scim+json", `{"totalResults":1,"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"`+anID+`","userName":"a",`+
		`"name":{"formatted":"x","familyName":"y"},"emails":[{"value":"a@b","type":"home"},{"value":"c@d","primary":true}],"addresses":[{"formatted":"z"}],"roles":["r"],`+
		`"groups":[{"value":"1","display":"G"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"m"}}]}`)
}
