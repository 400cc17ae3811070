package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

// newcomers are the people whom a run makes on a server that is somebody's, to
// change them instead of anybody else, and deletes at its end.
type newcomers struct {
	site   *Site
	dir    string // below which their ids are kept
	prefix string // of their user names
	file   *os.File
	ids    []string // of all who may have been made
	list   []Person // who were made
}

// grow makes people until there are n. Their ids are in the file before the
// server hears of them: who kills the program finds there whom to look at.
func (o *newcomers) grow(ctx context.Context, n int) error {
	missing := n - len(o.list)
	if missing <= 0 {
		return nil
	}
	if err := o.keep(); err != nil {
		return err
	}
	fresh := make([]string, missing)
	for i := range fresh {
		fresh[i] = uuid.NewString()
	}
	if _, err := o.file.WriteString(strings.Join(fresh, "\n") + "\n"); err != nil {
		return err
	}
	if err := o.file.Sync(); err != nil {
		return err
	}
	for _, id := range fresh {
		if err := ctx.Err(); err != nil {
			return err
		}
		o.ids = append(o.ids, id)
		if err := o.make(ctx, id); err != nil {
			return fmt.Errorf("make somebody of its own to change: %w", err)
		}
	}
	return nil
}

// keep opens the file, once.
func (o *newcomers) keep() (err error) {
	if o.file != nil {
		return nil
	}
	if o.dir == "" {
		return errors.New("there is no folder to keep the ids of those in whom the scenario changes")
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	o.prefix = "usher-bench-" + uuid.NewString()[:8]
	if o.file, err = os.OpenFile(filepath.Join(o.dir, o.prefix+".txt"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.file, "# users of %s whom usher bench may have left: their user names begin with %s\n", o.site.URL, o.prefix)
	return err
}

// make makes one person over the canonical API, which takes an id that is
// brought. A request that is on its way is not broken off.
func (o *newcomers) make(ctx context.Context, id string) error {
	p := newcomer(o.prefix, int64(len(o.ids)))
	p.ID = id
	var answered []byte
	create := Reversal{ID: id, Request: o.site.createCanonical(&p, ""), answered: &answered}
	if err := o.site.reverse(ctx, []Reversal{create}); err != nil {
		return err.Err
	}
	var made struct {
		ID, Status string
		Number     int64
	}
	if err := json.Unmarshal(answered, &made); err != nil || made.ID != id || made.Status != "active" {
		return fmt.Errorf("POST %s: the server's answer is not the active user that was asked for", canonicalUsers)
	}
	p.Number, p.Company, p.Active = made.Number, o.site.Company, true
	o.list = append(o.list, p)
	return nil
}

// people are the first n of them.
func (o *newcomers) people(n int) People {
	return People{Count: n, Company: o.site.Company, At: func(i int) Person { return o.list[i-1] }}
}

// close deletes them all, or deactivates who cannot be deleted, and removes the
// file unless somebody is left. The error is an *Unrestored then.
func (o *newcomers) close(ctx context.Context) error {
	if o.file == nil {
		return nil
	}
	_ = o.file.Close() // written and synced
	var list []Reversal
	for _, id := range o.ids {
		list = append(list, Reversal{ID: id, gone: true, Request: Request{Method: "DELETE", Path: canonicalUsers + "/" + id, Header: o.site.bearer()},
			instead: &Request{Method: "POST", Path: canonicalUsers + "/" + id + "/deactivate", Header: o.site.bearer()}})
	}
	if left := o.site.reverse(ctx, list); left != nil {
		left.Kept = o.file.Name()
		return left
	}
	return os.Remove(o.file.Name())
}

// Reversal is a request that leaves one user as it was found.
type Reversal struct {
	ID      string // of the user
	Request Request
	Done    func() // called once it succeeded; may be nil

	gone     bool     // the request deletes: that there is no such user is as good
	instead  *Request // where it is refused for good
	answered *[]byte  // where the body of the answer goes; may be nil
	again    bool     // sent once without an answer
}

// Unrestored is that users could not be left as they were found.
type Unrestored struct {
	IDs  []string
	Err  error  // the first cause
	Kept string // the file that has the ids; "" for none
}

// Error names everybody.
func (u *Unrestored) Error() string {
	text := fmt.Sprintf("%d users could not be set back (%v): %s", len(u.IDs), u.Err, strings.Join(u.IDs, ", "))
	if u.Kept != "" {
		text += "; the ids are in " + u.Kept
	}
	return text
}

// Unwrap leads to the first cause.
func (u *Unrestored) Unwrap() error { return u.Err }

// reverseWithin bounds how long users are set back: longer than the minute after
// which servers that limit requests take them again.
const reverseWithin = 90 * time.Second

// reverse sends what must be done even when the run was stopped: for a time of
// its own, past errors, and again after 429 and 503 when the server says. nil is
// that all of it was done.
func (s *Site) reverse(ctx context.Context, list []Reversal) *Unrestored {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reverseWithin)
	defer cancel()
	var left *Unrestored
	for len(list) > 0 {
		r := list[0]
		list = list[1:]
		answer, body, err := s.exchange(ctx, r.Request)
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		switch {
		case err == nil, r.gone && (status == http.StatusNotFound || status == http.StatusGone):
			if r.answered != nil {
				*r.answered = body
			}
			if r.Done != nil {
				r.Done()
			}
		case (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && await(ctx, retryAfter(answer)):
			list = append(list, r)
		case status == 0 && !r.again:
			r.again = true
			list = append(list, r)
		case r.instead != nil && status >= 400 && status < 500 && status != http.StatusTooManyRequests:
			r.Request, r.instead = *r.instead, nil
			list = append(list, r)
		default:
			if left == nil {
				left = &Unrestored{Err: err}
			}
			left.IDs = append(left.IDs, r.ID)
		}
	}
	return left
}

// retryAfter is how long a server wants to be left alone (RFC 9110 section
// 10.2.3), at least a twentieth of a second, and a second where it does not say.
func retryAfter(answer *http.Response) time.Duration {
	text := answer.Header.Get("Retry-After")
	wait := time.Second
	if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	} else if seconds, err := time.ParseDuration(text + "s"); err == nil {
		wait = seconds
	}
	return max(wait, 50*time.Millisecond)
}

// await waits; false is that ctx ends before.
func await(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// maxAnswer bounds an answer, in bytes: a page of 200 users is some hundred
// thousand.
const maxAnswer = 16 << 20

var errLarge = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)

// readBounded reads an answer's body.
func readBounded(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		return nil, errLarge
	}
	return text, err
}
