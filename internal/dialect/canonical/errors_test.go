package canonical

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// request is a bare request for the error writer, as the kit would hand it over
// after an internal error.
func request(t *testing.T) *web.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "/api/v1/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

func bare() *door { return newDoor(directory.New(nil, directory.Options{}), Options{}) }

// TestEveryCodeHasAnAnswer proves the error table total over the closed set of
// codes, and that an error of no code is internal (RFC 9457 section 3.1).
func TestEveryCodeHasAnAnswer(t *testing.T) {
	d := bare()
	for _, code := range append(directory.Codes(), "no such code") {
		response := d.onError(request(t), &directory.Error{Code: code, Reason: "some.reason", Message: "The message."})
		internal := code == directory.CodeInternal || code == "no such code"
		if internal != (response.Status == http.StatusInternalServerError) || response.Status < 400 || response.Status > 599 {
			t.Errorf("%s: status %d", code, response.Status)
		}
		var p problem
		if err := json.Unmarshal(response.Body, &p); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if p.Status != response.Status || p.Title == "" || p.Detail == "" || p.Type != "urn:usher:problem:"+p.Reason || (p.ErrorID != "") != internal {
			t.Errorf("%s: %+v", code, p)
		}
		if internal && (p.Code != "internal" || strings.Contains(string(response.Body), "The message")) {
			t.Errorf("%s: %s", code, response.Body)
		}
	}
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
}

// TestEveryReasonHasAStatus: what cannot be read is 400, what is wrong 422, and
// so on for each reason that there is (dossier 4.4).
func TestEveryReasonHasAStatus(t *testing.T) {
	for _, info := range directory.Reasons() {
		got := statusOf(&directory.Error{Code: info.Code, Reason: info.Reason})
		want := byCode[info.Code]
		switch info.Reason {
		case directory.ReasonBodySyntax, directory.ReasonQuerySyntax, directory.ReasonHeaderSyntax, directory.ReasonFilterSyntax,
			directory.ReasonCursorInvalid, directory.ReasonCursorExpired:
			want = 400
		case directory.ReasonMethod:
			want = 405
		case directory.ReasonFeedReset, directory.ReasonHistoryGone:
			want = 410
		}
		if got != want || got < 400 {
			t.Errorf("%s: %d, want %d", info.Reason, got, want)
		}
	}
}

// TestErrorHeaders: who must authenticate is told how, who must wait how long.
func TestErrorHeaders(t *testing.T) {
	d := bare()
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "Too many.")
	limited.Retry = 1500 * time.Millisecond
	for _, test := range []struct {
		err  error
		want [][2]string
	}{
		{limited, [][2]string{{"Retry-After", "2"}}},
		{directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "x"), [][2]string{{"Retry-After", "1"}}},
		{directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialMissing, "x"), [][2]string{{"WWW-Authenticate", `Bearer realm="usher"`}}},
		{directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialInvalid, "x"), [][2]string{{"WWW-Authenticate", `Bearer realm="usher", error="invalid_token"`}}},
		{errors.New("dial tcp 10.0.0.1"), nil},
	} {
		response := d.onError(request(t), test.err)
		if diff := cmp.Diff(test.want, response.Header); diff != "" || strings.Contains(string(response.Body), "10.0.0.1") {
			t.Errorf("%v: %s\n%s", test.err, diff, response.Body)
		}
	}
}

// TestManyViolations: a small request must not get a large answer.
func TestManyViolations(t *testing.T) {
	wrong := &directory.Error{Code: directory.CodeInvalid, Reason: directory.ReasonFieldValue, Message: "x"}
	for range 5000 {
		wrong.Fields = append(wrong.Fields, directory.FieldError{Field: "f", Reason: directory.ReasonFieldValue, Message: "x"})
	}
	var p problem
	if err := json.Unmarshal(bare().onError(request(t), wrong).Body, &p); err != nil || len(p.Errors) != maxFaults {
		t.Errorf("%d violations, %v", len(p.Errors), err)
	}
}

// TestLimitHeaders: draft-ietf-httpapi-ratelimit-headers-10 sections 3 and 4
// (dossier 2.2).
func TestLimitHeaders(t *testing.T) {
	now := time.Date(2026, 2, 25, 12, 59, 0, 500, time.UTC)
	d := &door{opts: Options{Now: func() time.Time { return now }}}
	q := directory.Quota{Limit: 1000, Remaining: 999, Reset: time.Date(2026, 2, 25, 13, 0, 0, 0, time.UTC)}
	want := [][2]string{{"RateLimit", `"default";r=999;t=60`}, {"RateLimit-Policy", `"default";q=1000;w=60`}}
	if diff := cmp.Diff(want, d.limitHeaders(nil, q)); diff != "" {
		t.Error(diff)
	}
	now, q.Remaining = now.Add(time.Hour), -1
	if got := d.limitHeaders(nil, q); got[0][1] != `"default";r=0;t=0` {
		t.Errorf("after the window: %v", got)
	}
}
