// Package browser drives a real Chromium for tests of pages: it starts one for the
// whole test run, gives every test a window of its own without anything of others, and
// judges pages with axe-core.
//
// A test fails when a page logs an error, breaks its content security policy, or asks
// any other host for anything.
package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/launcher"
	"github.com/go-rod/rod/lib/launcher/flags"
	"github.com/go-rod/rod/lib/proto"
)

//go:embed axe/axe-4.14.1.min.js
var axe string

// patience is how long a test waits for something on a page before it fails. It is
// never waited out when things work.
const patience = 30 * time.Second

// lifetime bounds all that a test does in one window.
const lifetime = 10 * time.Minute

var started = sync.OnceValues(start)

// start launches Chromium, as Debian packages it or as USHER_CHROMIUM names it.
func start() (*rod.Browser, error) {
	bin := os.Getenv("USHER_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if bin == "" {
			bin, _ = exec.LookPath(name)
		}
	}
	if bin == "" {
		return nil, fmt.Errorf("there is no Chromium: run .ci/setup, or name it in USHER_CHROMIUM")
	}
	l := launcher.New().Bin(bin).Leakless(false).Headless(true).NoSandbox(true)
	for _, flag := range []string{"disable-gpu", "disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "no-first-run", "no-proxy-server"} {
		l = l.Set(flags.Flag(flag))
	}
	l = l.Set("lang", "en-GB")
	control, err := l.Launch()
	if err != nil {
		return nil, fmt.Errorf("chromium: %w", err)
	}
	b := rod.New().ControlURL(control)
	if err := b.Connect(); err != nil {
		l.Kill()
		return nil, err
	}
	stop = func() { _ = b.Close(); l.Kill(); l.Cleanup() }
	return b, nil
}

var stop = func() {}

// Run is for TestMain: it runs the tests and ends Chromium.
func Run(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

// Options are what a window is like.
type Options struct {
	Width, Height int  // of the window in CSS pixels; 0 means 1280 × 900
	Dark          bool // the system prefers dark
	NoScript      bool
	// Trust accepts the server's certificate whatever it is.
	Trust bool
}

// Page is one window of a browser without cookies.
type Page struct {
	*rod.Page
	t     *testing.T
	base  string
	plain bool // without script: nothing can wait for the page to be drawn

	mu       sync.Mutex
	problems []string
	allowed  []string
}

// Open opens a window for a server at base, as in http://127.0.0.1:8080, and shows
// nothing yet.
func Open(t *testing.T, base string, o Options) *Page {
	t.Helper()
	b, err := started()
	if err != nil {
		t.Fatal(err)
	}
	private, err := b.Incognito()
	if err != nil {
		t.Fatal(err)
	}
	p, err := private.Page(proto.TargetCreateTarget{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Width == 0 {
		o.Width, o.Height = 1280, 900
	}
	page := &Page{Page: p.Timeout(lifetime), t: t, base: base, plain: o.NoScript}
	page.set(o)
	page.watch()
	t.Cleanup(func() {
		page.keepPicture()
		_ = p.Close()
		page.mu.Lock()
		defer page.mu.Unlock()
		for _, problem := range page.problems {
			t.Errorf("the page: %s", problem)
		}
	})
	return page
}

func (p *Page) set(o Options) {
	p.t.Helper()
	scheme := "light"
	if o.Dark {
		scheme = "dark"
	}
	for _, err := range []error{
		proto.EmulationSetDeviceMetricsOverride{Width: o.Width, Height: o.Height, DeviceScaleFactor: 1}.Call(p.Page),
		proto.EmulationSetEmulatedMedia{Features: []*proto.EmulationMediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}.Call(p.Page),
		proto.EmulationSetScriptExecutionDisabled{Value: o.NoScript}.Call(p.Page),
		proto.SecuritySetIgnoreCertificateErrors{Ignore: o.Trust}.Call(p.Page),
	} {
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// watch notes what a page does wrong.
func (p *Page) watch() {
	_ = proto.LogEnable{}.Call(p.Page)
	go p.Page.EachEvent(
		func(e *proto.RuntimeExceptionThrown) {
			p.problem("script: " + e.ExceptionDetails.Text + " " + exceptionOf(e.ExceptionDetails))
		},
		func(e *proto.LogEntryAdded) {
			if e.Entry.Level == proto.LogLogEntryLevelError {
				p.problem(string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL)
			}
		},
		func(e *proto.NetworkRequestWillBeSent) {
			if u := e.Request.URL; !strings.HasPrefix(u, p.base) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
				p.problem("it asks elsewhere: " + u)
			}
		},
	)()
}

func exceptionOf(d *proto.RuntimeExceptionDetails) string {
	if d.Exception != nil {
		return d.Exception.Description
	}
	return ""
}

func (p *Page) problem(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, allowed := range p.allowed {
		if strings.Contains(text, allowed) {
			return
		}
	}
	p.problems = append(p.problems, text)
}

// Allow lets the page log errors with this text: "status of 422" where a form is
// refused, which Chromium logs.
func (p *Page) Allow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = append(p.allowed, text)
}

// Go opens a path of the server and waits until it has loaded.
func (p *Page) Go(path string) {
	p.t.Helper()
	wait := p.Page.WaitNavigation(proto.PageLifecycleEventNameLoad)
	if err := p.Navigate(p.base + path); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	wait()
}

// Find waits for an element by CSS selector.
func (p *Page) Find(selector string) *rod.Element {
	p.t.Helper()
	e, err := p.Page.Timeout(patience).Element(selector)
	if err != nil {
		p.t.Fatalf("%s: there is no %s on\n%s", p.URL(), selector, p.Text())
	}
	return e.CancelTimeout()
}

// Fill types a text into a field, in the place of what it holds.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	e := p.Find(selector)
	if p.plain {
		p.instead(e, "text => { this.value = text }", text)
		return
	}
	if err := e.SelectAllText(); err != nil {
		p.t.Fatal(err)
	}
	if err := e.Input(text); err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
}

// Choose selects an option of a select by its value.
func (p *Page) Choose(selector, value string) {
	p.t.Helper()
	if p.plain {
		p.instead(p.Find(selector), "value => { this.value = value }", value)
		return
	}
	if err := p.Find(selector).Select([]string{fmt.Sprintf("[value=%q]", value)}, true, rod.SelectorTypeCSSSector); err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
}

// Click clicks an element and waits for nothing.
func (p *Page) Click(selector string) {
	p.t.Helper()
	if err := p.click(p.Find(selector)); err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
}

// click clicks an element as a mouse does.
func (p *Page) click(e *rod.Element) error {
	if p.plain {
		_, err := e.Eval("() => this.click()")
		return err
	}
	return e.Click(proto.InputMouseButtonLeft, 1)
}

// instead does to an element what a person would, in a window without script: there
// the browser never says that a page has been drawn, for which mouse and keyboard wait.
func (p *Page) instead(e *rod.Element, js, value string) {
	p.t.Helper()
	if _, err := e.Eval(js, value); err != nil {
		p.t.Fatal(err)
	}
}

// Follow clicks an element that leads to another page, and waits until that has
// loaded.
func (p *Page) Follow(selector string) {
	p.t.Helper()
	e := p.Find(selector)
	wait := p.Page.WaitNavigation(proto.PageLifecycleEventNameLoad)
	if err := p.click(e); err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
	wait()
}

// Text is what a person reads on the page.
func (p *Page) Text() string {
	v, err := p.Eval(`() => document.body ? document.body.innerText : ""`)
	if err != nil {
		return err.Error()
	}
	return v.Value.Str()
}

// URL is where the window is.
func (p *Page) URL() string {
	info, err := p.Info()
	if err != nil {
		return err.Error()
	}
	return info.URL
}

// Shows waits until the page has a text.
func (p *Page) Shows(text string) {
	p.t.Helper()
	if err := p.Page.Timeout(patience).Wait(rod.Eval(`text => document.body !== null && document.body.innerText.replace(/\s+/g, " ").includes(text)`, text)); err != nil {
		p.t.Fatalf("%s: %q is not on\n%s", p.URL(), text, p.Text())
	}
}

// Hides fails when the page has a text.
func (p *Page) Hides(text string) {
	p.t.Helper()
	if strings.Contains(strings.Join(strings.Fields(p.Text()), " "), text) {
		p.t.Errorf("%s: %q is on\n%s", p.URL(), text, p.Text())
	}
}

// finding is what axe says of a page.
type finding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Accessible fails unless axe-core finds nothing on the page, by WCAG 2.0 to 2.2, A and
// AA, and its best practices, and unless nothing makes the page wider than its window.
// It needs a window with script.
func (p *Page) Accessible() {
	p.t.Helper()
	if _, err := p.Eval(`() => { if (!window.axe) { ` + axe + ` } }`); err != nil {
		p.t.Fatalf("axe: %v", err)
	}
	v, err := p.Eval(`() => axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"], resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	if err != nil {
		p.t.Fatalf("axe: %v", err)
	}
	var found []finding
	if err := json.Unmarshal([]byte(v.Value.Str()), &found); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range found {
		for _, n := range f.Nodes {
			p.t.Errorf("%s: axe: %s: %s\n\t%s\n\t%s", p.URL(), f.ID, f.Help, n.HTML, n.Summary)
		}
	}
	if v, err := p.Eval(`() => document.documentElement.scrollWidth - window.innerWidth`); err != nil || v.Value.Int() > 0 {
		p.t.Errorf("%s: the page is %d pixels wider than the window (%v)", p.URL(), v.Value.Int(), err)
	}
}

// Picture writes what the window shows as a PNG, when USHER_PICTURES names a folder.
func (p *Page) Picture(name string) {
	dir := os.Getenv("USHER_PICTURES")
	if dir == "" {
		return
	}
	if png, err := p.Screenshot(true, &proto.PageCaptureScreenshot{Format: proto.PageCaptureScreenshotFormatPng}); err == nil {
		_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
}

// keepPicture is Picture for a test that failed.
func (p *Page) keepPicture() {
	if p.t.Failed() {
		p.Picture("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
	}
}
