package edubrite

import (
	"maps"
	"slices"
)

// DescribedRoutes are all paths of the door with the methods that a description
// has: HEAD is GET without a body.
func DescribedRoutes() []string {
	var routes []string
	for _, action := range slices.Concat(connectActions, slices.Sorted(maps.Keys(Dispatches()))) {
		for _, prefix := range prefixes {
			routes = append(routes, "GET "+prefix+action+".do", "POST "+prefix+action+".do")
		}
	}
	return routes
}

// Dispatches are what each action can be asked to do.
func Dispatches() map[string][]string {
	all := map[string][]string{}
	for i := range operations {
		all[operations[i].action] = append(all[operations[i].action], operations[i].dispatch)
	}
	return all
}
