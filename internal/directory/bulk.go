package directory

import "time"

// BulkKind tells imports from actions on many users.
type BulkKind string

// The kinds of bulk runs.
const (
	BulkImport BulkKind = "import" // of a file of users
	BulkAction BulkKind = "action" // one thing done to many users
)

// BulkState is where a bulk run stands. The names are those of the canonical API.
type BulkState string

// The states of bulk runs.
const (
	BulkOpen      BulkState = "open"    // its file is being sent
	BulkWaiting   BulkState = "waiting" // a server will take it up
	BulkRunning   BulkState = "running" // some of it is done
	BulkStopped   BulkState = "stopped" // it would touch more than its threshold, and nothing beyond has been done
	BulkDone      BulkState = "done"
	BulkFailed    BulkState = "failed"    // it cannot go on: Error says why
	BulkCancelled BulkState = "cancelled" // by somebody; what was done stays
)

// BulkFormat is the format of a file of users.
type BulkFormat string

// The formats. BulkNDJSON is what usher exports, and what undo files are written in.
const (
	BulkCSV    BulkFormat = "csv"
	BulkNDJSON BulkFormat = "ndjson"
)

// OnExisting is what an import does with a row whose user is there.
type OnExisting string

// The choices.
const (
	ExistingUpdate   OnExisting = "update"
	ExistingSkip     OnExisting = "skip"
	ExistingConflict OnExisting = "conflict"
)

// ImportColumn maps a column of a CSV file to a member of Record.
type ImportColumn struct {
	Header string `json:"header"` // as the file has it
	// Field is the JSON name of the Record's member, "attributes.x" for an attribute,
	// "phones.mobile" for a phone of a type, "address.city" for a part of the address;
	// "" leaves the column out.
	Field string `json:"field"`
}

// ImportOptions say how a file of users is read and what is done with it.
type ImportOptions struct {
	Format  BulkFormat     `json:"format"`
	Columns []ImportColumn `json:"columns,omitempty"` // of CSV; none: guessed from the first row
	// Comma separates the columns of CSV; "": guessed among , ; tab and |.
	Comma string `json:"comma,omitempty"`
	// Encoding of a file that does not begin with a byte order mark: "utf-8" (also
	// ""), "latin1" or "windows-1252".
	Encoding string `json:"encoding,omitempty"`
	// Match are the JSON names of the members by which a row finds its user, in this
	// order: the first that the row has and somebody holds decides. None is
	// DefaultMatch.
	Match    []string   `json:"match,omitempty"`
	Existing OnExisting `json:"existing,omitempty"` // "": ExistingUpdate
	// Company is where new users go whose rows name none; 0 is the tenant's default
	// company. It is the subtree of DeactivateMissing too (0: the tenant).
	Company int64 `json:"company,omitempty"`
	Status  State `json:"status,omitempty"` // of new users whose rows say none; "": active
	Notify  bool  `json:"notify,omitempty"` // new users are mailed their user name; the tenant's NotifyOnCreate is not for imports
	// SharedEmail keeps an address that another user signs in with, and does not make
	// it a handle, where a row is refused for it otherwise: for directories in which
	// several people have one address.
	SharedEmail bool `json:"shared_email,omitempty"`
	// CreateMissing makes companies, groups and roles without rank that rows name and
	// that are not there.
	CreateMissing bool `json:"create_missing,omitempty"`
	// DeactivateMissing deactivates, after the last row, the active users that no row
	// was about. Account owner and administrators are never among them.
	DeactivateMissing bool `json:"deactivate_missing,omitempty"`
	// MaxChanges and MaxDeactivations stop a run that would update, or deactivate,
	// more users than so many in 100 of those that are there (whole run, decided
	// before the first is changed as far as that can be known). 0 is 100 for
	// MaxChanges and DefaultMaxDeactivations for the other. A run that stopped goes on
	// with StartBulk and a higher one.
	MaxChanges       int `json:"max_changes,omitempty"`
	MaxDeactivations int `json:"max_deactivations,omitempty"`
}

// DefaultMaxDeactivations is the threshold of ImportOptions.MaxDeactivations, in 100.
const DefaultMaxDeactivations = 10

// DeedVerb is what a bulk action does to each of its users.
type DeedVerb string

// The verbs, and what of BulkDeed they need.
const (
	DeedActivate    DeedVerb = "activate"
	DeedDeactivate  DeedVerb = "deactivate"
	DeedLock        DeedVerb = "lock" // LockReason, 0 for none
	DeedUnlock      DeedVerb = "unlock"
	DeedMove        DeedVerb = "move"         // Company
	DeedAddGroup    DeedVerb = "add_group"    // Group
	DeedRemoveGroup DeedVerb = "remove_group" // Group
	DeedLicence     DeedVerb = "set_licence"  // LicenceType
	DeedSignOut     DeedVerb = "sign_out"
	DeedDelete      DeedVerb = "delete"
	DeedRestore     DeedVerb = "restore"
)

// BulkDeed is an action on many users: those of Users, else all that Select selects
// at the moment at which each page of them is read.
type BulkDeed struct {
	Verb  DeedVerb `json:"verb"`
	Users []int64  `json:"users,omitempty"` // numbers; at most MaxBulkUsers
	// Select selects the users when Users is empty.
	Select      *BulkSelect `json:"select,omitempty"`
	Company     int64       `json:"company,omitempty"`
	Group       int64       `json:"group,omitempty"`
	LicenceType string      `json:"licence_type,omitempty"`
	LockReason  int64       `json:"lock_reason,omitempty"`
	// After is the number of the last user that is done: the core's own.
	After int64 `json:"after,omitempty"`
}

// MaxBulkUsers is how many users a bulk action can name one by one.
const MaxBulkUsers = 10_000

// BulkRun is an import or an action on many users: a job that somebody watches. What
// is done is kept with how far it is, in one transaction, so that a server that dies
// leaves nothing to be done twice.
type BulkRun struct {
	Tenant TenantNo
	ID     string // UUID v7
	Kind   BulkKind
	Name   string // of the file; of an action its verb
	State  BulkState
	DryRun bool // nothing is changed: only verdicts are made
	Import ImportOptions
	Deed   BulkDeed
	Reason string // why, as whoever asked said it
	By     Asker

	Bytes  int64 // of the file, as sent so far
	Parts  int64 // of the file, as sent so far
	Rows   int64 // of the whole; 0 while it is not known
	Done   int64 // rows that have their verdict
	Counts map[Verdict]int64
	Error  string // why it stopped or failed, for people

	CreatedAt time.Time
	StartedAt time.Time // zero before
	UpdatedAt time.Time
	EndedAt   time.Time // zero before

	Marks ImportMarks // of an import
}

// ImportMarks are what an import notes for its own later pages.
type ImportMarks struct {
	// Users is how many users there were when it began, deleted ones aside.
	Users int64 `json:"users,omitempty"`
	// Seats are those that a dry run has counted out so far, by licence type.
	Seats map[string]int64 `json:"seats,omitempty"`
	// Made are the numbers of users that it made many at a time, as ranges from and to.
	Made [][2]int64 `json:"made,omitempty"`
	// Ending says that the last record is done and the users that no row was about are
	// being counted, Counted that they are; After is the number of the last user that
	// was looked at, and Missing how many there are.
	Ending  bool  `json:"ending,omitempty"`
	Counted bool  `json:"counted,omitempty"`
	After   int64 `json:"after,omitempty"`
	Missing int64 `json:"missing,omitempty"`
}

// Asker is who asked for something that is done later, in their name and never with
// more rights than they have then.
type Asker struct {
	Name       string `json:"name"` // Actor.Name
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
	User       int64  `json:"user,omitempty"`
	Credential string `json:"credential,omitempty"`
	Door       string `json:"door"`
}

// Verdict is what became of a row, or would.
type Verdict string

// The verdicts.
const (
	RowCreate     Verdict = "create"
	RowUpdate     Verdict = "update"
	RowSkip       Verdict = "skip"       // it is so already, or shall not be changed
	RowConflict   Verdict = "conflict"   // it contradicts what is there, or another row
	RowInvalid    Verdict = "invalid"    // it cannot be, whatever is there
	RowDeactivate Verdict = "deactivate" // DeactivateMissing
)

// RowVerdict is the verdict of one row.
type RowVerdict struct {
	Row     int64        `json:"row"`            // from 1; after the last row come those of DeactivateMissing
	Line    int64        `json:"line,omitempty"` // of the file
	Verdict Verdict      `json:"verdict"`
	User    int64        `json:"user,omitempty"`    // number
	Name    string       `json:"name,omitempty"`    // user name
	Changed []string     `json:"changed,omitempty"` // names of the fields that an update changes
	Faults  []FieldError `json:"faults,omitempty"`  // why not
}

// MaxPart is the greatest length in bytes of one part of an import's file.
const MaxPart = 1 << 20

// BulkPage is one page of runs, the newest first.
type BulkPage struct {
	Runs []BulkRun
	Next string // cursor; "" at the end
}

// VerdictQuery selects verdicts of a run, in order of rows.
type VerdictQuery struct {
	Verdicts []Verdict // none: all
	Cursor   string
	Limit    int
}

// VerdictPage is one page of verdicts.
type VerdictPage struct {
	Verdicts []RowVerdict
	Next     string // cursor; "" at the end
}
