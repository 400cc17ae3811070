package pull

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
)

// Difference is a user who is not the same there and here.
type Difference struct {
	// Kind is OnlyThere, OnlyHere or Changed.
	Kind   string
	There  *directory.Record // nil for OnlyHere
	Here   *directory.Record // as the other API would show it; nil for OnlyThere
	Fields []FieldDifference // of Changed
}

// The kinds of differences.
const (
	OnlyThere = "only_there"
	OnlyHere  = "only_here"
	Changed   = "changed"
)

// FieldDifference is a member of Record that differs; null is what is not there.
type FieldDifference struct {
	Field string          `json:"field"`
	There json.RawMessage `json:"there"`
	Here  json.RawMessage `json:"here"`
}

// Index knows the users of a file of records by what they can be matched by: ids
// first, then handles. It keeps 24 bytes of each user and 16 of each of up to five
// handles, about 105 MB for 1,000,000 users; records stay in the file.
type Index struct {
	file    *os.File
	reader  *bufio.Reader
	members map[string]bool // that any record has
	seed    maphash.Seed
	entries []entry
	by      [len(handles)][]handle // by key, then place
}

// handle is a handle of a user of the file: its hash, and the user's place.
type handle struct {
	key uint64
	at  int32
}

// entry is a user of the file.
type entry struct {
	offset int64
	digest uint64
	found  bool
}

// handles are by what users are matched, in order.
var handles = [...]func(*directory.Record) string{
	func(r *directory.Record) string { return text(r.ID) },
	func(r *directory.Record) string {
		if r.Number == nil {
			return ""
		}
		return strconv.FormatInt(*r.Number, 10)
	},
	func(r *directory.Record) string { return folded(r.UserName) },
	func(r *directory.Record) string { return folded(r.EmployeeNumber) },
	func(r *directory.Record) string { return folded(r.Email) },
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// folded is a handle as it is compared, "" for none.
func folded(p *string) string {
	key, err := directory.FoldLogin(text(p))
	if err != nil {
		return text(p)
	}
	return key
}

// NewIndex reads a file that Read has written, which stays open until Close.
func NewIndex(path string) (*Index, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x := &Index{file: file, reader: bufio.NewReader(nil), seed: maphash.MakeSeed(), members: map[string]bool{}}
	lines, offset := bufio.NewReaderSize(file, 256<<10), int64(0)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := x.add(line, offset); err != nil {
				return nil, fmt.Errorf("%s: a line is no record: %w", path, err)
			}
			offset += int64(len(line))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range x.by {
		slices.SortFunc(x.by[i], func(a, b handle) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at)) })
	}
	return x, nil
}

// Close closes the file.
func (x *Index) Close() error { return x.file.Close() }

func (x *Index) add(line []byte, offset int64) error {
	var r directory.Record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	sorted(&r)
	members, err := membersOf(&r)
	if err != nil {
		return err
	}
	for name := range members {
		x.members[name] = true
	}
	at := int32(len(x.entries))
	x.entries = append(x.entries, entry{offset: offset, digest: x.digest(members)})
	for i, of := range handles {
		if text := of(&r); text != "" {
			x.by[i] = append(x.by[i], handle{maphash.String(x.seed, text), at})
		}
	}
	return nil
}

// membersOf are the members of a record as JSON; numbers in free values stay as they
// are written.
func membersOf(r *directory.Record) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	return members, json.Unmarshal(text, &members)
}

func (x *Index) digest(members map[string]json.RawMessage) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, name := range directory.RecordMembers() {
		if raw, ok := members[name]; ok {
			h.WriteString(name)
			h.WriteByte(0)
			h.Write(raw)
			h.WriteByte(0)
		}
	}
	return h.Sum64()
}

// Compare compares a user who is here, shown as the other API would show it, with
// whom it matches there. listed says whether it would be there at all; nil is no
// difference. Each user that is here is compared once.
func (x *Index) Compare(here *directory.Record, listed bool) (*Difference, error) {
	at, ok := x.find(here)
	if !ok {
		if !listed {
			return nil, nil
		}
		return &Difference{Kind: OnlyHere, Here: here}, nil
	}
	x.entries[at].found = true
	sorted(here)
	ours, err := membersOf(here)
	if err != nil {
		return nil, err
	}
	for name := range ours {
		if !x.members[name] {
			delete(ours, name) // left out of the file, or never shown
		}
	}
	if x.digest(ours) == x.entries[at].digest {
		return nil, nil
	}
	there, err := x.record(at)
	if err != nil {
		return nil, err
	}
	theirs, err := membersOf(there)
	if err != nil {
		return nil, err
	}
	fields := differences(theirs, ours)
	if len(fields) == 0 {
		return nil, nil
	}
	return &Difference{Kind: Changed, There: there, Here: here, Fields: fields}, nil
}

// find is who of the file a user is.
func (x *Index) find(r *directory.Record) (int32, bool) {
	for i, of := range handles {
		text := of(r)
		if text == "" {
			continue
		}
		key := maphash.String(x.seed, text)
		from, _ := slices.BinarySearchFunc(x.by[i], key, func(h handle, key uint64) int { return cmp.Compare(h.key, key) })
		for _, h := range x.by[i][from:] {
			if h.key != key {
				break
			}
			if !x.entries[h.at].found {
				return h.at, true
			}
		}
	}
	return 0, false
}

// record reads a record of the file.
func (x *Index) record(at int32) (*directory.Record, error) {
	offset := x.entries[at].offset
	x.reader.Reset(io.NewSectionReader(x.file, offset, 1<<62-offset))
	line, err := x.reader.ReadBytes('\n')
	if err != nil && err != io.EOF {
		return nil, err
	}
	r := new(directory.Record)
	err = json.Unmarshal(line, r)
	sorted(r)
	return r, err
}

// differences are the members that differ, in the order of Record. A member that one
// side says nothing of is compared as if it were empty.
func differences(there, here map[string]json.RawMessage) []FieldDifference {
	var out []FieldDifference
	for _, name := range directory.RecordMembers() {
		if a, b := there[name], here[name]; !same(a, b) {
			out = append(out, FieldDifference{Field: name, There: orNull(a), Here: orNull(b)})
		}
	}
	return out
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// same reports whether two JSON values mean the same: the order of an object's members
// and white space do not count, and neither do lists in which nobody has an order.
func same(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := decoded(a), decoded(b)
	return reflect.DeepEqual(x, y) || isEmpty(x) && isEmpty(y)
}

func decoded(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	var v any
	if in.Decode(&v) != nil {
		return string(raw)
	}
	return v
}

// isEmpty reports whether a value is what a door shows where there is nothing.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case json.Number:
		return v == "0"
	}
	return false
}

// Rest hands out the users of the file whom Compare has not found.
func (x *Index) Rest(each func(*Difference) error) error {
	for at := range x.entries {
		if x.entries[at].found {
			continue
		}
		there, err := x.record(int32(at))
		if err != nil {
			return err
		}
		if err := each(&Difference{Kind: OnlyThere, There: there}); err != nil {
			return err
		}
	}
	return nil
}

// Len is how many users the file has.
func (x *Index) Len() int { return len(x.entries) }

// sorted sorts lists that have no order, so that the same ones are equal: groups,
// roles and locations.
func sorted(r *directory.Record) {
	if r.Groups != nil {
		groups := slices.Clone(*r.Groups)
		slices.SortStableFunc(groups, func(a, b directory.RecordGroup) int {
			return bytes.Compare([]byte(string(a.Kind)+"\x00"+a.Key), []byte(string(b.Kind)+"\x00"+b.Key))
		})
		r.Groups = &groups
	}
	if r.Roles != nil {
		roles := slices.Clone(*r.Roles)
		slices.Sort(roles)
		r.Roles = &roles
	}
	if r.Locations != nil {
		locations := slices.Clone(*r.Locations)
		slices.Sort(locations)
		r.Locations = &locations
	}
}
