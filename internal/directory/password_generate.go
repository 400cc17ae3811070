package directory

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// passwordLetters are letters and digits that nobody mistakes for one another
// when they read them off a screen: 31 of them, almost 5 bits each.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz23456789"

// newPassword makes a password that a person can type: groups of four letters
// and digits with dashes between, at least five (99 bits) and as many as the
// tenant's policy takes.
func newPassword(policy PasswordPolicy) string {
	const groups, size = 5, 4
	var text strings.Builder
	for n := 0; n < groups || text.Len() < policy.MinLength; n++ {
		if n > 0 {
			text.WriteByte('-')
		}
		for range size {
			i, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordLetters))))
			if err != nil {
				panic(err) // never: crypto/rand ends the program itself
			}
			text.WriteByte(passwordLetters[i.Int64()])
		}
	}
	return text.String()
}
