package canonical

import "github.com/usher-id/usher/internal/directory"

// Sample is an example of the description as the tests run it.
type Sample struct {
	Operation, Method, Path, Body string
	Status                        int
}

// Samples are the examples of all operations, in the order of registration.
func Samples() []Sample {
	var list []Sample
	for _, r := range newDoor(directory.New(nil, directory.Options{}), Options{}).routes {
		for _, e := range r.op.examples {
			x := Sample{Operation: r.op.id, Method: r.op.method, Path: prefix + r.op.path, Body: e.body, Status: r.op.status}
			if e.path != "" {
				x.Path = prefix + e.path
			}
			if e.status != 0 {
				x.Status = e.status
			}
			list = append(list, x)
		}
	}
	return list
}

// Routes are the operations as the description names them.
func Routes() []string {
	var names []string
	for _, r := range newDoor(directory.New(nil, directory.Options{}), Options{}).routes {
		names = append(names, r.op.method+" "+prefix+r.op.path)
	}
	return names
}
