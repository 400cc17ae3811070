package iqmetrix_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// sample is one request of the seed, as its samples make it: the headers that
// they send, the body that they print.
type sample struct {
	name         string
	method, path string // below the base URL, with the seed's query as printed
	accept, json bool   // sends Accept, sends Content-Type
	body         string
	noBody       bool   // Ruby passes a body that the seed never defines
	in           string // the tenant it runs in: "" is the sample directory
	status       int
	want         string // the answer holds this
	wantCurl     string // ... where the shell changed the request; "" is want
}

const (
	sampleUser = `"FirstName":"John","LastName":"Bates","UserName":"johnb@kentel.com","Address":{"AddressLine1":"1432 Merry View Road",` +
		`"AddressLine2":"","City":"Big Windy","StateCode":"ON","CountryCode":"CA","Zip":"A1A2B2"},"ClientUserId":"132","Email":"johnb@kentel.com",` +
		`"IsActive":true,"JobTitle":"Sales Clerk","ParentEntityId":1,"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}],"Picture":{},"Version":1}`
	sampleImport = `{"UserName":"johnb@kentel","Password":"samplepassword","Email":"johnb@kentel.com","FirstName":"John","LastName":"Bates","ParentEntityId":1,` +
		`"ClientUserId":"132","JobTitle":"Sales Clerk","Address":{"AddressLine1":"1432 Merry View Road","AddressLine2":"","City":"Big Windy","StateCode":"ON",` +
		`"CountryCode":"CA","Zip":"A1A2B2"},"PhoneNumbers":[{"Number":"6135550127","Extension":"5532","Type":"Work"}]}`
	sampleReason = `"Name":"PaperworkNotDone","Description":"Your account has been locked because the paperwork hasn't been done. Please contact your supervisor."}`
)

// samples are the seed's requests in its order. Creates run in a tenant that
// does not have the thing yet, and lock reason 1 exists in a third.
var samples = []sample{
	{name: "ImportingAnExistingUser", method: "POST", path: "/Users/importExisting", accept: true, json: true, body: sampleImport, in: "fresh", status: 201, want: `"UserName":"johnb@kentel",`},
	{name: "GettingAUser", method: "GET", path: "/Users(2576)", accept: true, status: 200, want: `{"Id":2576,` + sampleUser},
	{name: "UpdatingAUser", method: "PUT", path: "/Users(2576)", accept: true, json: true, body: `{"Id":2576,` + sampleUser, status: 200, want: `{"Id":2576,` + sampleUser},
	{name: "DisablingAUser", method: "DELETE", path: "/Users(2576)", status: 200, want: `"IsActive":false,`},
	{name: "GettingAllUsersForACompany", method: "GET", path: "/Entities(14146)/Users?$skip=1&$top=10", accept: true, status: 200,
		want: `"self":"/v1/entities(14146)/users?$skip=1&$top=10"`, wantCurl: `"self":"/v1/entities(14146)/users?$skip=0&$top=30"`},
	{name: "SearchingForUsers", method: "GET", path: "/Entities(14146)/Users/Search?terms=Sam+Smith&$skip=1&$top=10", accept: true, status: 200,
		want: `"self":"/v1/entities(14146)/users/search?terms=Sam+Smith&$skip=1&$top=10"`, wantCurl: `"self":"/v1/entities(14146)/users/search?terms=Sam+Smith&$skip=0&$top=30"`},
	{name: "AssigningAUserToALocation", method: "PUT", path: "/Users(2576)/Locations(2)", accept: true, json: true, noBody: true, status: 204},
	{name: "GettingAssignedLocationsForAUser", method: "GET", path: "/Users(2576)/Locations", accept: true, status: 200, want: `{"UserID":2576,"LocationIDs":[2,14202]}`},
	{name: "UnassigningAUserFromALocation", method: "DELETE", path: "/Users(2576)/Locations(2)", accept: true, status: 204},
	{name: "GettingUsersByClientuserid", method: "GET", path: "/Entities(14146)/Users?$filter=ClientUserId eq '132'&$skip=1&$top=10", accept: true, status: 200,
		want: `[]`, wantCurl: `"self":"/v1/entities(14146)/users?$skip=0&$top=30"`},
	{name: "LockingAUser", method: "POST", path: "/Users(2576)/Lock", accept: true, json: true, body: `{"LockReasonId":14}`, status: 204},
	{name: "GettingTheLockStatusOfAUser", method: "GET", path: "/Users(2576)/Unlock", accept: true, status: 200, want: `{"CanUnlockUser":true,"LockReasonId":14}`},
	{name: "UnlockingAUser", method: "POST", path: "/Users(2576)/Unlock", accept: true, json: true, noBody: true, status: 204},
	{name: "EnablingAUser", method: "POST", path: "/Users(2576)/Enable", accept: true, json: true, noBody: true, status: 200, want: `"IsActive":true,`},
	{name: "SettingATemporaryPassword", method: "POST", path: "/Users(2576)/TemporaryPassword", accept: true, json: true, body: `{"Password":"newpa55word"}`, status: 204},
	{name: "GettingAllLockReasons", method: "GET", path: "/Entities(14146)/lockReasons", accept: true, status: 200, want: `[{"Id":14,` + sampleReason + `]`},
	{name: "CreatingALockReason", method: "POST", path: "/Entities(14146)/lockReasons", accept: true, json: true, body: `{` + sampleReason, in: "fresh", status: 201, want: sampleReason},
	{name: "GettingALockReason", method: "GET", path: "/Entities(14146)/lockReasons(1)", accept: true, in: "reasons", status: 200, want: `{"Id":1,"Name":"First",`},
	{name: "UpdatingALockReason", method: "PUT", path: "/Entities(14146)/lockReasons(1)", accept: true, json: true, body: `{"Id":14,` + sampleReason, in: "reasons", status: 200, want: `{"Id":1,` + sampleReason},
	{name: "DeletingALockReason", method: "DELETE", path: "/Entities(14146)/lockReasons(1)", in: "reasons", status: 200},
}

// TestSampleClients makes every call of the seed with the clients that it
// prints, in their own programs: nothing but host and token is replaced, and
// only what docs/dialects/iqmetrix.md lists is repaired.
func TestSampleClients(t *testing.T) {
	for language, run := range map[string]func(t *testing.T, url string, tokens map[string]string) map[string]reply{
		"curl": runCurl, "java": runJava, "ruby": runRuby,
	} {
		t.Run(language, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Demo: true})
			replies := run(t, server.URL+"/v1", sampleTenants(t, server.Service))
			for _, s := range samples {
				want := s.want
				if language == "curl" && s.wantCurl != "" {
					want = s.wantCurl
				}
				got := replies[s.name]
				if got.status != fmt.Sprint(s.status) || !strings.Contains(got.body, want) || want == "" && got.body != "" {
					t.Errorf("%s: %s %s, want %d %s", s.name, got.status, got.body, s.status, want)
				}
			}
		})
	}
}

// reply is what a sample client got.
type reply struct{ status, body string }

// sampleTenants makes the two tenants beside the sample directory; the result
// has a key of each.
func sampleTenants(t *testing.T, service *directory.Service) map[string]string {
	t.Helper()
	ctx := context.Background()
	tokens := map[string]string{"": "usher-demo-key"}
	for _, name := range []string{"fresh", "reasons"} {
		settings := directory.Settings{Password: directory.PasswordPolicy{MinLength: 6, AllowBlocked: true, AllowContext: true}}
		tenant, err := service.CreateTenant(ctx, directory.System(0, "test"), directory.Tenant{Name: name, Doors: directory.AllDoors, Settings: settings}, directory.Company{})
		must(t, err)
		system := func() *directory.Call { return directory.System(tenant.No, "test") }
		// A new tenant has a company 1 or not: the seed's companies must exist.
		_, err = service.CreateCompany(ctx, system(), directory.Company{Number: 14146, Name: "Kentel"})
		must(t, err)
		if _, err := service.Company(ctx, system(), 1); err != nil {
			_, err = service.CreateCompany(ctx, system(), directory.Company{Number: 1, Name: "Kentel East", Parent: 14146})
			must(t, err)
		}
		if name == "reasons" {
			_, err = service.CreateLockReason(ctx, system(), directory.LockReason{Number: 1, Company: 14146, Name: "First", Description: "The first."})
			must(t, err)
		}
		_, key, err := service.CreateKey(ctx, system(), directory.NewCredential{Name: "samples", Rank: directory.RankAdministrator})
		must(t, err)
		tokens[name] = key
	}
	return tokens
}

// repaired is the path with the raw spaces that no client sends escaped.
func (s *sample) repaired() string { return strings.ReplaceAll(s.path, " ", "%20") }

// headers are the sample's headers in the seed's order.
func (s *sample) headers(token string) [][2]string {
	list := [][2]string{{"Authorization", "Bearer " + token}}
	if s.accept {
		list = append(list, [2]string{"Accept", "application/json"})
	}
	if s.json {
		list = append(list, [2]string{"Content-Type", "application/json"})
	}
	return list
}

// runCurl runs each line through sh, which expands $skip, $top and $filter to
// nothing. A configuration file makes curl print the status behind the body.
func runCurl(t *testing.T, url string, tokens map[string]string) map[string]reply {
	t.Helper()
	home := t.TempDir()
	must(t, os.WriteFile(filepath.Join(home, ".curlrc"), []byte("silent\nshow-error\nwrite-out = \"\\n%{http_code}\"\n"), 0o600))
	replies := map[string]reply{}
	for _, s := range samples {
		line := fmt.Sprintf(`curl -X %s "%s%s"`, s.method, url, s.repaired())
		for _, h := range s.headers(tokens[s.in]) {
			line += fmt.Sprintf(` -H "%s: %s"`, h[0], h[1])
		}
		if s.body != "" {
			line += ` -d '` + strings.ReplaceAll(s.body, "'", `'\''`) + `'`
		}
		command := exec.CommandContext(t.Context(), "sh", "-c", line)
		command.Env = append(os.Environ(), "HOME="+home, "CURL_HOME="+home)
		output := runProgram(t, command)
		cut := strings.LastIndexByte(output, '\n')
		replies[s.name] = reply{output[cut+1:], output[:max(cut, 0)]}
	}
	return replies
}

// runJava makes one program of all samples with Apache HttpClient 4.
func runJava(t *testing.T, url string, tokens map[string]string) map[string]reply {
	t.Helper()
	var calls, methods strings.Builder
	for _, s := range samples {
		fmt.Fprintf(&calls, "        print(%q, %s());\n", s.name, s.name)
		class := "Http" + s.method[:1] + strings.ToLower(s.method[1:])
		fmt.Fprintf(&methods, "    public static CloseableHttpResponse %s() throws IOException {\n"+
			"        CloseableHttpClient httpClient = HttpClients.createDefault();\n        %s request = new %s(%q);\n", s.name, class, class, url+s.repaired())
		for _, h := range s.headers(tokens[s.in]) {
			fmt.Fprintf(&methods, "        request.addHeader(%q, %q);\n", h[0], h[1])
		}
		if s.body != "" {
			fmt.Fprintf(&methods, "        StringEntity body = new StringEntity(%q);\n        request.setEntity(body);\n", s.body)
		}
		methods.WriteString("        return httpClient.execute(request);\n    }\n")
	}
	source := `import org.apache.http.client.methods.*;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;
import java.io.IOException;

public class Samples {
    static void print(String name, CloseableHttpResponse response) throws IOException {
        String body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity());
        System.out.println(name + "\t" + response.getStatusLine().getStatusCode() + "\t" + body);
    }
    public static void main(String[] args) throws IOException {
` + calls.String() + "    }\n" + methods.String() + "}\n"
	file := filepath.Join(t.TempDir(), "Samples.java")
	must(t, os.WriteFile(file, []byte(source), 0o600))
	const jars = "/usr/share/java/"
	path := jars + "httpclient.jar:" + jars + "httpcore.jar:" + jars + "commons-logging.jar:" + jars + "commons-codec.jar"
	return parseReplies(runProgram(t, exec.CommandContext(t.Context(), "java", "-cp", path, file)))
}

// runRuby makes one program of all samples with rest-client.
func runRuby(t *testing.T, url string, tokens map[string]string) map[string]reply {
	t.Helper()
	source := "require 'rest-client'\n\n"
	for _, s := range samples {
		arguments := ""
		if s.body != "" || s.noBody {
			// %q of Go escapes the quotes as the seed does.
			source += fmt.Sprintf("body = %q;\n", s.body)
			arguments = ", body"
		}
		source += fmt.Sprintf("response = RestClient.%s '%s'%s, {\n", strings.ToLower(s.method), rubyQuote(url+s.repaired()), arguments)
		for _, h := range s.headers(tokens[s.in]) {
			source += fmt.Sprintf("     :'%s' => '%s',\n", h[0], h[1])
		}
		source += fmt.Sprintf("    }\nputs '%s' + \"\\t\" + response.code.to_s + \"\\t\" + response.to_s\n\n", s.name)
	}
	file := filepath.Join(t.TempDir(), "samples.rb")
	must(t, os.WriteFile(file, []byte(source), 0o600))
	return parseReplies(runProgram(t, exec.CommandContext(t.Context(), "ruby", file)))
}

// rubyQuote escapes a text for single quotes.
func rubyQuote(s string) string { return strings.ReplaceAll(s, "'", `\'`) }

// runProgram runs a sample client; one that is missing or fails is a failure.
func runProgram(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var failure strings.Builder
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command.Path, err, output, failure.String())
	}
	return string(output)
}

// parseReplies reads lines of name, status and body.
func parseReplies(output string) map[string]reply {
	replies := map[string]reply{}
	for line := range strings.Lines(output) {
		if parts := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 3); len(parts) == 3 {
			replies[parts[0]] = reply{parts[1], parts[2]}
		}
	}
	return replies
}
