package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSmartappSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // "" for no error
	}{
		{nil, ""},
		{[]string{"--smartapp-credentials=bearer"}, ""},
		{[]string{"--smartapp-credentials=apikey-query,x-api-key"}, ""},
		{[]string{"--smartapp-credentials="}, "smartapp_credentials: name at least one of bearer, "},
		{[]string{"--smartapp-credentials=Bearer"}, `smartapp_credentials: "Bearer" is not one of bearer, x-api-key, `},
		{[]string{"--smartapp-paths=update_user=/user/edit,update_user=/Users/Update-2.0"}, ""},
		{[]string{"--smartapp-paths=update_user"}, `smartapp_paths: "update_user" is not of the form update_user=/user/edit`},
		{[]string{"--smartapp-paths=update_user=user/edit"}, `smartapp_paths: "update_user=user/edit" is not of the form`},
		{[]string{"--smartapp-paths=update_user=/user/edit/"}, `smartapp_paths: "update_user=/user/edit/" is not of the form`},
		{[]string{"--smartapp-paths=update_user=/user//edit"}, "smartapp_paths: "},
		{[]string{"--smartapp-paths=update_user=/user/%65dit"}, "smartapp_paths: "},
		{[]string{"--smartapp-paths=update_user=/user?x"}, "smartapp_paths: "},
		{[]string{"--smartapp-paths=update_user=/" + strings.Repeat("x", 200)}, "smartapp_paths: "},
	} {
		_, err := load(t, "", nil, c.args)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%v: %v", c.args, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: error %v, want one with %q", c.args, err, c.want)
		}
	}
}

func TestSmartappPathTable(t *testing.T) {
	got, err := load(t, "smartapp_paths: [list_users=/user/all, get_user=/user/read, list_users=/people]\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	table, err := got.Config.SmartappPathTable()
	want := map[string][]string{"list_users": {"/user/all", "/people"}, "get_user": {"/user/read"}}
	if diff := cmp.Diff(want, table); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
