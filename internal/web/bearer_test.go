package web

import (
	"net/http"
	"testing"
)

func TestBearer(t *testing.T) {
	for value, want := range map[string]string{
		"Bearer abc": "abc", "bearer  abc ": "abc", "BEARER abc": "abc", "Basic abc": "", "abc": "", "": "", "Bearer": "", "Bearerabc": "",
	} {
		if got := Bearer(http.Header{"Authorization": {value}}); got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
	if got := Bearer(http.Header{}); got != "" {
		t.Errorf("no header: %q", got)
	}
}
