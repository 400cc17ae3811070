package encore

// Length bounds a text in characters, both ends included.
type Length struct{ Least, Most int }

// fits reports whether a length is within the bounds.
func (l Length) fits(n int) bool { return n >= l.Least && n <= l.Most }

// Limits are the lengths of the texts that the door takes, by the vendor's name
// of the property. The vendor publishes codes for them and no numbers (dossier
// 5.12).
type Limits map[string]Length

// DefaultLimits are the lengths where Options name none.
func DefaultLimits() Limits {
	return Limits{
		"UserName":       {1, 100},
		"Password":       {6, 50},
		"FirstName":      {0, 50},
		"LastName":       {0, 50},
		"EmployeeNumber": {1, 64},
		"Email":          {0, 254},
		"Phone":          {0, 20},
		"EPTTNumber":     {0, 20},
		"EPTTWebMDN":     {0, 20},
		"EPTTToken":      {0, 256},
	}
}

// orDefault completes the limits.
func (l Limits) orDefault() Limits {
	all := DefaultLimits()
	for name, length := range l {
		all[name] = length
	}
	return all
}
