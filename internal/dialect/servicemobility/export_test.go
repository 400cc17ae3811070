package servicemobility

// DescribedRoutes are all calls of the door by path; HEAD is GET without a body.
func DescribedRoutes() []string {
	names := make([]string, len(routes))
	for i, rt := range routes {
		names[i] = rt.method + " " + rt.pattern
	}
	return names
}
