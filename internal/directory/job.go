package directory

import "time"

// JobKind names what a job does. Kinds are stored and never renamed.
type JobKind string

// The kinds of jobs.
const (
	JobMail JobKind = "mail" // its payload is a Mail, sealed
	// JobExpiry moves a user's state when one of its validity dates comes. One is
	// written with each change that gives a user a date to come.
	JobExpiry JobKind = "expiry"
	// JobRecycle purges, day by day, the users of a tenant that were in the recycle
	// bin for as long as the tenant's settings say. A tenant has one, which never
	// ends.
	JobRecycle JobKind = "recycle"
	// JobRetention removes, day by day, the events of a tenant that are older than
	// its settings keep them. A tenant has one, which never ends.
	JobRetention JobKind = "retention"
	// JobBulk works on a bulk run; its payload is the run's id.
	JobBulk JobKind = "bulk"
)

// JobKinds lists every kind.
func JobKinds() []JobKind { return []JobKind{JobMail, JobExpiry, JobRecycle, JobRetention, JobBulk} }

// JobState is where a job stands. The names are those of the canonical API.
type JobState string

// The states of jobs. JobWaiting and JobRunning are one state in the database:
// a job runs while somebody has a lease on it.
const (
	JobWaiting   JobState = "waiting"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"    // given up; RedoJob does it again
	JobCancelled JobState = "cancelled" // by an administrator
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
	State      JobState
	LastError  string    // what went wrong the last time; "" for nothing
	ClosedAt   time.Time // zero while it is waiting or running
}

// The longest that jobs are leased and put back for. A clock that jumps ahead and
// back leaves leases and pauses that end at a wrong time: those that end later
// than these from now do not count.
const (
	MaxLease    = time.Hour
	MaxJobPause = 25 * time.Hour
)

// JobSelection selects jobs for a list.
type JobSelection struct {
	Kind  JobKind  // "": all
	State JobState // "": all
	User  int64    // 0: all
	// Now tells JobRunning from JobWaiting.
	Now time.Time
	// BeforeTime and BeforeID are CreatedAt and ID of the job after which the list
	// goes on; zero for its beginning.
	BeforeTime time.Time
	BeforeID   string
	Limit      int
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
