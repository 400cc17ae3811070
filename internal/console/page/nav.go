package page

import "github.com/usher-id/usher/internal/directory"

type navGroup struct {
	Title   string
	Entries []navEntry
}

type navEntry struct {
	Section, Text, Path string
	Current             bool
}

// sections are the entries of the navigation and the rank from which they are shown.
var sections = []struct {
	group, section, text, path string
	rank                       directory.Rank
}{
	{"", "overview", "Overview", "/", directory.RankReader},
	{"People", "users", "Users", "/users", directory.RankReader},
	{"People", "groups", "Groups", "/groups", directory.RankReader},
	{"People", "roles", "Roles", "/roles", directory.RankReader},
	{"Organisation", "companies", "Companies", "/companies", directory.RankReader},
	{"Organisation", "licences", "Licences", "/licences", directory.RankReader},
	{"Organisation", "lock-reasons", "Lock reasons", "/lock-reasons", directory.RankReader},
	{"Data", "imports", "Imports", "/imports", directory.RankAdministrator},
	{"Data", "actions", "Bulk actions", "/actions", directory.RankAdministrator},
	{"Data", "audit", "Audit", "/audit", directory.RankReader},
	{"System", "doors", "Doors", "/doors", directory.RankAdministrator},
	{"System", "credentials", "Credentials", "/credentials", directory.RankAdministrator},
	{"System", "webhooks", "Webhooks", "/webhooks", directory.RankAdministrator},
	{"System", "jobs", "Jobs", "/jobs", directory.RankReader},
	{"System", "settings", "Settings", "/settings", directory.RankAdministrator},
}

// navigation is what a viewer is offered.
func navigation(v *Viewer, current string) []navGroup {
	var groups []navGroup
	for _, s := range sections {
		if !v.May(s.rank) {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].Title != s.group {
			groups = append(groups, navGroup{Title: s.group})
		}
		g := &groups[len(groups)-1]
		g.Entries = append(g.Entries, navEntry{Section: s.section, Text: s.text, Path: Path + s.path, Current: s.section == current})
	}
	return groups
}
