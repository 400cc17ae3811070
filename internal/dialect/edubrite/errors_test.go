package edubrite

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// envelope is an answer as an XML parser sees it.
type envelope struct {
	XMLName xml.Name `xml:"response"`
	Code    string   `xml:"code,attr"`
	Msgs    []struct {
		Code  string `xml:"code"`
		Value string `xml:"value"`
	} `xml:"msgs>msg"`
	Users []struct {
		ID         string `xml:"id,attr"`
		UserName   string `xml:"userName"`
		FirstName  string `xml:"firstName"`
		Properties []struct {
			Name  string `xml:"name"`
			Value string `xml:"value"`
		} `xml:"customProperties>prop"`
	} `xml:"data>user"`
}

func parse(t testing.TB, body []byte) envelope {
	t.Helper()
	var e envelope
	if err := xml.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return e
}

// request is a bare request for the error writer, as the kit would hand it
// over after an internal error.
func request(t testing.TB) *web.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/oltpublish/site/userService.do", nil)
	return &web.Request{Request: r, Event: &web.Event{RequestID: "request-1", ErrorID: "0123456789abcdef"}}
}

func newDoor() *door { return New(directory.New(nil, directory.Options{}), Options{}).(*door) }

// TestEveryCodeHasAnAnswer proves the error table total over the closed set of
// codes, that an error of no code is internal, and that status and root agree
// (dossier 5.14).
func TestEveryCodeHasAnAnswer(t *testing.T) {
	d := newDoor()
	for _, code := range append(directory.Codes(), "no such code") {
		response := d.onError(request(t), &directory.Error{Code: code, Reason: "some.reason", Message: "The message."})
		if response.Status < 400 || response.Status > 599 || response.ContentType != "text/xml;charset=UTF-8" {
			t.Errorf("%s: %d %s", code, response.Status, response.ContentType)
		}
		if (code == directory.CodeInternal || code == "no such code") != (response.Status == http.StatusInternalServerError) {
			t.Errorf("%s: status %d", code, response.Status)
		}
		e := parse(t, response.Body)
		if e.Code != "-1" || len(e.Msgs) != 1 || e.Msgs[0].Code == "" || e.Msgs[0].Value == "" {
			t.Errorf("%s: %s", code, response.Body)
		}
	}
	if len(byCode) != len(directory.Codes()) {
		t.Errorf("the table has %d rows for %d codes", len(byCode), len(directory.Codes()))
	}
	for reason, row := range byReason {
		if row.status < 400 || row.code == "" {
			t.Errorf("%s: %+v", reason, row)
		}
	}
}

// TestErrorBodies checks the texts of the seed letter for letter, and what the
// vendor has no text for.
func TestErrorBodies(t *testing.T) {
	d := newDoor()
	wrong := func(code directory.Code, reason directory.Reason) error {
		return directory.Wrong(code, reason, "The core's message.")
	}
	list := &directory.Error{Code: directory.CodeInvalid, Fields: []directory.FieldError{
		{Field: "users[3].given_name", Message: "given_name is required."}, {Field: "users[12].web_mdn", Message: "web_mdn is odd."},
		{Field: "users[x].email", Message: "odd."}}}
	for _, test := range []struct {
		err         error
		status      int
		code, value string
	}{
		{wrong(directory.CodeNotFound, directory.ReasonUserNotFound), 404, "0004", "Unable to find User with matching id"},
		{wrong(directory.CodeNotFound, directory.ReasonUserDeleted), 404, "0004", "Unable to find User with matching id"},
		{wrong(directory.CodeUnauthenticated, directory.ReasonCredentialMissing), 401, "0005", "You are not allowed to perform this action."},
		{wrong(directory.CodeForbidden, directory.ReasonRankTooLow), 401, "0005", "You are not allowed to perform this action."},
		{wrong(directory.CodeForbidden, directory.ReasonOwnerProtected), 401, "0005", "You are not allowed to perform this action."},
		{wrong(directory.CodeUnauthenticated, directory.ReasonClientInvalid), 401, "0005", "You are not allowed to perform this action."},
		{wrong(directory.CodeNotFound, directory.ReasonGroupNotFound), 404, "-1", "Unable to find Group with matching id"},
		{directory.Invalid("groups", directory.ReasonGroupNotFound, "There is no group."), 404, "-1", "Unable to find Group with matching id"},
		{wrong(directory.CodeNotFound, directory.ReasonRouteNotFound), 404, "-1", "The core's message."},
		{taken(wrong(directory.CodeConflict, directory.ReasonUserNameTaken), map[directory.Reason]string{directory.ReasonUserNameTaken: "jdoe"}),
			404, "0026", "jdoe already present. Please rename them"},
		{taken(wrong(directory.CodeConflict, directory.ReasonWriteConflict), map[directory.Reason]string{directory.ReasonUserNameTaken: "jdoe"}),
			409, "-1", "The core's message."},
		{wrong(directory.CodeStale, directory.ReasonVersionMismatch), 409, "-1", "The core's message."},
		{wrong(directory.CodeExhausted, directory.ReasonSeatExhausted), 409, "-1", "The core's message."},
		{directory.Invalid("given_name", directory.ReasonFieldLength, "given_name must be at most 256 characters."), 400, "-1",
			"firstName must be at most 256 characters."},
		{directory.Invalid("title", directory.ReasonFieldLength, "title must be at most 256 characters."), 400, "-1", "title must be at most 256 characters."},
		{list, 400, "-1", "firstname_3 is required. web_mdn is odd. odd."},
		{wrong(directory.CodeTooLarge, directory.ReasonBodyTooLarge), 413, "-1", "The core's message."},
		{wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests), 429, "-1", "Too many requests. Please try again later."},
		{wrong(directory.CodeUnavailable, directory.ReasonBusy), 503, "-1", "The server is busy. Please try again later."},
		{errors.New("dial tcp 10.0.0.1"), 500, "-1", "Something went wrong on the server: error id 0123456789abcdef"},
	} {
		response := d.onError(request(t), test.err)
		e := parse(t, response.Body)
		if response.Status != test.status || e.Msgs[0].Code != test.code || e.Msgs[0].Value != test.value {
			t.Errorf("%v: %d %s", test.err, response.Status, response.Body)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	limited := directory.Wrong(directory.CodeRateLimited, directory.ReasonTooManyRequests, "Too many.")
	limited.Retry = 1500 * time.Millisecond
	for want, err := range map[string]error{"2": limited, "1": directory.Wrong(directory.CodeUnavailable, directory.ReasonBusy, "Busy.")} {
		header := newDoor().onError(request(t), err).Header
		if got := header[len(header)-1]; got != [2]string{"Retry-After", want} {
			t.Errorf("%v: %v", err, header)
		}
	}
}

// TestManyViolations: a small request must not get a large answer.
func TestManyViolations(t *testing.T) {
	var f faults
	for range 5000 {
		f.add("siteRole", directory.ReasonFieldValue, "siteRole is odd.")
	}
	body := string(newDoor().onError(request(t), f.err()).Body)
	if len(body) > 1024 || !strings.Contains(body, " and 4980 more.") {
		t.Errorf("%d bytes: %.2000s", len(body), body)
	}
}
