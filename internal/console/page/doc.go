// Package page is what all pages of the console share: the frame around them, its
// style, the session of who looks at them, and what protects their forms.
//
// Pages are HTML that the server writes. Everything essential works without script:
// links lead and forms post. Where there is script, htmx (vendored in assets) fetches
// parts of pages, and app.js adds the keyboard. Nothing is loaded from elsewhere and
// nothing stands inline, so that the policy of contents is strict (headers.go).
//
// A package of pages is a folder below internal/console. It has a Mount function that
// takes a *Kit, parses its templates with Kit.Templates, and registers its routes with
// Kit.Get and Kit.Post; internal/console mounts them all. A handler decodes, makes one
// call of the core for what it does or shows, and renders; the frame's own question
// (who is signed in) is a part of the same request (Call.Part).
//
// # Templates
//
// Every set of templates has those of templates/: the frame, and components that are
// called with {{template "name" dict ...}}: see templates/components.html. A template
// named "page" is the contents of the frame; others are fragments that htmx fetches,
// shown with Request.Fragment. Each element with an hx- attribute carries its own
// hx-target and hx-swap.
//
// # Forms
//
// Forms that change something post, carry {{csrf $}} and redirect on success
// (Request.Done), so that reloading does nothing twice. What the core refuses as
// invalid is shown beside the fields of the form (Faults), with the values as they were
// typed, and status 422.
package page
