package contract

import "strings"

// archive is a txtar file: a head and named sections, in the format of
// golang.org/x/tools/txtar: a section starts with a line "-- name --".
type archive struct {
	head  string
	files map[string]string
	again string // a name that occurs twice, "" if none does
}

func parseArchive(text string) archive {
	a := archive{files: map[string]string{}}
	var name string
	var section strings.Builder
	end := func() {
		switch _, have := a.files[name]; {
		case name == "":
			a.head = section.String()
		case have:
			a.again = name
		default:
			a.files[name] = section.String()
		}
		section.Reset()
	}
	for line := range strings.Lines(text) {
		if next, ok := marker(line); ok {
			end()
			name = next
			continue
		}
		section.WriteString(line)
	}
	end()
	return a
}

// marker reads the line that starts a section.
func marker(line string) (name string, ok bool) {
	line = strings.TrimRight(line, "\r\n")
	name, ok = strings.CutPrefix(line, "-- ")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, " --")
	name = strings.TrimSpace(name)
	return name, ok && name != ""
}

// section is a file section without its last line break.
func (a archive) section(name string) (string, bool) {
	text, ok := a.files[name]
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r"), ok
}
