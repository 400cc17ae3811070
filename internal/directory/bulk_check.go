package directory

import (
	"cmp"
	"context"
	"slices"
)

// matchFields are the fields by which a row of an import can find its user.
var matchFields = append(DefaultMatch(), "web_mdn", "storage_location")

// Limits of what an import says.
const (
	maxColumns = 500
	maxPercent = 100
)

// choice adds a violation unless a text is "" or one of some.
func choice[T ~string](bad *violations, field string, value T, choices ...T) {
	if value != "" && !slices.Contains(choices, value) {
		bad.member(field, "%s: there is no %q: use %s.", field, firstRunes(string(value), 80), orList(choices))
	}
}

// checkImport validates what an import says, as far as that needs no look-up.
func checkImport(o *ImportOptions) error {
	var bad violations
	if o.Format == "" {
		collect(&bad, Invalid("format", ReasonFieldRequired, "format is required: csv or ndjson."))
	}
	choice(&bad, "format", o.Format, BulkCSV, BulkNDJSON)
	choice(&bad, "comma", o.Comma, ",", ";", "\t", "|")
	choice(&bad, "encoding", o.Encoding, "utf-8", "latin1", "windows-1252")
	choice(&bad, "existing", o.Existing, ExistingUpdate, ExistingSkip, ExistingConflict)
	choice(&bad, "status", o.Status, StateStaged, StateActive, StateInactive)
	for i, name := range o.Match {
		if choice(&bad, "match", cmp.Or(name, "nothing"), matchFields...); slices.Contains(o.Match[:i], name) {
			bad.member("match", "match names %s twice.", name)
		}
		if i > len(matchFields) {
			break
		}
	}
	bad.between("max_changes", o.MaxChanges, 0, maxPercent)
	bad.between("max_deactivations", o.MaxDeactivations, 0, maxPercent)
	switch {
	case o.Format == BulkNDJSON && (len(o.Columns) > 0 || o.Comma != ""):
		bad.member("columns", "columns and comma are for files of the format csv.")
	case len(o.Columns) > maxColumns:
		bad.member("columns", "A file can have at most %d columns.", maxColumns)
	case len(o.Columns) > 0:
		for i := range o.Columns {
			collect(&bad, CleanText("columns", o.Columns[i].Header, maxTextRunes))
		}
		collect(&bad, CheckColumns(o.Columns))
	}
	return bad.err()
}

// deedNeeds says of which member of a BulkDeed a verb makes use; "" of none.
var deedNeeds = map[DeedVerb]string{DeedActivate: "", DeedDeactivate: "", DeedLock: "lock_reason", DeedUnlock: "", DeedMove: "company",
	DeedAddGroup: "group", DeedRemoveGroup: "group", DeedLicence: "licence_type", DeedSignOut: "", DeedDelete: "", DeedRestore: ""}

// deedVerbs lists the verbs.
var deedVerbs = []DeedVerb{DeedActivate, DeedDeactivate, DeedLock, DeedUnlock, DeedMove, DeedAddGroup, DeedRemoveGroup, DeedLicence,
	DeedSignOut, DeedDelete, DeedRestore}

// checkDeed validates an action, as far as that needs no look-up, and puts its users
// in order of number, each once.
func checkDeed(d *BulkDeed) error {
	var bad violations
	if d.Verb == "" {
		collect(&bad, Invalid("verb", ReasonFieldRequired, "verb is required: %s.", orList(deedVerbs)))
	}
	choice(&bad, "verb", d.Verb, deedVerbs...)
	switch {
	case len(d.Users) == 0 && d.Select == nil:
		collect(&bad, Invalid("users", ReasonFieldRequired, "Name the users by users or select."))
	case len(d.Users) > 0 && d.Select != nil:
		bad.member("select", "Name the users by users or select, not by both.")
	case len(d.Users) > MaxBulkUsers:
		bad.member("users", "users can name at most %d users; select has no limit.", MaxBulkUsers)
	}
	for _, number := range d.Users[:min(len(d.Users), MaxBulkUsers)] {
		if number <= 0 || number > MaxNumber {
			bad.member("users", "users: %d is no number of a user.", number)
			break
		}
	}
	for _, member := range []struct {
		name string
		set  bool
	}{{"company", d.Company != 0}, {"group", d.Group != 0}, {"licence_type", d.LicenceType != ""}, {"lock_reason", d.LockReason != 0}} {
		if needs, known := deedNeeds[d.Verb]; known && member.set && needs != member.name {
			bad.member(member.name, "%s has nothing to do with %s.", member.name, d.Verb)
		}
	}
	if d.Verb == DeedMove && d.Company == 0 || deedNeeds[d.Verb] == "group" && d.Group == 0 {
		collect(&bad, Invalid(deedNeeds[d.Verb], ReasonFieldRequired, "%s needs %s.", d.Verb, deedNeeds[d.Verb]))
	}
	collect(&bad, CleanText("licence_type", d.LicenceType, maxTextRunes))
	slices.Sort(d.Users)
	d.Users = slices.Compact(d.Users)
	d.After = 0
	return bad.err()
}

// inField is an error about something that was named, as one about the field that
// named it; other errors pass.
func inField(field string, err error) error {
	if CodeOf(err) != CodeNotFound {
		return err
	}
	e := AsError(err)
	return Invalid(field, e.Reason, "%s: %s", field, e.Message)
}

// namesKnown looks up what a run names.
func namesKnown(ctx context.Context, r Reader, call *Call, run *BulkRun) error {
	t := call.Actor.Tenant
	company := max(run.Import.Company, run.Deed.Company)
	if company != 0 {
		if _, err := companyInScope(ctx, r, call.Actor, company); err != nil {
			return inField("company", err)
		}
	}
	if run.Deed.Group != 0 {
		if _, err := r.Group(ctx, t, run.Deed.Group); err != nil {
			return inField("group", notFound(err, ReasonGroupNotFound, "Group not found."))
		}
	}
	if run.Deed.LockReason != 0 {
		if _, err := visibleLockReason(ctx, r, call.Actor, run.Deed.LockReason); err != nil {
			return inField("lock_reason", err)
		}
	}
	sel := run.Deed.Select
	if sel == nil {
		return nil
	}
	if sel.Company != 0 {
		if _, err := companyInScope(ctx, r, call.Actor, sel.Company); err != nil {
			return inField("select", err)
		}
	}
	for _, ref := range sel.Groups {
		if _, err := groupOf(ctx, r, t, ref); err != nil {
			return inField("select", err)
		}
	}
	return nil
}
