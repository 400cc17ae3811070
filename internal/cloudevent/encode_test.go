package cloudevent_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/cloudevent"
	"github.com/usher-id/usher/internal/directory"
)

const source = "https://users.example.com/api/v1"

// change is an event that says all that one can.
func change() directory.Event {
	return directory.Event{
		Seq: 90, Position: 42, Tenant: 3, ID: "0199f2d4-7b55-7c11-8e4b-d7d5dd2d4b1a", Type: directory.EventUserDeactivated,
		User: 2576, UserID: "0199f2d4-0000-7000-8000-000000000001", Company: 14146, Subject: "location:83", Door: directory.DoorEncore,
		Actor: "key:reader", Origin: "credential:0199f2d4-1111-7000-8000-000000000001", OnBehalfOf: "user:9", Reason: `left, "for good"`,
		RequestID: "req-1", Time: time.Date(2026, 11, 22, 9, 8, 7, 120_000_000, time.UTC), Salt: make([]byte, 16),
		Payload: []byte(`{"version":7,"changes":{"state":["active","inactive"],"picture":[null,"<a>\u0000"]}}`),
	}
}

func TestEnvelopeOfAChange(t *testing.T) {
	e := change()
	got := string(cloudevent.Append(nil, source, &e))
	want := `{"specversion":"1.0","id":"0199f2d4-7b55-7c11-8e4b-d7d5dd2d4b1a","source":"https://users.example.com/api/v1",` +
		`"type":"usher.user.deactivated","subject":"users/0199f2d4-0000-7000-8000-000000000001","time":"2026-11-22T09:08:07.120000Z",` +
		`"datacontenttype":"application/json","origin":"credential:0199f2d4-1111-7000-8000-000000000001","sequence":"00000000000000000042",` +
		`"partitionkey":"user:2576","data":{"type":"user.deactivated","tenant":3,"user":{"number":2576,"id":"0199f2d4-0000-7000-8000-000000000001"},` +
		`"company":14146,"subject":"location:83","door":"encore","actor":"key:reader","on_behalf_of":"user:9","reason":"left, \"for good\"",` +
		`"request_id":"req-1","erased":false,"version":7,"changes":{"state":["active","inactive"],"picture":[null,"<a>\u0000"]}}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEnvelopeOfLittle(t *testing.T) {
	e := directory.Event{Tenant: 1, ID: "x", Type: directory.EventWebhookTest}
	got := string(cloudevent.Append([]byte("before "), source, &e))
	want := `before {"specversion":"1.0","id":"x","source":"https://users.example.com/api/v1","type":"usher.webhook.test","datacontenttype":"application/json",` +
		`"data":{"type":"webhook.test","tenant":1,"user":null,"company":null,"subject":null,"door":null,"actor":null,"on_behalf_of":null,"reason":null,` +
		`"request_id":null,"erased":false,"changes":{}}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSubjectIsTheUserElseWhatTheEventNames(t *testing.T) {
	for want, edit := range map[string]func(*directory.Event){
		"users/0199f2d4-0000-7000-8000-000000000001": func(*directory.Event) {},
		"users/number/2576":                          func(e *directory.Event) { e.UserID = "" },
		"location:83":                                func(e *directory.Event) { e.UserID, e.User = "", 0 },
		"":                                           func(e *directory.Event) { e.UserID, e.User, e.Subject = "", 0, "" },
	} {
		e := change()
		edit(&e)
		envelope := check(t, cloudevent.Append(nil, source, &e))
		got, there := envelope["subject"].(string)
		if got != want || there != (want != "") {
			t.Errorf("subject %q, want %q", got, want)
		}
		if _, there := envelope["partitionkey"]; there != (e.User != 0) {
			t.Errorf("with user %d there is a partition key: %t", e.User, there)
		}
	}
}

func TestErasedEventSaysSo(t *testing.T) {
	e := change()
	e.Salt, e.Payload, e.Reason = nil, nil, ""
	data := check(t, cloudevent.Append(nil, source, &e))["data"].(map[string]any)
	if data["erased"] != true || data["reason"] != nil || len(data["changes"].(map[string]any)) != 0 {
		t.Errorf("data of an erased event: %v", data)
	}
}

// A payload that is not what the core writes costs the envelope nothing.
func TestOddPayloadsLeaveTheEnvelopeWhole(t *testing.T) {
	for payload, want := range map[string]string{
		``:                             `{}`,
		`{}`:                           `{}`,
		`{`:                            `{}`,
		`[1]`:                          `{}`,
		`"changes"`:                    `{}`,
		`null`:                         `{}`,
		`{"changes":{}} x`:             `{}`,
		`{"changes":null}`:             `{}`,
		`{"changes":[{"a":1}]}`:        `{}`,
		`{"version":"7"}`:              `{}`,
		` { "changes" : {"a":[1,2]}} `: `{"a":[1,2]}`,
		`{"a":{"changes":1},"changes":{"}":["\"}",1]},"z":[{}]}`: `{"}":["\"}",1]}`,
		`{"actor":"me","version":9 ,"changes":{"a":[1,2]}}`:      `{"a":[1,2]}`,
	} {
		e := change()
		e.Payload = []byte(payload)
		data := check(t, cloudevent.Append(nil, source, &e))["data"].(map[string]any)
		var changes any
		if err := json.Unmarshal([]byte(want), &changes); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(changes, data["changes"]); diff != "" {
			t.Errorf("payload %s: %s", payload, diff)
		}
		if data["actor"] != "key:reader" {
			t.Errorf("payload %s gave the actor %v", payload, data["actor"])
		}
		if version, there := data["version"]; there != strings.Contains(payload, `"version":9`) {
			t.Errorf("payload %s gave the version %v", payload, version)
		}
	}
}

func TestSequenceOrdersAsText(t *testing.T) {
	last := ""
	for _, position := range []int64{1, 9, 10, 99, 100, 1<<32 - 1, 1e15, math.MaxInt64} {
		e := change()
		e.Position = position
		got := check(t, cloudevent.Append(nil, source, &e))["sequence"].(string)
		if len(got) != 20 || got <= last || strings.TrimLeft(got, "0") != fmt.Sprint(position) {
			t.Errorf("position %d is the sequence %q, behind %q", position, got, last)
		}
		last = got
	}
}

func TestBatch(t *testing.T) {
	events := []directory.Event{change(), change(), change()}
	for n := range len(events) + 1 {
		var list []json.RawMessage
		text := cloudevent.AppendBatch(nil, source, events[:n])
		if err := json.Unmarshal(text, &list); err != nil || len(list) != n || text[0] != '[' {
			t.Fatalf("%d events: %v in %s", n, err, text)
		}
		for i, one := range list {
			check(t, one)
			if string(one) != string(cloudevent.Append(nil, source, &events[i])) {
				t.Errorf("envelope %d of the batch is another than by itself: %s", i, one)
			}
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("a", "credential:1", "company:1", "x\x00\u0085\uffff", []byte(`{"changes":{"a":[null,1]}}`))
	f.Add("\xff", "\u2028", "\"\\", "\x7f\ud7ff", []byte(`{"version":1,"changes":{"a":["\\\"",{}]}}`))
	f.Add("", "", "", "", []byte(`{"version":1e999`))
	f.Fuzz(func(t *testing.T, id, origin, subject, text string, payload []byte) {
		if !utf8.Valid(payload) {
			payload = nil // texts are checked on their way in
		}
		e := directory.Event{Position: 1, ID: "e" + id, Type: "a.b", Origin: origin, Subject: subject, Actor: text, Reason: text,
			Time: time.Unix(1, 0), Payload: payload}
		data := check(t, cloudevent.Append(nil, source, &e))["data"].(map[string]any)
		if want := string([]rune(text)); text != "" && data["reason"] != want {
			t.Errorf("reason %q, want %q", data["reason"], want)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	e := change()
	dst := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		dst = cloudevent.Append(dst[:0], source, &e)
	}
}

// check reads an envelope and compares it with what CloudEvents 1.0.2 and its
// JSON format demand; the numbers and names of the sections are theirs.
func check(t *testing.T, text []byte) map[string]any {
	t.Helper()
	if !utf8.Valid(text) {
		t.Fatalf("not UTF-8: %q", text)
	}
	envelope := map[string]any{}
	if err := json.Unmarshal(text, &envelope); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if envelope["specversion"] != "1.0" { // "specversion"
		t.Errorf("specversion %v", envelope["specversion"])
	}
	for _, required := range []string{"id", "source", "specversion", "type"} { // "REQUIRED Attributes"
		if value, _ := envelope[required].(string); value == "" {
			t.Errorf("%s is %v in %s", required, envelope[required], text)
		}
	}
	name := regexp.MustCompile(`^[a-z0-9]{1,20}$`) // "Attribute Naming Convention"
	for attribute, value := range envelope {
		if attribute == "data" { // JSON format 3.1.1
			continue
		}
		if !name.MatchString(attribute) {
			t.Errorf("attribute %q", attribute)
		}
		value, is := value.(string) // all of ours are strings; JSON format 2.2
		if !is || value == "" {
			t.Errorf("attribute %s is %v", attribute, envelope[attribute])
		}
		for _, r := range value { // "Type System", String
			if unicode.IsControl(r) || unicode.Is(unicode.Noncharacter_Code_Point, r) {
				t.Errorf("attribute %s has the character %U", attribute, r)
			}
		}
	}
	if u, err := url.Parse(envelope["source"].(string)); err != nil || u.String() == "" { // "source"
		t.Errorf("source %v: %v", envelope["source"], err)
	}
	if moment, there := envelope["time"].(string); there { // "time"
		if _, err := time.Parse(time.RFC3339, moment); err != nil {
			t.Error(err)
		}
	}
	if _, is := envelope["data"].(map[string]any); !is || envelope["datacontenttype"] != "application/json" {
		t.Errorf("data of the type %v: %v", envelope["datacontenttype"], envelope["data"])
	}
	return envelope
}
