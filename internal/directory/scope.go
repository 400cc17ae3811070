package directory

import (
	"slices"
	"strings"
)

// scopeNames are the scopes as settings and the canonical API write them, in the
// order of their bits.
var scopeNames = []struct {
	scope ScopeSet
	name  string
}{{ScopeUsersRead, "users_read"}, {ScopeUsersWrite, "users_write"}, {ScopePasswords, "passwords"}, {ScopeCompanies, "companies"},
	{ScopeCredentials, "credentials"}, {ScopeTenant, "tenant"}, {ScopeEvents, "events"}}

// Names lists the scopes of the set.
func (s ScopeSet) Names() []string {
	names := []string{}
	for _, known := range scopeNames {
		if s&known.scope != 0 {
			names = append(names, known.name)
		}
	}
	return names
}

// ParseScopes reads names of scopes. Errors: field.value on scopes.
func ParseScopes(names []string) (ScopeSet, error) {
	var set ScopeSet
	for _, name := range names {
		at := slices.IndexFunc(scopeNames, func(known struct {
			scope ScopeSet
			name  string
		}) bool {
			return known.name == name
		})
		if at < 0 {
			return 0, Invalid("scopes", ReasonFieldValue, "Unknown scope %q: use %s.", name, strings.Join(AllScopes.Names(), ", "))
		}
		set |= scopeNames[at].scope
	}
	return set, nil
}

// Names lists the doors of the set by name, in alphabetical order.
func (s DoorSet) Names() []string {
	text := s.String()
	if text == "" {
		return []string{}
	}
	return strings.Split(text, ",")
}
