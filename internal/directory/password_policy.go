package directory

import (
	"strings"
	"unicode/utf8"
)

// DefaultMinPassword is the least length of a password in characters where a
// tenant sets none: NIST SP 800-63B-4 section 3.1.1.2, for a password that is
// the only factor.
const DefaultMinPassword = 15

// minContextRunes is the least length of a name that a password may not
// contain: shorter ones occur in too many words.
const minContextRunes = 4

// CheckPassword applies a tenant's policy to a new password: NIST SP 800-63B-4
// section 3.1.1.2 by default, which asks for length and a block list and
// forbids composition rules. minLength is the door's own least length in
// characters, which counts if it is more than the policy's; u gives the names
// that the password may not contain and may be nil. Length is counted in
// characters after normalisation (as Hasher counts two ways to type a letter
// as one).
//
// The error is invalid, names the field password and carries field.format (not
// UTF-8, or with NUL), password.too_long, password.too_short, password.blocked
// or password.contains_identity. Its text never holds the password.
func CheckPassword(p PasswordPolicy, u *User, password string, minLength int) error {
	field := FieldPassword.String()
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return Invalid(field, ReasonFieldFormat, "Use a password of valid UTF-8 text without NUL characters.")
	}
	if len(password) > MaxPasswordBytes {
		return passwordTooLong()
	}
	least := DefaultMinPassword
	if p.MinLength > 0 {
		least = p.MinLength
	}
	least = max(least, minLength)
	normal := normalisePassword(password)
	if utf8.RuneCountInString(normal) < least {
		return Invalid(field, ReasonPasswordTooShort, "Use a password of at least %d characters.", least)
	}
	folded := FoldSearch(normal)
	if !p.AllowBlocked && guessable(folded) {
		return Invalid(field, ReasonPasswordBlocked,
			"This password is too easy to guess: it is a common word, a sequence or a repetition. Choose several unrelated words.")
	}
	if !p.AllowContext && containsIdentity(folded, u) {
		return Invalid(field, ReasonPasswordContext,
			"Leave your name, user name and e-mail address and the name of this service out of the password.")
	}
	return nil
}

func passwordTooLong() *Error {
	return Invalid(FieldPassword.String(), ReasonPasswordTooLong, "Use a password of at most %d bytes.", MaxPasswordBytes)
}

// containsIdentity reports whether a folded password contains a name of its
// user or of this service.
func containsIdentity(folded string, u *User) bool {
	names := []string{"usher"}
	if u != nil {
		names = append(names, u.UserName, localPart(u.UserName), localPart(u.Email), u.GivenName, u.FamilyName)
	}
	for _, name := range names {
		name = NameKey(name)
		if utf8.RuneCountInString(name) >= minContextRunes && strings.Contains(folded, name) {
			return true
		}
	}
	return false
}

// localPart is what stands before the last @ of an address, or the whole text.
func localPart(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return address[:at]
	}
	return address
}
