package web

// Sample is a request and its answer, as documentation and the console show them.
type Sample struct {
	Method string
	// Path is where the request goes, with its query.
	Path string
	// Header holds the headers that it needs, name and value, with words such as
	// "$KEY" in the place of secrets.
	Header [][2]string
	// Body is the request's, "" for none.
	Body string
	// Status, ContentType and Answer are what comes back.
	Status      int
	ContentType string
	Answer      []byte
	// Missing says why the door does not show it; then there is no answer.
	Missing string
}
