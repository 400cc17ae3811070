package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
)

// Each credential of a tenant that was made to be thrown away is good where the
// documentation says, also beside another such tenant.
func TestThrowAwayTenantOpensEveryDoor(t *testing.T) {
	database := "--database=sqlite:" + filepath.Join(t.TempDir(), "usher.db")
	var made app.ThrowAwayTenant
	for range 2 {
		out, err := execute(t, "tenant", "create", "--throw-away", database)
		if err != nil {
			t.Fatal(err)
		}
		made = app.ThrowAwayTenant{}
		if err := json.Unmarshal([]byte(out), &made); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s := startServe(t, database)
	me := made.Owner
	for name, get := range map[string]func() (int, string, http.Header){
		"iqmetrix, encore, smartapp: the key": func() (int, string, http.Header) {
			for _, path := range []string{"/v1/Users(1)", "/users/v1/users/1", "/user/getusers"} {
				header := http.Header{"Authorization": {"Bearer " + made.Key}, "Ocp-Apim-Subscription-Key": {made.Key}}
				if status, body, _ := send(t, http.MethodGet, s.url+path, "", header); status != http.StatusOK || !strings.Contains(body, me.UserName) && path != "/users/v1/users/1" {
					return status, path + " " + body, nil
				}
			}
			return http.StatusOK, me.UserName, nil
		},
		"iqmetrix: the owner through the client": func() (int, string, http.Header) {
			form := url.Values{"grant_type": {"password"}, "client_id": {made.OAuthClient.ID}, "client_secret": {made.OAuthClient.Secret},
				"username": {me.UserName}, "password": {me.Password}}
			status, body, _ := send(t, http.MethodPost, s.url+"/v1/oauth2/token", form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
			var token struct {
				Access string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(body), &token); err != nil {
				return status, body, nil
			}
			return send(t, http.MethodGet, s.url+"/v1/Users(1)", "", http.Header{"Authorization": {"Bearer " + token.Access}})
		},
		"edubrite: the API user for the owner": func() (int, string, http.Header) {
			sign := url.Values{"username": {made.APIUser.ID}, "password": {made.APIUser.Secret}}
			_, _, header := send(t, http.MethodGet, s.url+"/oltpublish/site/connect.do?"+sign.Encode(), "", nil)
			var cookies []string
			for _, cookie := range (&http.Response{Header: header}).Cookies() {
				cookies = append(cookies, cookie.Name+"="+cookie.Value)
			}
			return send(t, http.MethodGet, s.url+"/oltpublish/site/userService.do?dispatch=get&userName="+me.UserName, "",
				http.Header{"Cookie": {strings.Join(cookies, "; ")}, "REAL_UNAME": {me.UserName}})
		},
		"servicemobility: the customer": func() (int, string, http.Header) {
			pair := url.Values{"customerid": {made.Customer.ID}, "customercode": {made.Customer.Secret}}
			return send(t, http.MethodGet, s.url+"/seiapi/v3/trans/User/"+me.UserName+"?"+pair.Encode(), "", nil)
		},
	} {
		if status, body, _ := get(); status != http.StatusOK || !strings.Contains(body, me.UserName) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func send(t *testing.T, method, address, body string, header http.Header) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}
