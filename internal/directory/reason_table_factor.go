package directory

// factorReasons are about the steps of signing in after the password.
func factorReasons() []ReasonInfo {
	return []ReasonInfo{
		{ReasonSignInExpired, CodeUnauthenticated, "The sign-in was not completed in time, or its password was changed meanwhile.",
			"Sign in again from the beginning."},
		{ReasonFactorRequired, CodeUnauthenticated, "The name and the password are right, and the person has a second factor: a code is missing.",
			"Send a code of the authenticator app, or a recovery code, with name and password."},
		{ReasonFactorMissing, CodeUnauthenticated, "The tenant asks this person for a second factor, and there is none.",
			"Sign in at the console, which leads to setting it up."},
		{ReasonFactorWrong, CodeUnauthenticated, "The code is wrong, belongs to another time, or was used already. Of a form it is an invalid field.",
			"Wait for the app's next code; check the clock of the device; or use a recovery code."},
		{ReasonFactorThere, CodeConflict, "The person has a second factor.",
			"Remove it before another one is set up."},
		{ReasonFactorNotFound, CodeNotFound, "The person has no second factor.",
			"Set one up, or read whether there is one."},
		{ReasonFactorEnrolment, CodeConflict, "What was begun to set up a second factor has expired or belongs to somebody else.",
			"Begin again."},
		{ReasonPasswordWrong, CodeInvalid, "Somebody who is signed in gave a wrong password where it is asked for again.",
			"Give the present password."},
	}
}
