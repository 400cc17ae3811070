package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// encoreProperties are the properties of the encore door whose length can be
// set, in the vendor's order.
var encoreProperties = []string{"UserName", "Password", "FirstName", "LastName", "EmployeeNumber", "Email", "Phone",
	"EPTTNumber", "EPTTWebMDN", "EPTTToken"}

// maxEncoreLength bounds EncoreLengths in characters; the directory's own
// limits hold besides.
const maxEncoreLength = 4096

// EncoreLengthLimits reads EncoreLengths: the least and the greatest length by
// the vendor's name of the property, for those that are named.
func (c *Config) EncoreLengthLimits() (map[string][2]int, error) {
	limits := map[string][2]int{}
	for _, item := range c.EncoreLengths {
		name, bounds, _ := strings.Cut(item, "=")
		low, high, ok := strings.Cut(bounds, "-")
		least, errLeast := strconv.Atoi(low)
		most, errMost := strconv.Atoi(high)
		switch {
		case !ok || errLeast != nil || errMost != nil:
			return nil, fmt.Errorf("%q is not of the form UserName=1-100", item)
		case !slices.Contains(encoreProperties, name):
			return nil, fmt.Errorf("%q is not one of %s", name, strings.Join(encoreProperties, ", "))
		case least < 0 || most < max(least, 1) || most > maxEncoreLength:
			return nil, fmt.Errorf("%q is no range of lengths within 0 to %d", item, maxEncoreLength)
		}
		limits[name] = [2]int{least, most}
	}
	return limits, nil
}

// checkEncore checks the settings of the encore door.
func (c *Config) checkEncore(fail func(key, format string, args ...any)) {
	if _, err := c.EncoreLengthLimits(); err != nil {
		fail("encore_lengths", "%v", err)
	}
	if len(c.EncoreAllowedOrigins) == 0 {
		fail("encore_allowed_origins", "name at least one origin, or * for any")
	}
	for _, origin := range c.EncoreAllowedOrigins {
		if origin != "*" && !isOrigin(origin) {
			fail("encore_allowed_origins", "%q is no origin: write scheme and host as a browser sends them, as in https://app.example.com", origin)
		}
	}
}

// isOrigin reports whether a text is an origin as browsers write it (RFC 6454
// section 6.2): compared letter by letter, any other form would never match.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && text == strings.ToLower(u.Scheme+"://"+u.Host) && u.Hostname() != ""
}
