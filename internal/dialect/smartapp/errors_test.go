package smartapp

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// request is a bare request for the error writer, as the kit would hand it over
// after an internal error.
func request(t *testing.T) *web.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "/user/get/uniqueid", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

func testDoor(o Options) *door { return New(directory.New(nil, directory.Options{}), o).(*door) }

// named is the operation of a name.
func named(t *testing.T, name string) *operation {
	t.Helper()
	for i := range operations {
		if operations[i].name == name {
			return &operations[i]
		}
	}
	t.Fatalf("there is no operation %s", name)
	return nil
}

// documented are the statuses of the vendor's pages; the others are decided
// (dossier 6).
var documented = map[int]bool{400: true, 401: true, 402: true}

// checkAnswer fails unless a refusal has a status of the dossier and its shape.
func checkAnswer(t *testing.T, name string, code directory.Code, response web.Response) {
	t.Helper()
	decided := map[int]bool{404: true, 413: true, 429: true, 500: true, 503: true}
	if !documented[response.Status] && !decided[response.Status] {
		t.Errorf("%s: status %d", name, response.Status)
	}
	var body map[string]string
	if err := json.Unmarshal(response.Body, &body); err != nil || len(body) != 1 || body["message"] == "" || response.ContentType != "application/json" {
		t.Errorf("%s: body %s", name, response.Body)
	}
	// What tells a bad key from a missing licence.
	if (body["message"] == textCredential) != (code == directory.CodeUnauthenticated) {
		t.Errorf("%s: body %s", name, response.Body)
	}
}

// TestEveryErrorHasAnAnswer proves the tables total: over the closed set of
// codes and over every reason there is, by itself and as a field's, of every
// operation.
func TestEveryErrorHasAnAnswer(t *testing.T) {
	d := testDoor(Options{})
	for i := range operations {
		op := &operations[i]
		for _, code := range append(directory.Codes(), "no such code") {
			response := d.onError(op)(request(t), &directory.Error{Code: code, Reason: "some.reason", Message: "The message."})
			checkAnswer(t, op.name+": "+string(code), code, response)
			if (code == directory.CodeInternal || code == "no such code") != (response.Status == http.StatusInternalServerError) {
				t.Errorf("%s: %s: status %d", op.name, code, response.Status)
			}
		}
		for _, info := range directory.Reasons() {
			e := &directory.Error{Code: info.Code, Reason: info.Reason, Message: "The message."}
			checkAnswer(t, op.name+": "+string(info.Reason), info.Code, d.onError(op)(request(t), e))
			e.Fields = []directory.FieldError{{Field: "some_field", Reason: info.Reason, Message: "The message."}}
			checkAnswer(t, op.name+": "+string(info.Reason)+" of a field", info.Code, d.onError(op)(request(t), e))
		}
	}
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
}

// TestReasonsExist: no row of the table is for a reason that the core lacks,
// every reason of something taken is 402, and nothing else is.
func TestReasonsExist(t *testing.T) {
	known := map[directory.Reason]bool{}
	for _, info := range directory.Reasons() {
		known[info.Reason] = true
		status := statusOfError(&directory.Error{Code: info.Code, Reason: info.Reason})
		taken := strings.HasPrefix(info.Meaning, "Another user") || strings.HasSuffix(string(info.Reason), "name_taken")
		if taken && info.Code == directory.CodeConflict && !strings.HasPrefix(string(info.Reason), "lock_reason.") &&
			!strings.HasPrefix(string(info.Reason), "tenant.") && status != http.StatusPaymentRequired {
			t.Errorf("%s: status %d", info.Reason, status)
		}
	}
	for reason := range byReason {
		if !known[reason] {
			t.Errorf("there is no reason %s", reason)
		}
	}
}

// TestEveryTextIsReached: every text of an operation is answered in a case of a
// script, and the page of the door has it.
func TestEveryTextIsReached(t *testing.T) {
	files, err := filepath.Glob("testdata/contract/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(text)
	}
	page, err := os.ReadFile("../../../docs/dialects/smartapp.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range operations {
		op := &operations[i]
		for _, text := range []string{op.texts.invalid, op.texts.missing, op.texts.exhausted, op.texts.taken} {
			if text == "" {
				continue
			}
			if !strings.Contains(scripts.String(), `{"message":"`+text+`"}`) {
				t.Errorf("%s: no script answers %q", op.name, text)
			}
			if !strings.Contains(string(page), "`"+text+"`") {
				t.Errorf("%s: docs/dialects/smartapp.md lacks %q", op.name, text)
			}
		}
		if !strings.Contains(string(page), "`"+op.name+"`") {
			t.Errorf("docs/dialects/smartapp.md lacks the operation %s", op.name)
		}
		for _, path := range op.paths {
			if !strings.Contains(string(page), path) {
				t.Errorf("docs/dialects/smartapp.md lacks the path %s", path)
			}
		}
	}
}

// TestErrorBodies checks what scripts cannot bring about.
func TestErrorBodies(t *testing.T) {
	d := testDoor(Options{})
	many := &directory.Error{Code: directory.CodeInvalid}
	for range maxFaults + 2 {
		many.Fields = append(many.Fields, directory.FieldError{Field: "title", Message: "t."})
	}
	for _, test := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"the core's name of a field", directory.Invalid("given_name", directory.ReasonFieldLength, "given_name is too long."), 400, `{"message":"firstName is too long."}`},
		{"many violations", many, 400, `{"message":"` + strings.Repeat("t. ", maxFaults) + `2 more."}`},
		{"a user name that was taken in between", directory.Wrong(directory.CodeConflict, directory.ReasonUserNameTaken, "x"), 402, `{"message":"email already exists"}`},
		{"write conflict", directory.Wrong(directory.CodeConflict, directory.ReasonWriteConflict, "Again."), 503, `{"message":"Again."}`},
		{"no numbers left", directory.Wrong(directory.CodeExhausted, directory.ReasonNumberTaken, "No."), 503, `{"message":"No."}`},
		{"internal", errors.New("dial tcp 10.0.0.1"), 500, `{"message":"Something went wrong on the server: error id 0123456789abcdef."}`},
		{"text in JSON", directory.Wrong(directory.CodeForbidden, directory.ReasonScopeMissing, "a \"b\""), 401, `{"message":"a \"b\""}`},
	} {
		response := d.onError(named(t, "update_user"))(request(t), test.err)
		if response.Status != test.status || string(response.Body) != test.body {
			t.Errorf("%s: %d %s, want %d %s", test.name, response.Status, response.Body, test.status, test.body)
		}
	}
}

// TestErrorHeaders: when to come back, and how to send a key.
func TestErrorHeaders(t *testing.T) {
	header := func(o Options, err error) http.Header {
		h := http.Header{}
		for _, f := range testDoor(o).onError(named(t, "get_user"))(request(t), err).Header {
			h.Set(f[0], f[1])
		}
		return h
	}
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "x")
	limited.Retry = 56500 * time.Millisecond
	if got := header(Options{}, limited).Get("Retry-After"); got != "57" {
		t.Errorf("429: Retry-After %q", got)
	}
	if got := header(Options{}, directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "x")).Get("Retry-After"); got != "1" {
		t.Errorf("503: Retry-After %q", got)
	}
	missing := directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialMissing, "x")
	if got := header(Options{}, missing).Get("WWW-Authenticate"); got != `Bearer realm="smartapp"` {
		t.Errorf("401: %s", got)
	}
	if got := header(Options{Credentials: []Credential{CredentialXAPIKey}}, missing).Get("WWW-Authenticate"); got != `ApiKey realm="smartapp"` {
		t.Errorf("401: %s", got)
	}
	if got := header(Options{}, directory.Wrong(directory.CodeExhausted, directory.ReasonSeatExhausted, "x")); len(got) != 0 {
		t.Errorf("401 of a licence: %v", got)
	}
}
