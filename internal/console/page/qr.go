package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/usher-id/usher/internal/directory"
)

// quiet is the white border of a QR code in modules (ISO/IEC 18004 section 9.1).
const quiet = 4

// QRCode draws a text as a QR code: dark on white in every look, since readers expect
// that.
func QRCode(text directory.Secret, label string) (template.HTML, error) {
	code, err := qr.Encode(string(text), qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("page: QR code: %w", err)
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			run := x
			for run < size && isDark(code.At(run, y).RGBA()) {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run-x, run-x)
				x = run
			}
		}
	}
	whole := size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="%s" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		whole, whole, template.HTMLEscapeString(label), whole, whole, path.String())), nil
}

func isDark(r, _, _, _ uint32) bool { return r < 0x8000 }

// Enrolment is a second factor that is being set up, as the template "enrol" shows it.
type Enrolment struct {
	Image  template.HTML
	Seed   string // in groups of four
	Sealed string
}

// ShowEnrolment prepares an enrolment of the core for the template.
func ShowEnrolment(e directory.Enrolment) (Enrolment, error) {
	image, err := QRCode(e.URL, "QR code for an authenticator app. The same as a text stands below it.")
	if err != nil {
		return Enrolment{}, err
	}
	seed := string(e.Seed)
	var groups []string
	for ; len(seed) > 4; seed = seed[4:] {
		groups = append(groups, seed[:4])
	}
	return Enrolment{Image: image, Seed: strings.Join(append(groups, seed), " "), Sealed: string(e.Sealed)}, nil
}
