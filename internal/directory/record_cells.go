package directory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// recordRow is a row of a CSV file that is being read.
type recordRow struct {
	record *Record
	field  string // that is being read
}

// fault notes that the cell of a column cannot be read.
func (r *recordRow) fault(reason Reason, format string, args ...any) {
	r.record.Faults = append(r.record.Faults, rowFault(r.field, reason, format, args...))
}

// quotedCell is a cell as a message shows it.
func quotedCell(cell string) string { return strconv.Quote(firstRunes(cell, 60)) }

// RecordOf reads the cells of a row by its columns; what cannot be read becomes a
// fault of the record. An empty cell says nothing. Cells come as they are meant: what
// an export puts before those that a spreadsheet would take for formulas has been
// taken off.
func RecordOf(columns []ImportColumn, cells []string, line int64) Record {
	record := Record{Line: line}
	texts := slices.Clone(cells) // the members point into it; the reader may use its own again
	r := recordRow{record: &record}
	for i := range texts {
		if i >= len(columns) || columns[i].Field == "" || strings.TrimSpace(texts[i]) == "" {
			continue
		}
		r.field = columns[i].Field
		if !utf8.ValidString(texts[i]) {
			r.fault(ReasonFieldFormat, "%s is not valid UTF-8.", r.field)
			continue
		}
		r.read(&texts[i])
	}
	return record
}

// textCells are the members that take a cell as it is; trimmed are those of which
// blanks around the text are never meant.
var textCells = map[string]struct {
	at      func(*Record) **string
	trimmed bool
}{
	"user_name":        {func(r *Record) **string { return &r.UserName }, true},
	"email":            {func(r *Record) **string { return &r.Email }, true},
	"given_name":       {func(r *Record) **string { return &r.GivenName }, false},
	"family_name":      {func(r *Record) **string { return &r.FamilyName }, false},
	"display_name":     {func(r *Record) **string { return &r.DisplayName }, false},
	"title":            {func(r *Record) **string { return &r.Title }, false},
	"company_name":     {func(r *Record) **string { return &r.CompanyName }, true},
	"employee_number":  {func(r *Record) **string { return &r.EmployeeNumber }, true},
	"open_id":          {func(r *Record) **string { return &r.OpenID }, false},
	"web_mdn":          {func(r *Record) **string { return &r.WebMDN }, true},
	"client_user_id":   {func(r *Record) **string { return &r.ClientUserID }, false},
	"licence_type":     {func(r *Record) **string { return &r.LicenceType }, false},
	"language":         {func(r *Record) **string { return &r.Language }, true},
	"time_zone":        {func(r *Record) **string { return &r.TimeZone }, true},
	"storage_location": {func(r *Record) **string { return &r.StorageLocation }, false},
}

// read reads one cell, which is not empty.
func (r *recordRow) read(cell *string) {
	if text, ok := textCells[r.field]; ok {
		if text.trimmed {
			*cell = strings.TrimSpace(*cell)
		}
		*text.at(r.record) = cell
		return
	}
	if !r.scalar(*cell) && !r.list(*cell) {
		r.part(*cell)
	}
}

// scalar reads a member that holds one thing.
func (r *recordRow) scalar(cell string) bool {
	record := r.record
	switch r.field {
	case "id":
		r.id(strings.TrimSpace(cell))
	case "number":
		setCell(r, &record.Number, cell, readNumber)
	case "company":
		if name := strings.TrimSpace(cell); !digits(name) {
			record.CompanyName = &name
			break
		}
		setCell(r, &record.Company, cell, readNumber)
	case "lock_reason":
		setCell(r, &record.LockReason, cell, readNumber)
	case "status":
		setCell(r, &record.Status, cell, readStatus)
	case "locked":
		setCell(r, &record.Locked, cell, readFlag)
	case "must_change_password":
		setCell(r, &record.MustChangePassword, cell, readFlag)
	case "mobile_only":
		setCell(r, &record.MobileOnly, cell, readFlag)
	case "temporary":
		setCell(r, &record.Temporary, cell, readFlag)
	case "valid_from":
		setCell(r, &record.ValidFrom, cell, readTime)
	case "expires_at":
		setCell(r, &record.ExpiresAt, cell, readTime)
	case "password":
		secret := Secret(cell)
		record.Password = &secret
	case "password_hash":
		secret := Secret(strings.TrimSpace(cell))
		record.PasswordHash = &secret
	default:
		return false
	}
	return true
}

// id reads an id: a UUID, or digits alone, which other systems have and which is the
// user's number here.
func (r *recordRow) id(cell string) {
	if digits(cell) && r.record.Number == nil {
		setCell(r, &r.record.Number, cell, readNumber)
		return
	}
	r.record.ID = &cell
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// setCell reads a cell into a member.
func setCell[T any](r *recordRow, to **T, cell string, read func(string) (T, string)) {
	v, wanted := read(strings.TrimSpace(cell))
	if wanted != "" {
		r.fault(ReasonFieldFormat, "%s: %s is not %s.", r.field, quotedCell(cell), wanted)
		return
	}
	*to = &v
}

func readNumber(cell string) (int64, string) {
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil {
		return 0, "a number"
	}
	return n, ""
}

// flagWords are the words for yes and no.
var flagWords = map[string]bool{"true": true, "yes": true, "y": true, "t": true, "1": true, "on": true, "x": true, "locked": true,
	"false": false, "no": false, "n": false, "f": false, "0": false, "off": false, "-": false, "unlocked": false}

func readFlag(cell string) (bool, string) {
	v, known := flagWords[FoldSearch(cell)]
	if !known {
		return false, "yes or no"
	}
	return v, ""
}

// statusWords are the words of other systems for states, with letters and digits alone.
var statusWords = map[string]State{
	"active": StateActive, "enabled": StateActive, "activated": StateActive, "enable": StateActive, "true": StateActive, "yes": StateActive,
	"y": StateActive, "1": StateActive, "on": StateActive, "current": StateActive,
	"inactive": StateInactive, "disabled": StateInactive, "deactivated": StateInactive, "disable": StateInactive, "false": StateInactive,
	"no": StateInactive, "n": StateInactive, "0": StateInactive, "off": StateInactive, "suspended": StateInactive, "deprovisioned": StateInactive,
	"terminated": StateInactive, "left": StateInactive, "former": StateInactive,
	"staged": StateStaged, "pending": StateStaged, "provisioned": StateStaged, "invited": StateStaged, "new": StateStaged, "notactivated": StateStaged,
	"deleted": StateDeleted, "removed": StateDeleted,
}

func readStatus(cell string) (State, string) {
	state, known := statusWords[headerWord(cell)]
	if !known {
		return "", "a status: use active, inactive or staged"
	}
	return state, ""
}

// timeForms are the forms of times; without a zone they are UTC.
var timeForms = []string{time.RFC3339Nano, time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

func readTime(cell string) (time.Time, string) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, cell); err == nil {
			return t.UTC(), ""
		}
	}
	return time.Time{}, "a date as 2026-12-31 or a time as 2026-12-31T23:59:59Z"
}

// items are the parts of a cell that lists several things.
func items(cell string) []string {
	var list []string
	for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ';' || r == '|' }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// structured reads a cell that is JSON, as an export writes what has parts.
func structured[T any](r *recordRow, cell string, to **T) bool {
	trimmed := strings.TrimSpace(cell)
	if trimmed[0] != '[' && trimmed[0] != '{' {
		return false
	}
	var v T
	if err := json.Unmarshal([]byte(trimmed), &v); err != nil {
		r.fault(ReasonFieldFormat, "%s: the cell is not the JSON that this field has.", r.field)
		return true
	}
	*to = &v
	return true
}

// list reads a member that holds several things.
func (r *recordRow) list(cell string) bool {
	record := r.record
	switch r.field {
	case "phones":
		if structured(r, cell, &record.Phones) {
			break
		}
		var phones []Phone
		for _, number := range items(cell) {
			phones = append(phones, Phone{Number: number})
		}
		record.Phones = &phones
	case "groups":
		if structured(r, cell, &record.Groups) {
			break
		}
		var groups []RecordGroup
		for _, name := range items(cell) {
			groups = append(groups, cellGroup(name))
		}
		record.Groups = &groups
	case "roles":
		if !structured(r, cell, &record.Roles) {
			keys := items(cell)
			record.Roles = &keys
		}
	case "locations":
		if !structured(r, cell, &record.Locations) {
			r.locations(cell)
		}
	case "address":
		if !structured(r, cell, &record.Address) {
			record.Address = &Address{Line1: cell}
		}
	case "picture":
		picture := json.RawMessage(cell)
		record.Picture = &picture
	case "attributes":
		if !structured(r, cell, &record.Attributes) {
			r.fault(ReasonFieldFormat, "attributes: the cell is not a JSON object.")
		}
	case "extras":
		var extras *map[string]json.RawMessage
		if !structured(r, cell, &extras) {
			r.fault(ReasonFieldFormat, "extras: the cell is not a JSON object.")
		} else if extras != nil {
			record.Extras = *extras
		}
	default:
		return false
	}
	return true
}

// cellGroup reads a group of a cell: its name, or its kind, a colon and its key.
func cellGroup(text string) RecordGroup {
	if kind, key, ok := strings.Cut(text, ":"); ok && GroupKind(kind).known() {
		return RecordGroup{Kind: GroupKind(kind), Key: strings.TrimSpace(key), Name: strings.TrimSpace(key)}
	}
	return RecordGroup{Kind: GroupPlain, Key: text, Name: text}
}

func (r *recordRow) locations(cell string) {
	var numbers []int64
	for _, item := range items(cell) {
		n, wanted := readNumber(item)
		if wanted != "" {
			r.fault(ReasonFieldFormat, "locations: %s is not the number of a location.", quotedCell(item))
			return
		}
		numbers = append(numbers, n)
	}
	r.record.Locations = &numbers
}

// part reads a part of a member that holds several things.
func (r *recordRow) part(cell string) {
	outer, inner, _ := strings.Cut(r.field, ".")
	parts := r.record.Parts
	if parts == nil {
		parts = &RecordParts{}
		r.record.Parts = parts
	}
	switch outer {
	case "phones":
		parts.Phones = append(parts.Phones, Phone{Number: strings.TrimSpace(cell), Type: inner})
	case "address":
		if parts.Address == nil {
			parts.Address = map[string]string{}
		}
		parts.Address[inner] = cell
	case "attributes":
		if parts.Attributes == nil {
			parts.Attributes = map[string]string{}
		}
		parts.Attributes[inner] = cell
	default:
		r.fault(ReasonFieldUnknown, "There is no field %s.", fmt.Sprintf("%q", r.field))
	}
}

// cellValue is the attribute that a cell means: a text, but an object or a list is
// JSON, and so is what replaces something that is no text, as an export writes it.
func cellValue(cell string, held json.RawMessage) json.RawMessage {
	text := string(held) == "" || held[0] == '"'
	if trimmed := strings.TrimSpace(cell); (!text || trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[')) && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	return asJSON(cell)
}
