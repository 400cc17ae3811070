package directory

import (
	"fmt"
	"time"
)

// Secret is a text that must never be printed: it formats as "[redacted]".
type Secret string

// String hides the secret from whatever asks for its text.
func (Secret) String() string { return redacted }

// Format hides the secret from every verb: %d would print a text that has only
// String and GoString.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalText hides the secret from JSON and log handlers, but encoding/json
// writes the keys of a map as they are: never make a secret a key.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// redacted stands for what must not be seen.
const redacted = "[redacted]"

// Call is one request to a use case: who asks, with what, through which door.
// A door fills the first group of fields from the wire, unverified; the use
// case verifies it and fills the second, which the door may read afterwards,
// also when the use case failed. A Call serves one use case.
type Call struct {
	Door     Door
	Secret   Secret // the API key or token that came with the request; "" for none
	ClientID string // the name that came with Secret where it is a pair (docs/dialects/servicemobility.md 2.3)
	ActAs    string // user name of the person for whom an API session acts (docs/dialects/edubrite.md 2.3)
	// Acting is the token by which the person of a console session acts as another; it
	// opens nothing without the session's.
	Acting Secret
	// Unattended says that no person has just asked, but a page by itself: it does not
	// put off the end of a console session.
	Unattended bool
	Host       string // host name of the request, to find the tenant without a key
	Addr       string // address of the client, without port: for limits only
	RequestID  string
	Reason     string // why, when the client says so: recorded in the event
	// If is asked of the user, group, company and so on that the call changes or
	// reads for change; a batch asks nothing.
	If          Condition
	Idempotency *Idempotency // nil: none

	Actor    Actor
	Settings *Settings // of the actor's tenant; never nil after a successful use case
	Quota    Quota
	Changed  bool // whether the use case wrote anything
	jobs     bool // the use case asks for a job that is due at once
	trusted  bool
	asked    bool    // in the name of who asked for a bulk run, verified by askersCall
	admitted bool    // the limiter has counted it and let it pass
	part     bool    // of a call that the limiter has let pass
	tenant   *Tenant // as of the credential's look-up
	found    bool    // somebody has, or had, the credential, whatever else became of it
	console  *Token  // of the console session that the call presents
}

// Part is a call for one of several use cases of the same request, such as an
// operation of a SCIM Bulk. Its credential is verified again, so that what was
// revoked meanwhile is refused; the limiter, if it has let this call pass, does
// not count the part.
func (c *Call) Part() *Call {
	return &Call{Door: c.Door, Secret: c.Secret, ClientID: c.ClientID, ActAs: c.ActAs, Acting: c.Acting, Unattended: c.Unattended, Host: c.Host, Addr: c.Addr,
		RequestID: c.RequestID, Reason: c.Reason, Quota: c.Quota, part: c.admitted || c.part}
}

// System is a call that needs no credential: the command line and the server's
// own work. What names it in events.
func System(tenant TenantNo, what string) *Call { return trusted(tenant, what, DoorCLI) }

// byItself is a call of the server about which nobody has asked.
func byItself(tenant TenantNo, what string) *Call { return trusted(tenant, what, DoorServer) }

func trusted(tenant TenantNo, what string, door Door) *Call {
	return &Call{Door: door, trusted: true, Actor: Actor{Tenant: tenant, Name: "system:" + what, Rank: RankOwner, Scopes: AllScopes}}
}

// Quota is the state of the request limit that the call counted against.
type Quota struct {
	Limit     int
	Remaining int
	Reset     time.Time // when the window ends
}
