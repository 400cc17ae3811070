package directory

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// cheap is the least cost that argon2id allows, for tests of everything but
// the cost.
var cheap = HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}

const vectorPassword = "correct horse battery staple"

// hashVectors were made with independent implementations: argon2-cffi 25.1.0
// (the C reference), bcrypt 5.0.0 for Python (Rust), passlib 1.7.4, Django
// 5.2.19 and hashlib.pbkdf2_hmac of Python 3.11. 2y is the 2b hash renamed:
// the revisions agree.
var hashVectors = map[string]string{
	"argon2id":         "$argon2id$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
	"argon2i":          "$argon2i$v=19$m=1024,t=3,p=2$MDEyMzQ1Njc4OWFiY2RlZg$U0dJIMzCQNTgvdDeHuYWBEByozd7QvxvcyyDA0w4+Cc",
	"argon2d":          "$argon2d$v=19$m=1024,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ffyeBWZJygnQrD1JhgCFPhohv0eRNyS87sj8RyPtPkk",
	"argon2id default": "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0",
	"bcrypt 2a":        "$2a$04$MrY/9MJR7I3SI/joQoTU7e7r2G2f63v57KReSAOYlSxmTQ9K4c2Pi",
	"bcrypt 2b":        "$2b$05$DHUQ2wAK4mW4E.u/1deDFOaFhqCes0ra0l4MHoyNWOxK/y6morWYq",
	"bcrypt 2y":        "$2y$05$DHUQ2wAK4mW4E.u/1deDFOaFhqCes0ra0l4MHoyNWOxK/y6morWYq",
	"scrypt":           "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$KhW5KLACpfR1HRqSPdg8ODHC9nzhpv0EHEqfwm5GJX4",
	"pbkdf2-sha256":    "$pbkdf2-sha256$1000$8PHy8/T19vf4.fr7/P3./w$0A35jjZ8X.jm/Nj9sc4uzmU/RqA2wljSyf5enbVFSOY",
	"pbkdf2-sha512":    "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$5bTW2oeyDJyGJPcmEr.mRDE11ghpozWrDGnSNhRXo2ZCu0KHRDiUMAVEGzLJC.oDhRoeIja9J1iLIv9ptDJMfQ",
	"pbkdf2 sha1":      "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$wmIXv0mv7iouqkc9CKjRvCX21po",
	"pbkdf2 PHC":       "$pbkdf2-sha256$i=1200,l=32$MDEyMzQ1Njc4OWFiY2RlZg$ft2zHZKuh8w07jkODoJqqXgCz4xghu0EeAmzJ/uTXSU",
	"django sha256":    "pbkdf2_sha256$1500$seasalt1$Ler+CY6OPkla7ZKuc+qafWtXBF++YcwmWomyjk8nxto=",
	"django sha1":      "pbkdf2_sha1$1500$seasalt1$D9cWbXo0cqb/oyJ/hNlZHGYjQBg=",
	"ssha":             "{SSHA}46BnfOtjjVkV2IM1YrlQPStNxk5zYWx0c2FsdA==",
	"ssha256":          "{SSHA256}CjjqPXPYGjVMmTRdzHN2UTPdg0XIYl0HWPy+0QwtTBRzYWx0c2FsdA==",
	"ssha512":          "{SSHA512}UweAzUpvjvE5jz6nWBj9q0BiWPv/iScwpbX/yGA6X/AMM4Vz4l5BHV0nnau4mHhhKbbncQtK3bqI9cz8WqqeP3NhbHRzYWx0",
}

func TestVerifyKnownAnswers(t *testing.T) {
	h := NewHasher(cheap)
	for name, encoded := range hashVectors {
		t.Run(name, func(t *testing.T) {
			if err := h.CheckImportable(encoded); err != nil {
				t.Fatal(err)
			}
			ok, rehash, err := h.Verify(t.Context(), vectorPassword, encoded, false)
			if !ok || !rehash || err != nil {
				t.Errorf("Verify = %v, rehash %v, %v; want true, true", ok, rehash, err)
			}
			for _, wrong := range []string{"", vectorPassword + "x", strings.ToUpper(vectorPassword), "\xff\x00"} {
				if ok, rehash, err := h.Verify(t.Context(), wrong, encoded, false); ok || rehash || err != nil {
					t.Errorf("Verify(%q) = %v, %v, %v", wrong, ok, rehash, err)
				}
			}
		})
	}
}

func TestHashRoundTrip(t *testing.T) {
	h := NewHasher(cheap)
	for _, password := range []string{vectorPassword, "", "pässwörd", "a\x00b", "\xff\xfe", strings.Repeat("x", MaxPasswordBytes)} {
		encoded, err := h.Hash(t.Context(), password, false)
		if err != nil || !strings.HasPrefix(encoded, "$argon2id$v=19$m=8,t=1,p=1$") {
			t.Fatalf("Hash(%q) = %q, %v", password, encoded, err)
		}
		if ok, rehash, err := h.Verify(t.Context(), password, encoded, true); !ok || rehash || err != nil {
			t.Errorf("Verify(%q) = %v, rehash %v, %v; want true, false", password, ok, rehash, err)
		}
		if ok, _, err := h.Verify(t.Context(), password+"x", encoded, false); ok || err != nil {
			t.Errorf("Verify of a longer password = %v, %v", ok, err)
		}
		if again, _ := h.Hash(t.Context(), password, false); again == encoded {
			t.Error("two hashes have the same salt")
		}
	}
}

func TestRehashWhenTheCostDiffers(t *testing.T) {
	encoded, err := NewHasher(cheap).Hash(t.Context(), vectorPassword, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, cost := range []HashCost{{16, 1, 1}, {8, 2, 1}, {16, 1, 2}} {
		ok, rehash, err := NewHasher(cost).Verify(t.Context(), vectorPassword, encoded, false)
		if !ok || !rehash || err != nil {
			t.Errorf("cost %v: %v, rehash %v, %v", cost, ok, rehash, err)
		}
	}
	current := hashVectors["argon2id default"]
	if ok, rehash, err := NewHasher(HashCost{}).Verify(t.Context(), vectorPassword, current, false); !ok || rehash || err != nil {
		t.Errorf("the zero cost is not the default: %v, rehash %v, %v", ok, rehash, err)
	}
}

// TestPasswordsAreNormalised types one password in two ways. The bcrypt hash
// was made by Python's bcrypt from the decomposed bytes.
func TestPasswordsAreNormalised(t *testing.T) {
	const composed, typed = "Am\u00E9lie passe-partout", "Ame\u0301lie\u00A0passe-partout"
	const imported = "$2b$04$Wv9khdH0KTjAW9Q1S2mvc.9qbnDKR5GOjSyLUPqp.xsmyIpBgrs8C"
	h := NewHasher(cheap)
	encoded, err := h.Hash(t.Context(), typed, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{composed, typed} {
		if ok, rehash, err := h.Verify(t.Context(), password, encoded, false); !ok || rehash || err != nil {
			t.Errorf("%q: %v, rehash %v, %v", password, ok, rehash, err)
		}
	}
	if ok, rehash, err := h.Verify(t.Context(), typed, imported, false); !ok || !rehash || err != nil {
		t.Errorf("imported, as typed: %v, rehash %v, %v", ok, rehash, err)
	}
	if ok, _, err := h.Verify(t.Context(), composed, imported, false); ok || err != nil {
		t.Errorf("imported, other bytes: %v, %v", ok, err)
	}
}

// TestBcryptReadsSeventyTwoBytes uses a hash of 72 times x by Python's bcrypt.
func TestBcryptReadsSeventyTwoBytes(t *testing.T) {
	const encoded = "$2b$04$DK/ncVrXTil0rLplvh6Nb.99UUKGh9Kl2OIf.WHjh..WdDj/EoO6."
	h := NewHasher(cheap)
	for n, want := range map[int]bool{71: false, 72: true, 73: true} {
		if ok, _, err := h.Verify(t.Context(), strings.Repeat("x", n), encoded, false); ok != want || err != nil {
			t.Errorf("%d bytes: %v, %v; want %v", n, ok, err, want)
		}
	}
}

func TestOversizedPasswords(t *testing.T) {
	h := NewHasher(cheap)
	long := strings.Repeat("x", MaxPasswordBytes+1)
	if _, err := h.Hash(t.Context(), long, false); CodeOf(err) != CodeInvalid || !IsReason(err, ReasonPasswordTooLong) {
		t.Errorf("Hash: %v", err)
	}
	if ok, rehash, err := h.Verify(t.Context(), long, hashVectors["ssha"], false); ok || rehash || err != nil {
		t.Errorf("Verify = %v, %v, %v", ok, rehash, err)
	}
	if err := h.VerifyNothing(t.Context(), long); err != nil {
		t.Errorf("VerifyNothing: %v", err)
	}
}

func TestCheckImportable(t *testing.T) {
	const salt, tag = "MDEyMzQ1Njc4OWFiY2RlZg", "1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg"
	const body = "DHUQ2wAK4mW4E.u/1deDFOaFhqCes0ra0l4MHoyNWOxK/y6morWYq"
	long64 := strings.Repeat("A", 86)
	tests := []struct {
		encoded string
		want    Reason
	}{
		{"$argon2id$v=19$m=262144,t=4,p=4$" + salt + "$" + tag, ""},
		{"$argon2id$v=19$m=65536,t=3,p=4$" + salt + "$" + tag, ""},
		{"$argon2id$v=19$t=3,p=4,m=65536$" + salt + "$" + tag, ""},
		{"$argon2id$v=19$m=262145,t=1,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$argon2id$v=19$m=262144,t=5,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$argon2id$v=19$m=8,t=4294967295,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$argon2id$v=19$m=99999999999999999999999,t=1,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$argon2d$v=19$m=65536,t=1,p=255$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$argon2id$v=16$m=65536,t=3,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$m=65536,t=3,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2x$v=19$m=65536,t=3,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=0,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3,p=0$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=0,t=3,p=1$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=8,t=1,p=2$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3,p=4,m=8$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=-3,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=03,p=4$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3,p=4$" + salt + "$AAAA", ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3,p=4$$" + tag, ReasonHashUnsupported},
		{"$argon2id$v=19$m=65536,t=3,p=4$" + salt + "$" + tag + " ", ReasonHashUnsupported},
		{"$2b$14$" + body, ""},
		{"$2b$15$" + body, ReasonHashTooCostly},
		{"$2b$31$" + body, ReasonHashTooCostly},
		{"$2b$32$" + body, ReasonHashUnsupported},
		{"$2b$03$" + body, ReasonHashUnsupported},
		{"$2x$05$" + body, ReasonHashUnsupported},
		{"$2b$05$" + body[:52], ReasonHashUnsupported},
		{"$2b$05$" + body[:52] + "!", ReasonHashUnsupported},
		{"$2b$5$" + body + "a", ReasonHashUnsupported},
		{"$scrypt$ln=17,r=8,p=1$" + salt + "$" + tag, ""},
		{"$scrypt$ln=17,r=8,p=4$" + salt + "$" + tag, ""},
		{"$scrypt$ln=17,r=8,p=5$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=17,r=9,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=18,r=8,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=63,r=8,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=1,r=1,p=1048576$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=4294967297,r=8,p=1$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$scrypt$ln=0,r=8,p=1$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$scrypt$ln=14,r=0,p=1$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$scrypt$ln=14,r=8$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$pbkdf2-sha256$2000000$" + salt + "$" + strings.ReplaceAll(tag, "+", "."), ""},
		{"$pbkdf2-sha256$2000001$" + salt + "$" + tag, ReasonHashTooCostly},
		{"$pbkdf2-sha256$1000001$" + salt + "$" + long64, ReasonHashTooCostly},
		{"$pbkdf2-sha512$2000000$" + salt + "$" + long64, ""},
		{"$pbkdf2-sha256$i=600000$" + salt + "$" + tag, ""},
		{"$pbkdf2-sha256$i=600000,l=64$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$pbkdf2-sha256$x=1$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$pbkdf2-sha256$0$" + salt + "$" + tag, ReasonHashUnsupported},
		{"$pbkdf2-md5$1000$" + salt + "$" + tag, ReasonHashUnsupported},
		{"pbkdf2_sha256$1000000$seasalt1$" + tag + "=", ""},
		{"pbkdf2_sha256$99999999999$seasalt1$" + tag + "=", ReasonHashTooCostly},
		{"pbkdf2_sha256$1000000$$" + tag + "=", ReasonHashUnsupported},
		{"pbkdf2_$1000000$seasalt1$" + tag + "=", ReasonHashUnsupported},
		{"{ssha}46BnfOtjjVkV2IM1YrlQPStNxk5zYWx0c2FsdA", ""},
		{"{SHA}46BnfOtjjVkV2IM1YrlQPStNxk4=", ReasonHashUnsupported},
		{"{SSHA}46BnfOtjjVkV2IM1YrlQPStNxk4=", ReasonHashUnsupported},
		{"{CLEARTEXT}secret", ReasonHashUnsupported},
		{"{", ReasonHashUnsupported},
		{"", ReasonHashUnsupported},
		{"secret", ReasonHashUnsupported},
		{"$1$salt$qJH7.N4xYta3aEG/dfqo/0", ReasonHashUnsupported},
		{"{SSHA}" + strings.Repeat("A", 600), ReasonHashUnsupported},
	}
	h := NewHasher(HashCost{})
	for _, tt := range tests {
		err := h.CheckImportable(tt.encoded)
		if tt.want == "" {
			if err != nil {
				t.Errorf("CheckImportable(%q): %v", tt.encoded, err)
			}
			continue
		}
		if CodeOf(err) != CodeInvalid || !IsReason(err, tt.want) {
			t.Errorf("CheckImportable(%q) = %v, want invalid %s", tt.encoded, err, tt.want)
		}
		if err != nil && len(tt.encoded) > 5 && strings.Contains(err.Error(), tt.encoded) {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

func TestVerifyRefusesUnreadableStoredHashes(t *testing.T) {
	const secret = "$1$salt$qJH7.N4xYta3aEG/dfqo/0"
	ok, rehash, err := NewHasher(cheap).Verify(t.Context(), "x", secret, false)
	if ok || rehash || CodeOf(err) != CodeInternal || strings.Contains(AsError(err).Error(), secret) {
		t.Errorf("Verify = %v, %v, %v", ok, rehash, err)
	}
}

func TestSlots(t *testing.T) {
	tests := []struct {
		cost        HashCost
		cores       int
		slots, kept int
	}{
		{HashCost{}, 1, 1, 0},
		{HashCost{}, 4, 4, 1},
		{HashCost{}, 64, 13, 1},
		{HashCost{MemoryKiB: 128 << 10}, 8, 2, 1},
		{HashCost{MemoryKiB: 512 << 10}, 8, 1, 0},
	}
	for _, tt := range tests {
		s := newHasher(tt.cost, tt.cores).slots
		if s.free != tt.slots || s.kept != tt.kept {
			t.Errorf("%v on %d cores: %d slots, %d kept; want %d, %d", tt.cost, tt.cores, s.free, s.kept, tt.slots, tt.kept)
		}
	}
}

// mustAcquire takes a slot that must be free now.
func mustAcquire(t *testing.T, s *hashSlots, memory int64, administrator bool) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release, err := s.acquire(ctx, memory, administrator)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func wantQueueFull(t *testing.T, err error) {
	t.Helper()
	if CodeOf(err) != CodeUnavailable || !IsReason(err, ReasonHashQueue) || AsError(err).Retry != hashWait {
		t.Errorf("err = %v, want unavailable password.queue_full with a retry", err)
	}
}

func TestOneSlotIsKeptForAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHashSlots(2, hashMemory)
		first := mustAcquire(t, s, 1, false)
		_, err := s.acquire(t.Context(), 1, false) // waits two (fake) seconds
		wantQueueFull(t, err)
		admin := mustAcquire(t, s, 1, true)
		admin()
		first()
		mustAcquire(t, s, 1, false)()
	})
}

func TestAdministratorsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHashSlots(1, hashMemory)
		busy := mustAcquire(t, s, 1, false)
		var order []string
		enter := func(name string, administrator bool) {
			go func() {
				release, err := s.acquire(t.Context(), 1, administrator)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, name) // one slot: one at a time
				release()
			}()
			synctest.Wait()
		}
		enter("user 1", false)
		enter("user 2", false)
		enter("administrator", true)
		busy()
		synctest.Wait()
		if got := strings.Join(order, ", "); got != "administrator, user 1, user 2" {
			t.Errorf("order: %s", got)
		}
	})
}

func TestMemoryIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHashSlots(4, 100)
		big := mustAcquire(t, s, 90, false)
		small := mustAcquire(t, s, 10, false)
		_, err := s.acquire(t.Context(), 20, true)
		wantQueueFull(t, err)
		big()
		mustAcquire(t, s, 20, false)()
		small()
		if s.free != 4 || s.memory != 100 {
			t.Errorf("left: %d slots, %d bytes", s.free, s.memory)
		}
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHashSlots(1, hashMemory)
		release := mustAcquire(t, s, 1, false)
		var refused atomic.Int32
		for range queuePerSlot + 3 {
			go func() {
				if _, err := s.acquire(t.Context(), 1, false); IsReason(err, ReasonHashQueue) {
					refused.Add(1)
				}
			}()
			synctest.Wait()
		}
		if n := refused.Load(); n != 3 {
			t.Errorf("%d refused at once, want 3", n)
		}
		release() // the first in the queue never gives its slot back: the others run out of time
		synctest.Wait()
		if len(s.ordinary) != queuePerSlot-1 {
			t.Errorf("%d wait", len(s.ordinary))
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newHashSlots(1, hashMemory)
		release := mustAcquire(t, s, 1, false)
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { _, err = s.acquire(ctx, 1, false) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		wantQueueFull(t, err)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the cause is lost: %v", err)
		}
		release()
		if s.free != 1 || len(s.ordinary) != 0 {
			t.Errorf("left: %d slots, %d waiting", s.free, len(s.ordinary))
		}
		if _, err := s.acquire(ctx, 1, false); !errors.Is(err, context.Canceled) {
			t.Errorf("a done context got a slot: %v", err)
		}
	})
}

func FuzzCheckImportable(f *testing.F) {
	for _, encoded := range hashVectors {
		f.Add(encoded)
	}
	h := NewHasher(cheap)
	f.Fuzz(func(t *testing.T, encoded string) {
		if err := h.CheckImportable(encoded); err != nil && CodeOf(err) != CodeInvalid {
			t.Fatalf("CheckImportable(%q): %v", encoded, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	for _, encoded := range hashVectors {
		f.Add(vectorPassword, encoded)
	}
	f.Add("Ame\u0301lie", "{SSHA}AAAA")
	h := NewHasher(cheap)
	f.Fuzz(func(t *testing.T, password, encoded string) {
		stored, reason := parseHash(encoded, cheap)
		if reason == "" && costly(stored) {
			return
		}
		ok, rehash, err := h.Verify(t.Context(), password, encoded, false)
		if ok && (err != nil || len(password) > MaxPasswordBytes) || rehash && !ok {
			t.Fatalf("Verify(%q, %q) = %v, %v, %v", password, encoded, ok, rehash, err)
		}
		if unreadable := h.CheckImportable(encoded) != nil; unreadable != (err != nil) && len(password) <= MaxPasswordBytes {
			t.Fatalf("Verify(%q, %q): %v", password, encoded, err)
		}
	})
}

// costly picks out what would make fuzzing slow.
func costly(h storedHash) bool {
	switch h := h.(type) {
	case argon2Hash:
		return h.cost.work() > 4096
	case bcryptHash:
		return !h.quick(cheap) || h[5] > '5'
	case scryptHash:
		return h.n*h.r*h.p > 1<<14
	case pbkdf2Hash:
		return h.iterations > 2000
	}
	return false
}
