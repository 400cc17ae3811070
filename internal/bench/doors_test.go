package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// door is a vendor's client with its credential: the requests that turn a user
// on and off and read it.
type door struct {
	name                      string
	activate, deactivate, get func(u *directory.User) Request
}

// doors are a client of every door of a server, signed in where the vendor's
// own would be.
func doors(b *testing.B, p *process) []door {
	b.Helper()
	return []door{iqmetrix(), encore(), smartapp(), edubrite(b, p), servicemobility(b, p), canonical(), scim()}
}

func iqmetrix() door {
	request := func(method, after string) func(*directory.User) Request {
		return func(u *directory.User) Request {
			return Request{Method: method, Path: fmt.Sprintf("/v1/Users(%d)%s", u.Number, after), Header: line("Authorization", "Bearer "+Key)}
		}
	}
	return door{"iqmetrix", request("POST", "/Enable"), request("DELETE", ""), request("GET", "")}
}

func encore() door {
	request := func(method, after string) func(*directory.User) Request {
		return func(u *directory.User) Request {
			return Request{Method: method, Path: fmt.Sprintf("/users/v1/users/%d%s", u.Number, after), Header: line("Ocp-Apim-Subscription-Key", Key)}
		}
	}
	return door{"encore", request("PUT", "/active"), request("DELETE", "/active"), request("GET", "")}
}

func smartapp() door {
	request := func(method, path string) func(*directory.User) Request {
		return func(u *directory.User) Request {
			return Request{Method: method, Path: path + "?UniqueID=" + u.ID, Header: line("X-API-Key", Key)}
		}
	}
	return door{"smartapp", request("POST", "/user/activate"), request("POST", "/user/deactivate"), request("GET", "/user/get/uniqueid")}
}

// edubrite acts for the administrator in a session of the API user. Its
// clients write everything as forms.
func edubrite(b *testing.B, p *process) door {
	b.Helper()
	const site = "/oltpublish/site/"
	answer, _ := exchange(b, p, site+"connect.do", "application/x-www-form-urlencoded",
		url.Values{"username": {APIUser}, "password": {AdminSecret}}.Encode())
	var cookies []string
	for _, c := range answer.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	header := line("Cookie", strings.Join(cookies, "; ")) + line("REAL_UNAME", Admin+"||") + line("Content-Type", "application/x-www-form-urlencoded")
	request := func(dispatch string) func(*directory.User) Request {
		return func(u *directory.User) Request {
			form := url.Values{"dispatch": {dispatch}, "userName": {u.UserName}, "xml": {"true"}}
			return Request{Method: "POST", Path: site + "userService.do", Header: header, Body: form.Encode()}
		}
	}
	return door{"edubrite", request("activate"), request("deactivate"), request("get")}
}

// servicemobility has a token of the administrator. It has no verbs: a client
// writes the whole user as it was read, with another Activated.
func servicemobility(b *testing.B, p *process) door {
	b.Helper()
	_, body := exchange(b, p, "/createjwt", "application/json", fmt.Sprintf(`{"username":%q,"password":%q}`, Admin, AdminSecret))
	var signed struct{ Token string }
	if err := json.Unmarshal(body, &signed); err != nil || signed.Token == "" {
		b.Fatalf("no token: %v in %s", err, body)
	}
	header := line("x-access-token", signed.Token)
	path := func(u *directory.User) string { return "/seiapi/v3/trans/User/" + u.UserName }
	put := func(active bool) func(*directory.User) Request {
		return func(u *directory.User) Request {
			user := map[string]any{"UserID": u.UserName, "FirstName": u.GivenName, "LastName": u.FamilyName, "Email": u.Email, "Activated": active,
				"Phones": []map[string]string{{"PhoneNum": u.Phones[0].Number, "PhoneType": u.Phones[0].Type}}}
			object, err := json.Marshal(user)
			if err != nil {
				b.Fatal(err)
			}
			return Request{Method: "PUT", Path: path(u), Header: header + line("Content-Type", "application/json"), Body: string(object)}
		}
	}
	return door{"servicemobility", put(true), put(false), func(u *directory.User) Request {
		return Request{Method: "GET", Path: path(u), Header: header}
	}}
}

func line(name, value string) string { return name + ": " + value + "\r\n" }

// exchange sends what comes before a load, and must succeed.
func exchange(b *testing.B, p *process, path, contentType, body string) (*http.Response, []byte) {
	b.Helper()
	answer, err := http.Post("http://"+p.addr+path, contentType, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d %s %v", path, answer.StatusCode, text, err)
	}
	return answer, text
}

// check proves on a user that the door's requests do what they are measured
// for, as the iqmetrix door shows it.
func (d *door) check(b *testing.B, p *process, number int) {
	b.Helper()
	u, shows := User(number), iqmetrix()
	for _, want := range []bool{false, true} {
		request := d.deactivate(&u)
		if want {
			request = d.activate(&u)
		}
		once(b, p, request)
		var got struct{ IsActive bool }
		body := once(b, p, shows.get(&u))
		if err := json.Unmarshal(body, &got); err != nil || got.IsActive != want {
			b.Fatalf("%s: user %d is active: %v, want %v (%v)", d.name, number, got.IsActive, want, err)
		}
	}
}

// once sends a request as a load would and returns the body of the answer.
func once(b *testing.B, p *process, r Request) []byte {
	b.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(r.Append(nil)); err != nil {
		b.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %d %s %v", r.Method, r.Path, answer.StatusCode, body, err)
	}
	return body
}

// contender is a load with its figures.
type contender struct {
	name   string
	server *process
	load   Load
	figure figure
}

// Where many loads take turns the slices are shorter and more, so that what is
// compared is not far apart.
const (
	turns = 12
	turn  = time.Second
)

// compete measures all loads in alternate slices, after a slice of each that
// counts for nothing. Each begins a round in its turn, because what a slice
// leaves behind is paid for in the next one.
func compete(b *testing.B, list []contender) {
	b.Helper()
	for round := range turns + 1 {
		for i := range list {
			c := &list[(i+round)%len(list)]
			c.load.For = turn
			c.figure.measure(b, c.server, c.load)
		}
		if round == 0 {
			for i := range list {
				list[i].figure = figure{}
			}
		}
	}
}

// fastest is the contender with the highest rate.
func fastest(list []contender) *contender {
	best := &list[0]
	for i := range list {
		if median(list[i].figure.rates) > median(best.figure.rates) {
			best = &list[i]
		}
	}
	return best
}

// reportAll reports each contender beside the one that ratio names.
func reportAll(b *testing.B, list []contender, beside *contender, ratio string) {
	for i := range list {
		c := &list[i]
		b.Run(c.name, func(b *testing.B) {
			c.figure.report(b)
			b.ReportMetric(ratios(c.figure.rates, beside.figure.rates), ratio)
			b.ReportMetric(ratios(c.figure.cpu, beside.figure.cpu), "cpu-"+ratio)
		})
	}
}

// prepared writes the requests for users beforehand, so that the client has
// nothing to do but send them.
func prepared(first, count, step int, request func(*directory.User) Request) [][]byte {
	list := make([][]byte, count)
	for i := range list {
		u := User(first + i*step)
		r := request(&u)
		list[i] = r.Append(nil)
	}
	return list
}

// BenchmarkActivation activates and deactivates users of its own through every
// door, durably, and counts both. A door is as good as the others when its
// ratio to the fastest is 0.7 or more.
func BenchmarkActivation(b *testing.B) {
	const conns, each = 64, 250 // users of a connection
	server := usherOn(b, copyOf(b, seeded(b, 100_000)))
	var list []contender
	for i, d := range doors(b, server) {
		first := 1 + i*conns*each
		d.check(b, server, first)
		on, off := prepared(first, conns*each, 1, d.activate), prepared(first, conns*each, 1, d.deactivate)
		// Where a slice ends the next one goes on, so that every request changes
		// somebody.
		steps := make([]int, conns)
		list = append(list, contender{name: d.name, server: server, load: Load{Conns: conns, Accept: isOK, Next: func(buf []byte, conn, _ int) []byte {
			step := steps[conn]
			steps[conn]++
			user := conn*each + step/2%each
			if step%2 == 0 {
				return append(buf, off[user]...)
			}
			return append(buf, on[user]...)
		}}})
	}
	compete(b, list)
	reportAll(b, list, fastest(list), "ratio-to-fastest")
}

// BenchmarkGetByDoor reads one user through every door, at 100,000 users.
func BenchmarkGetByDoor(b *testing.B) {
	const users, asked = 100_000, 20_000
	server := usher(b, users)
	hello := bare(b)
	list := []contender{{name: "bare", server: hello, load: Load{Conns: 32, Accept: isOK, Next: get(func(int, int) string { return "/" })}}}
	for _, d := range doors(b, server) {
		requests := prepared(1, asked, users/asked, d.get)
		list = append(list, contender{name: d.name, server: server, load: Load{Conns: 32, Accept: isOK, Next: func(buf []byte, conn, n int) []byte {
			return append(buf, requests[(conn*7919+n*31)%asked]...)
		}}})
	}
	compete(b, list)
	reportAll(b, list[1:], &list[0], "ratio-to-bare")
}
