package directory_test

import (
	"github.com/usher-id/usher/internal/directory"
)

// addPeopleRules are the methods behind the console's pages of users.
func addPeopleRules(rules map[string]methodRule) {
	onTarget := func(call func(w *world, c *directory.Call, ref directory.UserRef) error) func(w *world) func(c *directory.Call) error {
		return func(w *world) func(c *directory.Call) error {
			ref := w.target()
			return func(c *directory.Call) error { return call(w, c, ref) }
		}
	}
	rules["People"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, noCompany, func(w *world) func(c *directory.Call) error {
		return func(c *directory.Call) error {
			_, err := w.svc.People(w.ctx, c, directory.UserQuery{Company: w.outside, Limit: 10})
			return err
		}
	}}
	rules["Choices"] = methodRule{readerRank, directory.ScopeUsersRead, false, false, "", noPreparation(func(w *world, c *directory.Call) error {
		_, err := w.svc.Choices(w.ctx, c, 10)
		return err
	})}
	rules["UserSheet"] = methodRule{readerRank, directory.ScopeUsersRead, true, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UserSheet(w.ctx, c, ref)
		return err
	})}
	rules["UserHistory"] = methodRule{readerRank, directory.ScopeEvents, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.UserHistory(w.ctx, c, ref, nil, "", 10)
		return err
	})}
	rules["TemporaryPassword"] = methodRule{deskRank, directory.ScopePasswords, false, false, noUser, onTarget(func(w *world, c *directory.Call, ref directory.UserRef) error {
		_, err := w.svc.TemporaryPassword(w.ctx, c, ref)
		return err
	})}
}
