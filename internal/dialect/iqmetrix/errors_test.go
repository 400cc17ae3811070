package iqmetrix

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

// request is a bare request for the error writers, as the kit would hand it to
// them after an internal error.
func request(t *testing.T) *web.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "/v1/Users(1)", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

// TestEveryCodeHasAnAnswer proves both error tables total over the closed set
// of codes, and that an error of no code is internal.
func TestEveryCodeHasAnAnswer(t *testing.T) {
	d := New(directory.New(nil, directory.Options{}), Options{}).(*door)
	for _, code := range append(directory.Codes(), "no such code") {
		err := &directory.Error{Code: code, Reason: "some.reason", Message: "The message."}
		for name, write := range map[string]web.ErrorFunc{"door": d.onError, "token": d.onTokenError} {
			response := write(request(t), err)
			if response.Status < 400 || response.Status > 599 {
				t.Errorf("%s, %s: status %d", name, code, response.Status)
			}
			if (code == directory.CodeInternal || code == "no such code") != (response.Status == http.StatusInternalServerError) {
				t.Errorf("%s, %s: status %d", name, code, response.Status)
			}
			if response.ContentType == "text/plain" {
				continue
			}
			var body map[string]string
			if err := json.Unmarshal(response.Body, &body); err != nil || len(body) != 2 {
				t.Errorf("%s, %s: body %s", name, code, response.Body)
			}
			for key, text := range body {
				if text == "" {
					t.Errorf("%s, %s: %s is empty", name, code, key)
				}
			}
		}
	}
	if len(byCode) != len(directory.Codes()) || len(tokenByCode) != len(directory.Codes()) {
		t.Errorf("the tables have %d and %d rows for %d codes", len(byCode), len(tokenByCode), len(directory.Codes()))
	}
}

// TestErrorBodies checks the texts of the seed's ERRORS table letter for
// letter, and what stands in Description.
func TestErrorBodies(t *testing.T) {
	d := New(directory.New(nil, directory.Options{}), Options{}).(*door)
	wrong := func(code directory.Code, reason directory.Reason) error {
		return directory.Wrong(code, reason, "The core's message.")
	}
	for _, test := range []struct {
		err                  error
		status               int
		message, description string
	}{
		{say("x", textTemporaryPassword), 400, "The temporary password must be at least 6 characters long", ""},
		{say("x", textNoTerms), 400, "No search terms provided", ""},
		{say("x", textTopPrefix+"0"), 400, "Query string parameter '$top' should be within 1 to 100 range but was 0", ""},
		{say("x", textSkipPrefix+"-1"), 400, "Query string parameter '$skip' should be non-negative but was -1", ""},
		{wrong(directory.CodeInvalid, directory.ReasonBodySyntax), 400, "Bad Request", "Bad Request: The core's message."},
		{directory.Invalid("given_name", directory.ReasonFieldLength, "given_name must be at most 256 characters."), 400,
			"Bad Request", "Bad Request: FirstName must be at most 256 characters"},
		{directory.Invalid("company", directory.ReasonCompanyNotFound, "Company 9 does not exist."), 400,
			"Bad Request", "Bad Request: ParentEntityId: Company 9 does not exist"},
		{wrong(directory.CodeNotFound, directory.ReasonUserNotFound), 404, "User not found", ""},
		{wrong(directory.CodeNotFound, directory.ReasonUserDeleted), 404, "User not found", ""},
		{wrong(directory.CodeNotFound, directory.ReasonCompanyNotFound), 404, "Entity not found", ""},
		{wrong(directory.CodeNotFound, directory.ReasonLocationNotFound), 404, "Entity not found", ""},
		{wrong(directory.CodeNotFound, directory.ReasonLockReasonNotFound), 404, "LockReason not found", ""},
		{wrong(directory.CodeNotFound, directory.ReasonRoleNotFound), 404, "SecurityRole not found", ""},
		{wrong(directory.CodeConflict, directory.ReasonUserNameTaken), 409, "Username and email already exist", ""},
		{wrong(directory.CodeConflict, directory.ReasonEmailTaken), 409, "Username and email already exist", ""},
		{nameTaken(wrong(directory.CodeConflict, directory.ReasonLockReasonTaken), "LockReason", "X", 7), 409,
			"The LockReason name X already exists for entity 7", ""},
		{wrong(directory.CodeForbidden, directory.ReasonOwnerProtected), 403, "Forbidden", "The core's message."},
		{wrong(directory.CodeExhausted, directory.ReasonSeatExhausted), 409, "The core's message.", ""},
		{wrong(directory.CodeStale, directory.ReasonVersionMismatch), 409, "User version mismatch", ""},
		{wrong(directory.CodeForbidden, directory.ReasonSelfOnly), 403, "Forbidden", "The core's message."},
		{wrong(directory.CodeUnavailable, directory.ReasonBusy), 503, "Service Unavailable", "The core's message."},
		{errors.New("dial tcp 10.0.0.1"), 500, "Internal Server Error", "Internal Server Error: error id 0123456789abcdef"},
	} {
		response := d.onError(request(t), &failure{err: test.err})
		if test.description == "" {
			test.description = test.message
		}
		var body struct{ Message, Description string }
		if err := json.Unmarshal(response.Body, &body); err != nil {
			t.Errorf("%v: %v", test.err, err)
		}
		if response.Status != test.status || body.Message != test.message || body.Description != test.description {
			t.Errorf("%v: %d %+v, want %d %q %q", test.err, response.Status, body, test.status, test.message, test.description)
		}
	}
}

func TestPlainTextErrors(t *testing.T) {
	d := New(directory.New(nil, directory.Options{}), Options{}).(*door)
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "Too many.")
	limited.Retry = 1500 * time.Millisecond
	response := d.onError(request(t), limited)
	want := web.Response{Status: 429, ContentType: "text/plain", Header: [][2]string{{"Retry-After", "2"}}, Body: []byte("rate limit exceeded")}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Error(diff)
	}
	response = d.onError(request(t), directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialMissing, "x"))
	want = web.Response{Status: 401, ContentType: "text/plain", Body: []byte("invalid token")}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Error(diff)
	}
}

// TestManyViolations: a small request must not get a large answer.
func TestManyViolations(t *testing.T) {
	body := `{"PhoneNumbers":[` + strings.Repeat(`1,`, 5000) + `1]}`
	object, err := decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	_, err = newUser(object)
	response := New(directory.New(nil, directory.Options{}), Options{}).(*door).onError(request(t), err)
	if len(response.Body) > 4096 {
		t.Errorf("the answer has %d bytes", len(response.Body))
	}
	if !strings.Contains(string(response.Body), "The field UserName is a required field but was not found in the request; ") {
		t.Errorf("body %s", response.Body)
	}
}

func TestLimitHeaders(t *testing.T) {
	now := time.Date(2016, 2, 25, 12, 59, 0, 500, time.UTC)
	d := New(nil, Options{Now: func() time.Time { return now }}).(*door)
	reset := time.Date(2016, 2, 25, 13, 0, 0, 0, time.FixedZone("", 0))
	got := d.limitHeaders(nil, directory.Quota{Limit: 1000, Remaining: 999, Reset: reset})
	// The vendor's sample (dossier 2.4), but for the seconds.
	want := [][2]string{{"X-RateLimit-Limit", "1000"}, {"X-RateLimit-Remaining", "999"},
		{"X-RateLimit-Reset", "2016-02-25T13:00:00.0000000Z"}, {"X-RateLimit-ResetSeconds", "60"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	now = now.Add(time.Hour)
	got = d.limitHeaders(nil, directory.Quota{Limit: 1, Remaining: -1, Reset: reset})
	if got[1][1] != "0" || got[3][1] != "0" {
		t.Errorf("after the window: %v", got)
	}
}
