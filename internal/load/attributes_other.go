//go:build !linux

package load

import "syscall"

func diesWithParent() *syscall.SysProcAttr { return nil }
