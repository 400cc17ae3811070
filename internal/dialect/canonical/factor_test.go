package canonical_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// Whoever has a second factor signs in with a code of it, which is good once (dossier
// 3.19).
func TestSessionAsksForSecondFactor(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true})
	const name, password = "admin", "usher-demo-password"
	ctx, at := context.Background(), func(token directory.Secret) *directory.Call {
		return &directory.Call{Door: directory.DoorConsole, Secret: token}
	}
	in, err := s.Service.OpenConsoleSession(ctx, at(""), name, password)
	must(t, err)
	e, err := s.Service.BeginSecondFactor(ctx, at(in.Token), password)
	must(t, err)
	code, err := totp.GenerateCode(string(e.Seed), time.Now())
	must(t, err)
	recovery, _, err := s.Service.ConfirmSecondFactor(ctx, at(in.Token), e.Sealed, directory.Secret(code))
	must(t, err)
	for _, try := range []struct {
		code   string
		status int
		reason string
	}{
		{"", http.StatusUnauthorized, "second_factor.required"},
		{code, http.StatusUnauthorized, "second_factor.wrong_code"}, // it confirmed the factor
		{recovery[0], http.StatusCreated, ""},
		{recovery[0], http.StatusUnauthorized, "second_factor.wrong_code"},
	} {
		body, err := json.Marshal(map[string]string{"user_name": name, "password": password, "code": try.code})
		must(t, err)
		status, _, text := send(t, s.URL, http.MethodPost, "/api/v1/sessions", body)
		var answer struct{ Reason, Token string }
		must(t, json.Unmarshal([]byte(text), &answer))
		if status != try.status || answer.Reason != try.reason || (answer.Token != "") != (try.status == http.StatusCreated) {
			t.Errorf("code %q: %d %s", try.code, status, text)
		}
	}
}
