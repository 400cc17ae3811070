package directory_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// checkpointKey is a key that everybody knows.
func checkpointKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// samplePoint is a signed checkpoint with every member set.
func samplePoint() directory.Checkpoint {
	c := directory.Checkpoint{Tenant: 7, TenantID: "0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31", Name: "acme", Epoch: 3, Position: 120,
		Hash: bytes.Repeat([]byte{0xab}, 32), Time: time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC), Restart: "restored <\u00e9>"}
	c.Sign(checkpointKey(1))
	return c
}

// A changed member, another key and a missing one are each refused.
func TestCheckpointSignatureCoversEveryMember(t *testing.T) {
	other, key := publicOf(checkpointKey(2)), publicOf(checkpointKey(1))
	c := samplePoint()
	if err := c.Verify(other, key); err != nil {
		t.Errorf("as it was signed: %v", err)
	}
	if err := c.Verify(other); err == nil {
		t.Error("another key verifies it")
	}
	for name, change := range map[string]func(*directory.Checkpoint){
		"tenant":    func(c *directory.Checkpoint) { c.Tenant++ },
		"tenant id": func(c *directory.Checkpoint) { c.TenantID += "0" },
		"name":      func(c *directory.Checkpoint) { c.Name = "" },
		"epoch":     func(c *directory.Checkpoint) { c.Epoch-- },
		"position":  func(c *directory.Checkpoint) { c.Position = -c.Position },
		"hash":      func(c *directory.Checkpoint) { c.Hash = append([]byte{1}, c.Hash[1:]...) },
		"time":      func(c *directory.Checkpoint) { c.Time = c.Time.Add(time.Microsecond) },
		"restart":   func(c *directory.Checkpoint) { c.Restart = "" },
		"key":       func(c *directory.Checkpoint) { c.Key = directory.KeyID(other) },
		"signature": func(c *directory.Checkpoint) { c.Signature = append([]byte{c.Signature[0] ^ 1}, c.Signature[1:]...) },
		"boundary":  func(c *directory.Checkpoint) { c.TenantID, c.Name = c.TenantID+c.Name[:1], c.Name[1:] },
	} {
		changed := samplePoint()
		change(&changed)
		if err := changed.Verify(key, other); err == nil {
			t.Errorf("%s can be changed", name)
		}
	}
}

// What is written is one line, and reads as what it was.
func TestCheckpointLine(t *testing.T) {
	c := samplePoint()
	line, err := json.Marshal(&c)
	check(t, err)
	if bytes.ContainsAny(line, "\n\r") || len(line) > directory.MaxCheckpointLine {
		t.Errorf("the line: %q", line)
	}
	got, err := directory.ParseCheckpoint(line)
	check(t, err)
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	check(t, got.Verify(publicOf(checkpointKey(1))))
	text := string(line)
	for name, bad := range map[string]string{
		"empty":          "",
		"an array":       "[]",
		"two":            text + text,
		"torn":           text[:len(text)-20],
		"unknown":        strings.Replace(text, `"name"`, `"nom"`, 1),
		"too long":       strings.Replace(text, `"acme"`, `"`+strings.Repeat("a", directory.MaxCheckpointLine)+`"`, 1),
		"short hash":     strings.Replace(text, "abab", "", 1),
		"no hash":        strings.Replace(text, `"hash":"`, `"hash":"zz`, 1),
		"no signature":   strings.Replace(text, `"signature":"`, `"signature":"!`, 1),
		"position 0":     strings.Replace(text, `"position":120`, `"position":0`, 1),
		"tenant 0":       strings.Replace(text, `"tenant":7`, `"tenant":0`, 1),
		"negative epoch": strings.Replace(text, `"epoch":3`, `"epoch":-3`, 1),
		"nanoseconds":    strings.Replace(text, "123456Z", "123456789Z", 1),
		"not UTF-8":      strings.Replace(text, `"acme"`, "\"\xff\"", 1),
	} {
		if _, err := directory.ParseCheckpoint([]byte(bad)); err == nil {
			t.Errorf("%s: %q was read", name, bad)
		}
	}
}

// FuzzParseCheckpoint: what is read can be written, and reads as the same.
func FuzzParseCheckpoint(f *testing.F) {
	c := samplePoint()
	line, err := json.Marshal(&c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(bytes.Replace(line, []byte("acme"), []byte(`\ud800`), 1))
	f.Add([]byte(`{"tenant":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		first, err := directory.ParseCheckpoint(line)
		if err != nil {
			return
		}
		again, err := json.Marshal(&first)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", line, err)
		}
		if len(again) > directory.MaxCheckpointLine {
			return // escapes made it longer
		}
		second, err := directory.ParseCheckpoint(again)
		if err != nil {
			t.Fatalf("%q was written for %q and cannot be read: %v", again, line, err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
