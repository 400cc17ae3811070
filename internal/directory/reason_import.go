package directory

// What the rows of an import are refused for besides what single calls are.
const (
	ReasonImportTwice     Reason = "import.same_row"
	ReasonImportAmbiguous Reason = "import.ambiguous"
	ReasonImportExists    Reason = "import.user_exists"
)

func importReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonImportTwice, CodeConflict, "Another row of the file is about the same user, or has a user name, an address, a number or another key that no two users share. It came first.",
			"Keep one of the rows, or give each its own."},
		{ReasonImportAmbiguous, CodeConflict, "A row names two users: one member belongs to one user and another member to another. The message names both.",
			"Correct the row, or name the members by which users are to be found."},
		{ReasonImportExists, CodeConflict, "The user of the row is there already, and the import was asked to make new users only.",
			"Leave the row out, or have the import update or skip users who are there."},
	}
}
