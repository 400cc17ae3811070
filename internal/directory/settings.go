package directory

// Settings are a tenant's choices. The zero value of each member is the strict
// default.
type Settings struct {
	Password PasswordPolicy `json:"password,omitzero"`
	// RequestsPerMinute limits a door's requests of the whole tenant, by door
	// name; DefaultRequestsPerMinute where a door is absent.
	RequestsPerMinute map[string]int `json:"requests_per_minute,omitempty"`
	// IQmetrixPictureNull shows a missing picture as null instead of {}
	// (docs/dialects/iqmetrix.md 5.12).
	IQmetrixPictureNull bool `json:"iqmetrix_picture_null,omitempty"`
	// MaxFailedLogins locks a user after so many wrong passwords in a row; 0
	// never does (docs/dialects/iqmetrix.md 5.20).
	MaxFailedLogins int `json:"max_failed_logins,omitempty"`
	// Demo marks the sample directory: `serve --demo` takes it for its own.
	Demo bool `json:"demo,omitempty"`
}

// DefaultRequestsPerMinute is the request limit of a tenant and door that set
// none: generous, so that only a runaway client meets it.
const DefaultRequestsPerMinute = 1_000_000

// PasswordPolicy follows NIST SP 800-63B-4: length and a block list, no
// composition rules, no periodic change. The zero value is the strict default.
type PasswordPolicy struct {
	MinLength    int  `json:"min_length,omitempty"` // 0: 15, the length for a password that is the only factor
	AllowBlocked bool `json:"allow_blocked,omitempty"`
	AllowContext bool `json:"allow_context,omitempty"` // allow the user's own names in it
}
