package directory

// State is where a user stands in its life. Locks, validity dates and
// must-change-password stand beside it.
type State string

// The closed set of states.
const (
	StateStaged   State = "staged"   // prepared, never activated
	StateActive   State = "active"   // may sign in; holds a seat
	StateInactive State = "inactive" // keeps every handle, holds no seat
	StateDeleted  State = "deleted"  // in the recycle bin; handles released
)

// States lists every state in the order of their stored codes.
var States = [...]State{StateStaged, StateActive, StateInactive, StateDeleted}

// StateSet is a set of states as bits in the order of States.
type StateSet uint8

// StatesOf makes a set.
func StatesOf(states ...State) StateSet {
	var set StateSet
	for _, s := range states {
		set |= 1 << s.Index()
	}
	return set
}

// LivingStates are all states but deleted: what lists show unless asked.
var LivingStates = StatesOf(StateStaged, StateActive, StateInactive)

// Has reports whether the set holds the state.
func (s StateSet) Has(state State) bool { return s&(1<<state.Index()) != 0 }

// Index is the state's stored code, or 15 for a text that is no state.
func (s State) Index() int {
	for i, known := range States {
		if known == s {
			return i
		}
	}
	return 15
}

// Verb is a lifecycle use case that moves a user from state to state.
type Verb string

// The verbs of the state machine.
const (
	VerbActivate   Verb = "activate"
	VerbDeactivate Verb = "deactivate"
	VerbDelete     Verb = "delete"
	VerbRestore    Verb = "restore"
	VerbPurge      Verb = "purge"
)

// effect is what a transition does besides setting the state.
type effect uint8

const (
	takesSeat       effect = 1 << iota // takes a seat of the user's licence type
	freesSeat                          // gives it back
	endsSessions                       // raises the auth epoch
	releasesHandles                    // frees user name, e-mail and other keys
	claimsHandles                      // takes them again, or fails
	removesUser                        // erases the row
)

// transition is one row of the state machine.
type transition struct {
	to      State
	action  Action
	event   EventType
	effects effect
}

// transitions is the whole state machine: what is not here is not allowed. A
// verb that leads to the state a user already has changes nothing and succeeds
// (each door decides whether its vendor calls that an error).
var transitions = map[Verb]map[State]transition{
	VerbActivate: {
		StateStaged:   {StateActive, ActActivate, EventUserActivated, takesSeat},
		StateInactive: {StateActive, ActActivate, EventUserActivated, takesSeat},
	},
	VerbDeactivate: {
		StateStaged: {StateInactive, ActDeactivate, EventUserDeactivated, 0},
		StateActive: {StateInactive, ActDeactivate, EventUserDeactivated, freesSeat | endsSessions},
	},
	VerbDelete: {
		StateStaged:   {StateDeleted, ActDelete, EventUserDeleted, releasesHandles | endsSessions},
		StateActive:   {StateDeleted, ActDelete, EventUserDeleted, freesSeat | endsSessions | releasesHandles},
		StateInactive: {StateDeleted, ActDelete, EventUserDeleted, endsSessions | releasesHandles},
	},
	VerbRestore: {
		StateDeleted: {StateInactive, ActRestore, EventUserRestored, claimsHandles},
	},
	VerbPurge: {
		StateDeleted: {StateDeleted, ActDelete, EventUserPurged, removesUser},
	},
}

// verbTarget is the state in which a verb has nothing left to do.
var verbTarget = map[Verb]State{
	VerbActivate: StateActive, VerbDeactivate: StateInactive, VerbDelete: StateDeleted,
}
