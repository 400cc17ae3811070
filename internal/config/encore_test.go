package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncoreSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // "" for no error
	}{
		{nil, ""},
		{[]string{"--encore-strict-external-id", "--encore-allowed-origins=https://a.example.com,http://127.0.0.1:8090"}, ""},
		{[]string{"--encore-allowed-origins="}, "encore_allowed_origins: name at least one origin"},
		{[]string{"--encore-allowed-origins=https://a.example.com/"}, `encore_allowed_origins: "https://a.example.com/" is no origin`},
		{[]string{"--encore-allowed-origins=https://A.example.com"}, `encore_allowed_origins: "https://A.example.com" is no origin`},
		{[]string{"--encore-allowed-origins=a.example.com"}, `encore_allowed_origins: "a.example.com" is no origin`},
		{[]string{"--encore-allowed-origins=https://"}, `encore_allowed_origins: "https://" is no origin`},
		{[]string{"--encore-lengths=UserName=1-64,EPTTToken=0-4096"}, ""},
		{[]string{"--encore-lengths=UserName"}, `encore_lengths: "UserName" is not of the form UserName=1-100`},
		{[]string{"--encore-lengths=UserName=1"}, `encore_lengths: "UserName=1" is not of the form`},
		{[]string{"--encore-lengths=username=1-2"}, `encore_lengths: "username" is not one of UserName, `},
		{[]string{"--encore-lengths=UserName=5-4"}, `encore_lengths: "UserName=5-4" is no range of lengths`},
		{[]string{"--encore-lengths=UserName=0-0"}, `encore_lengths: "UserName=0-0" is no range of lengths`},
		{[]string{"--encore-lengths=UserName=1-5000"}, `encore_lengths: "UserName=1-5000" is no range of lengths within 0 to 4096`},
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

func TestEncoreLengthLimits(t *testing.T) {
	got, err := load(t, "encore_lengths: [UserName=2-64, Password=8-50]\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := got.Config.EncoreLengthLimits()
	if diff := cmp.Diff(map[string][2]int{"UserName": {2, 64}, "Password": {8, 50}}, limits); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
