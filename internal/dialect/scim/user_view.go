package scim

import "github.com/usher-id/usher/internal/directory"

// include is what the view takes besides the users themselves.
func (v *userView) include() directory.Include {
	var with directory.Include
	for _, part := range included {
		if v.show.shows(part.id) {
			with |= part.with
		}
	}
	return with
}
