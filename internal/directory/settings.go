package directory

import (
	"fmt"
	"maps"
	"slices"
)

// Settings are a tenant's choices. The zero value of each member is the strict
// default. A member's name in JSON, with those of the members that hold it and
// dots between, is its name in errors and on the command line
// (docs/tenants.md); the tag setting:"fixed" keeps it from being set.
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
	// NotifyOnCreate mails every new user with an address a notice, without a
	// password (docs/dialects/iqmetrix.md 5.22).
	NotifyOnCreate bool `json:"notify_on_create,omitempty"`
	// SmartappInactiveWithoutSeat makes a user whom the smartapp door creates
	// inactive when no seat is free, where it would be refused
	// (docs/dialects/smartapp.md 6).
	SmartappInactiveWithoutSeat bool `json:"smartapp_inactive_without_seat,omitempty"`
	// RecycleBinDays is how long deleted users stay in the recycle bin until they are
	// purged by themselves; 0 keeps them until somebody purges them.
	RecycleBinDays int `json:"recycle_bin_days,omitempty"`
	// EventDays is how long events are kept; 0 keeps them for ever. At least 30: a
	// cursor of the feed is good for so long.
	EventDays int `json:"event_days,omitempty"`
	// ConsoleIdleMinutes is after how many minutes without a request a session of the
	// console ends; 0: DefaultConsoleIdleMinutes.
	ConsoleIdleMinutes int `json:"console_idle_minutes,omitempty"`
	// ConsoleSessionHours is after how many hours a session of the console ends,
	// however much it is used; 0: DefaultConsoleSessionHours.
	ConsoleSessionHours int `json:"console_session_hours,omitempty"`
	// SecondFactor says who must have a second factor at the console and at the
	// canonical door's sign-in: nobody must (SecondFactorOptional, or empty),
	// SecondFactorAdministrators, SecondFactorAll. Who has one is always asked for it
	// there.
	SecondFactor string `json:"second_factor,omitempty"`
	// Demo marks the sample directory: `serve --demo` takes it for its own. It
	// is given when the tenant is made and stays (UpdateTenant).
	Demo bool `json:"demo,omitempty" setting:"fixed"`
}

// DefaultRequestsPerMinute is the request limit of a tenant and door that set
// none: generous, so that only a runaway client meets it.
const DefaultRequestsPerMinute = 1_000_000

// Who must have a second factor (Settings.SecondFactor).
const (
	SecondFactorOptional       = "optional"
	SecondFactorAdministrators = "administrators" // and the owner
	SecondFactorAll            = "all"
)

// The limits of a console session where the tenant has set none: within what NIST SP
// 800-63B-4 section 2.2.3 asks for (an hour of inactivity, 24 hours overall).
const (
	DefaultConsoleIdleMinutes  = 30
	DefaultConsoleSessionHours = 12
)

// PasswordPolicy follows NIST SP 800-63B-4: length and a block list, no
// composition rules, no periodic change. The zero value is the strict default.
type PasswordPolicy struct {
	MinLength    int  `json:"min_length,omitempty"` // 0: 15, the length for a password that is the only factor
	AllowBlocked bool `json:"allow_blocked,omitempty"`
	AllowContext bool `json:"allow_context,omitempty"` // allow the user's own names in it
}

// The greatest values of settings. Beyond them a number is a slip of the hand.
const (
	// maxMinLength is the least length that every password can still have:
	// MaxPasswordBytes of one byte each.
	maxMinLength = MaxPasswordBytes
	// maxRequestsPerMinute is more than one process can answer, and far below
	// what a window of RequestCounter counts to.
	maxRequestsPerMinute = 1_000_000_000
	// maxFailedLogins is the most that NIST SP 800-63B-4 section 3.2.2 allows.
	maxFailedLogins = 100
	// maxDays is a century.
	maxDays = 36_500
	// leastEventDays is FeedCursorLifetime.
	leastEventDays = 30
	// maxConsoleIdleMinutes is a day, maxConsoleSessionHours a month.
	maxConsoleIdleMinutes  = 24 * 60
	maxConsoleSessionHours = 30 * 24
)

// check validates the settings. The error is invalid with the violations of
// all members, each by its name in JSON.
func (s *Settings) check() error {
	var bad violations
	bad.between("password.min_length", s.Password.MinLength, 0, maxMinLength)
	for _, door := range slices.Sorted(maps.Keys(s.RequestsPerMinute)) {
		name := "requests_per_minute." + door
		if !isDoorName(door) {
			bad.member(name, "%s: there is no door %q.", name, door)
			continue
		}
		bad.between(name, s.RequestsPerMinute[door], 1, maxRequestsPerMinute)
	}
	bad.between("max_failed_logins", s.MaxFailedLogins, 0, maxFailedLogins)
	bad.between("recycle_bin_days", s.RecycleBinDays, 0, maxDays)
	if s.EventDays != 0 {
		bad.between("event_days", s.EventDays, leastEventDays, maxDays)
	}
	bad.between("console_idle_minutes", s.ConsoleIdleMinutes, 0, maxConsoleIdleMinutes)
	bad.between("console_session_hours", s.ConsoleSessionHours, 0, maxConsoleSessionHours)
	switch s.SecondFactor {
	case "", SecondFactorOptional, SecondFactorAdministrators, SecondFactorAll:
	default:
		bad.member("second_factor", "second_factor must be %s, %s or %s.", SecondFactorOptional, SecondFactorAdministrators, SecondFactorAll)
	}
	return bad.err()
}

// isDoorName reports whether a text names a door that a tenant can have.
func isDoorName(text string) bool {
	for door, name := range doorNames {
		if name == text && AllDoors&DoorSet(door) != 0 {
			return true
		}
	}
	return false
}

// member adds a violation of a setting.
func (v *violations) member(name, format string, args ...any) {
	*v = append(*v, FieldError{Field: name, Reason: ReasonFieldValue, Message: fmt.Sprintf(format, args...)})
}

// between adds a violation unless a setting's value is in the range.
func (v *violations) between(name string, value, least, most int) {
	if value < least || value > most {
		v.member(name, "%s must be from %d to %d.", name, least, most)
	}
}
