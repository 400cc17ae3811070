package web

import (
	"net/http"
	"strings"
)

// Bearer is the token of the first Authorization header (RFC 6750 section 2.1),
// "" without one. The scheme is matched in any letter case (RFC 9110 section
// 11.1). It is a secret: it belongs into no log and no error.
func Bearer(h http.Header) string {
	values := h["Authorization"]
	if len(values) == 0 {
		return ""
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(secret, " ")
}
