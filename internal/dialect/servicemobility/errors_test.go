package servicemobility

import (
	"encoding/json"
	"errors"
	"net/http"
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
	r, err := http.NewRequest("GET", "/seiapi/v3/trans/User/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

// newDoor is a door over nothing.
func newDoor(o Options) *door { return New(directory.New(nil, directory.Options{}), o).(*door) }

// shapes are the two doors.
func shapes() map[string]*door {
	return map[string]*door{"detail": newDoor(Options{}), "problem": newDoor(Options{Errors: ShapeProblem})}
}

// TestEveryCodeHasAnAnswer proves the error table total over the closed set of
// codes, in both shapes, and that an error of no code is internal.
func TestEveryCodeHasAnAnswer(t *testing.T) {
	for name, d := range shapes() {
		for _, code := range append(directory.Codes(), "no such code") {
			err := &directory.Error{Code: code, Reason: "some.reason", Message: "The message."}
			response := d.onError(request(t), &failure{err: err})
			if response.Status < 400 || response.Status > 599 || response.ContentType != "application/json" {
				t.Errorf("%s, %s: status %d, %s", name, code, response.Status, response.ContentType)
			}
			if (code == directory.CodeInternal || code == "no such code") != (response.Status == http.StatusInternalServerError) {
				t.Errorf("%s, %s: status %d", name, code, response.Status)
			}
			if response.Status == http.StatusForbidden || response.Status == http.StatusNotFound {
				t.Errorf("%s, %s: status %d is not the vendor's", name, code, response.Status)
			}
			status, message := read400(t, name, response.Body)
			if status != response.Status || message == "" {
				t.Errorf("%s, %s: %s", name, code, response.Body)
			}
		}
	}
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
}

// read400 reads the body of an error, which must have the members of its shape
// and no others.
func read400(t *testing.T, shape string, body []byte) (status int, message string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if shape == "problem" {
		var b struct {
			Type, Title   string
			Status        int
			Detail        string
			InvalidParams []struct{ Name, Reason, Path, Value string }
		}
		if err := d.Decode(&b); err != nil || b.Type == "" || b.Title == "" || b.InvalidParams == nil {
			t.Errorf("%s: %v", body, err)
		}
		return b.Status, b.Detail
	}
	var b struct {
		Code   int
		Detail struct {
			Message  string
			Params   map[string]string
			DataPath *string
		}
	}
	if err := d.Decode(&b); err != nil || b.Detail.Params == nil || b.Detail.DataPath == nil {
		t.Errorf("%s: %v", body, err)
	}
	return b.Code, b.Detail.Message
}

// TestReasons checks the reasons that differ from their codes, and what becomes
// of the core's texts.
func TestReasons(t *testing.T) {
	d := newDoor(Options{})
	wrong := func(code directory.Code, reason directory.Reason) error {
		return directory.Wrong(code, reason, "The core's message.")
	}
	member := directory.Invalid("members", directory.ReasonUserNotFound, `There is no user "x".`)
	member.Code = directory.CodeNotFound
	for _, test := range []struct {
		err           error
		status        int
		message, path string
	}{
		{wrong(directory.CodeNotFound, directory.ReasonRouteNotFound), 404, "The core's message.", ""},
		{wrong(directory.CodeNotFound, directory.ReasonUserNotFound), 410, "The core's message.", ""},
		{wrong(directory.CodeNotFound, directory.ReasonUserDeleted), 410, "The core's message.", ""},
		{wrong(directory.CodeNotFound, directory.ReasonGroupNotFound), 410, "Service team not found.", ""},
		{wrong(directory.CodeNotFound, directory.ReasonRoleNotFound), 410, "The core's message.", ""},
		{wrong(directory.CodeNotFound, directory.ReasonTenantNotFound), 410, "Entity not found.", ""},
		{wrong(directory.CodeForbidden, directory.ReasonOwnerProtected), 409, "The core's message.", ""},
		{wrong(directory.CodeForbidden, directory.ReasonRankTooLow), 401, "The core's message.", ""},
		{wrong(directory.CodeForbidden, directory.ReasonLoginTemporary), 401, "The core's message.", ""},
		{wrong(directory.CodeConflict, directory.ReasonNoAddress), 400, "The core's message.", ""},
		{wrong(directory.CodeConflict, directory.ReasonSelfLock), 409, "The core's message.", ""},
		{wrong(directory.CodeConflict, directory.ReasonOperatorOnly), 409, "The core's message.", ""},
		{wrong(directory.CodeConflict, directory.ReasonUserHeld), 409, "The core's message.", ""},
		{wrong(directory.CodeExhausted, directory.ReasonSeatExhausted), 409, "The core's message.", ""},
		{wrong(directory.CodeUnavailable, directory.ReasonSecretKey), 503, "The core's message.", ""},
		{wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge), 413, "The core's message.", ""},
		{member, 400, `Users: There is no user "x".`, "Users"},
		{directory.Invalid("groups", directory.ReasonGroupNotFound, `There is no group "x".`), 400, `ServiceTeamID: There is no group "x".`, "ServiceTeamID"},
		{directory.Invalid("given_name", directory.ReasonFieldLength, "given_name must be at most 256 characters."), 400,
			"FirstName must be at most 256 characters.", "FirstName"},
		{directory.Invalid("user_name", directory.ReasonFieldFormat, "user_name: Use no space."), 400, "UserID: Use no space.", "UserID"},
		{directory.Invalid("Extensions.a", directory.ReasonFieldFormat, "Extensions.a must be a string."), 400, "Extensions.a must be a string.", "Extensions.a"},
		{errors.New("dial tcp 10.0.0.1"), 500, "Something went wrong on the server: error id 0123456789abcdef.", ""},
	} {
		response := d.onError(request(t), &failure{err: test.err})
		var body struct {
			Detail struct{ Message, DataPath string }
		}
		if err := json.Unmarshal(response.Body, &body); err != nil {
			t.Errorf("%v: %v", test.err, err)
		}
		if response.Status != test.status || body.Detail.Message != test.message || body.Detail.DataPath != test.path {
			t.Errorf("%v: %d %+v, want %d %q %q", test.err, response.Status, body, test.status, test.message, test.path)
		}
	}
}

// TestVendorNames: every field that the core can complain about has the
// vendor's name.
func TestVendorNames(t *testing.T) {
	for core, vendor := range fieldNames {
		if strings.ToLower(vendor) == vendor && vendor != "" {
			t.Errorf("%s is called %q", core, vendor)
		}
	}
}

// TestProblem: the second published shape (dossier 4.1).
func TestProblem(t *testing.T) {
	d := newDoor(Options{Errors: ShapeProblem})
	var f faults
	f.wrongType("Phones[1].PhoneNum", "a string", []byte("2"))
	f.required("Password")
	response := d.onError(request(t), &failure{err: f.err(), values: f.values})
	want := `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Phones[1].PhoneNum must be a string. Password is required.","invalidParams":[` +
		`{"name":"PhoneNum","reason":"Phones[1].PhoneNum must be a string.","path":"Phones[1].PhoneNum","value":"2"},` +
		`{"name":"Password","reason":"Password is required.","path":"Password","value":""}]}`
	if string(response.Body) != want {
		t.Errorf("%s", response.Body)
	}
	for warning, want := range map[string]string{"": `{"status":200}`, "Take care.": `{"status":200,"detail":"Take care."}`} {
		if response, err := d.okResponse(warning); err != nil || string(response.Body) != want {
			t.Errorf("%s %v", response.Body, err)
		}
	}
}

// TestRetryAfter: over a limit, and when the server cannot answer now.
func TestRetryAfter(t *testing.T) {
	d := newDoor(Options{})
	for code, status := range map[directory.Code]int{directory.CodeRateLimited: 429, directory.CodeUnavailable: 503} {
		for retry, want := range map[time.Duration]string{0: "1", 1500 * time.Millisecond: "2"} {
			err := directory.Wrong(code, "some.reason", "Later.")
			err.Retry = retry
			response := d.onError(request(t), err)
			if response.Status != status || len(response.Header) != 1 || response.Header[0] != [2]string{"Retry-After", want} {
				t.Errorf("%s, %s: %d %v", code, retry, response.Status, response.Header)
			}
		}
	}
}

// TestManyViolations: a small request must not get a large answer.
func TestManyViolations(t *testing.T) {
	for name, d := range shapes() {
		for _, body := range []string{
			`{"Phones":[` + strings.Repeat(`1,`, 4000) + `1]}`,
			`{"Extensions":{` + strings.Repeat(`"a":1,`, 4000) + `"b":1}}`,
			`{"Locked":"` + strings.Repeat("x", 100_000) + `"}`,
		} {
			object, err := web.DecodeObject([]byte(body), maxDepth)
			if err != nil {
				t.Fatal(err)
			}
			x := &exchange{ids: []string{"u"}}
			userReplacement(x, object)
			response := d.onError(request(t), &failure{err: x.faults.err(), values: x.faults.values})
			if len(response.Body) > 6000 || response.Status != 400 {
				t.Errorf("%s: status %d, %d bytes", name, response.Status, len(response.Body))
			}
		}
	}
}

// TestSecretsAreNotRepeated: a password never comes back, whatever its type.
func TestSecretsAreNotRepeated(t *testing.T) {
	for _, body := range []string{`{"Password":["hunter2"]}`, `{"password":{"a":"hunter2"}}`} {
		object, err := web.DecodeObject([]byte(body), maxDepth)
		if err != nil {
			t.Fatal(err)
		}
		x := &exchange{ids: []string{"u"}}
		userReplacement(x, object)
		readCreateToken(x, object)
		readImpersonate(x, object)
		for name, d := range shapes() {
			response := d.onError(request(t), &failure{err: x.faults.err(), values: x.faults.values})
			if strings.Contains(string(response.Body), "hunter2") || response.Status != 400 {
				t.Errorf("%s: %s", name, response.Body)
			}
		}
	}
}
