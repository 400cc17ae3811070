package bulk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

func ptr[T any](v T) *T { return &v }

// written is a file of records in a format.
func writtenAs(t *testing.T, format directory.BulkFormat, fields []string, records ...directory.Record) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, format, fields)
	if err != nil {
		t.Fatal(err)
	}
	err = WriteRecords(w, func(each func([]directory.Record) error) error {
		if len(records) == 0 {
			return nil
		}
		return each(records)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A cell that a spreadsheet would take for a formula has a ' before it in the file,
// and none after it was read again.
func TestFormulasAreHarmless(t *testing.T) {
	for _, text := range []string{"=cmd|' /C calc'!A0", "+49 170", "-1", "@SUM(1)", "\tx", "\rx", "＝1", "＠x", "'=1", "''+1"} {
		file := writtenAs(t, directory.BulkCSV, []string{"user_name", "title"}, directory.Record{UserName: ptr("ana"), Title: &text})
		rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
		if err != nil || rows[1][1] != "'"+strings.TrimPrefix(text, "\r") { // which package encoding/csv leaves out
			t.Errorf("%q is written as %q, %v", text, rows, err)
		}
		if strings.Contains(text, "\r") {
			continue
		}
		r := readWhole(t, []byte(file), directory.ImportOptions{Format: directory.BulkCSV})
		if len(r) != 1 || r[0].Title == nil || *r[0].Title != text {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
	for _, text := range []string{"Ana", "'quoted'", "5=5", "a@b.c", "'", ""} {
		if harmless(text) != text || plain(text) != text {
			t.Errorf("%q is changed to %q and %q", text, harmless(text), plain(text))
		}
	}
}

// What is exported is what an import reads.
func TestExportIsReadAgain(t *testing.T) {
	at := time.Date(2026, 2, 25, 12, 0, 0, 500, time.UTC)
	r := directory.Record{Line: 2, ID: ptr("9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"), Number: ptr(int64(7)), UserName: ptr("ana"), Email: ptr("ana@x.org"), GivenName: ptr("A;n\"a"),
		Company: ptr(int64(3)), Status: ptr(directory.StateInactive), Locked: ptr(false), ValidFrom: &at, Phones: ptr([]directory.Phone{{Number: "+49 1", Type: "mobile"}, {Number: "2"}}),
		Roles: ptr([]string{"admins", "drivers"}), Locations: ptr([]int64{1, 2}), Groups: ptr([]directory.RecordGroup{{Kind: directory.GroupPlain, Key: "pilots", Name: "Pilots"}}), MobileOnly: ptr(true)}
	for _, format := range []directory.BulkFormat{directory.BulkCSV, directory.BulkNDJSON} {
		want := r
		if format == directory.BulkNDJSON {
			want.Line = 1
		}
		got := readWhole(t, []byte(writtenAs(t, format, nil, r)), directory.ImportOptions{Format: format})
		if diff := cmp.Diff([]directory.Record{want}, got); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

func TestFieldsOfAnExport(t *testing.T) {
	r := directory.Record{UserName: ptr("ana"), Email: ptr("a"), Phones: ptr([]directory.Phone{{Number: "1", Type: "Mobile"}}), Address: &directory.Address{City: "Köln"}}
	if got := writtenAs(t, directory.BulkCSV, []string{"phones.mobile", "user_name", "address.city", "attributes.x"}, r); got != "phones.mobile,user_name,address.city,attributes.x\r\n1,ana,Köln,\r\n" {
		t.Errorf("%q", got)
	}
	if got := writtenAs(t, directory.BulkNDJSON, []string{"email", "title", "user_name"}, r); got != `{"email":"a","user_name":"ana"}`+"\n" {
		t.Errorf("%q", got)
	}
	if got := writtenAs(t, directory.BulkCSV, []string{"id"}); got != "id\r\n" {
		t.Errorf("nobody is %q", got)
	}
	for format, name := range map[directory.BulkFormat]string{directory.BulkCSV: "address.planet", directory.BulkNDJSON: "phones.mobile"} {
		if err := CheckFields(format, []string{"id", name}); directory.CodeOf(err) != directory.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"password", "password_hash", "temporary"} {
		if CheckFields(directory.BulkCSV, []string{name}) == nil || CheckFields(directory.BulkNDJSON, []string{name}) == nil {
			t.Errorf("%s can be exported", name)
		}
	}
	if Includes(nil) != directory.IncludeRecord || Includes([]string{"id"}) != 0 || Includes([]string{"roles", "groups"}) != directory.IncludeRoles|directory.IncludeGroups {
		t.Error("what is read for some fields is not what they need")
	}
}

// A file that breaks off has no end.
func TestWriteRecordsStopsAtAnError(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, directory.BulkCSV, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	if err := WriteRecords(w, func(func([]directory.Record) error) error { return gone }); !errors.Is(err, gone) || b.Len() > 0 {
		t.Errorf("%v, %q", err, b.String())
	}
}

func TestLookAt(t *testing.T) {
	look, err := LookAt(strings.NewReader("Login;Mail;Notes\n;'+1;\nbad\nana;x;\n"), directory.ImportOptions{Format: directory.BulkCSV})
	want := Look{Comma: ";", Header: []string{"Login", "Mail", "Notes"}, Example: []string{"ana", "+1", ""}}
	if diff := cmp.Diff(want, look); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
