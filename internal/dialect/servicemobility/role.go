package servicemobility

import (
	"slices"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// english is the language whose text stands for a role where only one is shown.
const english = "en"

// readRole converts a Role object (dossier 4.5). The text in English, or the
// first, is the role's name in the directory; a name in other languages is kept
// in the role's extras.
func readRole(x *exchange, o web.Object) directory.Role {
	f := &x.faults
	f.sameID(o, "RoleID", x.ids[0])
	names, descriptions := f.pairs(o, "Name"), f.pairs(o, "Desc")
	role := directory.Role{Key: x.ids[0], Name: chief(names), Description: chief(descriptions), Permissions: f.texts(o, "Permissions")}
	for _, list := range []struct {
		name  string
		pairs []pair
	}{{"Name", names}, {"Desc", descriptions}} {
		for _, p := range list.pairs {
			f.clean(list.name, p.key, maxText)
			f.clean(list.name+"."+cut(p.key), p.value, maxText)
		}
	}
	if !isPlain(names) || !isPlain(descriptions) {
		b := append(appendName([]byte{'{'}, "Name"), ':')
		b = append(appendName(appendPairs(b, names), "Desc"), ':')
		role.Extras = string(append(appendPairs(b, descriptions), '}'))
	}
	return role
}

// isPlain reports whether a text by language is no more than the directory
// keeps by itself.
func isPlain(list []pair) bool {
	return len(list) == 0 || len(list) == 1 && list[0].key == english
}

// chiefAt is the place of the text that stands for all, or -1.
func chiefAt(list []pair) int {
	at := slices.IndexFunc(list, func(p pair) bool { return p.key == english })
	if at < 0 {
		return min(0, len(list)-1)
	}
	return at
}

// chief is the text that stands for all languages.
func chief(list []pair) string {
	if at := chiefAt(list); at >= 0 {
		return list[at].value
	}
	return ""
}

// withChief is a text by language as it is shown: the one that stands for all is
// the directory's, which another door may have changed.
func withChief(list []pair, text string) []pair {
	at := chiefAt(list)
	if at < 0 {
		return []pair{{english, text}}
	}
	list[at].value = text
	return list
}

// appendRole appends a Role object.
func appendRole(b []byte, r *directory.Role) []byte {
	var names, descriptions []pair
	if o, err := web.DecodeObject([]byte(r.Extras), maxDepth); err == nil {
		var f faults // what another way has put here in another type is not there
		names, descriptions = f.pairs(o, "Name"), f.pairs(o, "Desc")
	}
	b = appendText(b, `{"RoleID":`, r.Key)
	b = appendPairs(append(b, `,"Name":`...), withChief(names, r.Name))
	b = appendPairs(append(b, `,"Desc":`...), withChief(descriptions, r.Description))
	b = append(b, `,"Permissions":[`...)
	for i, p := range r.Permissions {
		if i > 0 {
			b = append(b, ',')
		}
		b = web.AppendString(b, p)
	}
	return append(b, "]}"...)
}

// roleIDs are the ids of the roles of the tenant itself, each once.
func roleIDs(held []directory.HeldRole) []string {
	ids := make([]string, 0, len(held))
	for i := range held {
		if role := &held[i].Role; role.Company == 0 && !slices.Contains(ids, role.Key) {
			ids = append(ids, role.Key)
		}
	}
	return ids
}
