package load

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Remote is a server that runs already, and a sample of its users.
type Remote struct {
	site   Site
	addr   string
	host   string
	tls    *tls.Config
	people People
	own    newcomers
}

// remoteDoors are the doors that a key alone opens.
var remoteDoors = []string{"iqmetrix", "encore", "smartapp", "canonical", "scim"}

// Reach reads a sample of at most sample users of a server over the canonical
// API with an administrator's key. insecure takes any certificate.
func Reach(ctx context.Context, base, key string, sample int, insecure bool) (*Remote, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
		return nil, errors.New("url: give the server's address, as in https://users.example.com")
	}
	r := &Remote{addr: u.Host, host: u.Host}
	if u.Port() == "" {
		r.addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if u.Scheme == "https" {
		r.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure, NextProtos: []string{"http/1.1"}}
	}
	r.site = Site{URL: u.Scheme + "://" + u.Host, Key: key,
		HTTP: &http.Client{Timeout: answerWithin, Transport: &http.Transport{TLSClientConfig: r.tls, Proxy: http.ProxyFromEnvironment}}}
	r.own.site = &r.site
	return r, r.sample(ctx, sample)
}

// A page of the sample, and how many pages may hold fewer users than that.
const (
	samplePage = 200
	shortPages = 50
)

// sample reads users, page by page.
func (r *Remote) sample(ctx context.Context, most int) error {
	var list []Person
	pages := 0
	for cursor := ""; len(list) < most; {
		if pages++; pages > most/samplePage+shortPages {
			return fmt.Errorf("the server's list of users does not end: its first %d pages have %d", pages-1, len(list))
		}
		path := fmt.Sprintf("%s?limit=%d", canonicalUsers, samplePage)
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		_, body, err := r.site.exchange(ctx, Request{Method: "GET", Path: path, Header: r.site.bearer()})
		if err != nil {
			return err
		}
		var page struct {
			Items []struct {
				ID, Email, Status string
				Number, Company   int64
				Locked            bool
				UserName          string `json:"user_name"`
				GivenName         string `json:"given_name"`
				FamilyName        string `json:"family_name"`
				Phones            []struct{ Number string }
			}
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("the server's answer is no list of users: %w", err)
		}
		for _, u := range page.Items {
			p := Person{Number: u.Number, ID: u.ID, UserName: u.UserName, Email: u.Email, GivenName: u.GivenName, FamilyName: u.FamilyName,
				Company: u.Company, Active: u.Status == "active" && !u.Locked}
			if len(u.Phones) > 0 {
				p.Phone = u.Phones[0].Number
			}
			list = append(list, p)
		}
		if page.Next == nil || *page.Next == "" {
			break
		}
		cursor = *page.Next
	}
	if len(list) == 0 {
		return errors.New("the key sees no users")
	}
	list = list[:min(len(list), most)]
	r.site.Company = list[0].Company
	r.people = People{Count: len(list), Company: list[0].Company, At: func(i int) Person { return list[i-1] }}
	return nil
}

// ErrWrites is that a scenario changes something on a server whose users are
// somebody's.
var ErrWrites = errors.New("it changes users of a server that runs already: allow that with --writes")

// KeepIn names the folder in which the ids are kept of those whom scenarios
// change.
func (r *Remote) KeepIn(dir string) { r.own.dir = dir }

// Close deletes those whom scenarios changed, also when ctx has ended. An
// *Unrestored says who is left.
func (r *Remote) Close(ctx context.Context) error { return r.own.close(ctx) }

// Contender is a scenario through a door of the server. One that writes needs
// writes. One that changes users who are there makes its own, one for each
// connection: Close the server afterwards, also after an error.
func (r *Remote) Contender(ctx context.Context, scenario, door string, conns int, rate float64, writes bool) (*Contender, error) {
	s, err := FindScenario(scenario, door)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Writes && !writes:
		return nil, fmt.Errorf("scenario %s: %w", scenario, ErrWrites)
	case scenario == "login":
		return nil, errors.New("scenario login: it needs the passwords of the users, which only a seeded directory has")
	case scenario == "lookup-external-id":
		return nil, errors.New("scenario lookup-external-id: it needs users that the key has given external ids, which only a seeded directory has")
	case !slices.Contains(remoteDoors, door):
		return nil, fmt.Errorf("door %s: it needs somebody who signs in, which only a seeded directory has", door)
	}
	client, err := NewClient(ctx, door, &r.site)
	if err != nil {
		return nil, err
	}
	delete(client.LookUp, ByExternalID)
	if conns == 0 {
		conns = s.Conns
	}
	people := r.people
	if s.changes() {
		if err := r.own.grow(ctx, conns); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", scenario, err)
		}
		own := r.own.people(conns)
		people.Changed = &own
	}
	plan, err := s.NewPlan(client, people, r.host, conns)
	if err != nil {
		return nil, err
	}
	unknown := func() time.Duration { return 0 }
	c := &Contender{plan: plan, site: &r.site, own: s.changes(), cpu: unknown, databaseCPU: unknown,
		load: Load{Addrs: []string{r.addr}, TLS: r.tls, Conns: conns, Rate: rate, Next: plan.Next, Answered: plan.Answered}}
	c.Figure = Figure{Scenario: scenario, Door: door, Connections: conns, Rate: rate}
	return c, nil
}
