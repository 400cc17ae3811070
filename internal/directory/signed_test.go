package directory

import (
	"strings"
	"testing"
	"time"
)

// A token that was signed reads back, and a reader of strangers' texts neither
// panics nor calls them a failure of the server.
func FuzzParseSigned(f *testing.F) {
	key := testKey(1)
	u := &User{Tenant: 1, Number: 7, UserName: "jdoe", DisplayName: strings.Repeat("\u00e9", 300), Email: "jdoe@example.com", AuthEpoch: 3}
	claims := claimsFor(u, &Tenant{ID: "t"}, "id", time.Unix(1_800_000_000, 0), time.Hour)
	good, err := sign("kid", key, &claims)
	if err != nil {
		f.Fatal(err)
	}
	if token, read, err := parseSigned(good); err != nil || *read != claims || token.Claims(key, &signedClaims{}) != nil {
		f.Fatalf("read back %+v, %v, want %+v", read, err, claims)
	}
	if len([]rune(claims.Name)) != maxClaimRunes || !isSignedText(good) {
		f.Fatalf("a name of %d characters in %q", len([]rune(claims.Name)), good)
	}
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Fuzz(func(t *testing.T, text string) {
		token, read, err := parseSigned(text)
		if err != nil {
			if CodeOf(err) != CodeUnauthenticated || !IsReason(err, ReasonCredentialInvalid) {
				t.Errorf("error %v", err)
			}
			return
		}
		if token.Headers[0].KeyID == "" || read == nil || len(text) > maxSignedText {
			t.Errorf("taken: %q", text)
		}
		// Nobody can sign without the key: what verifies says what was signed.
		var verified signedClaims
		if token.Claims(key, &verified) == nil && verified != claims {
			t.Errorf("verified: %+v", verified)
		}
	})
}
