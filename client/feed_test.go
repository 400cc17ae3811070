package client_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/directory"
)

// callFeed selects events, and reads the past.
func callFeed(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: "jo", Title: "Clerk"}}, client.Reason("hired")))(t)
	must(c.Users.Update(t.Context(), u.ID, client.UserPatch{Title: client.Set("Director")}, client.Reason("promoted")))(t)
	page := must(c.Events.List(t.Context(), client.EventQuery{User: u.ID, Types: []string{"user.*"}, Origin: client.OriginSelf, Since: u.CreatedAt}))(t)
	if len(page.Items) != 2 || page.Items[0].Reason != "hired" || page.Items[1].Version != 2 || page.Items[1].UserID != u.ID || page.NextCursor == "" {
		t.Fatalf("%+v", page)
	}
	promoted := page.Items[1]
	for name, q := range map[string]client.EventQuery{
		"by number, reason and door": {UserNumber: u.Number, Reason: "promoted", Door: "canonical"},
		"the newest":                 {Newest: true, PageQuery: client.PageQuery{Limit: 1}},
		"of the actor since then":    {Actor: promoted.Actor, Since: promoted.Time, Wait: time.Second},
	} {
		if page := must(c.Events.List(t.Context(), q))(t); len(page.Items) != 1 || page.Items[0].ID != promoted.ID {
			t.Errorf("%s: %+v", name, page)
		}
	}
	for e, err := range c.Events.All(t.Context(), client.EventQuery{ExceptOrigins: []string{client.OriginSelf}, Until: promoted.Time}) {
		if check(t, err); e.Origin == promoted.Origin {
			t.Errorf("an echo: %+v", e)
		}
	}
	past := must(c.Users.At(t.Context(), u.ID, page.Items[0].Time, client.Fields("title")))(t)
	if past.Title != "Clerk" || past.AsOf == nil || past.AsOf.Event != page.Items[0].ID || len(past.AsOf.Unknown) != 0 || past.ETag != "" {
		t.Errorf("%+v as of %+v", past, past.AsOf)
	}
	if _, err := c.Users.At(t.Context(), u.ID, u.CreatedAt.Add(-time.Hour)); !client.IsNotFound(err) {
		t.Errorf("before there was one: %v", err)
	}
	made := must(c.Events.Checkpoint(t.Context()))(t)
	read := must(directory.ParseCheckpoint(made.Line))(t)
	if read.Position != made.Position || made.Position < promoted.Position || made.Signature == "" {
		t.Errorf("%+v, %s", made, made.Line)
	}
}

// callWebhooks makes an endpoint that refuses whatever is sent.
func callWebhooks(t *testing.T, c *client.Client) {
	came := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		came <- r.Header.Get("webhook-id")
	}))
	t.Cleanup(srv.Close)
	made := must(c.Webhooks.Create(t.Context(), client.NewWebhook{Name: "desk", URL: srv.URL, Types: []string{"user.created"}}))(t)
	w := must(c.Webhooks.Get(t.Context(), made.ID))(t)
	if made.Secret == "" || w.Name != "desk" || w.ETag != `"1"` || made.ETag != w.ETag || w.State != client.WebhookActive || w.Replay != nil {
		t.Errorf("%+v, %+v", made, w)
	}
	second := must(c.Webhooks.AddSecret(t.Context(), w.ID))(t)
	check(t, c.Webhooks.RemoveSecret(t.Context(), w.ID, w.Secrets[0].ID))
	if result := must(c.Webhooks.Test(t.Context(), w.ID))(t); result.Delivered || result.Status != 400 {
		t.Errorf("a test: %+v", result)
	}
	<-came
	must(c.Users.Create(t.Context(), named("kim")))(t)
	<-came
	var d client.Delivery
	for d.Position == 0 && t.Context().Err() == nil { // it is noted once the endpoint has answered
		for next, err := range c.Webhooks.AllDeliveries(t.Context(), w.ID, client.DeliveryQuery{State: client.DeliveryWaiting}) {
			check(t, err)
			d = next
		}
	}
	if d.Type != "user.created" || d.LastStatus != 400 || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
	w = must(c.Webhooks.Update(t.Context(), w.ID, client.WebhookPatch{State: client.Set(client.WebhookPaused), Types: client.Null[[]string]()}))(t)
	if w.State != client.WebhookPaused || len(w.Types) != 0 || len(w.Secrets) != 1 || w.Secrets[0].ID != second.ID {
		t.Errorf("%+v", w)
	}
	if d := must(c.Webhooks.RetryDelivery(t.Context(), w.ID, d.Position))(t); d.State != client.DeliveryWaiting {
		t.Errorf("%+v", d)
	}
	check(t, c.Webhooks.DropDelivery(t.Context(), w.ID, d.Position))
	if n := must(c.Webhooks.Replay(t.Context(), w.ID, w.CreatedAt, time.Time{}))(t); n == 0 {
		t.Error("nothing is sent once more")
	}
	list := must(c.Webhooks.List(t.Context()))(t)
	if len(list) != 1 || list[0].ETag != w.ETag || list[0].Replay == nil {
		t.Errorf("%+v", list)
	}
	if err := c.Webhooks.Delete(t.Context(), w.ID, client.IfMatch(`"1"`)); !client.IsStale(err) {
		t.Errorf("another version: %v", err)
	}
	check(t, c.Webhooks.Delete(t.Context(), w.ID))
}

// callJobs cancels what waits for a date.
func callJobs(t *testing.T, c *client.Client) {
	u := must(c.Users.Create(t.Context(), client.NewUser{UserFields: client.UserFields{UserName: "lee", ExpiresAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}))(t)
	var found []client.Job
	for j, err := range c.Jobs.All(t.Context(), client.JobQuery{Kind: "expiry", State: client.JobWaiting, User: u.ID, PageQuery: client.PageQuery{Limit: 1}}) {
		check(t, err)
		found = append(found, j)
	}
	if len(found) != 1 || found[0].User != u.Number || found[0].RunAt.Year() != 2100 || !found[0].ClosedAt.IsZero() {
		t.Fatalf("%+v", found)
	}
	j := must(c.Jobs.Get(t.Context(), found[0].ID))(t)
	want(t, "job", &found[0], j)
	if j = must(c.Jobs.Cancel(t.Context(), j.ID))(t); j.State != client.JobCancelled || j.ClosedAt.IsZero() {
		t.Errorf("%+v", j)
	}
	if j = must(c.Jobs.Retry(t.Context(), j.ID))(t); !slices.Contains([]string{client.JobWaiting, client.JobRunning, client.JobDone}, j.State) {
		t.Errorf("%+v", j)
	}
	var kinds []string
	for _, j := range must(c.Jobs.List(t.Context(), client.JobQuery{}))(t).Items {
		kinds = append(kinds, j.Kind)
	}
	if !slices.Contains(kinds, "expiry") {
		t.Errorf("%v", kinds)
	}
}
