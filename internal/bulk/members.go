package bulk

import (
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Where the members of a record are, by their names.
var (
	textMembers = map[string]func(*directory.Record) **string{
		"id":               func(r *directory.Record) **string { return &r.ID },
		"user_name":        func(r *directory.Record) **string { return &r.UserName },
		"email":            func(r *directory.Record) **string { return &r.Email },
		"given_name":       func(r *directory.Record) **string { return &r.GivenName },
		"family_name":      func(r *directory.Record) **string { return &r.FamilyName },
		"display_name":     func(r *directory.Record) **string { return &r.DisplayName },
		"title":            func(r *directory.Record) **string { return &r.Title },
		"company_name":     func(r *directory.Record) **string { return &r.CompanyName },
		"employee_number":  func(r *directory.Record) **string { return &r.EmployeeNumber },
		"open_id":          func(r *directory.Record) **string { return &r.OpenID },
		"web_mdn":          func(r *directory.Record) **string { return &r.WebMDN },
		"client_user_id":   func(r *directory.Record) **string { return &r.ClientUserID },
		"licence_type":     func(r *directory.Record) **string { return &r.LicenceType },
		"language":         func(r *directory.Record) **string { return &r.Language },
		"time_zone":        func(r *directory.Record) **string { return &r.TimeZone },
		"storage_location": func(r *directory.Record) **string { return &r.StorageLocation },
		"rank":             func(r *directory.Record) **string { return &r.Rank },
	}
	numberMembers = map[string]func(*directory.Record) **int64{
		"number":      func(r *directory.Record) **int64 { return &r.Number },
		"company":     func(r *directory.Record) **int64 { return &r.Company },
		"lock_reason": func(r *directory.Record) **int64 { return &r.LockReason },
		"version":     func(r *directory.Record) **int64 { return &r.Version },
	}
	flagMembers = map[string]func(*directory.Record) **bool{
		"locked":               func(r *directory.Record) **bool { return &r.Locked },
		"must_change_password": func(r *directory.Record) **bool { return &r.MustChangePassword },
		"mobile_only":          func(r *directory.Record) **bool { return &r.MobileOnly },
		"temporary":            func(r *directory.Record) **bool { return &r.Temporary },
	}
	timeMembers = map[string]func(*directory.Record) **time.Time{
		"valid_from": func(r *directory.Record) **time.Time { return &r.ValidFrom },
		"expires_at": func(r *directory.Record) **time.Time { return &r.ExpiresAt },
		"created_at": func(r *directory.Record) **time.Time { return &r.CreatedAt },
		"updated_at": func(r *directory.Record) **time.Time { return &r.UpdatedAt },
	}
	secretMembers = map[string]func(*directory.Record) **directory.Secret{
		"password":      func(r *directory.Record) **directory.Secret { return &r.Password },
		"password_hash": func(r *directory.Record) **directory.Secret { return &r.PasswordHash },
	}
)
