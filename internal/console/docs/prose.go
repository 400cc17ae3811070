package docs

import (
	"html/template"
	"regexp"
	"strings"
)

// prose turns the Markdown of a description into HTML, as far as descriptions
// use it: paragraphs, lists, headings as bold lines, fenced and inline code,
// emphasis. Everything else is shown as it is written. Links stay text: the
// pages lead nowhere outside.
func prose(text string) template.HTML {
	var b strings.Builder
	inList, inCode := false, false
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			b.WriteString("<p>" + inline(strings.Join(paragraph, " ")) + "</p>")
			paragraph = nil
		}
		if inList {
			b.WriteString("</li></ul>")
			inList = false
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		item, isItem := listItem(trimmed)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			if !inCode {
				flush()
			}
			b.WriteString(map[bool]string{false: `<pre tabindex="0"><code>`, true: "</code></pre>"}[inCode])
			inCode = !inCode
		case inCode:
			b.WriteString(template.HTMLEscapeString(line) + "\n")
		case trimmed == "":
			flush()
		case strings.HasPrefix(trimmed, "#"):
			flush()
			b.WriteString("<p><strong>" + inline(strings.TrimLeft(trimmed, "# ")) + "</strong></p>")
		case isItem && inList:
			b.WriteString("</li><li>" + inline(item))
		case isItem:
			flush()
			b.WriteString("<ul><li>" + inline(item))
			inList = true
		case inList:
			b.WriteString(" " + inline(trimmed))
		default:
			paragraph = append(paragraph, trimmed)
		}
	}
	flush()
	if inCode {
		b.WriteString("</code></pre>")
	}
	return template.HTML(b.String()) //nolint:gosec // every piece of text went through inline or HTMLEscapeString
}

func listItem(line string) (string, bool) {
	for _, mark := range []string{"* ", "- "} {
		if item, ok := strings.CutPrefix(line, mark); ok {
			return item, true
		}
	}
	return "", false
}

var (
	bold     = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	emphasis = regexp.MustCompile(`(^|[\s(])\*([^*\s][^*]*)\*`)
)

// inline escapes a line, and marks up code and emphasis outside code.
func inline(text string) string {
	var b strings.Builder
	parts := strings.Split(text, "`")
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		switch {
		case i%2 == 1 && i < len(parts)-1:
			b.WriteString("<code>" + escaped + "</code>")
		case i%2 == 1: // a single backquote
			b.WriteString("`" + escaped)
		default:
			escaped = bold.ReplaceAllString(escaped, "<strong>$1</strong>")
			b.WriteString(emphasis.ReplaceAllString(escaped, "$1<em>$2</em>"))
		}
	}
	return b.String()
}
