package user

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/web"
)

// seenBy is a user as a door shows it.
type seenBy struct {
	Door, Title string
	Off         bool // the tenant has the door switched off, or the server does not serve it
	Missing     string
	Curl        string
	Status      int
	ContentType string
	Answer      string
}

type seenView struct {
	*sheet
	Doors []seenBy
}

// showSeen shows the user as each door does, with the request that fetches it.
func (p *pages) showSeen(r *page.Request) (web.Response, error) {
	s, err := read(r, "seen")
	if err != nil {
		return web.Response{}, err
	}
	viewer, err := r.Viewer()
	if err != nil {
		return web.Response{}, err
	}
	v := seenView{sheet: s}
	base := "http://" + r.Host // where the browser has reached the server
	if r.TLS != nil || r.Kit.Options.HTTPS {
		base = "https://" + r.Host
	}
	for _, door := range r.Kit.Options.SeenBy {
		sample, err := door.Show(&s.UserDetail, viewer.Settings)
		if err != nil {
			return web.Response{}, err
		}
		shown := seenBy{Door: door.Door.String(), Title: door.Title, Missing: sample.Missing, Status: sample.Status, ContentType: sample.ContentType}
		shown.Off = r.Kit.Options.Serves != nil && !r.Kit.Options.Serves(door.Door) || !viewer.Doors.Has(door.Door)
		if sample.Missing == "" {
			shown.Curl, shown.Answer = curl(base, &sample), legible(&sample)
		}
		v.Doors = append(v.Doors, shown)
	}
	return r.Page(p.seen, s.view("As seen by", &v))
}

// curl is a sample's request as a line for a shell, in which the words of the sample
// stand for secrets.
func curl(base string, s *web.Sample) string {
	var line strings.Builder
	line.WriteString("curl")
	for _, h := range s.Header {
		line.WriteString(" -H \"" + h[0] + ": " + h[1] + "\"")
	}
	quote := "'" // nothing in the path is the shell's: it is escaped as a URL
	if strings.Contains(s.Path, "$") {
		quote = "\""
	}
	line.WriteString(" " + quote + base + s.Path + quote)
	return line.String()
}

// legible is an answer with line breaks.
func legible(s *web.Sample) string {
	if strings.Contains(s.ContentType, "xml") {
		lines := strings.ReplaceAll(string(s.Answer), "><", ">\n<")
		return strings.NewReplacer(">\n<![CDATA[", "><![CDATA[", "]]>\n</", "]]></").Replace(lines)
	}
	return ordered(s.Answer)
}

// ordered is JSON with line breaks, its members in the order in which the door has
// them.
func ordered(raw []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}
