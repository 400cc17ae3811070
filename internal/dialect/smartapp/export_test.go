package smartapp

// subjects are the names of what stands behind the paths that do not end in the
// id of something.
var subjects = map[string]string{"get_user_by_email": "email", "get_user_by_user_name": "userName", "get_company_by_name": "name"}

// DescribedRoutes are all calls of the door by path; HEAD is GET without a body.
func DescribedRoutes() []string {
	var routes []string
	for i := range operations {
		op := &operations[i]
		for _, path := range op.paths {
			for _, method := range op.methods {
				if method == "HEAD" {
					continue
				}
				routes = append(routes, method+" "+path)
				if op.subject {
					routes = append(routes, method+" "+path+"/{"+orElse(subjects[op.name], "UniqueID")+"}")
				}
			}
		}
	}
	return routes
}
