package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// changes collects the fields that differ between two versions of a user, as
// a set and as the JSON that the event keeps: {"field":[before,after]}.
type changes struct {
	set     FieldSet
	json    []byte
	version int64 // of the user afterwards, where it rose; 0 otherwise
}

// note records a difference; before and after are JSON.
func (c *changes) note(f Field, before, after []byte) {
	c.set |= Fields(f)
	if len(c.json) > 0 {
		c.json = append(c.json, ',')
	}
	c.json = append(c.json, '"')
	c.json = append(c.json, f.String()...)
	c.json = append(c.json, `":[`...)
	c.json = append(append(append(c.json, boundedValue(before)...), ','), boundedValue(after)...)
	c.json = append(c.json, ']')
}

// maxEventValue is the longest JSON that an event keeps of one value.
const maxEventValue = 8 << 10

// boundedValue stands in for a long value with its length and digest. Events
// are kept for ever, and people may fill phones and picture of their own record
// as often as they like: with the values themselves, which JSON's escapes make
// longer still, anybody who can sign in could fill the disk.
func boundedValue(value []byte) []byte {
	if len(value) <= maxEventValue {
		return value
	}
	return fmt.Appendf(nil, `{"bytes":%d,"sha256":"%x"}`, len(value), sha256.Sum256(value))
}

// named records a difference of something that is not a user's field.
func (c *changes) named(name, before, after string) {
	if before != after {
		c.raw(name, asJSON(before), asJSON(after))
	}
}

// raw records a difference of something that is not a user's field; before and
// after are JSON, or nothing for null.
func (c *changes) raw(name string, before, after []byte) {
	if len(c.json) > 0 {
		c.json = append(c.json, ',')
	}
	c.json = append(append(c.json, asJSON(name)...), `:[`...)
	c.json = append(append(c.json, orNull(boundedValue(before))...), ',')
	c.json = append(append(c.json, orNull(boundedValue(after))...), ']')
}

func orNull(value []byte) []byte {
	if len(value) == 0 {
		return []byte("null")
	}
	return value
}

// event is the type for an event of these changes: an update of nothing but the
// groups, or the roles, is named as the use cases for them name it, so that one
// deed has one name whichever door it came through.
func (c *changes) event(kind EventType) EventType {
	switch {
	case kind != EventUserUpdated:
		return kind
	case c.set == Fields(FieldGroups):
		return EventGroupsChanged
	case c.set&Fields(FieldRoles) != 0 && c.set&^Fields(FieldRoles, FieldRank) == 0:
		return EventRolesChanged
	}
	return kind
}

// mark records that a field changed whose values must not be kept.
func (c *changes) mark(f Field) { c.note(f, []byte(`"[redacted]"`), []byte(`"[redacted]"`)) }

// payload is the event's payload.
func (c *changes) payload() []byte {
	out := make([]byte, 0, len(c.json)+48)
	out = append(out, '{')
	if c.version != 0 {
		out = append(strconv.AppendInt(append(out, `"version":`...), c.version, 10), ',')
	}
	out = append(out, `"changes":{`...)
	return append(append(out, c.json...), `}}`...)
}

func (c *changes) text(f Field, before, after string) {
	if before != after {
		c.note(f, asJSON(before), asJSON(after))
	}
}

func (c *changes) number(f Field, before, after int64) {
	if before != after {
		c.note(f, strconv.AppendInt(nil, before, 10), strconv.AppendInt(nil, after, 10))
	}
}

func (c *changes) flag(f Field, before, after bool) {
	if before != after {
		c.note(f, strconv.AppendBool(nil, before), strconv.AppendBool(nil, after))
	}
}

func (c *changes) when(f Field, before, after time.Time) {
	if !before.Equal(after) {
		c.note(f, timeJSON(before), timeJSON(after))
	}
}

func (c *changes) value(f Field, same bool, before, after any) {
	if !same {
		c.note(f, asJSON(before), asJSON(after))
	}
}

// compare adds every difference between two versions of a user.
func (c *changes) compare(a, b *User) {
	c.text(FieldState, string(a.State), string(b.State))
	c.flag(FieldLocked, a.Locked, b.Locked)
	c.number(FieldLockReason, a.LockReason, b.LockReason)
	c.flag(FieldMustChangePassword, a.MustChangePassword, b.MustChangePassword)
	c.when(FieldValidFrom, a.ValidFrom, b.ValidFrom)
	c.when(FieldExpiresAt, a.ExpiresAt, b.ExpiresAt)
	c.text(FieldUserName, a.UserName, b.UserName)
	c.text(FieldEmail, a.Email, b.Email)
	c.text(FieldGivenName, a.GivenName, b.GivenName)
	c.text(FieldFamilyName, a.FamilyName, b.FamilyName)
	c.text(FieldDisplayName, a.DisplayName, b.DisplayName)
	c.text(FieldTitle, a.Title, b.Title)
	c.number(FieldCompany, a.Company, b.Company)
	c.text(FieldEmployeeNumber, a.EmployeeNumber, b.EmployeeNumber)
	c.text(FieldOpenID, a.OpenID, b.OpenID)
	c.text(FieldWebMDN, a.WebMDN, b.WebMDN)
	c.text(FieldClientUserID, a.ClientUserID, b.ClientUserID)
	c.text(FieldLicenceType, a.LicenceType, b.LicenceType)
	c.number(FieldRank, int64(a.Rank), int64(b.Rank))
	c.value(FieldPhones, slices.Equal(a.Phones, b.Phones), a.Phones, b.Phones)
	c.value(FieldAddress, a.Address == b.Address, a.Address, b.Address)
	c.compareProfile(&a.Profile, &b.Profile)
}

func (c *changes) compareProfile(a, b *Profile) {
	if a.IsZero() && b.IsZero() {
		return
	}
	c.text(FieldLanguage, a.Language, b.Language)
	c.text(FieldTimeZone, a.TimeZone, b.TimeZone)
	c.flag(FieldMobileOnly, a.MobileOnly, b.MobileOnly)
	c.text(FieldStorageLocation, a.StorageLocation, b.StorageLocation)
	c.value(FieldPicture, sameJSON(a.Picture, b.Picture), a.Picture, b.Picture)
	c.value(FieldAttributes, maps.EqualFunc(a.Attributes, b.Attributes, sameJSON), a.Attributes, b.Attributes)
	if !maps.EqualFunc(a.Extras, b.Extras, sameJSON) {
		c.value(FieldExtras, false, redactExtras(a.Extras), redactExtras(b.Extras))
	}
	c.value(FieldExternalID, maps.Equal(a.ExternalIDs, b.ExternalIDs), a.ExternalIDs, b.ExternalIDs)
}

// sameJSON compares JSON texts whatever their spacing, which the store does
// not keep. The order of keys and the digits of numbers count.
func sameJSON(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || len(a) > 0 && len(b) > 0 && bytes.Equal(asJSON(a), asJSON(b))
}

// redactExtras keeps the doors' own fields for the event, except those whose
// names say that they are secrets (Encore's EPTTToken).
func redactExtras(extras map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(extras))
	for door, raw := range extras {
		out[door] = redactJSON(raw)
	}
	return out
}

// redactJSON replaces the values of secret names, however deep they are.
func redactJSON(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return asJSON(redactValue(v))
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if secretName(name) {
				v[name] = redacted
			} else {
				v[name] = redactValue(v[name])
			}
		}
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	}
	return v
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"token", "secret", "password", "passwd", "passphrase", "pwd", "pin", "credential", "apikey", "api_key", "api-key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func timeJSON(t time.Time) []byte {
	if t.IsZero() {
		return []byte("null")
	}
	return asJSON(t.UTC().Format(time.RFC3339Nano))
}

// asJSON encodes a value that cannot fail to encode; a malformed raw message
// (refused on input) becomes null.
func asJSON(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return out
}
