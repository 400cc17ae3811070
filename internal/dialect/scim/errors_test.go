package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/filter"
	"github.com/usher-id/usher/internal/web"
)

// write answers an error as the kit would have it answered.
func write(t *testing.T, err error) (web.Response, map[string]any) {
	t.Helper()
	r, requestErr := http.NewRequestWithContext(t.Context(), http.MethodGet, "/scim/v2/Users", nil)
	if requestErr != nil {
		t.Fatal(requestErr)
	}
	response := onError(&web.Request{Request: r, Event: &web.Event{ErrorID: "0123456789abcdef"}}, err)
	var body map[string]any
	if err := json.Unmarshal(response.Body, &body); err != nil {
		t.Fatalf("%s: %v", response.Body, err)
	}
	return response, body
}

// keywords are those of RFC 7644 table 9 and RFC 9865 section 2.1, with the
// status that goes with them.
var keywords = map[scimType]int{invalidFilter: 400, tooMany: 400, uniqueness: 409, mutability: 400, invalidSyntax: 400, invalidPath: 400,
	noTarget: 400, invalidValue: 400, invalidCursor: 400, expiredCursor: 400, invalidCount: 400}

// TestEveryCodeAndReasonHasAnAnswer proves the tables total: every code, every
// reason with its usual code and with every other, and an error of no code.
func TestEveryCodeAndReasonHasAnAnswer(t *testing.T) {
	codes := append(directory.Codes(), "no such code")
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
	reasons := []directory.Reason{"some.reason"}
	for _, info := range directory.Reasons() {
		reasons = append(reasons, info.Reason)
		taken := info.Code == directory.CodeConflict && strings.HasSuffix(string(info.Reason), "taken")
		if row := lookUp(directory.Wrong(info.Code, info.Reason, "x")); taken != (row.keyword == uniqueness) {
			t.Errorf("%s: %v", info.Reason, row)
		}
	}
	for reason := range byReason {
		if !slices.Contains(reasons, reason) {
			t.Errorf("%s is no reason of the core", reason)
		}
	}
	for _, code := range codes {
		for _, reason := range reasons {
			response, body := write(t, directory.Wrong(code, reason, "The message."))
			internal := code == directory.CodeInternal || code == "no such code"
			if response.Status < 400 || response.Status > 599 || internal != (response.Status == http.StatusInternalServerError) || response.ContentType != contentSCIM {
				t.Errorf("%s, %s: %v", code, reason, response)
			}
			detail, _ := body["detail"].(string)
			if body["status"] != strconv.Itoa(response.Status) || detail == "" || internal != strings.Contains(detail, "0123456789abcdef") ||
				!cmp.Equal(body["schemas"], []any{"urn:ietf:params:scim:api:messages:2.0:Error"}) {
				t.Errorf("%s, %s: %s", code, reason, response.Body)
			}
			if keyword, ok := body["scimType"].(string); ok && keywords[scimType(keyword)] != response.Status {
				t.Errorf("%s, %s: %s with %d", code, reason, keyword, response.Status)
			}
			if response.Status == http.StatusBadRequest && body["scimType"] == nil {
				t.Errorf("%s, %s: 400 without a keyword", code, reason)
			}
		}
	}
}

func TestErrorBodies(t *testing.T) {
	wrong := func(code directory.Code, reason directory.Reason) error {
		return directory.Wrong(code, reason, "The message.")
	}
	_, syntax := filter.Parse("userName is", filter.Limits{})
	_, path := filter.ParsePath("a[", filter.Limits{})
	for _, c := range []struct {
		err     error
		status  int
		keyword any
		detail  string
	}{
		{directory.Invalid("user_name", directory.ReasonFieldRequired, "user_name is required."), 400, "invalidValue", "userName is required."},
		{directory.Invalid("email", directory.ReasonFieldFormat, "No address."), 400, "invalidValue", "emails.value: No address."},
		{directory.Invalid("members", directory.ReasonUserNotFound, "User x does not exist."), 400, "invalidValue", "members: User x does not exist."},
		{directory.Invalid("body", directory.ReasonBodySyntax, "No JSON."), 400, "invalidSyntax", "No JSON."},
		{directory.Invalid("cursor", directory.ReasonCursorInvalid, "Not ours."), 400, "invalidCursor", "Not ours."},
		{directory.Invalid("cursor", directory.ReasonCursorExpired, "Too old."), 400, "expiredCursor", "Too old."},
		{syntax, 400, "invalidFilter", "position 10"},
		{refusePath(path), 400, "invalidPath", "position 3"},
		{refusePath(errOfTest), 500, nil, "error id 0123456789abcdef"},
		{refuse(noTarget, "No element of %s matches.", "emails"), 400, "noTarget", "No element of emails matches."},
		{refuse(mutability, "id is read-only."), 400, "mutability", "id is read-only."},
		{wrong(directory.CodeConflict, directory.ReasonUserNameTaken), 409, "uniqueness", "The message."},
		{wrong(directory.CodeConflict, directory.ReasonExternalIDTaken), 409, "uniqueness", "The message."},
		{wrong(directory.CodeExhausted, directory.ReasonNumberTaken), 409, nil, "The message."},
		{wrong(directory.CodeConflict, directory.ReasonUserHeld), 409, nil, "The message."},
		{wrong(directory.CodeExhausted, directory.ReasonSeatExhausted), 409, nil, "The message."},
		{wrong(directory.CodeNotFound, directory.ReasonUserNotFound), 404, nil, "The message."},
		{wrong(directory.CodeNotFound, directory.ReasonUserDeleted), 404, nil, "The message."},
		{wrong(directory.CodeStale, directory.ReasonVersionMismatch), 412, nil, "The message."},
		{wrong(directory.CodeForbidden, directory.ReasonRankTooLow), 403, nil, "The message."},
		{wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge), 413, nil, "The message."},
		{wrong(directory.CodeUnsupported, directory.ReasonBodyMedia), 415, nil, "The message."},
		{wrong(directory.CodeUnsupported, "some.reason"), 501, nil, "The message."},
		{directory.Invalid("id", directory.ReasonFieldReadOnly, "Read-only."), 400, "mutability", "id: Read-only."},
		{wrong(directory.CodeInvalid, directory.ReasonListTooLarge), 400, "tooMany", "The message."},
		{wrong(directory.CodeForbidden, directory.ReasonProvisioning), 403, nil, "The message."},
		{errOfTest, 500, nil, "error id 0123456789abcdef"},
	} {
		response, body := write(t, c.err)
		detail, _ := body["detail"].(string)
		if response.Status != c.status || body["scimType"] != c.keyword || !strings.Contains(detail, c.detail) || strings.Contains(detail, "inside") {
			t.Errorf("%v: %d %s", c.err, response.Status, response.Body)
		}
	}
}

// errOfTest is a failure whose text no client may see.
var errOfTest = errors.New("inside")

func TestErrorHeaders(t *testing.T) {
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "x")
	limited.Retry = 1500 * time.Millisecond
	for what, c := range map[string]struct {
		err  error
		want [][2]string
	}{
		"no credential": {directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialMissing, "x"), [][2]string{{"WWW-Authenticate", `Bearer realm="usher"`}}},
		"a wrong one":   {directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialInvalid, "x"), [][2]string{{"WWW-Authenticate", `Bearer realm="usher", error="invalid_token"`}}},
		"too many":      {limited, [][2]string{{"Retry-After", "2"}}},
		"no time known": {directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "x"), [][2]string{{"Retry-After", "1"}}},
		"unavailable":   {directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "x"), [][2]string{{"Retry-After", "1"}}},
		"not found":     {directory.Wrong(directory.CodeNotFound, directory.ReasonUserNotFound, "x"), nil},
	} {
		response, _ := write(t, c.err)
		if diff := cmp.Diff(c.want, response.Header); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// TestManyFaults: an answer lists some and counts the others.
func TestManyFaults(t *testing.T) {
	e := &directory.Error{Code: directory.CodeInvalid, Reason: directory.ReasonFieldFormat, Message: "x"}
	for range maxFaults + 5 {
		e.Fields = append(e.Fields, directory.FieldError{Field: "title", Message: "title is wrong."})
	}
	_, body := write(t, e)
	detail, _ := body["detail"].(string)
	if strings.Count(detail, "title is wrong.") != maxFaults || !strings.HasSuffix(detail, "And 5 more.") {
		t.Errorf("%s", detail)
	}
}

// TestFieldNamesAreAttributes: what an error names can be found in a schema.
func TestFieldNamesAreAttributes(t *testing.T) {
	for field, name := range fieldNames {
		_, user := userResource.resolveName(name)
		_, extension := userResource.resolveName(urnDirectory + ":" + name)
		_, enterprise := userResource.resolveName(urnEnterprise + ":" + name)
		_, group := groupResource.resolveName(name)
		if !user && !extension && !enterprise && !group {
			t.Errorf("%s is called %s, which is no attribute", field, name)
		}
	}
}
