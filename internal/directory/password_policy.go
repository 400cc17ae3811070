package directory

// CheckPassword applies a tenant's policy; minLength is the door's own.
func CheckPassword(p PasswordPolicy, u *User, password string, minLength int) error { panic("stub") }

func passwordTooLong() *Error {
	return Invalid(FieldPassword.String(), ReasonPasswordTooLong, "Use a password of at most %d bytes.", MaxPasswordBytes)
}
