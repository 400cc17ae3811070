package directory

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// testKey is a key that differs by its number.
func testKey(n byte) []byte { return bytes.Repeat([]byte{n}, SecretKeyBytes) }

func testSealer(t testing.TB, current byte, older ...byte) *Sealer {
	t.Helper()
	var keys [][]byte
	for _, n := range older {
		keys = append(keys, testKey(n))
	}
	s, err := NewSealer(testKey(current), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealerOpensWhatItSealed(t *testing.T) {
	s := testSealer(t, 1)
	for _, plain := range []string{"", "a", "a text of several words"} {
		first, err := s.Seal("mail", []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.Seal("mail", []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(first, second) || len(plain) > 3 && bytes.Contains(first, []byte(plain)) {
			t.Errorf("%q sealed: %x and %x", plain, first, second)
		}
		for _, sealed := range [][]byte{first, second} {
			if got, err := s.Open("mail", sealed); err != nil || string(got) != plain {
				t.Errorf("opened %q, %v, want %q", got, err, plain)
			}
			if _, err := s.Open("signing key", sealed); CodeOf(err) != CodeInternal {
				t.Errorf("opened for another purpose: %v", err)
			}
		}
	}
}

// A sealed text that was changed in any bit, or cut, does not open.
func TestSealerRefusesDamage(t *testing.T) {
	s := testSealer(t, 1)
	sealed, err := s.Seal("mail", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			damaged := bytes.Clone(sealed)
			damaged[i] ^= 1 << bit
			if _, err := s.Open("mail", damaged); err == nil {
				t.Errorf("byte %d, bit %d: opened", i, bit)
			}
		}
		if _, err := s.Open("mail", sealed[:i]); err == nil {
			t.Errorf("the first %d bytes: opened", i)
		}
	}
	if _, err := s.Open("mail", append(bytes.Clone(sealed), 0)); err == nil {
		t.Error("opened with a byte too many")
	}
}

func TestSealerExchangesKeys(t *testing.T) {
	old, err := testSealer(t, 1).Seal("mail", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	both := testSealer(t, 2, 1)
	if got, err := both.Open("mail", old); err != nil || string(got) != "text" {
		t.Errorf("with the older key: %q, %v", got, err)
	}
	fresh, err := both.Seal("mail", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testSealer(t, 2).Open("mail", fresh); err != nil {
		t.Errorf("the current key does not seal: %v", err)
	}
	if _, err := testSealer(t, 2).Open("mail", old); CodeOf(err) != CodeInternal {
		t.Errorf("without the older key: %v", err)
	}
}

func TestSealerNeedsKeys(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewSealer(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
		if _, err := NewSealer(testKey(1), make([]byte, n)); err == nil {
			t.Errorf("an older key of %d bytes is taken", n)
		}
	}
	var none *Sealer
	_, sealing := none.Seal("mail", nil)
	_, opening := none.Open("mail", nil)
	for _, err := range []error{sealing, opening} {
		if CodeOf(err) != CodeUnavailable || !IsReason(err, ReasonSecretKey) {
			t.Errorf("without a key: %v", err)
		}
	}
}

// Open never panics, and opens nothing but what Seal made.
func FuzzSealerOpen(f *testing.F) {
	s := testSealer(f, 1)
	sealed, err := s.Seal("mail", []byte("text"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("mail", sealed)
	f.Add("mail", []byte{})
	f.Add("", []byte{sealVersion})
	other, err := hex.DecodeString("01ff")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("mail", append(other, sealed...))
	f.Fuzz(func(t *testing.T, purpose string, text []byte) {
		plain, err := s.Open(purpose, text)
		// Each process of the fuzzer has sealed the seed with a nonce of its own.
		if err == nil && (purpose != "mail" || string(plain) != "text") {
			t.Errorf("opened %x for %q: %q", text, purpose, plain)
		}
		if err != nil && CodeOf(err) != CodeInternal {
			t.Errorf("error %v", err)
		}
		again, err := s.Seal(purpose, text)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := s.Open(purpose, again); err != nil || !bytes.Equal(back, text) {
			t.Errorf("sealed and opened %x: %x, %v", text, back, err)
		}
	})
}
