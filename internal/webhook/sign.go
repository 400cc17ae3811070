package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// The headers of Standard Webhooks 1.0.0 ("Webhook headers").
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// secretPrefix begins a secret for HMAC-SHA256 as it is shown ("Signature scheme").
const secretPrefix = "whsec_"

// errSecret says nothing of the secret.
var errSecret = errors.New("the endpoint's secrets cannot be used: add one and remove the others")

// sign is the value of the signature header: for each secret the HMAC-SHA256 over
// id, timestamp and body, separated by full stops ("Signature scheme"). Ids and
// timestamps have none.
func sign(secrets []directory.Secret, id, timestamp string, body []byte) (string, error) {
	if len(secrets) == 0 || id == "" || strings.Contains(id, ".") {
		return "", errSecret
	}
	var out []byte
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), secretPrefix))
		if err != nil || len(key) == 0 {
			return "", errSecret
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		if i > 0 {
			out = append(out, ' ')
		}
		out = base64.StdEncoding.AppendEncode(append(out, "v1,"...), mac.Sum(nil))
	}
	return string(out), nil
}
