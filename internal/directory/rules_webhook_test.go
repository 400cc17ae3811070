package directory_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// An endpoint is made with a secret that is shown once and sealed.
func TestRulesWebhookCreate(t *testing.T) {
	f := newFixture(t)
	f.sending()
	changed := 0
	f.svc = directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t), WebhooksChanged: func() { changed++ }})
	company := f.company("A", f.root)
	mark := f.mark()
	in := newWebhook()
	in.Types, in.Companies, in.ExceptOrigins = []directory.EventType{"user.*", "user.*"}, []int64{company, company}, []string{"credential:x"}
	w, secret, err := f.svc.CreateWebhook(f.ctx, f.sys(), in)
	check(t, err)
	f.secret(string(secret), "canary-in-a-url")
	if !strings.HasPrefix(string(secret), "whsec_") || len(secret) != 6+44 || w.Version != 1 || len(w.Types) != 1 || len(w.Companies) != 1 || w.State != directory.WebhookActive || changed != 1 {
		t.Errorf("made %+v", w)
	}
	f.wantEvents(mark, directory.EventWebhookCreated)
	for table, text := range f.dump() {
		if strings.Contains(text, strings.TrimPrefix(string(secret), "whsec_")) {
			t.Errorf("%s holds the secret", table)
		}
	}
	list := must(f.svc.Webhooks(f.ctx, f.sys()))(t)
	if diff := cmp.Diff([]directory.WebhookDetail{f.hook(w.ID)}, list); diff != "" {
		t.Error(diff)
	}
	_, _, err = directory.New(f.store, directory.Options{Now: f.clock.now}).CreateWebhook(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeUnavailable, directory.ReasonSecretKey)
}

// What cannot be an endpoint is refused, with every fault at once.
func TestRulesWebhookInvalid(t *testing.T) {
	f := newFixture(t)
	f.sending()
	for url, reason := range map[string]directory.Reason{
		"": directory.ReasonFieldRequired, "https://example.com/" + strings.Repeat("x", 2048): directory.ReasonFieldLength,
		"example.com/x": directory.ReasonWebhookURL, "/x": directory.ReasonWebhookURL, "https:///x": directory.ReasonWebhookURL,
		"https:x": directory.ReasonWebhookURL, "ftp://example.com": directory.ReasonWebhookURL, "https://a:b@example.com": directory.ReasonWebhookURL,
		"https://example.com/#": directory.ReasonWebhookURL, "https://example.com/#a": directory.ReasonWebhookURL, "https://exa mple.com": directory.ReasonWebhookURL,
		"https://example.com/\x00": directory.ReasonFieldFormat, "https://10.0.0.1/": directory.ReasonWebhookURL, "https://example.com:99999999x/": directory.ReasonWebhookURL,
	} {
		in := newWebhook()
		in.URL = url
		_, _, err := f.svc.CreateWebhook(f.ctx, f.sys(), in)
		wantError(t, err, directory.CodeInvalid, reason)
	}
	many := slices.Repeat([]string{"x"}, directory.MaxWebhookFilters+1)
	_, _, err := f.svc.CreateWebhook(f.ctx, f.sys(), directory.NewWebhook{URL: "x", Types: []directory.EventType{"user.flew"}, Companies: make([]int64, 101), ExceptOrigins: many})
	want := []string{"name field.required", "url webhook.url", "types field.value", "companies field.length", "except_origins field.length"}
	if diff := cmp.Diff(want, fieldReasons(err)); diff != "" {
		t.Error(diff)
	}
	for origin, reason := range map[string]directory.Reason{"": directory.ReasonFieldValue, "credential:" + strings.Repeat("x", 201): directory.ReasonFieldLength,
		"key:payroll": directory.ReasonFieldValue, "user:": directory.ReasonFieldValue, "payroll": directory.ReasonFieldValue} {
		in := newWebhook()
		in.ExceptOrigins = []string{origin}
		_, _, err := f.svc.CreateWebhook(f.ctx, f.sys(), in)
		wantError(t, err, directory.CodeInvalid, reason)
	}
	in := newWebhook()
	in.Companies = []int64{f.root, 987_654}
	_, _, err = f.svc.CreateWebhook(f.ctx, f.sys(), in)
	wantError(t, err, directory.CodeInvalid, directory.ReasonCompanyNotFound)
	h := f.webhook()
	_, err = f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookState("asleep"))})
	wantError(t, err, directory.CodeInvalid, directory.ReasonFieldValue)
	check(t, second(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{URL: directory.Some("http://example.com")})))
	plain := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
	_, err = plain.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{URL: directory.Some("http://example.com/2")})
	wantError(t, err, directory.CodeInvalid, directory.ReasonWebhookURL)
}

// An endpoint changes only on its version's condition, and nothing is written
// where nothing changes.
func TestRulesWebhookEdit(t *testing.T) {
	f := newFixture(t)
	f.sending()
	h := f.webhook()
	mark := f.mark()
	same := must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{Name: directory.Some(h.Name), State: directory.Some(h.State)}))(t)
	if same.Version != 1 {
		t.Errorf("the version rose to %d", same.Version)
	}
	f.wantEvents(mark)
	call := f.sys()
	call.If = directory.Condition{Match: []int64{2}}
	wantError(t, second(f.svc.EditWebhook(f.ctx, call, h.ID, directory.WebhookPatch{Name: directory.Some("b")})), directory.CodeStale, directory.ReasonVersionMismatch)
	wantError(t, f.svc.DeleteWebhook(f.ctx, call, h.ID), directory.CodeStale, directory.ReasonVersionMismatch)
	next := must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{Name: directory.Some("b"), Types: directory.Some([]directory.EventType{"role.*"}),
		ExceptOrigins: directory.Some([]string{directory.OriginSelf, directory.OriginSelf}), State: directory.Some(directory.WebhookPaused)}))(t)
	if next.Version != 2 || next.Name != "b" || next.PauseReason == "" || !slices.Equal(next.ExceptOrigins, []string{"system:test"}) {
		t.Errorf("changed: %+v", next)
	}
	f.wantEvents(mark, directory.EventWebhookUpdated)
	check(t, f.svc.DeleteWebhook(f.ctx, f.sys(), h.ID))
	f.wantEvents(mark, directory.EventWebhookUpdated, directory.EventWebhookDeleted)
	other := f.in(f.newTenant("umbrella", directory.Settings{}))
	foreign := other.webhook()
	for _, id := range []string{h.ID, foreign.ID, "x", ""} {
		for _, err := range []error{second(f.svc.Webhook(f.ctx, f.sys(), id)), second(f.svc.EditWebhook(f.ctx, f.sys(), id, directory.WebhookPatch{})),
			f.svc.DeleteWebhook(f.ctx, f.sys(), id), second(f.svc.TestWebhook(f.ctx, f.sys(), id)), second(f.svc.Deliveries(f.ctx, f.sys(), id, "", "", 5)),
			second(f.svc.RetryDelivery(f.ctx, f.sys(), id, 1)), f.svc.DropDelivery(f.ctx, f.sys(), id, 1), f.svc.RemoveWebhookSecret(f.ctx, f.sys(), id, "x"),
			second(f.svc.ReplayWebhook(f.ctx, f.sys(), id, directory.ReplayRange{}))} {
			wantError(t, err, directory.CodeNotFound, directory.ReasonWebhookNotFound)
		}
	}
}

// Several secrets are active at once; the last one stays.
func TestRulesWebhookSecrets(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook()
	made, secret, err := f.svc.AddWebhookSecret(f.ctx, f.sys(), h.ID)
	check(t, err)
	f.secret(string(secret))
	check(t, second(f.svc.TestWebhook(f.ctx, f.sys(), h.ID)))
	if m := e.got[0]; len(m.Secrets) != 2 || m.Secrets[1] != secret || !m.Test || m.Event.Type != directory.EventWebhookTest || m.Event.Erased() {
		t.Errorf("tested with %+v", m.Event)
	}
	wantError(t, f.svc.RemoveWebhookSecret(f.ctx, f.sys(), h.ID, "x"), directory.CodeNotFound, directory.ReasonWebhookSecretNotFound)
	check(t, f.svc.RemoveWebhookSecret(f.ctx, f.sys(), h.ID, h.Secrets[0].ID))
	wantError(t, f.svc.RemoveWebhookSecret(f.ctx, f.sys(), h.ID, made.ID), directory.CodeConflict, directory.ReasonWebhookLastSecret)
	for range directory.MaxWebhookSecrets - 1 {
		_, more, err := f.svc.AddWebhookSecret(f.ctx, f.sys(), h.ID)
		check(t, err)
		f.secret(string(more))
	}
	_, _, err = f.svc.AddWebhookSecret(f.ctx, f.sys(), h.ID)
	wantError(t, err, directory.CodeExhausted, directory.ReasonWebhookTooManySecrets)
}

// A test message changes nothing, works on an endpoint that is paused, and one at
// a time.
func TestRulesWebhookTest(t *testing.T) {
	f := newFixture(t)
	e := f.sending()
	h := f.webhook()
	must(f.svc.EditWebhook(f.ctx, f.sys(), h.ID, directory.WebhookPatch{State: directory.Some(directory.WebhookPaused)}))(t)
	dump := f.dump()
	var inside error
	e.answer = func(*directory.Message) directory.Receipt {
		if inside == nil {
			inside = errors.New("asked")
			e.mu.Unlock()
			inside = second(f.svc.TestWebhook(f.ctx, f.sys(), h.ID))
			e.mu.Lock()
		}
		return refused
	}
	if r := must(f.svc.TestWebhook(f.ctx, f.sys(), h.ID))(t); r.Status != 400 {
		t.Errorf("it answered %+v", r)
	}
	wantError(t, inside, directory.CodeConflict, directory.ReasonWebhookTesting)
	f.wantUnchanged(dump, "a test")
	plain := directory.New(f.store, directory.Options{Now: f.clock.now, Sealer: testSealer(t)})
	wantError(t, second(plain.TestWebhook(f.ctx, f.sys(), h.ID)), directory.CodeUnavailable, directory.ReasonWebhookOff)
}

// A tenant has a bounded number of endpoints, and a key makes one for each
// idempotency key.
func TestRulesWebhookBounds(t *testing.T) {
	f := newFixture(t)
	f.sending()
	secret := f.key(adminRank)
	once := func() error {
		call := f.atCanonical(secret)
		call.Idempotency = &directory.Idempotency{Key: "k", Request: []byte("r"), Answer: func(created any) ([]byte, error) {
			made := created.(directory.MadeWebhook)
			f.secret(string(made.Secret))
			return []byte(made.Webhook.ID), nil
		}}
		_, _, err := f.svc.CreateWebhook(f.ctx, call, newWebhook())
		return err
	}
	check(t, once())
	if _, ok := errors.AsType[*directory.Replay](once()); !ok {
		t.Error("the repetition made another one")
	}
	for range directory.MaxWebhooks - 1 {
		f.webhook()
	}
	_, _, err := f.svc.CreateWebhook(f.ctx, f.sys(), newWebhook())
	wantError(t, err, directory.CodeExhausted, directory.ReasonWebhookTooMany)
}

// Deliveries come in pages, whose cursors are good for nothing else.
func TestRulesWebhookDeliveries(t *testing.T) {
	f := newFixture(t)
	f.sending()
	h, other := f.webhook(), f.webhook()
	for i := range int64(5) {
		f.park(h.Webhook, i+1)
	}
	page := must(f.svc.Deliveries(f.ctx, f.sys(), h.ID, "", "", 3))(t)
	rest := must(f.svc.Deliveries(f.ctx, f.sys(), h.ID, "", page.Next, 3))(t)
	if len(page.Deliveries) != 3 || len(rest.Deliveries) != 2 || rest.Deliveries[0].Position != 4 || rest.Next != "" {
		t.Errorf("pages: %+v %+v", page, rest)
	}
	for _, err := range []error{second(f.svc.Deliveries(f.ctx, f.sys(), other.ID, "", page.Next, 3)), second(f.svc.Deliveries(f.ctx, f.sys(), h.ID, directory.DeliveryDead, page.Next, 3)),
		second(f.svc.Deliveries(f.ctx, f.sys(), h.ID, "", "forged", 3))} {
		wantError(t, err, directory.CodeInvalid, directory.ReasonCursorInvalid)
	}
	wantError(t, second(f.svc.Deliveries(f.ctx, f.sys(), h.ID, "lost", "", 3)), directory.CodeInvalid, directory.ReasonFieldValue)
	wantError(t, second(f.svc.Deliveries(f.ctx, f.sys(), h.ID, "", "", 0)), directory.CodeInvalid, directory.ReasonFieldValue)
}
