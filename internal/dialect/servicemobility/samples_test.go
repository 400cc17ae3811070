package servicemobility_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/testkit"
)

// TestCurl runs testdata/samples/sequence.sh, a client that knows nothing of
// this server but what the vendor's pages say: the vendor prints none.
func TestCurl(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true})
	command := exec.CommandContext(t.Context(), "sh", "testdata/samples/sequence.sh")
	command.Env = append(os.Environ(), "BASE="+server.URL)
	var failure strings.Builder
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, output, failure.String())
	}
	const user = `{"Activated":true,"AuthenticationID":"tech.jones","Deleted":false,"DGroupID":"","Email":"tech.jones@example.test","EnableMobileDiagnostics":false,` +
		`"Extensions":{"key1":"value1","key2":"value2"},"FaceTime":"","FirstName":"Terry","IsMobileWorker":true,"LanguageCode":"en","LastName":"Jones","Locked":false,"Password":"",` +
		`"Phones":[{"PhoneNum":"6135550160","PhoneType":"Work"},{"PhoneNum":"6135550161","PhoneType":"Mobile"}],"ResetPassword":false,"ServiceTeamID":"TEAM-1","SMS":"","Status":"",` +
		`"StorageLocationID":"","UserID":"tech.jones"}`
	changed := strings.NewReplacer(`"FaceTime":""`, `"FaceTime":"tech.jones@example.test"`, "TEAM-1", "TEAM-2").Replace(user)
	want := []string{"read " + user, `put {"code":200}`, "acting " + changed, "entity Kentel Field Services", "other 401", `delete {"code":200}`, "gone 410", "acted 401"}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(string(output)), "\n")); diff != "" {
		t.Error(diff)
	}
}
