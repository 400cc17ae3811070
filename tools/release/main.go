// Command release makes what is published of a version: the program for each system,
// built twice and compared, a bill of materials of each, the licences of what is in them,
// and the sums of all files.
//
//	release build [-out dist] [-only os/arch]   all of it, of the commit that is checked out
//	release sbom PROGRAM                        the bill of materials of one program
//	release licences PROGRAM                    the licences of what is in it
//
// It needs git and go, runs in the root of the repository, and links nothing but the
// standard library, so that it is not part of what it describes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: release build | sbom PROGRAM | licences PROGRAM")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	folder := flags.String("out", "dist", "folder for what is made")
	only := flags.String("only", "", "one system, os/arch")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case args[0] == "build" && flags.NArg() == 0:
		return build(*folder, *only, out)
	case args[0] == "sbom" && flags.NArg() == 1:
		return writeSBOM(flags.Arg(0), out)
	case args[0] == "licences" && flags.NArg() == 1:
		return writeLicences([]string{flags.Arg(0)}, out)
	}
	return fmt.Errorf("unknown command %q", args)
}
