package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// smartappCredentials are the places where the smartapp door can look for a key.
func smartappCredentials() []string {
	return []string{"bearer", "x-api-key", "apikey-header", "apikey-query"}
}

// smartappPath is one item of SmartappPaths: an operation and a path of plain
// segments, which mean the same escaped or not.
var smartappPath = regexp.MustCompile(`^([a-z_]+)=((?:/[A-Za-z0-9._~-]+)+)$`)

// maxSmartappPath bounds a path in bytes.
const maxSmartappPath = 200

// SmartappPathTable reads SmartappPaths: paths by operation, for those that are
// named. Which operations there are is the door's matter.
func (c *Config) SmartappPathTable() (map[string][]string, error) {
	table := map[string][]string{}
	for _, item := range c.SmartappPaths {
		parts := smartappPath.FindStringSubmatch(item)
		if parts == nil || len(item) > maxSmartappPath {
			return nil, fmt.Errorf("%q is not of the form update_user=/user/edit", item)
		}
		table[parts[1]] = append(table[parts[1]], parts[2])
	}
	return table, nil
}

// checkSmartapp checks the settings of the smartapp door.
func (c *Config) checkSmartapp(fail func(key, format string, args ...any)) {
	known := smartappCredentials()
	if len(c.SmartappCredentials) == 0 {
		fail("smartapp_credentials", "name at least one of %s", strings.Join(known, ", "))
	}
	for _, place := range c.SmartappCredentials {
		if !slices.Contains(known, place) {
			fail("smartapp_credentials", "%q is not one of %s", place, strings.Join(known, ", "))
		}
	}
	if _, err := c.SmartappPathTable(); err != nil {
		fail("smartapp_paths", "%v", err)
	}
}
