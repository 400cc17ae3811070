package edubrite

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usher-id/usher/internal/directory"
)

// Sizes of pages. The default is what the Java client asks for first (dossier
// 3.3); larger ones than the core hands out become the largest.
const (
	defaultPageSize = 20
	maxPageSize     = directory.MaxLimit
	// maxResetPageSize holds where each user gets a reset token, which is a row
	// that is written.
	maxResetPageSize = 500
)

// page is the place of a page in a list.
type page struct {
	current int64 // currPage as it came, -1 when absent
	size    int
}

// page reads currPage, from 0 on, and pageSize. What is absent, zero or
// negative means the first page and the default size, since that is what the
// Java client sends before it knows better (dossier 3.3). numItems, numPages
// and recordsCount come back from answers and are not read.
func (p params) page(f *faults, largest int) page {
	size := p.integer(f, "pageSize", 0)
	if size <= 0 {
		size = defaultPageSize
	}
	return page{current: p.integer(f, "currPage", -1), size: int(min(size, int64(largest)))}
}

// skip is how many rows stand before the page; beyond 2^31-1 no list has any.
func (p page) skip() int {
	return int(min(max(p.current, 0), math.MaxInt32/int64(p.size)) * int64(p.size))
}

// integer reads an optional integer.
func (p params) integer(f *faults, name string, fallback int64) int64 {
	text := p.get(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		f.add(name, directory.ReasonFieldFormat, name+" must be an integer.")
	}
	return n
}

// flag reads an optional true or false.
func (p params) flag(f *faults, name string) (value, set bool) {
	switch text := p.get(name); {
	case text == "":
		return false, false
	case strings.EqualFold(text, "true"):
		return true, true
	case strings.EqualFold(text, "false"):
		return false, true
	}
	f.add(name, directory.ReasonFieldValue, name+" must be true or false.")
	return false, false
}

// userQuery converts the parameters of list (dossier 3.3).
func (p params) userQuery() (directory.UserQuery, page, directory.Include, error) {
	var f faults
	var with directory.Include
	largest := maxPageSize
	if token, _ := p.flag(&f, "pwToken"); token {
		with, largest = directory.IncludeReset, maxResetPageSize
	}
	at := p.page(&f, largest)
	q := directory.UserQuery{Skip: at.skip(), Limit: at.size, WantTotal: true}
	if ascending, set := p.flag(&f, "sortAsc"); set {
		q.Descending = !ascending
	}
	if inactive, set := p.flag(&f, "inactive"); set && inactive {
		q.States = directory.StatesOf(directory.StateStaged, directory.StateInactive)
	} else if set {
		q.States = directory.StatesOf(directory.StateActive)
	}
	if q.Groups = groups(p.list("groupId")); len(q.Groups) == 0 && p.get("groupName") != "" {
		q.Groups = []directory.GroupRef{{Kind: directory.GroupPlain, Name: p.get("groupName")}}
	}
	var all directory.And
	var words directory.And
	q.Terms, words = searchWords(p.get("search"), searchFields)
	all = append(all, words...)
	if enrolled, set := p.flag(&f, "activeEnrollment"); set && enrolled {
		all = append(all, directory.Or{}) // there are no courses here: nobody is enrolled
	}
	all = append(all, p.siteRoleFilter(&f)...)
	all = append(all, p.dateFilter(&f)...)
	for _, property := range p.properties("customPropertyMap") {
		all = append(all, directory.Extra{Path: []string{directory.DoorEduBrite.String(), propertyPrefix + property.name}, Value: property.value})
	}
	if len(all) > 0 {
		q.Filter = all
	}
	return q, at, with, f.err()
}

// siteRoleFilter selects the users of a role.
func (p params) siteRoleFilter(f *faults) directory.And {
	administrators := directory.Compare{Field: directory.FieldRank, Order: directory.GreaterOrEqual, Value: int64(directory.RankAdministrator)}
	instructors := directory.Extra{Path: []string{directory.DoorEduBrite.String(), memberSiteRole}, Value: roleInstructor}
	switch p.get("siteRole") {
	case "":
		return nil
	case roleAdmin:
		return directory.And{administrators}
	case roleInstructor:
		return directory.And{directory.Not{Filter: administrators}, instructors}
	case roleStudent:
		return directory.And{directory.Not{Filter: administrators}, directory.Not{Filter: instructors}}
	}
	f.add("siteRole", directory.ReasonFieldValue, "siteRole must be STUDENT, INSTRUCTOR or ADMIN.")
	return nil
}

// dateFilter selects by the days of creation or of the last change (dossier
// 3.3). Both ends belong to the range.
func (p params) dateFilter(f *faults) directory.And {
	wholeDays, _ := p.flag(f, "dateFilterIgnoreTime")
	from, _ := p.date(f, "fromDate", wholeDays)
	_, before := p.date(f, "toDate", wholeDays)
	within := func(field directory.Field) directory.And {
		var all directory.And
		if !from.IsZero() {
			all = append(all, directory.When{Field: field, Order: directory.GreaterOrEqual, Value: from})
		}
		if !before.IsZero() {
			all = append(all, directory.When{Field: field, Order: directory.Less, Value: before})
		}
		return all
	}
	mode := p.get("dateFilterMode")
	if (from.IsZero() && before.IsZero()) && (mode == "" || mode == "ALL") {
		return nil
	}
	switch mode {
	case "CREATED_DATE":
		return within(directory.FieldCreatedAt)
	case "MODIFIED_DATE":
		return within(directory.FieldUpdatedAt)
	case "", "ALL":
		return directory.And{directory.Or{within(directory.FieldCreatedAt), within(directory.FieldUpdatedAt)}}
	}
	f.add("dateFilterMode", directory.ReasonFieldValue, "dateFilterMode must be CREATED_DATE, MODIFIED_DATE or ALL.")
	return nil
}

// dateLayouts are how clients write moments, and how long a unit each names:
// the sample setting of the Java client, ISO 8601 and American days (dossier
// 3.3). Without a zone they are UTC.
var dateLayouts = []struct {
	layout string
	unit   time.Duration
}{
	{"02/01/2006 15:04:05", time.Second},
	{"01/02/2006", 24 * time.Hour},
	{"2006-01-02", 24 * time.Hour},
	{"2006-01-02T15:04", time.Minute},
	{"2006-01-02T15:04Z07:00", time.Minute},
	{"2006-01-02T15:04:05", time.Second},
	{"2006-01-02T15:04:05Z07:00", time.Second},
	{"2006-01-02T15:04:05Z0700", time.Second},
	{"2006-01-02 15:04:05", time.Second},
}

// date reads an optional moment: its beginning and its end, which is that of
// the unit that was written, or of the day.
func (p params) date(f *faults, name string, wholeDay bool) (begin, end time.Time) {
	text := p.get(name)
	if text == "" {
		return begin, end
	}
	begin, unit, ok := parseDate(text)
	if !ok {
		f.add(name, directory.ReasonFieldFormat, name+" must be a date: dd/MM/yyyy hh:mm:ss, MM/dd/yyyy or ISO 8601.")
		return time.Time{}, time.Time{}
	}
	if wholeDay {
		begin, unit = begin.Truncate(24*time.Hour), 24*time.Hour
	}
	return begin, begin.Add(unit)
}

// parseDate reads a moment and the unit that it was written in. A year below
// 1000 is a mistake of the client; one above 9999 does not fit the layouts.
func parseDate(text string) (begin time.Time, unit time.Duration, ok bool) {
	if len(text) > 64 {
		return begin, 0, false
	}
	for _, l := range dateLayouts {
		begin, err := time.Parse(l.layout, text)
		if err != nil || begin.Year() < 1000 {
			continue
		}
		unit := l.unit
		if begin.Nanosecond() != 0 {
			unit = time.Millisecond
		}
		return begin.UTC(), unit, true
	}
	return time.Time{}, 0, false
}

// searchFields are what list searches (dossier 3.3).
var searchFields = []directory.Field{directory.FieldUserName, directory.FieldGivenName, directory.FieldFamilyName, directory.FieldEmail}

// searchWords converts a search: every word must match one of the fields
// (dossier 5.8). Words without wildcards, and those with wildcards at both ends
// alone, are terms of the core, which have an index; terms of one or two letters
// match the beginnings of words there, so that short ones with wildcards are
// conditions like the rest.
func searchWords(search string, fields []directory.Field) (terms []string, conditions directory.And) {
	if len(search) > directory.MaxSearch {
		return []string{search}, nil // the core refuses it
	}
	for _, word := range strings.Fields(search) {
		parts := strings.FieldsFunc(word, isWildcard)
		inner := strings.TrimFunc(word, isWildcard)
		switch {
		case len(parts) == 0:
			// Nothing but wildcards: everybody.
		case word == inner && len(parts) == 1,
			len(parts) == 1 && isWildcard(rune(word[0])) && isWildcard(rune(word[len(word)-1])) && utf8.RuneCountInString(inner) > 2:
			terms = append(terms, inner)
		default:
			conditions = append(conditions, wildcards(word, parts, fields))
		}
	}
	return terms, conditions
}

// isWildcard tells the two wildcards of the vendor's pages (dossier 5.8).
func isWildcard(r rune) bool { return r == '*' || r == '%' }

// wildcards is the condition of one word: its beginning, its end and what is
// between wildcards are all in one field.
func wildcards(word string, parts []string, fields []directory.Field) directory.Or {
	var any directory.Or
	for _, field := range fields {
		var all directory.And
		for i, part := range parts {
			first := i == 0 && !isWildcard(rune(word[0]))
			last := i == len(parts)-1 && !isWildcard(rune(word[len(word)-1]))
			op := directory.OpContains
			switch {
			case first:
				op = directory.OpPrefix
			case last:
				op = directory.OpSuffix
			}
			all = append(all, directory.Text{Field: field, Op: op, Value: part})
		}
		if len(all) == 1 {
			any = append(any, all[0])
		} else {
			any = append(any, all)
		}
	}
	return any
}
