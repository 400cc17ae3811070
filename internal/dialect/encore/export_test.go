package encore

// Routes are the operations of the table as the door's description names them.
func Routes() []string {
	var names []string
	for _, rt := range routes {
		names = append(names, rt.method+" "+rt.pattern)
	}
	return names
}
