package webhook

import (
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

// The vector that the libraries of Standard Webhooks are tested with
// (libraries/go/webhook_symmetric_test.go, TestSymmetricWebhookSign).
func TestSignatureOfThePublishedVector(t *testing.T) {
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	body := []byte(`{"test": 2432232314}`)
	got, err := sign([]directory.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
	if err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	got, err = sign([]directory.Secret{"whsec_AAAA", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
	if parts := strings.Split(got, " "); err != nil || len(parts) != 2 || parts[1] != want || !strings.HasPrefix(parts[0], "v1,") || parts[0] == want {
		t.Errorf("two secrets: %s, %v", got, err)
	}
}

func TestNothingIsSignedWithoutAUsableSecret(t *testing.T) {
	for name, secrets := range map[string][]directory.Secret{
		"none": nil, "empty": {""}, "prefix alone": {"whsec_"}, "no base64": {"whsec_!"}, "the second is bad": {"whsec_AAAA", "whsec_A"},
	} {
		got, err := sign(secrets, "id", "1", nil)
		if err == nil || got != "" || strings.Contains(err.Error(), "whsec") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := sign([]directory.Secret{"whsec_AAAA"}, "a.b", "1", nil); err == nil {
		t.Error("an id with a full stop was signed")
	}
}
