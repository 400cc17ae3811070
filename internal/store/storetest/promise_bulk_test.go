package storetest

import "maps"

func init() { maps.Copy(promises, bulkPromises) }

// bulkPromises are those of directory/store_bulk.go.
var bulkPromises = map[string][]string{
	"NextNumbers draws count numbers that follow each other and returns the first.": {"among/NextNumbers draws numbers that follow each other and none twice",
		"bulk races/Numbers drawn at once by the one and by the many are all different"},
	"BulkReader reads bulk runs.": nil,
	"BulkRuns lists a tenant's runs of a kind (\"\" for all), the newest first (CreatedAt, then ID, both falling), after the one of that time and id.": {
		"bulk/BulkRuns lists the runs of a kind, the newest first"},
	"BulkPart reads one part of a run's file, from 0.": {"bulk/InsertBulkPart keeps a part of any bytes, once"},
	"BulkVerdicts lists the blocks of verdicts of a run that hold rows greater than after, in order of rows.": {
		"bulk/BulkVerdicts lists the blocks that hold rows greater than after, in order"},
	"HandleHolders finds the holders of many folded keys at once; keys that nobody holds are left out.": {
		"among/HandleHolders finds the holders of many keys of several spaces", "among/Look-ups of many take keys of every character"},
	"UsersByNumbers and UsersByIDs read many users at once, in no order; those that are not there are left out.": {
		"among/UsersByNumbers and UsersByIDs read many users of the tenant"},
	"UsersByClientIDs finds the users of many client user ids, which several may have.": {"among/UsersByClientIDs finds all who have one"},
	"PurgedAmong finds the erased users to whom any of the numbers or ids belonged.":    {"among/PurgedAmong finds the erased users of numbers and ids"},
	"SeenRows reports which of the users were the matter of a row of a run (NoteSeen).": {"bulk/SeenRows reports which users NoteSeen noted for the run"},
	"HandleKeyOf names a handle.": nil,
	"folded":                      nil,
	"PurgedUser is what is remembered of a user who was erased.":    nil,
	"VerdictBlock is a run of verdicts that were made together.":    nil,
	"as the core packs them":                                        nil,
	"BulkKeeper looks after runs that nobody works on.":             nil,
	"OpenBulkRuns counts the runs of a tenant that have not ended.": {"bulk/OpenBulkRuns counts the runs of a tenant that have not ended"},
	"BulkWriter changes bulk runs and loads many users at once.":    nil,
	"LockBulkRun reads a run for change.":                           {"bulk/A run's fields round trip and UpdateBulkRun replaces it"},
	"InsertBulkPart keeps a part of a run's file; one that is there is ErrDuplicate.": {"bulk/InsertBulkPart keeps a part of any bytes, once",
		"bulk races/Of many that keep one part of a file one does"},
	"IdleBulkRuns lists, for change, at most limit runs of any tenant that are BulkOpen or BulkStopped and have not changed since a time, but none that another transaction is using.": {
		"bulk/IdleBulkRuns lists runs of any tenant that wait for somebody and have not changed"},
	"SweepBulkData removes what DeleteBulkData does, of runs that ended before a time, at most limit rows; it returns how many.": {
		"bulk/SweepBulkData removes the data of runs that ended before a time, and no run"},
	"NoteSeen notes that rows of a run were about users.": {"bulk/SeenRows reports which users NoteSeen noted for the run"},
	"DeleteBulkData removes at most limit parts of a run's file and notes of NoteSeen, and returns how many it removed.": {
		"bulk/DeleteBulkData removes parts and notes, and nothing else, so many at a time"},
	"SweepBulkRuns removes runs that ended before a time, with what belongs to them, at most limit rows in a call; it returns how many.": {
		"bulk/SweepBulkRuns removes runs that ended before a time with what belongs to them"},
	"LoadUsers inserts many new users of one tenant with their handles, passwords, index rows, totals, search text and events, as InsertUser, InsertHandle, SetPassword and InsertEvent would one by one, by the fastest way that the engine has.": {
		"load/Loaded users are as those that are inserted one by one", "load/Users of any text are loaded",
		"load/A transaction sees the users that it has loaded", "load/Events of a load are chained with those of others",
		"load/Loaded users are changed and erased as any others", "bulk races/Loads at once lose nothing"},
	"At most MaxLoad at a time.": {"load/At most MaxLoad are loaded at a time, of one tenant"},
	"A key that is taken is ErrDuplicate for all.": {"load/A key that is taken is ErrDuplicate for all", "load/A key that two of one load have is ErrDuplicate for all",
		"load/A load in a part that fails leaves nothing", "bulk races/Loads race with creates for names, and each name has one holder"},
	"TakeSeats takes seats of a type by conditional updates and returns the seat of each (as TakeSeat); fewer than count when the pool has no more.": {
		"among/TakeSeats takes as many seats as there are, and FreeSeat gives back each", "among/Seats taken in a transaction that fails are free again",
		"bulk races/Many that take several seats at once get exactly what there is",
		"bulk races/Seats taken by the many and by the one while a pool is resized add up"},
	"UserLoad is one user of LoadUsers with everything that comes with it.": nil,
	"Its Number has been drawn.": nil,
	"no hash: none":              {"load/Loaded users are as those that are inserted one by one"},
	"MaxLoad is how many users LoadUsers takes at a time.": {"load/At most MaxLoad are loaded at a time, of one tenant"},
}
