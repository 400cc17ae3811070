package directory

import (
	"slices"
	"strings"
)

// patchFirstPhone is for doors that show one telephone number: it puts a number
// in the place of the user's first one and keeps the others; "" takes the first
// away. A number that is there already keeps its extension, which belongs to
// it; the kind of telephone stays either way.
func patchFirstPhone(bad *violations, u *User, value Opt[string]) {
	if !value.Set {
		return
	}
	if value.Value == "" {
		if len(u.Phones) > 0 {
			// A copy: the stored user may share the list.
			u.Phones = slices.Clone(u.Phones[1:])
		}
		return
	}
	if !checkText(bad, FieldPhones, value.Value, maxPhoneRunes) {
		return
	}
	switch {
	case len(u.Phones) == 0:
		u.Phones = []Phone{{Number: value.Value}}
	case u.Phones[0].Number != value.Value:
		u.Phones = slices.Clone(u.Phones)
		u.Phones[0] = Phone{Number: value.Value, Type: u.Phones[0].Type}
	}
}

// patchTypedPhones is for doors that show one number of each of a few types: it
// puts a number in the place of the user's first one of a type, whatever the
// letter case, and keeps the others; "" takes that one away. A number that is
// there already keeps its extension.
func patchTypedPhones(bad *violations, u *User, list []Phone) {
	if len(list) == 0 {
		return
	}
	phones := slices.Clone(u.Phones) // the stored user may share the list
	for _, p := range list {
		if !checkText(bad, FieldPhones, p.Number, maxPhoneRunes) {
			return
		}
		at := slices.IndexFunc(phones, func(have Phone) bool { return strings.EqualFold(have.Type, p.Type) })
		switch {
		case at < 0 && p.Number != "":
			phones = append(phones, Phone{Number: p.Number, Type: p.Type})
		case at >= 0 && p.Number == "":
			phones = slices.Delete(phones, at, at+1)
		case at >= 0 && phones[at].Number != p.Number:
			phones[at] = Phone{Number: p.Number, Type: phones[at].Type}
		}
	}
	if len(phones) > maxPhones && len(phones) > len(u.Phones) {
		bad.add(FieldPhones, ReasonFieldLength, "phones must be at most %d.", maxPhones)
		return
	}
	u.Phones = phones
}

// maxPhoneRunes bounds each text of a telephone number.
const maxPhoneRunes = 64

// withExtensions is a list from a door that shows no extensions: a number that
// is there already keeps its extension, of two alike each its own.
func withExtensions(list, held []Phone) []Phone {
	held = slices.Clone(held)
	out := slices.Clone(list)
	for i := range out {
		at := slices.IndexFunc(held, func(p Phone) bool { return p.Number == out[i].Number })
		if at >= 0 {
			out[i].Extension = held[at].Extension
			held = slices.Delete(held, at, at+1)
		}
	}
	return out
}
