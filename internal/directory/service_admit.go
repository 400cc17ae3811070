package directory

import "context"

// Admit verifies the call's credential and counts the call, and asks for
// nothing. A door uses it when it refuses input by itself, so that a caller
// without a valid credential, or over its limit, learns that first.
func (s *Service) Admit(ctx context.Context, call *Call) error {
	return s.enter(ctx, call, ActAdmit)
}
