package main

import "testing"

// Whoever can write the database must not write the table of a verification.
func TestShownNameIsOneLine(t *testing.T) {
	for name, want := range map[string]string{"Müller & Söhne": "Müller & Söhne", "a\nb  1  whole": `"a\nb  1  whole"`,
		"\x1b[2Kred": `"\x1b[2Kred"`, "": "", "\u202eabc": `"\u202eabc"`} {
		if got := shownName(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}
