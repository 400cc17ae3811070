//go:build unix

package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// reader is who reads a secret file: the user and the groups of a process, and the
// folder of credentials that systemd made for it, if it made one.
type reader struct {
	uid         int
	groups      []int
	credentials string
}

// ownReader is this process.
func ownReader() (reader, error) {
	groups, err := os.Getgroups()
	return reader{os.Geteuid(), append(groups, os.Getegid()), os.Getenv("CREDENTIALS_DIRECTORY")}, err
}

// granted is true of a file of somebody else that a group may read, and only read, where
// this is how the process itself gets it: as one of the group (Kubernetes gives the files
// of a secret to root and the group fsGroup), or as a credential of systemd, where the
// bits of the group are the mask of an access list that names the process's user.
func (r *reader) granted(path string, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o037 != 0 || int(stat.Uid) == r.uid {
		return false
	}
	return slices.Contains(r.groups, int(stat.Gid)) || r.credentials != "" && filepath.Dir(path) == filepath.Clean(r.credentials)
}

// granted asks for this process.
func granted(path string, info fs.FileInfo) bool {
	r, err := ownReader()
	return err == nil && r.granted(path, info)
}
