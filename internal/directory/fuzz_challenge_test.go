package directory_test

import (
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// No text but one that this directory made is a challenge, and each other one is
// refused with the same words.
func FuzzChallenge(f *testing.F) {
	clock := &clock{}
	clock.micros.Store(start.UnixMicro())
	svc := directory.New(nil, directory.Options{Now: clock.now})
	good := svc.SealedChallenge(start.Add(time.Minute))
	if err := svc.OpenChallenge(good); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "x", string(good), string(good) + "A", string(good[:len(good)-1]), string(svc.SealedChallenge(start)), "////", "e30", "AQAAAAAAAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := svc.OpenChallenge(directory.Secret(text))
		if text == string(good) {
			check(t, err)
			return
		}
		wantError(t, err, directory.CodeUnauthenticated, directory.ReasonSignInExpired)
	})
}
