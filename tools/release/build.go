package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// target is a system that programs are made for.
type target struct{ os, arch string }

// targets are those that are published.
var targets = []target{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

func (t target) String() string { return t.os + "/" + t.arch }

// program is the package that is built.
const program = "./cmd/usher"

// build makes everything of a release into a folder. Of each program two are built: in
// clones at places whose paths differ in length, with caches of their own. Where one
// byte differs nothing is published: the folder, in which nothing may be before, gets
// all of it at the end or stays empty.
func build(folder, only string, log io.Writer) error {
	if err := empty(folder); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "usher-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // of the temporary folder
	places := []string{filepath.Join(work, "a"), filepath.Join(work, "another-place", "of-other-length")}
	for _, place := range places {
		if err := command("", nil, "git", "clone", "--quiet", "--no-hardlinks", ".", place); err != nil {
			return err
		}
	}
	out := filepath.Join(work, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	var made []string
	for _, t := range targets {
		if only != "" && only != t.String() {
			continue
		}
		name, err := buildTwice(work, places, out, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		if _, err := fmt.Fprintf(log, "%s: built twice, the same\n", name); err != nil {
			return err
		}
		made = append(made, filepath.Join(out, name))
	}
	if len(made) == 0 {
		return fmt.Errorf("%s is no system that programs are made for", only)
	}
	if err := describe(out, made); err != nil {
		return err
	}
	return publish(out, folder)
}

// empty fails if there is something in a folder. One that is not there is empty.
func empty(folder string) error {
	found, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(found) > 0:
		return fmt.Errorf("%s is not empty, and everything in it would be published: it has %s; run make clean, or name another folder with -out", folder, found[0].Name())
	}
	return nil
}

// publish puts everything of one folder into an empty one, or leaves that empty.
func publish(from, folder string) error {
	if err := empty(folder); err != nil { // somebody else may have been at it
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	err := os.CopyFS(folder, os.DirFS(from)) // not a rename: it may be another disk
	if err != nil {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// buildTwice builds a program in both places, compares the two and keeps the first.
func buildTwice(work string, places []string, folder string, t target) (name string, err error) {
	var first []byte
	for i, place := range places {
		path := filepath.Join(work, fmt.Sprintf("program-%d", i))
		cache := filepath.Join(work, fmt.Sprintf("cache-%d", i))
		if err := compile(place, path, program, t, cache, true); err != nil {
			return "", err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first = data
			continue
		}
		if !bytes.Equal(first, data) {
			return "", fmt.Errorf("two builds differ at byte %d", differsAt(first, data))
		}
		info, err := readInfo(path)
		if err != nil {
			return "", err
		}
		if version := info.Main.Version; strings.HasSuffix(version, "+dirty") || version == "" || version == "(devel)" {
			return "", fmt.Errorf("the program says that its version is %q", version)
		}
		name = fmt.Sprintf("usher-%s-%s-%s", info.Main.Version, t.os, t.arch)
		if t.os == "windows" {
			name += ".exe"
		}
	}
	return name, os.WriteFile(filepath.Join(folder, name), first, 0o755)
}

// compile builds a package for a system as a release is built: static, without the
// paths of the machine. Git's version and commit are in it if vcs is set.
func compile(dir, out, pkg string, t target, cache string, vcs bool) error {
	env := []string{"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch, "GOFLAGS=", "GOWORK=off", "GOCACHE=" + cache}
	return command(dir, env, "go", "build", "-trimpath", fmt.Sprintf("-buildvcs=%t", vcs), "-o", out, pkg)
}

func differsAt(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// describe writes what goes with the programs: a bill of materials of each, the
// licences, and the sums.
func describe(folder string, programs []string) error {
	files := slices.Clone(programs)
	write := func(path string, content func(io.Writer) error) error {
		var text bytes.Buffer
		if err := content(&text); err != nil {
			return err
		}
		files = append(files, path)
		return os.WriteFile(path, text.Bytes(), 0o644)
	}
	for _, path := range programs {
		err := write(path+".cdx.json", func(w io.Writer) error { return writeSBOM(path, w) })
		if err != nil {
			return err
		}
	}
	err := write(filepath.Join(folder, "LICENCES.txt"), func(w io.Writer) error { return writeLicences(programs, w) })
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), filepath.Base(path))
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// command runs a program; its words go to standard error.
func command(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
