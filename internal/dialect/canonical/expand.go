package canonical

import (
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// expanded is what belongs to a user, with ?expand=.
type expanded struct {
	Company   *companyRef    `json:"company,omitempty"`
	Locations *[]locationRef `json:"locations,omitempty" doc:"By number; those that the caller can see."`
	Groups    *[]groupRef    `json:"groups,omitempty"`
	Roles     *[]roleRef     `json:"roles,omitempty"`
}

// companyRef is a company as a user shows it.
type companyRef struct {
	Number int64  `json:"number"`
	ID     string `json:"id" format:"uuid"`
	Name   string `json:"name"`
}

// locationRef is a location as a user shows it.
type locationRef struct {
	Number  int64  `json:"number"`
	ID      string `json:"id" format:"uuid"`
	Name    string `json:"name"`
	Company int64  `json:"company" doc:"Number of its company."`
}

// groupRef is a group as a user shows it.
type groupRef struct {
	ID   string `json:"id" format:"uuid"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	Role string `json:"role" doc:"The user's part in the group; empty for an ordinary member."`
}

// roleRef is a role as a user shows it.
type roleRef struct {
	Role    int64           `json:"role" doc:"Number of the role."`
	Name    string          `json:"name"`
	Rank    string          `json:"rank" enum:"self,reader,helpdesk,administrator,owner"`
	Company nullable[int64] `json:"company" doc:"Number of the company for which the user holds it; null for the whole tenant."`
}

// expansions are the words of ?expand=.
var expansions = map[string]directory.Include{"company": directory.IncludeCompany, "locations": directory.IncludeLocations,
	"groups": directory.IncludeGroups, "roles": directory.IncludeRoles}

// parseExpand reads ?expand=, words separated by commas.
func parseExpand(text string) (directory.Include, error) {
	var with directory.Include
	if text == "" {
		return 0, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		include, ok := expansions[word]
		if !ok {
			return 0, badQuery("expand", "expand takes company, locations, groups and roles, separated by commas.")
		}
		with |= include
	}
	return with, nil
}

// expandedOf is what was asked for of a user.
func expandedOf(d *directory.UserDetail, with directory.Include) expanded {
	var e expanded
	if with&directory.IncludeCompany != 0 {
		e.Company = &companyRef{Number: d.Company.Number, ID: d.Company.ID, Name: d.Company.Name}
	}
	if with&directory.IncludeLocations != 0 {
		e.Locations = ptr(locationRefs(d.Locations))
	}
	if with&directory.IncludeGroups != 0 {
		e.Groups = ptr(groupRefs(d.Groups))
	}
	if with&directory.IncludeRoles != 0 {
		e.Roles = ptr(roleRefs(d.Roles))
	}
	return e
}

func ptr[T any](v T) *T { return &v }

func locationRefs(list []directory.Location) []locationRef {
	refs := make([]locationRef, 0, len(list))
	for _, l := range list {
		refs = append(refs, locationRef{Number: l.Number, ID: l.ID, Name: l.Name, Company: l.Company})
	}
	return refs
}

func groupRefs(list []directory.Membership) []groupRef {
	refs := make([]groupRef, 0, len(list))
	for _, m := range list {
		refs = append(refs, groupRef{ID: m.Group.ID, Kind: string(m.Group.Kind), Name: m.Group.Name, Role: m.Role})
	}
	return refs
}

func roleRefs(list []directory.HeldRole) []roleRef {
	refs := make([]roleRef, 0, len(list))
	for _, r := range list {
		refs = append(refs, roleRef{Role: r.Role.Number, Name: r.Role.Name, Rank: r.Role.Rank.String(), Company: numberOf(r.Assignment.Company)})
	}
	return refs
}
