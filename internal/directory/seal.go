package directory

// Sealer encrypts what must be kept and read back (AES-256-GCM). A sealed text
// names the key that sealed it, so that keys can be exchanged.
type Sealer struct {
	keys map[string][]byte
}
