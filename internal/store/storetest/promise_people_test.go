package storetest

import "maps"

func init() { maps.Copy(promises, peoplePromises) }

// peoplePromises are those of the reader of lists for people in
// directory/store_console.go.
var peoplePromises = map[string][]string{
	"PeopleReader reads what lists of users show to people besides the users.":                                        nil,
	"LastSignIns are the times at which users last signed in with their passwords; those who never did are left out.": {"people/LastSignIns are those of the users who signed in"},
	"LookEnd is the user at which a list ends that looks at so many users one by one after q.After: its number, and its SortValue in a sorted list; 0 where fewer follow.": {
		"people/LookEnd ends what is looked at, and nothing that an index has"},
	"walks is false where an index has the matches of q, so that nobody else is looked at.":                                  {"people/LookEnd ends what is looked at, and nothing that an index has"},
	"CanSort reports whether q can be listed in its order without reading more than so many users that are not on the page.": {"people/CanSort refuses what is too much to sort"},
}
