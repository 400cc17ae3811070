package cloudevent

import (
	"strconv"

	"github.com/usher-id/usher/internal/directory"
)

// The media types of one event and of a list of them (JSON format 3 and 4).
const (
	MediaType      = "application/cloudevents+json"
	BatchMediaType = "application/cloudevents-batch+json"
)

// TypePrefix stands before the type of an event of the directory: types of
// CloudEvents are named by whoever produces them (specification, "type").
const TypePrefix = "usher."

// timeLayout is RFC 3339 in UTC, with the microseconds in which the directory
// keeps times (specification, "time").
const timeLayout = "2006-01-02T15:04:05.000000Z"

// zeros pad positions so that they are orderable as texts, as the sequence
// extension demands: the greatest int64 has 19 digits.
const zeros = "00000000000000000000"

// Append appends the envelope of an event to dst. source is what produced it, a
// URI reference: the address of the server's canonical API ("source"). With the
// event's id it names the event everywhere. The sequence is the event's position,
// which counts within its tenant; an event without one has no sequence.
func Append(dst []byte, source string, e *directory.Event) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = appendAttribute(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = appendAttribute(dst, source)
	dst = append(dst, `,"type":"`+TypePrefix...)
	dst = append(appendEscaped(dst, string(e.Type), true), '"')
	dst = appendOptional(dst, `,"subject":`, subject(e))
	if !e.Time.IsZero() {
		dst = append(dst, `,"time":"`...)
		dst = append(e.Time.UTC().AppendFormat(dst, timeLayout), '"')
	}
	dst = append(dst, `,"datacontenttype":"application/json"`...)
	dst = appendOptional(dst, `,"origin":`, e.Origin)
	if e.Position > 0 {
		dst = append(dst, `,"sequence":"`...)
		dst = append(appendPadded(dst, e.Position), '"')
	}
	if e.User != 0 {
		dst = append(dst, `,"partitionkey":"user:`...)
		dst = append(strconv.AppendInt(dst, e.User, 10), '"')
	}
	dst = append(dst, `,"data":`...)
	return append(appendData(dst, e), '}')
}

// AppendBatch appends a list of envelopes (JSON format 4, "JSON Batch Format").
func AppendBatch(dst []byte, source string, events []directory.Event) []byte {
	dst = append(dst, '[')
	for i := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = Append(dst, source, &events[i])
	}
	return append(dst, ']')
}

// subject is what an event is about, within its source; "" for nothing. A user is
// named as the canonical API's path names one. Events that were written before
// events had ids of users have the number only.
func subject(e *directory.Event) string {
	switch {
	case e.UserID != "":
		return "users/" + e.UserID
	case e.User != 0:
		return "users/number/" + strconv.FormatInt(e.User, 10)
	default:
		return e.Subject
	}
}

// appendData appends what happened. Absent members are null, so that every event
// has the same ones.
func appendData(dst []byte, e *directory.Event) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendString(dst, string(e.Type))
	dst = append(dst, `,"tenant":`...)
	dst = strconv.AppendInt(dst, int64(e.Tenant), 10)
	dst = append(dst, `,"user":`...)
	if e.User == 0 && e.UserID == "" {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, `{"number":`...)
		dst = appendNumber(dst, e.User)
		dst = append(dst, `,"id":`...)
		dst = append(appendText(dst, e.UserID), '}')
	}
	dst = append(dst, `,"company":`...)
	dst = appendNumber(dst, e.Company)
	dst = append(dst, `,"subject":`...)
	dst = appendText(dst, e.Subject)
	dst = append(dst, `,"door":`...)
	dst = appendText(dst, e.Door.String())
	dst = append(dst, `,"actor":`...)
	dst = appendText(dst, e.Actor)
	dst = append(dst, `,"on_behalf_of":`...)
	dst = appendText(dst, e.OnBehalfOf)
	dst = append(dst, `,"reason":`...)
	dst = appendText(dst, e.Reason)
	dst = append(dst, `,"request_id":`...)
	dst = appendText(dst, e.RequestID)
	dst = append(dst, `,"erased":`...)
	dst = strconv.AppendBool(dst, e.Erased() && e.Position > 0)
	return append(appendPayload(dst, e.Payload), '}')
}

// appendPayload appends the members of an event's payload, as they are.
func appendPayload(dst, payload []byte) []byte {
	version, changes := membersOf(payload)
	if version != nil {
		dst = append(dst, `,"version":`...)
		dst = append(dst, version...)
	}
	dst = append(dst, `,"changes":`...)
	if changes == nil {
		return append(dst, "{}"...)
	}
	return append(dst, changes...)
}

// appendOptional appends a name and an attribute, or nothing for "": the value of
// an attribute is never empty (specification, "subject").
func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendAttribute(append(dst, name...), value)
}

// appendText appends a text, or null for none.
func appendText(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, text)
}

// appendNumber appends a number of a user or company, or null for none.
func appendNumber(dst []byte, n int64) []byte {
	if n == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, n, 10)
}

// appendPadded appends a position with zeros before it.
func appendPadded(dst []byte, n int64) []byte {
	var digits [len(zeros)]byte
	text := strconv.AppendInt(digits[:0], n, 10)
	return append(append(dst, zeros[len(text):]...), text...)
}
