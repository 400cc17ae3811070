package bulk

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// The tables of this package are the members that a record has.
func TestMembersAreThoseOfARecord(t *testing.T) {
	record := reflect.TypeFor[directory.Record]()
	want := map[string]bool{}
	for i := range record.NumField() {
		if name, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ","); name != "-" {
			want[name] = true
		}
	}
	have, out := map[string]bool{}, map[string]bool{"password": true, "password_hash": true, "temporary": true}
	for name := range members {
		have[name] = true
	}
	for _, m := range written {
		out[m.name] = true
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("read: %s", diff)
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("written: %s", diff)
	}
}

// wholeLine has every member.
const wholeLine = `{"id":"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870","number":7,"user_name":"ana","email":"ana@x.org","given_name":"A\"na\n","family_name":"Ruiz","display_name":"","title":"CEO",` +
	`"company":3,"company_name":"Kentel","employee_number":"12","open_id":"o","web_mdn":"5551","client_user_id":"c","licence_type":"pro","status":"active","locked":true,"lock_reason":4,` +
	`"must_change_password":false,"valid_from":"2026-02-25T12:00:00.5Z","expires_at":"0001-01-01T00:00:00Z","phones":[{"number":"+49 1","extension":"7","type":"mobile"},{"number":"2"}],` +
	`"address":{"set":true,"line1":"Main St 1","city":"Köln","country":"DE"},"picture":{"url":"x"},"language":"de","time_zone":"Europe/Berlin","attributes":{"a":[1,{"b":null}],"z":"<&>"},` +
	`"extras":{"encore":{"x":1}},"mobile_only":true,"storage_location":"S1","groups":[{"kind":"group","key":"pilots","name":"Pilots","role":"lead"}],"roles":["admins"],"locations":[1,2],` +
	`"rank":"self","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z","version":9,"undo":"restore"}`

// A record is read as package encoding/json reads it, and written as it was read.
func TestRecordIsReadAndWritten(t *testing.T) {
	secret := strings.Replace(wholeLine, `{"id"`, `{"password":"pw","password_hash":"h","temporary":true,"id"`, 1)
	got := decodeRecord(secret, 5)
	want := directory.Record{Line: 5}
	if err := json.Unmarshal([]byte(secret), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b directory.Secret) bool { return string(a) == string(b) })); diff != "" {
		t.Error(diff)
	}
	if text := string(AppendRecord(nil, &got)); text != wholeLine {
		t.Errorf("written\n%s\nread\n%s", text, wholeLine)
	}
	var again map[string]any
	if err := json.Unmarshal(AppendRecord(nil, &got), &again); err != nil || again["password"] != nil {
		t.Errorf("%v, %v", err, again)
	}
}

// What an undo file empties is emptied by reading it.
func TestEmptyValuesAreNotNothing(t *testing.T) {
	r := decodeRecord(`{"title":"","valid_from":"","phones":[],"address":{},"attributes":{},"lock_reason":0,"email":null}`, 1)
	switch {
	case len(r.Faults) > 0 || r.Title == nil || *r.Title != "" || r.ValidFrom == nil || !r.ValidFrom.IsZero() || r.Phones == nil || r.Address == nil || r.Attributes == nil:
		t.Errorf("%+v", r)
	case r.LockReason == nil || *r.LockReason != 0 || r.Email != nil:
		t.Errorf("%+v", r)
	}
}

func TestFaultsOfNDJSON(t *testing.T) {
	for line, want := range map[string]string{
		`{"user_name":"ana","colour":"red"}`: `colour: "colour" is no member of a record.`,
		`{"user_name":"a","user_name":"b"}`:  "user_name: user_name is given twice.",
		`{"number":"7"}`:                     "number: number must be a whole number.",
		`{"number":7.5}`:                     "number: number must be a whole number.",
		`{"number":007}`:                     "number: number must be a whole number.",
		`{"locked":"yes"}`:                   "locked: locked must be true or false.",
		`{"valid_from":"tomorrow"}`:          "valid_from: valid_from must be a time, as in 2026-02-25T12:00:00Z.",
		`{"user_name":7}`:                    "user_name: user_name must be a text.",
		`{"user_name":"\x"}`:                 "user_name: user_name must be a text.",
		`{"phones":[{"numbr":"1"}]}`:         "phones: phones must be an array of objects with number, extension and type.",
		`{"phones":{}}`:                      "phones: phones must be an array of objects with number, extension and type.",
		`{"attributes":[1,]}`:                "attributes: attributes must be an object.",
		`{"picture":{"a":}}`:                 "picture: picture must be JSON.",
		`{"undo":"all"}`:                     "undo: undo must be delete or restore.",
		`{"user_name":"ana"`:                 "row: " + notJSON,
		`{"user_name" "ana"}`:                "row: " + notJSON,
		`{"user_name":}`:                     "row: " + notJSON,
		`{user_name:1}`:                      "row: " + notJSON,
		`["ana"]`:                            "row: " + notJSON,
		`ana`:                                "row: " + notJSON,
		`{"title":"a"},`:                     "row: Something follows the JSON object of the row.",
		`{"title":"a"}{"title":"b"}`:         "row: Something follows the JSON object of the row.",
		"{\"title\":\"a\tb\"}":               "row: " + notJSON,
		"{\"title\":\"a\x00b\"}":             "row: The row has a NUL character.",
		`{"attributes":` + strings.Repeat("[", 40) + `}`:   "row: " + notJSON,
		`{"title":"` + strings.Repeat("x", maxLine) + `"}`: "row: " + tooLong,
		`{"title":1,"email":2}`:                            "title: title must be a text.; email: email must be a text.",
	} {
		in, err := NewReader(strings.NewReader("{}\n\n"+line+"\n{\"title\":\"x\"}\n"), directory.ImportOptions{Format: directory.BulkNDJSON})
		if err != nil {
			t.Fatal(err)
		}
		for i, wanted := range []string{"", want, ""} {
			r, err := in.Next()
			var faults []string
			for _, f := range r.Faults {
				faults = append(faults, f.Field+": "+f.Message)
			}
			if got := strings.Join(faults, "; "); err != nil || got != wanted || r.Line != []int64{1, 3, 4}[i] {
				t.Errorf("%.60s: line %d: %v %q, want %q", line, r.Line, err, got, wanted)
			}
		}
		if _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%.60s: %v at the end", line, err)
		}
	}
}

func TestFormatMustBeKnown(t *testing.T) {
	_, err := NewReader(strings.NewReader(""), directory.ImportOptions{Format: "xml"})
	var broken *FileError
	if !errors.As(err, &broken) {
		t.Errorf("%v", err)
	}
	if _, err := NewWriter(io.Discard, "xml", nil); directory.CodeOf(err) != directory.CodeInvalid {
		t.Errorf("%v", err)
	}
}

// A line is read at a rate that no database keeps up with.
func BenchmarkNDJSON(b *testing.B) {
	line := `{"id":"9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870","number":7,"user_name":"ana.ruiz1","email":"ana.ruiz1@example.com","given_name":"Ana","family_name":"Ruiz","title":"Engineer","company":3,"employee_number":"12","status":"active","phones":[{"number":"+49 1","type":"mobile"}]}` + "\n"
	file := strings.Repeat(line, 10_000)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		in, err := NewReader(strings.NewReader(file), directory.ImportOptions{Format: directory.BulkNDJSON})
		for err == nil {
			_, err = in.Next()
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "rows/s")
}

// Writing a page of records is a small part of reading them from a database.
func BenchmarkWrite(b *testing.B) {
	r := decodeRecord(wholeLine, 1)
	page := make([]directory.Record, 500)
	for i := range page {
		page[i] = r
	}
	for _, format := range []directory.BulkFormat{directory.BulkNDJSON, directory.BulkCSV} {
		b.Run(string(format), func(b *testing.B) {
			w, err := NewWriter(io.Discard, format, nil)
			for b.Loop() && err == nil {
				err = w.Write(page)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
