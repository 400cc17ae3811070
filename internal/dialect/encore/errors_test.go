package encore

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	r, err := http.NewRequest("GET", "/users/v1/users/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "encore.example.test:8443"
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

func testDoor() *door { return New(directory.New(nil, directory.Options{}), Options{}).(*door) }

// checkShape fails unless a refusal has one of the three shapes of the dossier
// and a status that belongs to it.
func checkShape(t *testing.T, name string, response web.Response) {
	t.Helper()
	switch response.Status {
	case 400, 422:
		var list []struct {
			Code    int
			Message string
		}
		if err := json.Unmarshal(response.Body, &list); err != nil || len(list) == 0 {
			t.Errorf("%s: body %s", name, response.Body)
		}
		last := 0
		for _, item := range list {
			if item.Code <= last || messages[item.Code] != item.Message || (item.Code <= lastRequestCode) != (response.Status == 400) {
				t.Errorf("%s: status %d with %s", name, response.Status, response.Body)
			}
			last = item.Code
		}
	case 401, 403, 413, 429:
		checkGateway(t, name, response)
	case 404:
		if len(response.Body) > 0 {
			checkGateway(t, name, response)
		}
	case 500, 503:
		if len(response.Body) > 0 || response.ContentType != "" {
			t.Errorf("%s: body %s", name, response.Body)
		}
	default:
		t.Errorf("%s: status %d", name, response.Status)
	}
}

func checkGateway(t *testing.T, name string, response web.Response) {
	t.Helper()
	var body struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}
	if err := json.Unmarshal(response.Body, &body); err != nil || body.StatusCode != response.Status || body.Message == "" || response.ContentType != "application/json" {
		t.Errorf("%s: body %s", name, response.Body)
	}
}

// TestEveryErrorHasAnAnswer proves the tables total: over the closed set of
// codes, and over every reason there is, by itself and as a field's.
func TestEveryErrorHasAnAnswer(t *testing.T) {
	d := testDoor()
	for _, code := range append(directory.Codes(), "no such code") {
		response := d.onError(request(t), &directory.Error{Code: code, Reason: "some.reason", Message: "The message."})
		checkShape(t, string(code), response)
		if (code == directory.CodeInternal || code == "no such code") != (response.Status == http.StatusInternalServerError) {
			t.Errorf("%s: status %d", code, response.Status)
		}
	}
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
	for _, info := range directory.Reasons() {
		e := &directory.Error{Code: info.Code, Reason: info.Reason, Message: "The message."}
		checkShape(t, string(info.Reason), d.onError(request(t), e))
		e.Fields = []directory.FieldError{{Field: "some_field", Reason: info.Reason, Message: "The message."}}
		checkShape(t, string(info.Reason)+" of a field", d.onError(request(t), e))
	}
}

// TestReasonsExist: no row of the tables is for a reason that the core lacks.
func TestReasonsExist(t *testing.T) {
	known := map[directory.Reason]bool{}
	for _, info := range directory.Reasons() {
		known[info.Reason] = true
	}
	check := func(reason directory.Reason, code int) {
		if !known[reason] {
			t.Errorf("there is no reason %s", reason)
		}
		if messages[code] == "" {
			t.Errorf("%s has code %d, which has no text", reason, code)
		}
	}
	for reason, code := range codeByReason {
		check(reason, code)
	}
	for v, code := range codeByField {
		check(v.reason, code)
	}
	for reason := range byReason {
		check(reason, codeFormat)
	}
}

// TestEveryCodeIsReached: each of the seed's codes is answered, with its text,
// in a case of a script, and the page of the door has the same texts, all of
// plain spaces (dossier 5.4).
func TestEveryCodeIsReached(t *testing.T) {
	if len(messages) != 38 {
		t.Errorf("%d codes; the seed has 37, and there is 138", len(messages))
	}
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
	page, err := os.ReadFile("../../../docs/dialects/encore.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[int]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| ([0-9]+) \\| `([^`]*)` \\|").FindAllStringSubmatch(string(page), -1) {
		code, _ := strconv.Atoi(row[1])
		listed[code] = row[2]
	}
	for _, code := range slices.Sorted(maps.Keys(messages)) {
		if want := `{"Code":` + strconv.Itoa(code) + `,"Message":"` + messages[code] + `"}`; !strings.Contains(scripts.String(), want) {
			t.Errorf("no script answers %s", want)
		}
	}
	if diff := cmp.Diff(messages, listed); diff != "" {
		t.Errorf("docs/dialects/encore.md (-program +page):\n%s", diff)
	}
	for code, text := range messages {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("code %d has other than plain characters: %q", code, text)
		}
	}
}

// TestErrorBodies checks what scripts cannot bring about.
func TestErrorBodies(t *testing.T) {
	d := testDoor()
	fields := func(list ...directory.FieldError) error {
		return &directory.Error{Code: directory.CodeInvalid, Reason: list[0].Reason, Fields: list}
	}
	administrator := directory.Actor{Rank: directory.RankAdministrator}
	for _, test := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"twice the same", fields(directory.FieldError{Field: "password", Reason: directory.ReasonPasswordTooShort},
			directory.FieldError{Field: "password", Reason: directory.ReasonFieldLength}), 422, `[{"Code":120,"Message":"Password length is not valid"}]`},
		{"400 hides 422", fields(directory.FieldError{Field: "email", Reason: directory.ReasonFieldFormat},
			directory.FieldError{Field: "extras", Reason: directory.ReasonFieldFormat}), 400, `[{"Code":3,"Message":"Invalid data format."}]`},
		{"the owner", &failure{err: directory.Wrong(directory.CodeForbidden, directory.ReasonRankTooLow, "x"), actor: administrator}, 422,
			`[{"Code":127,"Message":"Account owner changing is forbidden."}]`},
		{"somebody with a rank, to a key of one company", &failure{err: directory.Wrong(directory.CodeForbidden, directory.ReasonRankTooLow, "No."),
			actor: directory.Actor{Rank: directory.RankAdministrator, Root: 7}}, 403, `{ "statusCode": 403, "message": "No." }`},
		{"write conflict", directory.Wrong(directory.CodeConflict, directory.ReasonWriteConflict, "x"), 503, ""},
		{"internal", errors.New("dial tcp 10.0.0.1"), 500, ""},
		{"canonical text in JSON", directory.Wrong(directory.CodeForbidden, directory.ReasonScopeMissing, "a \"b\""), 403, `{ "statusCode": 403, "message": "a \"b\"" }`},
	} {
		response := d.onError(request(t), test.err)
		if response.Status != test.status || string(response.Body) != test.body {
			t.Errorf("%s: %d %s, want %d %s", test.name, response.Status, response.Body, test.status, test.body)
		}
	}
}

// TestErrorHeaders: when to come back, who to ask, what to tell the operator.
func TestErrorHeaders(t *testing.T) {
	d := testDoor()
	header := func(err error) http.Header {
		h := http.Header{}
		for _, f := range d.onError(request(t), err).Header {
			h.Set(f[0], f[1])
		}
		return h
	}
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "x")
	limited.Retry = 56500 * time.Millisecond
	if got := header(limited).Get("Retry-After"); got != "57" {
		t.Errorf("429: Retry-After %q", got)
	}
	if body := string(d.onError(request(t), limited).Body); body != `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }` {
		t.Errorf("429: %s", body)
	}
	if got := header(directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "x")).Get("Retry-After"); got != "1" {
		t.Errorf("503: Retry-After %q", got)
	}
	if got := header(errors.New("x")).Get("X-Error-Id"); got != "0123456789abcdef" {
		t.Errorf("500: X-Error-Id %q", got)
	}
	want := `AzureApiManagementKey realm="https://encore.example.test:8443/users",name="Ocp-Apim-Subscription-Key",type="header"`
	if got := header(directory.Wrong(directory.CodeUnauthenticated, directory.ReasonCredentialInvalid, "x")).Get("WWW-Authenticate"); got != want {
		t.Errorf("401: %s", got)
	}
	if got := ownHost("a\"b\\c\r\n d"); got != "abcd" {
		t.Errorf("host %q", got)
	}
}
