package page

import (
	"crypto/subtle"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Upload handles a form with a file. Fields come in the order of the form.
type Upload func(*Request, *multipart.Reader) (web.Response, error)

// uploading is how much longer than other requests one with a file may take.
const uploading = 30 * time.Minute

// PostFile registers a form of a signed-in person with a file, which is read as it
// comes and never kept as a whole. The form's first field is the proof ({{csrf $}}).
func (k *Kit) PostFile(path string, h Upload) {
	k.handle(http.MethodPost, path, func(r *Request) (web.Response, error) {
		if r.secret() == "" {
			return r.signIn(), nil
		}
		// Nothing of the body is read, and nothing is waited for, before the session is known.
		if _, err := r.Viewer(); err != nil {
			return web.Response{}, err
		}
		r.HoldFor(uploading)
		parts, err := r.MultipartReader()
		if err != nil {
			return web.Response{}, errUpload()
		}
		first, err := parts.NextPart()
		if err != nil || first.FormName() != csrfField {
			return web.Response{}, errCSRF
		}
		proof, err := PartText(first)
		if err != nil || subtle.ConstantTimeCompare([]byte(proof), []byte(csrfToken(r.secret()))) != 1 {
			return web.Response{}, errCSRF
		}
		return h(r, parts)
	})
}

func errUpload() error {
	return directory.Invalid("form", directory.ReasonFieldValue, "The form could not be read.")
}

// maxField is the greatest length of a field beside a file.
const maxField = 64 << 10

// PartText is the value of a field beside a file. Errors: invalid.
func PartText(part *multipart.Part) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil || len(text) > maxField {
		return "", errUpload()
	}
	return string(text), nil
}
