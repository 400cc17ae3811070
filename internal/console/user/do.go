package user

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// deed is something that is done to a user.
type deed struct {
	Key, Text string
	Says      string // what becomes of the user
	Kind      string // of the button: "", "primary", "bad"
	Needs     string // "lock_reason", "name" (typed to confirm), "password" (how it is told), "why" (required), "hold" or "" for none
	Done      string // what is said afterwards
	head      bool   // offered in the head of the pages, and else on that of access
	action    directory.Action
	states    directory.StateSet // in which it can be done
	locked    directory.Opt[bool]
	run       func(*page.Request, directory.UserRef, url.Values) error
}

// fits reports whether a deed makes sense for a user.
func (d *deed) fits(u *directory.User) bool {
	return d.states.Has(u.State) && (!d.locked.Set || d.locked.Value == u.Locked)
}

// At once tells deeds whose button does them from those that ask before.
func (d deed) AtOnce() bool { return d.Key == "activate" || d.Key == "unlock" || d.Key == "restore" }

// user makes a run of a use case on one user.
func user(use func(r *page.Request, call *directory.Call, ref directory.UserRef) error) func(*page.Request, directory.UserRef, url.Values) error {
	return func(r *page.Request, ref directory.UserRef, form url.Values) error {
		call := r.Call()
		call.Reason = strings.TrimSpace(form.Get("reason"))
		return use(r, call, ref)
	}
}

var living, deleted = directory.LivingStates, directory.StatesOf(directory.StateDeleted)

// deeds are all, in the order of their buttons.
var deeds = []deed{
	{Key: "activate", Text: "Activate", Says: "The user may sign in and takes a seat of its licence type.", Kind: "primary", Done: "Active now.", head: true,
		action: directory.ActActivate, states: directory.StatesOf(directory.StateStaged, directory.StateInactive),
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			_, err := r.Kit.Service.Activate(r.Context(), call, ref)
			return err
		})},
	{Key: "unlock", Text: "Unlock", Says: "The user is let in again.", Kind: "primary", Done: "Unlocked.", head: true, action: directory.ActUnlock, states: living, locked: directory.Some(true),
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			_, err := r.Kit.Service.Unlock(r.Context(), call, ref)
			return err
		})},
	{Key: "deactivate", Text: "Deactivate", Says: "The user is signed out everywhere at once and cannot sign in until activated again. The seat is free; user name and address stay taken.", Done: "Inactive now.",
		head: true, action: directory.ActDeactivate, states: directory.StatesOf(directory.StateStaged, directory.StateActive),
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			_, err := r.Kit.Service.Deactivate(r.Context(), call, ref)
			return err
		})},
	{Key: "lock", Text: "Lock", Says: "The user is signed out everywhere at once and keeps the seat. Who tries to sign in is told the reason.", Needs: "lock_reason", Done: "Locked.", head: true,
		action: directory.ActLock, states: living, locked: directory.Some(false), run: lock},
	{Key: "delete", Text: "Delete", Says: "The user goes into the recycle bin: signed out at once, seat, name and address free.", Kind: "bad", Needs: "name", Done: "In the recycle bin.", head: true,
		action: directory.ActDelete, states: living,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			_, err := r.Kit.Service.DeleteUser(r.Context(), call, ref)
			return err
		})},
	{Key: "restore", Text: "Restore", Says: "The user comes back out of the recycle bin, as inactive.", Kind: "primary", Done: "Restored, as inactive.", head: true, action: directory.ActRestore, states: deleted,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			_, err := r.Kit.Service.RestoreUser(r.Context(), call, ref)
			return err
		})},
	{Key: "purge", Text: "Erase for good", Says: "The user is erased, and what its history says. Number and id are never given again. This cannot be undone.", Kind: "bad", Needs: "name", Done: "Erased.", head: true,
		action: directory.ActDelete, states: deleted,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			return r.Kit.Service.PurgeUser(r.Context(), call, ref)
		})},
	{Key: "password", Text: "Temporary password", Says: "The user is signed out everywhere, and must replace the password at the next sign-in.", Needs: "password", action: directory.ActReset, states: living,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			return r.Kit.Service.GeneratePassword(r.Context(), call, ref)
		}), Done: "A temporary password is on its way."},
	{Key: "reset", Text: "Mail a reset link", Says: "The user is mailed a link to set a new password. The old one stays good until then.", Done: "A link is on its way.", action: directory.ActReset, states: living,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			return r.Kit.Service.MailReset(r.Context(), call, ref)
		})},
	{Key: "sign-out", Text: "Sign out everywhere", Says: "Every session and token of the user ends at once, at every door.", Done: "Signed out everywhere.", action: directory.ActSignOut, states: living,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			return r.Kit.Service.SignOutEverywhere(r.Context(), call, ref)
		})},
	{Key: "factor", Text: "Remove the second factor", Says: "For who has lost the phone: the next sign-in needs the password alone, or sets a new one up where one is required.", Kind: "bad", Done: "The second factor is gone.",
		action: directory.ActSecondFactor, states: living,
		run: user(func(r *page.Request, call *directory.Call, ref directory.UserRef) error {
			return r.Kit.Service.RemoveSecondFactor(r.Context(), call, ref, "")
		})},
	{Key: "impersonate", Text: "Act as this user", Says: "For an hour at most you see the console as this user does. All that you do is recorded with your own name.", Needs: "why", action: directory.ActImpersonate,
		states: directory.StatesOf(directory.StateActive)},
}

func deedOf(key string) (*deed, bool) {
	i := slices.IndexFunc(deeds, func(d deed) bool { return d.Key == key })
	if i < 0 {
		return nil, false
	}
	return &deeds[i], true
}

func lock(r *page.Request, ref directory.UserRef, form url.Values) error {
	reason := int64(0)
	if text := form.Get("lock_reason"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || n > directory.MaxNumber {
			return directory.Invalid("lock_reason", directory.ReasonFieldValue, "This is no number of a lock reason.")
		}
		reason = n
	}
	call := r.Call()
	call.Reason = strings.TrimSpace(form.Get("reason"))
	_, err := r.Kit.Service.Lock(r.Context(), call, ref, reason)
	return err
}

// askView asks before something is done to a user.
type askView struct {
	*sheet
	Deed    *deed
	Reasons []choice
	More    bool // lock reasons
	Reason  string
	Why     string
	How     string // a temporary password is told
	Typed   string
	Faults  page.Faults
	// Held and Seat say what stands in the way, so that the page can say what to do.
	Held, Seat bool
}

func (p *pages) showAsk(r *page.Request) (web.Response, error) {
	return p.asking(r, askView{How: "shown"}, nil)
}

// asking shows the page that asks, or with a refusal what stands in the way.
func (p *pages) asking(r *page.Request, v askView, refusal error) (web.Response, error) {
	var err error
	if v.sheet, err = read(r, "do"); err != nil {
		return web.Response{}, err
	}
	var known bool
	if v.Deed, known = deedOf(r.PathValue("deed")); !known {
		return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonUserNotFound, "There is no such page.")
	}
	if v.Deed.Needs == "lock_reason" {
		choices, err := r.Kit.Service.Choices(r.Context(), r.Call(), choicesShown)
		if err != nil {
			return web.Response{}, err
		}
		v.Reasons, v.More = reasonsFor(&choices, &v.Company), choices.MoreLockReasons
	}
	view := v.view(v.Deed.Text, &v)
	if refusal != nil {
		var ok bool
		if v.Faults, ok = page.FaultsOf(refusal, nil); !ok {
			return web.Response{}, refusal
		}
		v.Held = directory.IsReason(refusal, directory.ReasonUserHeld)
		v.Seat = directory.CodeOf(refusal) == directory.CodeExhausted
		if _, whole := v.Faults[""]; !whole {
			v.Faults[""] = directory.AsError(refusal).Message
		}
		view.Status = http.StatusUnprocessableEntity
	}
	if r.Partial() {
		return r.Fragment(p.ask, "ask", view)
	}
	return r.Page(p.ask, view)
}

// reasonsFor are the lock reasons that serve users of a company.
func reasonsFor(c *directory.Choices, company *directory.Company) []choice {
	list := []choice{{"", "Without a reason"}}
	for i := range c.LockReasons {
		if slices.Contains(company.Path, c.LockReasons[i].Company) {
			list = append(list, choice{strconv.FormatInt(c.LockReasons[i].Number, 10), c.LockReasons[i].Name})
		}
	}
	return list
}

// do does what was asked about.
func (p *pages) do(r *page.Request) (web.Response, error) {
	form, err := r.Form()
	if err != nil {
		return web.Response{}, err
	}
	d, known := deedOf(r.PathValue("deed"))
	if !known {
		return web.Response{}, directory.Wrong(directory.CodeNotFound, directory.ReasonUserNotFound, "There is no such page.")
	}
	v := askView{Reason: form.Get("lock_reason"), Why: form.Get("reason"), How: form.Get("how"), Typed: form.Get("name")}
	number := r.Number("number")
	ref, path := directory.ByNumber(number), "/users/"+strconv.FormatInt(number, 10)
	switch {
	case d.Needs == "name":
		if err := confirmed(r, v.Typed); err != nil {
			return p.asking(r, v, err)
		}
	case d.Key == "impersonate":
		return p.impersonate(r, v, ref)
	case d.Needs == "password" && v.How == "shown":
		return p.showPassword(r, v, ref)
	}
	if err := d.run(r, ref, form); err != nil {
		return p.asking(r, v, err)
	}
	if d.Key == "purge" {
		return r.Done("/users", d.Done), nil
	}
	if !d.head {
		path += "/access"
	}
	return r.Done(path, d.Done), nil
}

// confirmed checks that the person typed the user name of whom it is about.
func confirmed(r *page.Request, typed string) error {
	s, err := read(r, "")
	if err == nil && strings.TrimSpace(typed) != s.User.UserName {
		err = directory.Invalid("name", directory.ReasonFieldValue, "Type the user name to confirm: %s", s.User.UserName)
	}
	return err
}

// secretView has what is shown only once.
type secretView struct {
	*sheet
	Secret string
}

// showPassword sets a temporary password and shows it, once.
func (p *pages) showPassword(r *page.Request, v askView, ref directory.UserRef) (web.Response, error) {
	call := r.Call()
	call.Reason = strings.TrimSpace(v.Why)
	password, err := r.Kit.Service.TemporaryPassword(r.Context(), call, ref)
	if err != nil {
		return p.asking(r, v, err)
	}
	s, err := read(r, "access")
	if err != nil {
		return web.Response{}, err
	}
	return r.Page(p.secret, s.view("Temporary password", &secretView{s, string(password)}))
}

// impersonate begins to act as a user.
func (p *pages) impersonate(r *page.Request, v askView, ref directory.UserRef) (web.Response, error) {
	call := r.Call()
	call.Reason = strings.TrimSpace(v.Why)
	token, _, err := r.Kit.Service.ActAsUser(r.Context(), call, ref)
	if err != nil {
		return p.asking(r, v, err)
	}
	resp := r.Redirect("/")
	r.Act(&resp, directory.Secret(token))
	return resp, nil
}
