package user

import (
	"strconv"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// pastView is a user as it was at a moment.
type pastView struct {
	*sheet
	At      string // as the control has it
	Moment  time.Time
	Past    *directory.PastUser
	Was     []shown
	Changed []difference // since then
	Problem string
	Earlier []earlier
}

// earlier is a moment that is offered.
type earlier struct{ Text, Address string }

func numberText(n int64) string { return strconv.FormatInt(n, 10) }

// showPast shows a user as it was at a moment, and what is different now.
func (p *pages) showPast(r *page.Request) (web.Response, error) {
	s, err := read(r, "past")
	if err != nil {
		return web.Response{}, err
	}
	v := pastView{sheet: s, At: r.URL.Query().Get("at")}
	now := time.Now().UTC()
	for _, e := range []struct {
		text string
		ago  time.Duration
	}{{"an hour ago", time.Hour}, {"yesterday", 24 * time.Hour}, {"a week ago", 7 * 24 * time.Hour}, {"30 days ago", 30 * 24 * time.Hour}} {
		v.Earlier = append(v.Earlier, earlier{e.text, page.Link(s.Path+"/past", "at", now.Add(-e.ago).Format(momentLayout))})
	}
	if v.At != "" {
		p.lookBack(r, &v)
	}
	return r.Page(p.past, s.view("As of", &v))
}

// lookBack fills in what the user was; what stands in the way is said on the page.
func (p *pages) lookBack(r *page.Request, v *pastView) {
	var wanted directory.UserPatch
	if err := momentTo(func(p *directory.UserPatch) *directory.Opt[time.Time] { return &p.ValidFrom })(&wanted, v.At); err != nil {
		v.Problem = directory.AsError(err).Message
		return
	}
	v.Moment = wanted.ValidFrom.Value
	past, err := r.Kit.Service.UserAt(r.Context(), r.Call(), directory.ByNumber(v.User.Number), v.Moment)
	if err != nil {
		if v.Problem = directory.AsError(err).Message; directory.IsReason(err, directory.ReasonUserNotFound) {
			v.Problem = "There was no such user at that moment."
		}
		return
	}
	v.Past, v.Was = &past, facts(&past.User)
	v.Changed = differences(&past.User, &v.User, past.Unknown)
}
