package directory

import "encoding/json"

// undoOf is the record that takes back events of one user, the newest first; false
// where there is nothing that a record could take back.
func undoOf(events []Event) (Record, bool) {
	e := &events[0]
	b := undoRecord{record: Record{ID: &e.UserID, Number: &e.User}}
	created := false
	for i := range events {
		created = created || events[i].Type == EventUserCreated
		b.event(&events[i])
	}
	if b.version == 0 {
		return Record{}, false
	}
	b.record.Version = &b.version
	if created || b.set&Fields(FieldState) != 0 && b.before.State == StateDeleted {
		return Record{ID: b.record.ID, Number: b.record.Number, Version: b.record.Version, Undo: "delete"}, true
	}
	for f := FieldNone + 1; f < fieldCount; f++ {
		if b.set&Fields(f) != 0 && recordMembersOf[f] != nil {
			recordMembersOf[f](&b.record, &b.before)
			b.says = true
		}
	}
	b.record.Undo = "restore"
	return b.record, b.says
}

// undoRecord is such a record on its way.
type undoRecord struct {
	record  Record
	before  User     // as far as set says
	set     FieldSet // of the user's own row, whose values before are known
	version int64    // that the newest event left
	says    bool
}

// event goes one event further back.
func (b *undoRecord) event(e *Event) {
	var contents eventContents
	if json.Unmarshal(e.Payload, &contents) != nil {
		return
	}
	if b.version == 0 {
		b.version = contents.Version
	}
	for name, values := range contents.Changes {
		f, known := fieldsByName[name]
		if !known || len(values) != 2 {
			continue
		}
		b.set &^= Fields(f)
		switch back := undoers[f]; {
		case f == FieldExtras:
			b.extras(values[0], values[1])
		case back != nil:
			if !incomplete(f, values[0]) && back(&b.before, values[0]) == nil {
				b.set |= Fields(f)
			}
		default:
			b.belongings(f, values[0])
		}
	}
}

// belongings takes back what is no part of the user's own row.
func (b *undoRecord) belongings(f Field, before json.RawMessage) {
	switch f {
	case FieldGroups:
		var notes []groupNote
		if json.Unmarshal(before, &notes) != nil {
			return
		}
		groups := make([]RecordGroup, len(notes))
		for i, n := range notes {
			groups[i] = RecordGroup(n)
			if n.Key == "" {
				groups[i].Key = NameKey(n.Name)
			}
		}
		b.record.Groups, b.says = &groups, true
	case FieldRoles:
		var keys []string
		if json.Unmarshal(before, &keys) == nil && keys != nil {
			b.record.Roles, b.says = &keys, true
		}
	case FieldLocations:
		var numbers []int64
		if json.Unmarshal(before, &numbers) == nil && numbers != nil {
			b.record.Locations, b.says = &numbers, true
		}
	}
}

// extras takes back the doors' own fields: of a door that had none, all are taken away.
func (b *undoRecord) extras(before, after json.RawMessage) {
	var was, is map[string]json.RawMessage
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(after, &is) != nil || incomplete(FieldExtras, before) {
		return
	}
	if b.record.Extras == nil {
		b.record.Extras = map[string]json.RawMessage{}
	}
	for door := range is {
		b.record.Extras[door] = json.RawMessage("null")
	}
	for door, raw := range was {
		b.record.Extras[door] = raw
	}
	b.says = true
}
