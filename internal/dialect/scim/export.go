package scim

import "github.com/usher-id/usher/internal/directory"

// AppendRecord appends a user of an export as a User resource (RFC 7643 section 4.1)
// of the door whose URI is base. Groups have their names and no ids, which records do
// not have.
func AppendRecord(b []byte, base string, r *directory.Record) []byte {
	detail := r.Detail(nil)
	if r.CreatedAt != nil {
		detail.User.CreatedAt = *r.CreatedAt
	}
	if r.UpdatedAt != nil {
		detail.User.UpdatedAt = *r.UpdatedAt
	}
	if r.Version != nil {
		detail.User.Version = *r.Version
	}
	v := userView{base: base}
	return v.appendUser(b, &detail)
}
