package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/usher-id/usher/client"
)

// exampleServer stands for a server in the examples: it answers what the canonical
// API answers, to these requests only.
func exampleServer() *httptest.Server {
	ada := `{"id":"3f0e1e9a-0000-4000-8000-000000000001","user_name":"ada","title":%q,"status":"active","version":%d}`
	answers := map[string]string{
		"POST /api/v1/users": fmt.Sprintf(ada, "", 1),
		"PATCH /api/v1/users/3f0e1e9a-0000-4000-8000-000000000001":           fmt.Sprintf(ada, "Director", 2),
		"POST /api/v1/users/3f0e1e9a-0000-4000-8000-000000000001/deactivate": `{"code":"conflict","reason":"user.held","status":409,"detail":"Open orders hold the user."}`,
		"GET /api/v1/users": `{"items":[` + fmt.Sprintf(ada, "Director", 2) + `],"next_cursor":null}`,
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.Method+" "+r.URL.Path]
		if r.Method == http.MethodPost && r.URL.Path != "/api/v1/users" {
			w.WriteHeader(http.StatusConflict)
		}
		w.Header().Set("ETag", `"1"`)
		_, _ = w.Write([]byte(answer))
	}))
}

func Example() {
	server := exampleServer() // yours is at https://users.example.com
	defer server.Close()
	ctx := context.Background()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	ada, err := c.Users.Create(ctx, client.NewUser{UserFields: client.UserFields{UserName: "ada"}}, client.Reason("hired"))
	if err != nil {
		fmt.Println(err)
		return
	}
	// Only if nobody has changed her meanwhile.
	ada, err = c.Users.Update(ctx, ada.ID, client.UserPatch{Title: client.Set("Director")}, client.IfMatch(ada.ETag))
	if err != nil {
		fmt.Println(err)
		return
	}
	for user, err := range c.Users.All(ctx, client.UserQuery{Filter: `title eq "Director"`}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(user.UserName, user.Title)
	}
	_, err = c.Users.Deactivate(ctx, ada.ID)
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Reason == "user.held" {
		fmt.Println("not yet:", refused.Explanation())
	}
	// Output:
	// ada Director
	// not yet: Open orders hold the user.
}

func ExampleEventService_Follow() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "id: Abc2\nevent: user.deactivated\ndata: {\"type\":\"user.deactivated\",\"user\":2576}\n\n")
	})) // yours is at https://users.example.com
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	// What others have done; Cursor is that of the last event that was dealt with.
	q := client.EventQuery{Types: []string{"user.*"}, ExceptOrigins: []string{client.OriginSelf}, PageQuery: client.PageQuery{Cursor: ""}}
	for event, err := range c.Events.Follow(context.Background(), q) {
		if err != nil {
			fmt.Println(err) // as feed.reset: read the directory anew
			return
		}
		fmt.Println(event.Type, event.User, "then go on from", event.Cursor)
		break // or go on until the context ends
	}
	// Output:
	// user.deactivated 2576 then go on from Abc2
}
