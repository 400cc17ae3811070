package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Verdicts come out of a block as they were put in.
func TestVerdictsArePacked(t *testing.T) {
	var rows []RowVerdict
	for i := range int64(500) {
		rows = append(rows, RowVerdict{Row: 1000 + i, Line: 2 * i, Verdict: RowUpdate, User: 7 * i, Name: fmt.Sprintf("user-%d", i),
			Changed: []string{"email", "groups"}, Faults: []FieldError{{Field: "email", Reason: ReasonEmailTaken, Message: "It is taken: \"ä\"."}}})
	}
	block, err := packVerdicts(rows)
	if err != nil {
		t.Fatal(err)
	}
	if block.FirstRow != 1000 || block.LastRow != 1499 || len(block.Data) > 500*40 {
		t.Errorf("the block has the rows %d to %d in %d bytes", block.FirstRow, block.LastRow, len(block.Data))
	}
	got, err := unpackVerdicts(&block)
	if diff := cmp.Diff(rows, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	block.Data = block.Data[:len(block.Data)/2]
	if _, err := unpackVerdicts(&block); err == nil || CodeOf(err) != CodeInternal {
		t.Errorf("half of a block: error %v", err)
	}
}

// Nothing that is unpacked fills the memory.
func TestInflateIsBounded(t *testing.T) {
	packed, err := deflate([]byte(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := inflate(packed, 1<<20); err != nil || len(plain) != 1<<20 {
		t.Errorf("%d bytes, error %v", len(plain), err)
	}
	if _, err := inflate(packed, 1<<20-1); err == nil {
		t.Error("one byte too many was unpacked")
	}
}

// Every filter comes back from its JSON as it was.
func TestFiltersAreStored(t *testing.T) {
	day := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	leaves := []Filter{
		Text{Field: FieldTitle, Op: OpPrefix, Value: "En\"gi"}, Text{Field: FieldUserName, Op: OpContains}, Present{FieldExpiresAt},
		Compare{Field: FieldRank, Order: GreaterOrEqual, Value: -30}, When{Field: FieldCreatedAt, Order: Less, Value: day},
		Is{FieldLocked, true}, Is{FieldMustChangePassword, false}, Extra{Path: []string{"encore", "a.b"}, Op: OpSuffix, Value: "x"},
		AnyPhone{AnyType: true, Op: OpEqual, Value: "1"}, AnyPhone{Type: "", Op: OpEqual, Value: "1"}, AnyPhone{Type: "mobile"},
		External{Credential: "c", Op: OpEqual, Value: "7"}, InState{StatesOf(StateActive, StateDeleted)}, InState{}, And{}, Or{},
	}
	for _, f := range append(leaves, And(leaves), Not{Or{Not{And(leaves[:2])}, leaves[3]}}, nil) {
		text, err := json.Marshal(BulkSelect{Filter: StoredFilter{f}})
		if err != nil {
			t.Fatalf("%#v: %v", f, err)
		}
		var back BulkSelect
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back.Filter.Filter, f) {
			t.Errorf("%s\nwas  %#v\nis   %#v (%v)", text, f, back.Filter.Filter, err)
		}
	}
	for _, text := range []string{`{}`, `{"text":{"field":"shoe","op":"equals"}}`, `{"text":{"field":"title","op":"like"}}`, `{"and":[{}]}`,
		`{"not":{}}`, `{"compare":{"field":"rank","op":"=="}}`, `[]`, `"x"`} {
		var f StoredFilter
		if err := json.Unmarshal([]byte(text), &f); err == nil {
			t.Errorf("%s is the filter %#v", text, f.Filter)
		}
	}
}
