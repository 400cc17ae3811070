package smartapp_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// TestDocumentedPaths: the example of docs/dialects/smartapp.md, dossier 3, is
// one that the server takes with every door on.
func TestDocumentedPaths(t *testing.T) {
	page, err := os.ReadFile("../../../docs/dialects/smartapp.md")
	must(t, err)
	example := regexp.MustCompile("`smartapp_paths: \\[([^]]+)\\]`").FindSubmatch(page)
	if example == nil {
		t.Fatal("the page has no example")
	}
	paths := strings.Split(string(example[1]), ", ")
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) { c.SmartappPaths = paths }})
	for _, item := range paths {
		_, path, _ := strings.Cut(item, "=")
		if status, _, body := send(t, server.URL, "GET", path+"?UniqueID="+carrID, ""); status != 200 {
			t.Errorf("%s: %d %s", item, status, body)
		}
	}
}

// TestPathsOfDoorsThatAreNotServed: what belongs to another door is free where
// this process does not serve that door (dossier 3). The vendor's names of
// lists are plural, so that its list of users may well lie below /users.
func TestPathsOfDoorsThatAreNotServed(t *testing.T) {
	server := testkit.Start(t, testkit.Options{Demo: true, Tune: func(c *config.Config) {
		c.Doors, c.SmartappPaths = []string{"smartapp", "iqmetrix"}, []string{"list_users=/users/getusers"}
	}})
	if status, _, body := send(t, server.URL, "GET", "/users/getusers?take=1", ""); status != 200 || !strings.HasPrefix(body, `{"totalCount":`) {
		t.Errorf("%d %s", status, body)
	}
}
