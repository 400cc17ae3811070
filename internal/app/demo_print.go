package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// demoCommands are the printed commands, one or more for each door that the
// server has, in the order of doors. Each answers 200 on a fresh demo.
func (a *App) demoCommands() []demoCommand {
	url, c := a.URL(), a.Demo
	return []demoCommand{
		{directory.DoorCanonical, "read the user of the iqmetrix document, with its company",
			fmt.Sprintf("curl -H 'Authorization: Bearer %s' '%s/api/v1/users/by/number/%d?expand=company'", c.Key, url, demoJohn)},
		{directory.DoorSCIM, "find the same user by its user name, as an identity provider would",
			fmt.Sprintf("curl -H 'Authorization: Bearer %s' '%s/scim/v2/Users?filter=userName+eq+%%22johnb%%40kentel.com%%22'", c.Key, url)},
		{directory.DoorIQmetrix, "read the user of the vendor's document",
			fmt.Sprintf("curl -H 'Authorization: Bearer %s' '%s/v1/Users(%d)'", c.Key, url, demoJohn)},
		{directory.DoorIQmetrix, "sign in as the administrator",
			fmt.Sprintf("curl -d grant_type=password -d client_id=%s -d client_secret=%s -d username=%s -d password=%s '%s/v1/oauth2/token'",
				c.ClientID, c.ClientSecret, c.Admin, c.AdminPassword, url)},
		{directory.DoorEncore, "activate the user of the vendor's document",
			fmt.Sprintf("curl -X PUT -H 'Ocp-Apim-Subscription-Key: %s' '%s/users/v1/users/%d/active?use-external-id=false'", c.Key, url, demoEncore)},
		{directory.DoorSmartapp, "read the user of the vendor's document",
			fmt.Sprintf("curl -H 'X-API-Key: %s' '%s/user/get/uniqueid?UniqueID=%s'", c.Key, url, demoCarrID)},
		{directory.DoorEduBrite, "open a session, then activate the user of the vendor's document",
			fmt.Sprintf("curl -s -o /dev/null -c usher-demo.cookies -d username=%s -d password=%s '%s/oltpublish/site/connect.do' &&\n"+
				"curl -b usher-demo.cookies -H 'REAL_UNAME: %s' -d dispatch=activate -d userName=jdoe '%s/oltpublish/site/userService.do'",
				c.APIUser, c.APIUserPassword, url, c.ActingUser, url)},
		{directory.DoorServiceMobility, "sign in, then read the mobile worker",
			fmt.Sprintf("TOKEN=$(curl -s -H 'Content-Type: application/json' -d '{\"username\":\"%s\",\"password\":\"%s\"}' '%s/createjwt' |\n"+
				"  sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/') &&\ncurl -H \"x-access-token: $TOKEN\" '%s/seiapi/v3/trans/User/tech.jones'",
				c.Admin, c.AdminPassword, url, url)},
	}
}

// demoCommand is one command that works when it is pasted.
type demoCommand struct {
	door directory.Door
	does string
	line string
}

// PrintDemo tells a person what to try: the credentials and the commands.
// Random credentials are printed as one JSON object instead, for programs, and
// only by the start that drew them. Listen must have been called.
func (a *App) PrintDemo(w io.Writer) error {
	switch {
	case a.cfg.DemoCredentials != "random":
		return a.printPublished(w)
	case a.Demo == (DemoCredentials{}):
		a.log.Info("the sample directory was here already; its random credentials were printed when it was made")
		return nil
	}
	return json.NewEncoder(w).Encode(struct {
		URL string `json:"url"`
		DemoCredentials
	}{a.URL(), a.Demo})
}

func (a *App) printPublished(w io.Writer) error {
	var b strings.Builder
	c := a.Demo
	fmt.Fprintf(&b, "\nusher serves a sample directory at %s\n\n", a.URL())
	for _, row := range [][2]string{
		{"console", a.URL() + "/console"},
		{"API key", c.Key},
		{"administrator", c.Admin + " / " + c.AdminPassword},
		{"OAuth client", c.ClientID + " / " + c.ClientSecret},
		{"API user", c.APIUser + " / " + c.APIUserPassword + ", acting for " + c.ActingUser},
	} {
		fmt.Fprintf(&b, "  %-14s %s\n", row[0], row[1])
	}
	for _, command := range a.demoCommands() {
		if a.serves(command.door) {
			fmt.Fprintf(&b, "\n# %s: %s\n%s\n", command.door, command.does, command.line)
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// serves reports whether this process has the door.
func (a *App) serves(door directory.Door) bool {
	for _, d := range a.mounted {
		if d.door == door {
			return true
		}
	}
	return false
}
