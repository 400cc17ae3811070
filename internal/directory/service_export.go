package directory

import "context"

// ExportUsers hands out all users that q selects (its Limit, After, Skip and Cursor
// aside), page by page by key and never over one long snapshot, as records; the slice
// is used again for the next page. The credential is verified again before each page.
// Errors: as Users.
func (s *Service) ExportUsers(ctx context.Context, call *Call, q UserQuery, each func([]Record) error) error {
	panic("ExportUsers")
}
