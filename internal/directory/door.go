package directory

import (
	"sort"
	"strings"
)

// Door is one wire format through which clients reach the directory. Doors are
// bits so that a credential's or tenant's set of doors is one integer.
type Door uint16

// The closed set of doors. Their bits are stored; never renumber them.
const (
	DoorCanonical Door = 1 << iota
	DoorSCIM
	DoorIQmetrix
	DoorEncore
	DoorSmartapp
	DoorEduBrite
	DoorServiceMobility
	// DoorConsole is the administrators' web interface.
	DoorConsole
	// DoorCLI is the command line working on an opened database.
	DoorCLI
	// DoorServer is no door: what the server does by itself, when a date has come,
	// came through none.
	DoorServer
)

// DoorSet is a set of doors.
type DoorSet uint16

// AllDoors is every door that a credential or tenant can be given.
const AllDoors = DoorSet(DoorCanonical | DoorSCIM | DoorIQmetrix | DoorEncore | DoorSmartapp |
	DoorEduBrite | DoorServiceMobility | DoorConsole)

var doorNames = map[Door]string{
	DoorCanonical: "canonical", DoorSCIM: "scim", DoorIQmetrix: "iqmetrix", DoorEncore: "encore",
	DoorSmartapp: "smartapp", DoorEduBrite: "edubrite", DoorServiceMobility: "servicemobility",
	DoorConsole: "console", DoorCLI: "cli", DoorServer: "server",
}

// String is the door's name as settings, logs and events write it.
func (d Door) String() string { return doorNames[d] }

// Has reports whether the set holds the door. The command line is always
// allowed: who can open the database file needs no permission from it. So is the
// server itself.
func (s DoorSet) Has(d Door) bool { return d == DoorCLI || d == DoorServer || s&DoorSet(d) != 0 }

// String lists the doors by name, separated by commas, in alphabetical order.
func (s DoorSet) String() string {
	var names []string
	for d, name := range doorNames {
		if s&DoorSet(d) != 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

// ParseDoors reads a list of door names separated by commas; "all" or an empty
// text is AllDoors. An unknown name is an invalid error that names it.
func ParseDoors(text string) (DoorSet, error) {
	if text == "" || text == "all" {
		return AllDoors, nil
	}
	var set DoorSet
next:
	for _, name := range strings.Split(text, ",") {
		name = strings.TrimSpace(name)
		for d, n := range doorNames {
			if n == name && AllDoors&DoorSet(d) != 0 {
				set |= DoorSet(d)
				continue next
			}
		}
		return 0, Invalid("doors", ReasonFieldValue, "Unknown door %q.", name)
	}
	return set, nil
}
