#!/usr/bin/env bash
# Stores the sources of a commit's program as previous.tar.gz: the files that
# `go build ./cmd/usher` reads, and nothing else.
#
# usage: internal/scaleout/testdata/previous.sh COMMIT
set -euo pipefail
commit=$1
top=$(git rev-parse --show-toplevel)
here=$top/internal/scaleout/testdata
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git -C "$top" archive "$commit" | tar -x -C "$tree"
cd "$tree"
{
	printf '%s\n' go.mod go.sum LICENSE
	go list -deps -f '{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}
{{end}}{{range .IgnoredGoFiles}}{{$dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}
{{end}}{{end}}{{end}}' ./cmd/usher | sed -e '/^$/d' -e '/_test\.go$/d' -e "s|^$tree/||"
} | LC_ALL=C sort -u >files
tar --create --files-from files --owner 0 --group 0 --numeric-owner --mode 0644 --mtime "$(git -C "$top" log -1 --format=%cI "$commit")" |
	gzip -9n >"$here/previous.tar.gz"
git -C "$top" rev-parse "$commit" >"$here/previous.commit"
ls -l "$here/previous.tar.gz"
