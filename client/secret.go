package client

import "log/slog"

// Secret is a password, a token or the secret of a credential. Printed or logged
// it is "[secret]"; string(s) is what it is.
type Secret string

const hidden = "[secret]"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// LogValue hides the secret from package log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
