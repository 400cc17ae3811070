package directory

import "time"

// JobKind names what a job does. Kinds are stored and never renamed.
type JobKind string

// The kinds of jobs.
const (
	JobMail JobKind = "mail" // its payload is a Mail, sealed
)

// Job is work that a change asked for, written in the change's transaction and
// done afterwards by whichever process claims it. Doing it twice must be
// harmless: a process may die between the deed and its note.
type Job struct {
	Tenant     TenantNo
	ID         string // UUID v7; what makes a repeat recognisable
	Kind       JobKind
	User       int64     // number of the user that it is about, 0 for none: erasing the user ends the job
	RunAt      time.Time // not before
	Attempts   int       // claims so far, the present one included
	LeaseOwner string    // the process that has it
	LeaseUntil time.Time // when another may take it
	Payload    []byte    // sealed where it holds a secret; erased once the job is done
	CreatedAt  time.Time
}

// MailKind names a message, and with it its template.
type MailKind string

// The messages that usher sends.
const (
	MailWelcome  MailKind = "welcome"  // a new account; Password is set when one was made for it
	MailPassword MailKind = "password" // a password that was generated; temporary
	MailReset    MailKind = "reset"    // a link to set a new password
)

// Mail is one message to one person, before it is written out. Whoever renders
// it escapes every text: names come from people.
type Mail struct {
	Kind     MailKind  `json:"kind"`
	To       string    `json:"to"`
	Name     string    `json:"name,omitempty"` // the person's name; "" when there is none
	UserName string    `json:"user_name"`
	Tenant   string    `json:"tenant"`             // the tenant's name
	Language string    `json:"language,omitempty"` // BCP 47; templates exist in English only
	Password string    `json:"password,omitempty"`
	Link     string    `json:"link,omitempty"`
	Expires  time.Time `json:"expires,omitzero"` // when the link or the temporary password ends
}
